"""Calendars over HTTP: allowed hosts only, no private address, bounded in time and size, whole or not at all.

Hosts are allowed in the environment (`MIA_CALENDAR_HOSTS`), not in the admin. Every address that a name resolves to is
checked, the connection goes to the checked address itself, and both happen again after each redirect; proxies of the
environment are not used. A body whose end nobody stated is refused, since half of it would look like all of it.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 3
WAIT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
CHUNK = 64 * 1024
MAX_ETAG = 500
MAX_RETRY_AFTER = 24 * 3600.0
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LATER = frozenset({429, 503})


class FetchFailed(OSError):
    """What went wrong this time; trying again may help."""


class FetchRefused(ValueError):
    """What this desk will not do, or an answer that says no: trying again at once does not help.

    `retry_after` are the seconds that the server asked to be left alone.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole body with its ETag ("" where there is none); `data` None: not modified since the ETag was given."""

    data: bytes | None
    etag: str


def calendar_fetch(url: str, *, etag: str = "") -> Fetched:
    """Get `url` once, following at most 3 redirects; 5 s for each wait, 20 s in all, 16 MB.

    Raises `FetchFailed` for what may pass (no answer, a cut body, 5xx) and `FetchRefused` for what will not.
    """
    ends = time.monotonic() + TOTAL_SECONDS
    for _step in range(MAX_REDIRECTS + 1):
        parts = _address(url)
        with _answer(parts, etag, ends) as answer:
            target = answer.headers.get("Location", "") if answer.status in REDIRECTS else ""
            if not target:
                return _read(answer, etag, ends)
        url = urljoin(url, target)
        if parts.scheme == "https" and urlsplit(url).scheme != "https":
            raise FetchRefused("redirected from https to an address without it")
    raise FetchRefused(f"redirected more than {MAX_REDIRECTS} times")


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError as error:
        raise FetchRefused(f"not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise FetchRefused("only http and https addresses without a user are read")
    if parts.hostname not in settings.MIA_CALENDAR_HOSTS:
        raise FetchRefused(f"the host {parts.hostname} is not among MIA_CALENDAR_HOSTS")
    return parts


def _checked(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """Every address of the host, none of them private; private ones only of MIA_CALENDAR_PRIVATE_HOSTS."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host} is not known: {error}") from error
    for _family, _kind, _protocol, _name, where in found:
        if host not in settings.MIA_CALENDAR_PRIVATE_HOSTS and not _is_public(str(where[0])):
            raise FetchRefused(f"{host} has the private address {where[0]}")
    return [(family, where) for family, _kind, _protocol, _name, where in found]


def _is_public(address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None) or number
    return mapped.is_global and not mapped.is_multicast


def _connect(parts: SplitResult) -> socket.socket:
    """A socket to an address that was checked: the name is not resolved a second time."""
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    trouble: OSError = OSError(f"{host} has no address")
    for family, where in _checked(host, port):
        plain = socket.socket(family, socket.SOCK_STREAM)
        plain.settimeout(WAIT_SECONDS)
        try:
            plain.connect(where)
            return _secured(plain, host) if parts.scheme == "https" else plain
        except OSError as error:
            plain.close()
            trouble = error
    raise FetchFailed(f"{host} does not answer: {trouble}") from trouble


def _secured(plain: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


@contextmanager
def _answer(parts: SplitResult, etag: str, ends: float) -> Iterator[http.client.HTTPResponse]:
    """The head of the answer; its body is read by whoever wants it."""
    _in_time(ends)
    host = str(parts.hostname)
    connection = http.client.HTTPConnection(host, timeout=WAIT_SECONDS)
    connection.sock = _connect(parts)
    path = parts.path or "/"
    headers = {
        "Host": parts.netloc,
        "User-Agent": "mia-risk-desk",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **({"If-None-Match": etag} if etag else {}),
    }
    with closing(connection):
        try:
            connection.request("GET", f"{path}?{parts.query}" if parts.query else path, headers=headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(f"{host} does not answer as it should: {type(error).__name__}: {error}") from error
        with answer:
            yield answer


def _read(answer: http.client.HTTPResponse, etag: str, ends: float) -> Fetched:
    if answer.status == 304 and etag:
        return Fetched(None, etag)
    if answer.status in LATER and answer.headers.get("Retry-After"):
        raise FetchRefused(f"HTTP {answer.status}: asked to come later", _retry_after(answer))
    if answer.status >= 500:
        raise FetchFailed(f"HTTP {answer.status}")
    if answer.status != 200:
        raise FetchRefused(f"HTTP {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused("the answer is compressed, which was not asked for")
    if answer.length is None and not answer.chunked:
        raise FetchRefused("the answer does not say how long it is: half of it would look like all of it")
    said = answer.headers.get("ETag", "").strip()
    return Fetched(_body(answer, ends), said if len(said) <= MAX_ETAG and said.isprintable() else "")


def _body(answer: http.client.HTTPResponse, ends: float) -> bytes:
    expected = answer.length
    if expected is not None and expected > MAX_BYTES:
        raise FetchRefused(f"the answer has {expected:,} bytes: at most {MAX_BYTES:,} are read")
    parts, size = [], 0
    while True:
        _in_time(ends)
        try:
            part = answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise FetchFailed(f"the answer broke off: {type(error).__name__}") from error
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise FetchRefused(f"the answer has more than {MAX_BYTES:,} bytes")
    if expected is not None and size != expected:
        raise FetchFailed(f"the answer broke off after {size:,} of {expected:,} bytes")
    return b"".join(parts)


def _in_time(ends: float) -> None:
    if time.monotonic() > ends:
        raise FetchFailed(f"not done within {TOTAL_SECONDS:g} s")


def _retry_after(answer: http.client.HTTPResponse) -> float:
    """The seconds of Retry-After, at most a day; a date counts as an hour."""
    raw = answer.headers.get("Retry-After", "").strip()
    return min(float(raw), MAX_RETRY_AFTER) if raw.isdecimal() and len(raw) < 9 else 3600.0
