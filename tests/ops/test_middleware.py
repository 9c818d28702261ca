"""Every request has an id, a line in the log, and a content policy."""

import pytest
from django.test import Client
from structlog.testing import capture_logs

from mia_site.ops.middleware import request_id_of

pytestmark = pytest.mark.django_db


def test_the_callers_request_id_comes_back(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "bot-7.order_12"})["X-Request-Id"] == "bot-7.order_12"


@pytest.mark.parametrize("header", ["", "a b", "x" * 65, "é", "a\r\nSet-Cookie: b=1", "<script>", "a\n"])
def test_a_harmful_request_id_is_replaced(header: str) -> None:
    made = request_id_of(header)
    assert made != header
    assert len(made) == 32


def test_two_requests_never_share_an_id_of_ours(client: Client) -> None:
    assert client.get("/healthz")["X-Request-Id"] != client.get("/healthz")["X-Request-Id"]


def test_a_request_is_told_with_path_and_status_but_without_its_query(client: Client) -> None:
    with capture_logs() as lines:
        client.get("/nowhere/?token=secret")
    told = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in told] == [("GET", "/nowhere/", 404)]
    assert "secret" not in str(lines)


def test_probes_are_not_told_while_they_succeed(client: Client) -> None:
    with capture_logs() as lines:
        client.get("/healthz")
    assert not [line for line in lines if line["event"] == "request"]


def test_only_the_admin_may_evaluate_expressions(client: Client) -> None:
    admin = client.get("/admin/login/")["Content-Security-Policy"]
    elsewhere = client.get("/nowhere")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "unsafe-eval" not in elsewhere
    for policy in (admin, elsewhere):
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
