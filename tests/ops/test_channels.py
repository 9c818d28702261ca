import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from pytest_django import Settings

from mia_site.ops.channels import DeliveryFailed, Message
from mia_site.ops.channels.apprise_channel import AppriseChannel
from mia_site.ops.channels.webhook import WebhookChannel, url_problem, webhook_secret
from mia_site.ops.work_rows import check_alert_settings
from tests.ops.receiver import Receiver, receiver

MESSAGE = Message(
    alert_id="01890a5d-ac96-774b-bcce-b302099a8057",
    code="t_drawdown",
    priority=3,
    account="ES-DEMO",
    text="ES-DEMO: drawdown 0.06 over 0.05",
    params={"drawdown": "0.06", "limit": "0.05"},
    raised_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    repeats=0,
)


@pytest.fixture
def hook(settings: Settings) -> Iterator[Receiver]:
    with receiver() as told:
        settings.MIA_ALERT_WEBHOOKS = [f"{told.url}/hook?token=s3cret"]
        settings.MIA_ALERT_WEBHOOK_SECRET = "shared"
        settings.MIA_ALERT_TIMEOUT = 1
        yield told


def send(channel: WebhookChannel | AppriseChannel, message: Message = MESSAGE) -> None:
    [target] = channel.targets()
    channel.send(target, message)


def test_a_webhook_gets_the_alert_as_json(hook: Receiver) -> None:
    send(WebhookChannel())
    [got] = hook.received
    assert got.path == "/hook?token=s3cret"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["X-Mia-Alert"] == MESSAGE.alert_id
    assert json.loads(got.body) == {
        "id": MESSAGE.alert_id,
        "code": "t_drawdown",
        "priority": 3,
        "account": "ES-DEMO",
        "text": "ES-DEMO: drawdown 0.06 over 0.05",
        "params": {"drawdown": "0.06", "limit": "0.05"},
        "raised_at": "2026-03-02T09:00:00.000000+00:00",
        "repeats": 0,
    }


