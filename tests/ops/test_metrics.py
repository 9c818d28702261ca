"""Who may read `/metrics`, and what is in it."""

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from mia_site.ops import registry
from mia_site.ops.views import metrics_allowed

pytestmark = pytest.mark.django_db


def test_gauges_of_the_registry_are_shown(client: Client) -> None:
    registry.gauge_register("test_gauge", "For a test", lambda: {("ES",): 1.5}, labels=("account",))
    try:
        text = client.get("/metrics").content.decode()
    finally:
        registry.unregister("test_gauge")
    assert 'test_gauge{account="ES"} 1.5' in text
    assert "mia_http_requests_total" in text


def test_a_request_through_a_proxy_is_refused(client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404


def test_a_token_opens_it_from_anywhere_and_nothing_else_does(settings: Settings) -> None:
    settings.METRICS_TOKEN = "scraper"
    build = RequestFactory().get
    assert metrics_allowed(build("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer scraper"}))
    assert not metrics_allowed(build("/metrics", headers={"Authorization": "Bearer é"}))
    assert not metrics_allowed(build("/metrics"))
