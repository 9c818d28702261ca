from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from mia_site import env
from mia_site.celery import PERIODS, app
from mia_site.ops import registry
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert, AlertDelivery, Timing
from mia_site.ops.retry import Deadline
from mia_site.ops.tasks import deliver_alerts, expire_work_rows
from tests.ops.conftest import NINE


@pytest.mark.django_db
def test_work_rows_past_their_time_go_and_the_others_stay() -> None:
    alert_raise("t_old", priority=5, params={})
    deliver_alerts()
    alert_raise("t_new", priority=5, params={})
    now = database_now()
    Alert.objects.filter(code="t_old").update(last_at=now - timedelta(days=91))
    for days in (6, 8):
        Timing.objects.create(
            timestamp=now - timedelta(days=days),
            operation="stop_trading",
            latency=0.1,
            success=True,
            memory_usage_mb=90,
            cpu_percent=5,
        )
    expire_work_rows()
    assert list(Alert.objects.values_list("code", flat=True)) == ["t_new"]
    assert not AlertDelivery.objects.exclude(alert__code="t_new").exists()
    assert Timing.objects.count() == 1


@pytest.mark.django_db
def test_expiry_goes_on_until_nothing_is_left_or_the_time_is_over() -> None:
    batches = [5, 5, 2, 0, 9]
    registry.expiry_register("t-expiry", lambda now: batches.pop(0))
    try:
        assert registry.expiry_run(NINE, Deadline(0))["t-expiry"] == 0
        assert registry.expiry_run(NINE, Deadline(60))["t-expiry"] == 12
    finally:
        registry.unregister("t-expiry")
    assert batches == [9]


def test_beat_knows_the_tasks_of_operations() -> None:
    for task in (deliver_alerts, expire_work_rows):
        assert task.name in PERIODS and task.name in app.tasks


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", ("localhost", 25, False, False)),
        ("smtp://mail.example.com", ("mail.example.com", 25, False, False)),
        ("smtp://mail.example.com?tls=1", ("mail.example.com", 587, True, False)),
        ("smtps://mail.example.com", ("mail.example.com", 465, False, True)),
        ("smtp://mail.example.com:2525?ssl=1", ("mail.example.com", 2525, False, True)),
    ],
)
def test_mail_is_configured_by_one_url(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: tuple[str, int, bool, bool]
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    mail = env.mail("EMAIL_URL")
    assert (mail["EMAIL_HOST"], mail["EMAIL_PORT"], mail["EMAIL_USE_TLS"], mail["EMAIL_USE_SSL"]) == expected


def test_user_and_password_of_the_mail_server_may_hold_any_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://desk%40example.com:p%2Fw%3A1@mail.example.com")
    mail = env.mail("EMAIL_URL")
    assert (mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]) == ("desk@example.com", "p/w:1")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://h?tsl=1",
        "smtp://h?tls=1&ssl=1",
        "smtp://u:p/w@h",
        "smtp://[",
    ],
)
def test_a_wrong_mail_url_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        env.mail("EMAIL_URL")