def test_a_receiver_can_verify_the_signature(hook: Receiver) -> None:
    send(WebhookChannel())
    [got] = hook.received
    fields = dict(part.split("=", 1) for part in got.headers["X-Mia-Signature"].split(","))
    expected = hmac.new(b"shared", f"{fields['t']}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(fields["v1"], expected)
    assert abs(int(fields["t"]) - time.time()) < 60
    forged = hmac.new(b"shared", f"{int(fields['t']) + 1}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert fields["v1"] != forged, "the time is signed too"


def test_the_secret_is_made_once_and_kept(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.MIA_ALERT_WEBHOOK_SECRET = tmp_path, ""
    secret = webhook_secret()
    assert len(secret) >= 32 and webhook_secret() == secret
    assert (tmp_path / "secrets" / "webhook").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_status_is_a_failure_that_is_tried_again(hook: Receiver, status: int) -> None:
    hook.answers = [status]
    with pytest.raises(DeliveryFailed, match=f"^HTTP {status}$") as caught:
        send(WebhookChannel())
    assert not caught.value.permanent


def test_the_second_try_succeeds_under_the_same_id(hook: Receiver) -> None:
    hook.answers = [500, 200]
    with pytest.raises(DeliveryFailed):
        send(WebhookChannel())
    send(WebhookChannel())
    assert [got.headers["X-Mia-Alert"] for got in hook.received] == [MESSAGE.alert_id] * 2


def test_a_redirect_is_not_followed(hook: Receiver) -> None:
    hook.answers = [302]
    with pytest.raises(DeliveryFailed, match=r"HTTP 302 \(redirects are not followed\)"):
        send(WebhookChannel())
    assert [got.path for got in hook.received] == ["/hook?token=s3cret"]


def test_a_silent_receiver_is_given_up_after_the_timeout(hook: Receiver) -> None:
    hook.delay_seconds = 1.5
    started = time.perf_counter()
    with pytest.raises(DeliveryFailed, match=r"(?i)timed? ?out"):
        send(WebhookChannel())
    assert time.perf_counter() - started < 1.4


def test_nobody_there_is_a_failure_that_names_no_secret(settings: Settings) -> None:
    settings.MIA_ALERT_WEBHOOKS = ["http://127.0.0.1:1/hook?token=s3cret"]
    with pytest.raises(DeliveryFailed, match="ConnectionRefusedError") as caught:
        send(WebhookChannel())
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://hooks.example.com/x", ""),
        ("http://[::1]:8080/x", ""),
        ("file:///etc/passwd", "file: only http and https are called"),
        ("ftp://example.com/x", "ftp: only http and https are called"),
        ("hooks.example.com/x", "no scheme: only http and https are called"),
        ("https:///x", "no host"),
        ("https://example.com:abc/", "not an address"),
        ("http://[::1/", "not an address"),
    ],
)
def test_only_http_and_https_are_called(settings: Settings, url: str, problem: str) -> None:
    assert url_problem(url).startswith(problem) and bool(url_problem(url)) == bool(problem)
    if problem:
        settings.MIA_ALERT_WEBHOOKS = [url]
        with pytest.raises(DeliveryFailed) as caught:
            send(WebhookChannel())
        assert caught.value.permanent


def test_a_file_url_is_not_even_read(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("private")
    settings.MIA_ALERT_WEBHOOKS = [secret.as_uri()]
    with pytest.raises(DeliveryFailed, match="only http and https"):
        send(WebhookChannel())


def test_wrong_destinations_are_found_at_the_start(settings: Settings) -> None:
    assert check_alert_settings() == []
    settings.MIA_ALERT_WEBHOOKS = ["https://ok.example.com/", "ftp://example.com/s3cret"]
    settings.MIA_ALERT_EMAILS = ["risk@example.com", "nobody"]
    settings.MIA_ALERT_LANGUAGE = "de"
    found = check_alert_settings()
    assert [error.id for error in found] == ["ops.E001", "ops.E002", "ops.E003"]
    assert "address 2" in found[0].msg and "s3cret" not in found[0].msg


def test_without_apprise_the_row_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MIA_ALERT_APPRISE = ["tgram://1:s3cret/2"]
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryFailed, match="pip install apprise") as caught:
        send(AppriseChannel())
    assert caught.value.permanent


class FakeApprise(ModuleType):
    """The three calls of apprise that the channel makes."""

    def __init__(self, knows: bool = True, delivers: bool = True) -> None:
        super().__init__("apprise")
        self.knows, self.delivers = knows, delivers
        self.added: list[str] = []
        self.notified: list[dict[str, str]] = []

    def __getattr__(self, name: str) -> Callable[[], "FakeApprise"]:
        assert name == "Apprise"
        return lambda: self

    def add(self, url: str) -> bool:
        self.added.append(url)
        return self.knows

    def notify(self, **message: str) -> bool:
        self.notified.append(message)
        return self.delivers


def test_apprise_gets_the_address_with_its_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MIA_ALERT_APPRISE = ["tgram://1:s3cret/2"]
    fake = FakeApprise()
    monkeypatch.setitem(sys.modules, "apprise", fake)
    send(AppriseChannel())
    assert fake.added == ["tgram://1:s3cret/2"]
    assert fake.notified == [{"title": "[MIA 3] t_drawdown", "body": MESSAGE.text}]


@pytest.mark.parametrize(
    ("fake", "permanent"), [(FakeApprise(knows=False), True), (FakeApprise(delivers=False), False)]
)
def test_what_apprise_refuses_is_a_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fake: FakeApprise, permanent: bool
) -> None:
    settings.MIA_ALERT_APPRISE = ["tgram://1:s3cret/2"]
    monkeypatch.setitem(sys.modules, "apprise", fake)
    with pytest.raises(DeliveryFailed) as caught:
        send(AppriseChannel())
    assert caught.value.permanent is permanent and "s3cret" not in str(caught.value)
