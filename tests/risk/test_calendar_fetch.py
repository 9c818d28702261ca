"""Calendars over HTTP, from a server that does what servers do: no event lost, none invented, the gate's answer
right."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from risk import calendar_fetch as fetching
from risk.calendar_fetch import MAX_BYTES, FetchFailed, FetchRefused, calendar_fetch
from risk.calendar_sources import calendar_refresh
from risk.models import CalendarFetch, CalendarSource, Desk, MacroEvent
from risk.trade_window_filter import trade_window
from tests.risk.calendar_server import HOST, Answer, CalendarServer, calendar_server
from tests.risk.calendars import MINUTE, calendar_file, desk_account, event, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
WEEK = calendar_file(event(FOMC + 2 * MINUTE), event(FOMC + timedelta(hours=5), "CPI"))


@pytest.fixture
def server(settings: Settings) -> Iterator[CalendarServer]:
    settings.MIA_CALENDAR_HOSTS = [HOST, "localhost"]
    settings.MIA_CALENDAR_PRIVATE_HOSTS = [HOST]
    with calendar_server() as made:
        yield made


@pytest.fixture
def source(server: CalendarServer, fomc_clock: StillClock) -> CalendarSource:
    """A desk whose calendar came from the server four minutes ago, with an ETag."""
    made = CalendarSource.objects.create(name="week", url=server.url)
    desk_account()
    server.answers = [Answer(200, WEEK, {"ETag": '"v1"'})]
    fomc_clock.now -= timedelta(minutes=20)
    assert refresh() == (True, 2, 0)
    fomc_clock.now += timedelta(minutes=20)
    return made


def refresh() -> tuple[bool, int, int]:
    (reading,) = calendar_refresh(sleep=lambda seconds: None)
    return reading.ok, reading.added, reading.unchanged


def codes() -> list[str]:
    return [reason.code.value for reason in trade_window(False, account="ES-DEMO").reasons]


def last_error() -> str:
    return CalendarFetch.objects.latest("recorded_at").error


def test_a_calendar_is_read_and_its_etag_remembered(server: CalendarServer, source: CalendarSource) -> None:
    source.refresh_from_db()
    assert (source.etag, source.good_at) == ('"v1"', FOMC - timedelta(minutes=20))
    assert source.known_until == FOMC + timedelta(hours=5)
    assert Desk.objects.get().calendar_until == source.known_until
    assert codes() == ["blackout"]
    assert "if-none-match" not in server.asked[0] and server.asked[0]["accept-encoding"] == "identity"


def test_304_renews_the_calendar_and_keeps_every_event(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(304, stated=None)]
    assert refresh() == (True, 0, 2)
    assert server.asked[-1]["if-none-match"] == '"v1"'
    assert Desk.objects.get().calendar_at == FOMC
    assert CalendarFetch.objects.latest("recorded_at").sha256 == CalendarFetch.objects.earliest("recorded_at").sha256
    assert MacroEvent.objects.count() == 2 and codes() == ["blackout"]


def test_a_304_that_nobody_asked_for_is_no_calendar(server: CalendarServer, source: CalendarSource) -> None:
    CalendarSource.objects.update(zone="America/New_York")  # read another way: the ETag is good for nothing
    server.answers = [Answer(304, stated=None)]
    assert refresh() == (False, 0, 0)
    assert last_error() == "HTTP 304" and "if-none-match" not in server.asked[-1]


def test_429_with_retry_after_is_left_alone_so_long(
    server: CalendarServer, source: CalendarSource, fomc_clock: StillClock
) -> None:
    server.answers = [Answer(429, headers={"Retry-After": "1800"})]
    assert refresh() == (False, 0, 0)
    assert len(server.asked) == 2, "asked once, not three times"
    fomc_clock.now += timedelta(minutes=15)
    assert calendar_refresh() == ()
    fomc_clock.now += timedelta(minutes=15)
    assert len(calendar_refresh()) == 1
    assert MacroEvent.objects.count() == 2


@pytest.mark.parametrize("header", ["soon", "Wed, 07 May 2025 20:00:00 GMT", "9" * 30])
def test_a_retry_after_that_is_no_number_is_an_hour(
    server: CalendarServer, source: CalendarSource, header: str
) -> None:
    server.answers = [Answer(503, headers={"Retry-After": header})]
    refresh()
    source.refresh_from_db()
    assert source.next_at == FOMC + timedelta(hours=1)


def test_500_is_tried_three_times_and_told(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(500)]
    pauses: list[float] = []
    (reading,) = calendar_refresh(sleep=pauses.append)
    assert (reading.ok, pauses, reading.error) == (False, [2, 4], "HTTP 500")
    (alert,) = raised("calendar_refresh_failed")
    assert "HTTP 500" in told(alert) and server.url in told(alert)
    assert MacroEvent.objects.count() == 2 and codes() == ["blackout"]


def test_a_server_that_recovers_meanwhile_is_read(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(500), Answer(200, WEEK)]
    assert refresh() == (True, 0, 2)


def test_half_a_body_is_no_calendar(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(200, WEEK[: len(WEEK) // 2], stated=len(WEEK))]
    assert refresh() == (False, 0, 0)
    assert "the answer broke off" in last_error()
    assert MacroEvent.objects.count() == 2 and codes() == ["blackout"]


def test_a_body_whose_end_nobody_stated_is_refused(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(200, WEEK, stated=None)]
    assert refresh() == (False, 0, 0)
    assert "does not say how long it is" in last_error()


def test_a_redirect_to_a_private_address_is_not_followed(server: CalendarServer, source: CalendarSource) -> None:
    port = server.url.split(":")[2]
    server.answers = [Answer(302, headers={"Location": f"http://localhost:{port}"})]
    assert refresh() == (False, 0, 0)
    assert "localhost has the private address" in last_error()
    assert len(server.asked) == 2, "the private address was not asked"
    assert codes() == ["blackout"]


def test_a_redirect_to_a_host_that_is_not_allowed_is_not_followed(
    server: CalendarServer, source: CalendarSource
) -> None:
    server.answers = [Answer(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})]
    assert refresh() == (False, 0, 0)
    assert "the host 169.254.169.254 is not among MIA_CALENDAR_HOSTS" in last_error()


def test_redirects_are_followed_but_not_for_ever(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(301, headers={"Location": "/elsewhere.csv"}), Answer(200, WEEK)]
    assert refresh() == (True, 0, 2)
    assert server.asked[-1]["path"] == "/elsewhere.csv"
    server.answers = [Answer(302, headers={"Location": "/round"})]
    with pytest.raises(FetchRefused, match="redirected more than 3 times"):
        calendar_fetch(server.url)


def test_100_mb_are_refused_unread(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(200, b"x", stated=100_000_000)]
    assert refresh() == (False, 0, 0)
    assert last_error() == f"the answer has 100,000,000 bytes: at most {MAX_BYTES:,} are read"


def test_a_body_without_an_end_is_left_at_16_mb(server: CalendarServer, source: CalendarSource) -> None:
    server.answers = [Answer(200, headers={"Transfer-Encoding": "chunked"}, stated=None, endless=True)]
    assert refresh() == (False, 0, 0)
    assert last_error() == f"the answer has more than {MAX_BYTES:,} bytes"


def test_nothing_is_waited_for_only_so_long(
    server: CalendarServer, source: CalendarSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "WAIT_SECONDS", 0.05)
    silent = threading.Event()
    server.answers = [Answer(silent=silent)]
    try:
        assert refresh() == (False, 0, 0)
    finally:
        silent.set()
    assert "does not answer as it should: TimeoutError" in last_error()
    assert MacroEvent.objects.count() == 2 and codes() == ["blackout"]


def test_a_server_that_drips_is_left_when_the_time_is_over(
    server: CalendarServer, source: CalendarSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", -1.0)
    with pytest.raises(FetchFailed, match="not done within"):
        calendar_fetch(server.url)


def test_an_empty_answer_is_no_calm_calendar(server: CalendarServer, source: CalendarSource) -> None:
    for body in (b"", b"\n", b"start_time,type,impact\n", b"<html>maintenance</html>"):
        server.answers = [Answer(200, body)]
        assert refresh() == (False, 0, 0)
        assert not raised("calendar_events_dropped")
    assert MacroEvent.objects.count() == 2 and codes() == ["blackout"]


def test_a_source_that_fails_for_a_day_blocks(
    server: CalendarServer, source: CalendarSource, fomc_clock: StillClock
) -> None:
    server.answers = [Answer(500)]
    fomc_clock.now += timedelta(hours=24)
    refresh()
    assert codes() == ["calendar_stale"]


# Addresses


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1",
     "::ffff:127.0.0.1", "100.64.0.1"],
)  # fmt: skip
def test_a_name_with_any_private_address_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.MIA_CALENDAR_HOSTS = ["calendar.example"]
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    private = (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [public, private])
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("connected before all were checked"))
    with pytest.raises(FetchRefused, match="has the private address"):
        calendar_fetch("https://calendar.example/week.json")


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIA_CALENDAR_HOSTS = ["calendar.example"]
    asked: list[str] = []

    def resolve(host: str, *args: object, **kwargs: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]

    def connect(plain: socket.socket, where: tuple[str, int]) -> None:
        assert where == ("93.184.215.14", 80)
        raise ConnectionRefusedError("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(FetchFailed, match="does not answer: nobody"):
        calendar_fetch("http://calendar.example/week.json")
    assert asked == ["calendar.example"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://calendar.example/x", "only http and https"),
        ("http://user:secret@calendar.example/", "without a user"),
        ("https://elsewhere.example/", "not among MIA_CALENDAR_HOSTS"),
        ("http://[::1", "not an address"),
        ("http://calendar.example:99999/", "not an address"),
    ],
)
def test_other_addresses_are_refused(settings: Settings, url: str, said: str) -> None:
    settings.MIA_CALENDAR_HOSTS = ["calendar.example"]
    with pytest.raises(FetchRefused, match=said):
        calendar_fetch(url)


def test_https_never_becomes_http(settings: Settings, monkeypatch: pytest.MonkeyPatch, server: CalendarServer) -> None:
    server.answers = [Answer(302, headers={"Location": server.url})]
    monkeypatch.setattr(fetching, "_secured", lambda plain, host: plain)
    with pytest.raises(FetchRefused, match="from https to an address without it"):
        calendar_fetch(server.url.replace("http:", "https:"))
