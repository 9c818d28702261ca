"""Checkpoints on their way to others: webhooks, witnesses that answer with a cosignature, a time-stamping authority.

What goes out is the newest note that is kept for good, so that what comes back can be kept beside it, in a file of its
own that is made once: `….cosigned-<digest>` (signature lines) and `….tsr` (an RFC 3161 response).
"""

import base64
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings

from mia_site.audit.models import CheckpointPost
from mia_site.audit.note import DASH
from mia_site.audit.publishing import beside_write, kept_newest
from mia_site.audit.timestamp_request import TimestampError, timestamp_check, timestamp_request
from mia_site.ops.alerts import alert_raise
from mia_site.ops.channels.base import DeliveryFailed, public_name
from mia_site.ops.channels.webhook import SIGNATURE_HEADER, http_post, signature, webhook_secret

log = structlog.get_logger(__name__)
ALERT_FROM = 3
LONGEST_PAUSE = timedelta(minutes=15)
SHORTEST_COSIGNATURE = 4 + 64
Send = Callable[[str, Path], None]


def checkpoints_post(now: datetime) -> int:
    """Sends the newest kept note to every target that has not had it; returns how many took it."""
    note = kept_newest()
    if note is None:
        return 0
    return sum(_post(url, send, note, now) for url, send in _targets())


def _targets() -> Iterator[tuple[str, Send]]:
    for url in settings.MIA_CHECKPOINT_WEBHOOKS:
        yield url, _witness
    if settings.MIA_TSA_URL:
        yield settings.MIA_TSA_URL, _timestamp


def _post(url: str, send: Send, note: Path, now: datetime) -> bool:
    row, _made = CheckpointPost.objects.get_or_create(target=public_name(url))
    name = f"{note.parent.name}/{note.name}"
    if row.note == name or (row.next_try_at is not None and now < row.next_try_at):
        return False
    try:
        send(url, note)
    except (DeliveryFailed, TimestampError, OSError) as error:
        _failed(row, str(error), now)
        return False
    row.note, row.sent_at, row.attempts, row.next_try_at, row.last_error = name, now, 0, None, ""
    row.save()
    return True


def _failed(row: CheckpointPost, error: str, now: datetime) -> None:
    """Tries again after 2^attempt seconds, at most a quarter of an hour; told once it went wrong a few times."""
    log.warning("checkpoint_not_posted", target=row.target, error=error)
    row.attempts = min(row.attempts + 1, 1000)
    pause = min(timedelta(seconds=2 ** min(row.attempts, 16)), LONGEST_PAUSE)
    row.next_try_at, row.last_error = now + pause, error[:500]
    row.save()
    if row.attempts == ALERT_FROM:
        told = {"error": f"{row.target}: {error}"[:500]}
        alert_raise("checkpoint_not_published", priority=4, params=told, dedup_key=row.target)


def _witness(url: str, note: Path) -> None:
    """The note as text, signed like an alert's webhook; lines of a cosignature in the answer are kept."""
    body = note.read_bytes()
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "User-Agent": "mia-risk-desk",
        SIGNATURE_HEADER: signature(webhook_secret(), body, at=int(time.time())),  # noqa: TID251 - of the request, not of a record
    }
    lines = list(cosignatures(http_post(url, body, headers)))
    if lines:
        digest = public_name(url).rpartition("#")[2]
        beside_write(note, f".cosigned-{digest}", "".join(f"{line}\n" for line in lines).encode())


def cosignatures(answer: bytes) -> Iterator[str]:
    """The lines of an answer that have the form of a note's signature. Whose they are is for who reads them."""
    for line in answer.decode("utf-8", errors="replace").splitlines():
        parts = line.split(" ")
        if len(parts) == 3 and parts[0] == DASH and _long_enough(parts[2]):
            yield line


def _long_enough(encoded: str) -> bool:
    try:
        return len(base64.b64decode(encoded, validate=True)) >= SHORTEST_COSIGNATURE
    except ValueError:
        return False


def _timestamp(url: str, note: Path) -> None:
    data, nonce = note.read_bytes(), secrets.randbits(64)
    headers = {"Content-Type": "application/timestamp-query", "User-Agent": "mia-risk-desk"}
    answer = http_post(url, timestamp_request(data, nonce), headers)
    timestamp_check(answer, data, nonce)
    beside_write(note, ".tsr", answer)
