import json
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from django.core import mail
from django.db.models import F
from django.utils.translation import gettext_noop
from pytest_django import Settings

from mia_site.ops import delivery
from mia_site.ops.alerts import alert_raise, alert_texts_register
from mia_site.ops.channels import DeliveryFailed, channels
from mia_site.ops.channels.log import LogChannel
from mia_site.ops.delivery import alerts_deliver, alerts_route, deliveries_by_status, deliveries_late
from mia_site.ops.models import Alert, AlertDelivery
from mia_site.ops.tasks import deliver_alerts
from tests.ops.conftest import NINE, Clock

pytestmark = pytest.mark.django_db
ALL = {"log": "log", "email": "risk@example.com", "file": "alerts/critical.log"}


@pytest.fixture(autouse=True)
def destinations(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.MIA_ALERT_EMAILS = ["risk@example.com"]
    alert_texts_register({"t_drawdown": gettext_noop("%(account)s: drawdown %(drawdown)s over %(limit)s")})


def breach(priority: int, dedup_key: str = "") -> Alert:
    params: dict[str, str | int] = {"drawdown": "0.06", "limit": "0.05"}
    alert_raise("t_drawdown", priority=priority, params=params, dedup_key=dedup_key, account="ES-DEMO")
    return Alert.objects.get(priority=priority, dedup_key=dedup_key)


def ways(alert: Alert) -> dict[str, str]:
    return dict(alert.deliveries.values_list("channel", "status"))


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (1, {"log"}),
        (2, {"log"}),
        (3, {"log", "webhook", "apprise"}),
        (4, {"log", "webhook", "apprise", "email"}),
        (5, {"log", "webhook", "apprise", "email", "file"}),
    ],
)
def test_the_priority_says_where_an_alert_goes(settings: Settings, priority: int, expected: set[str]) -> None:
    settings.MIA_ALERT_WEBHOOKS = ["https://hooks.example.com/a"]
    settings.MIA_ALERT_APPRISE = ["tgram://1:secret/2"]
    alert = breach(priority)
    assert alerts_route(NINE) == 1
    assert set(alert.deliveries.values_list("channel", flat=True)) == expected


def test_each_target_of_a_channel_has_its_own_row(settings: Settings) -> None:
    settings.MIA_ALERT_EMAILS = ["a@example.com", "b@example.com", "a@example.com"]
    alert = breach(4)
    alerts_route(NINE)
    targets = alert.deliveries.filter(channel="email").order_by("target").values_list("target", flat=True)
    assert list(targets) == ["a@example.com", "b@example.com"]


def test_no_target_shows_a_secret(settings: Settings) -> None:
    settings.MIA_ALERT_WEBHOOKS = [
        "https://user:hunter2@hooks.example.com/T0/s3cret?token=s3cret",
        "https://hooks.example.com/T0/other",
    ]
    settings.MIA_ALERT_APPRISE = ["tgram://12345:s3cret/99"]
    alert = breach(3)
    alerts_route(NINE)
    targets = list(alert.deliveries.exclude(channel="log").values_list("target", flat=True))
    assert len(set(targets)) == 3
    assert not any(secret in " ".join(targets) for secret in ("s3cret", "hunter2", "12345"))
    assert sum(target.startswith("https://hooks.example.com#") for target in targets) == 2


def test_routing_again_adds_nothing() -> None:
    breach(5)
    assert alerts_route(NINE) == 1
    assert alerts_route(NINE) == 0
    assert AlertDelivery.objects.count() == len(ALL)


def test_what_two_writers_raised_at_once_is_folded_into_one(clock: Clock) -> None:
    first = breach(3)
    Alert.objects.bulk_create(
        Alert(
            code=first.code,
            account=first.account,
            priority=3,
            params=first.params,
            created_at=NINE + timedelta(milliseconds=milliseconds),
            last_at=NINE + timedelta(milliseconds=milliseconds),
        )
        for milliseconds in (1, 2)
    )
    assert alerts_route(NINE) == 1
    alert = Alert.objects.get()
    assert alert.pk == first.pk and alert.repeats == 2
    assert alert.last_at == NINE + timedelta(milliseconds=2)


def test_a_late_twin_of_a_sent_alert_is_folded_too(clock: Clock) -> None:
    first = breach(3)
    alerts_deliver()
    Alert.objects.create(code=first.code, account=first.account, priority=2, created_at=NINE, last_at=NINE, repeats=4)
    assert alerts_deliver().sent == 0
    assert Alert.objects.get().repeats == 5


def test_a_critical_alert_goes_everywhere_once(tmp_path: Path) -> None:
    alert = breach(5)
    with structlog.testing.capture_logs() as logs:
        done = alerts_deliver()
        again = alerts_deliver()
    assert (done.routed, done.sent, done.failed) == (1, 3, 0)
    assert (again.routed, again.sent, again.failed) == (0, 0, 0)
    assert ways(alert) == dict.fromkeys(ALL, "sent")
    assert not alert.deliveries.filter(sent_at=None).exists()
    [line] = [entry for entry in logs if entry["event"] == "alert"]
    assert line["text"] == "ES-DEMO: drawdown 0.06 over 0.05" and line["log_level"] == "critical"
    assert len(mail.outbox) == 1


def test_the_local_file_holds_one_json_object_a_line_for_its_owner_only(tmp_path: Path) -> None:
    alerts = [breach(5, "one"), breach(5, "two")]
    alerts_deliver()
    path = tmp_path / "alerts" / "critical.log"
    written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {entry["id"] for entry in written} == {str(alert.pk) for alert in alerts}
    assert written[0]["params"] == {"drawdown": "0.06", "limit": "0.05"}
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "alerts").write_text("a file where the folder should be")
    alert = breach(5)
    alerts_deliver()
    row = alert.deliveries.get(channel="file")
    assert row.status == "pending" and row.attempts == 1 and "alerts/critical.log: File exists" in row.last_error
    assert ways(alert)["email"] == "sent"


def test_the_mail_says_it_all_in_the_language_of_the_desk(settings: Settings) -> None:
    settings.MIA_ALERT_LANGUAGE = "fr"
    alert = breach(4)
    alerts_deliver()
    [message] = mail.outbox
    assert message.to == ["risk@example.com"]
    assert message.subject == "[MIA 4] ES-DEMO: drawdown 0.06 over 0.05"
    assert "drawdown = 0.06" in message.body and str(alert.pk) in message.body
    assert message.extra_headers["X-MIA-Alert"] == str(alert.pk)
    assert str(alert.pk) in message.extra_headers["Message-ID"]


def test_a_text_with_line_breaks_forges_no_mail_header() -> None:
    alert_raise("t_free", priority=4, params={"reason": "x\r\nBcc: everybody@example.com"})
    assert alerts_deliver().failed == 0
    [message] = mail.outbox
    assert "\n" not in message.subject and message.bcc == []


def test_mail_that_is_refused_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    alert = breach(4)
    alerts_deliver()
    row = alert.deliveries.get(channel="email")
    assert row.status == "pending" and row.last_error.startswith("ConnectionRefusedError")


def test_failed_tries_wait_two_to_the_power_of_the_attempt(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    _break_the_log(monkeypatch, DeliveryFailed("disk"))
    breach(1)
    waits = []
    for _ in range(4):
        assert alerts_deliver().failed == 1
        assert alerts_deliver().failed == 0, "not due yet"
        row = AlertDelivery.objects.get()
        waits.append((row.next_try_at - clock()).total_seconds())
        clock.now = row.next_try_at
    assert waits == [2, 4, 8, 16]


def test_after_the_last_attempt_it_is_given_up_and_shown(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, clock: Clock
) -> None:
    settings.MIA_ALERT_ATTEMPTS = 3
    _break_the_log(monkeypatch, DeliveryFailed("disk"))
    breach(1)
    for _ in range(5):
        alerts_deliver()
        clock.shift(timedelta(hours=1))
    row = AlertDelivery.objects.get()
    assert (row.status, row.attempts, row.last_error) == ("failed", 3, "disk")
    assert deliveries_by_status() == {("pending",): 0.0, ("failed",): 1.0}


def test_a_broken_channel_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _break_the_log(monkeypatch, RuntimeError("a bug with s3cret in it"))
    alert = breach(5)
    done = alerts_deliver()
    assert (done.sent, done.failed) == (2, 1)
    assert alert.deliveries.get(channel="log").last_error == "RuntimeError"


def test_a_worker_that_dies_after_sending_leads_to_one_repeat_with_the_same_id(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    alert = breach(4)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_try", _send_and_die)
        with pytest.raises(SystemExit):
            alerts_deliver()
    assert alerts_deliver().failed == 0 and len(mail.outbox) == 1, "the lease protects it from others"
    clock.shift(delivery.LEASE + timedelta(seconds=1))
    alerts_deliver()
    clock.shift(timedelta(days=1))
    alerts_deliver()
    assert [message.extra_headers["X-MIA-Alert"] for message in mail.outbox] == [str(alert.pk)] * 2


def test_a_destination_that_was_taken_out_of_the_settings_is_given_up(settings: Settings) -> None:
    settings.MIA_ALERT_WEBHOOKS = ["https://hooks.example.com/a"]
    alert = breach(4)
    alerts_route(NINE)
    settings.MIA_ALERT_WEBHOOKS, settings.MIA_ALERT_EMAILS = [], []
    alerts_deliver()
    assert ways(alert) == {"log": "sent", "webhook": "failed", "email": "failed"}
    assert alert.deliveries.get(channel="webhook").last_error == "no longer configured"


def test_no_delivery_begins_after_the_time_is_over() -> None:
    breach(5)
    assert alerts_deliver(seconds=0).sent == 0
    assert AlertDelivery.objects.filter(attempts=0).count() == len(ALL)


def test_fresh_alerts_come_before_those_that_failed(clock: Clock) -> None:
    breach(1, "old")
    alerts_route(NINE)
    AlertDelivery.objects.update(attempts=F("attempts") + 2)
    clock.shift(timedelta(seconds=30))
    fresh = breach(1, "fresh")
    alerts_route(clock())
    claimed = delivery.delivery_claim(clock())
    assert claimed is not None and claimed.alert_id == fresh.pk and claimed.attempts == 1


def test_alerts_that_wait_for_a_worker_are_a_health_problem(clock: Clock) -> None:
    breach(1)
    assert deliveries_late() == ""
    clock.shift(timedelta(minutes=6))
    assert deliveries_late() == "1 alert has waited for a worker for five minutes"
    deliver_alerts()
    assert deliveries_late() == ""


def test_every_channel_has_a_name_and_a_priority() -> None:
    assert {name: channel.min_priority for name, channel in channels().items()} == {
        "log": 1,
        "webhook": 3,
        "apprise": 3,
        "email": 4,
        "file": 5,
    }


def _break_the_log(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def send(*_: object) -> None:
        raise error

    monkeypatch.setattr(LogChannel, "send", send)


def _send_and_die(row: AlertDelivery) -> bool:
    channels()[row.channel].send(row.target, delivery._message(row.alert))
    if row.channel == "email":
        raise SystemExit
    AlertDelivery.objects.filter(pk=row.pk).update(status="sent")
    return True
