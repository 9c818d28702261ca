"""What a channel is, and what it is given to send."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.utils.crypto import salted_hmac

TARGET_LENGTH = 254


class DeliveryFailed(Exception):
    """The destination did not take the message. The text names no secret: it is shown in the admin.

    `permanent`: trying again cannot help.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Message:
    """One alert, ready to be sent. `alert_id` is the same on every try: a receiver drops a repeat by it."""

    alert_id: str
    code: str
    priority: int
    account: str
    text: str
    params: dict[str, Any]
    raised_at: datetime
    repeats: int

    def as_dict(self) -> dict[str, Any]:
        """JSON object of webhooks and of the local file; `raised_at` is RFC 3339 in UTC."""
        return {
            "id": self.alert_id,
            "code": self.code,
            "priority": self.priority,
            "account": self.account,
            "text": self.text,
            "params": self.params,
            "raised_at": self.raised_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "repeats": self.repeats,
        }


class Channel(Protocol):
    """A kind of destination. Stateless: what it needs it reads from the settings at each call."""

    name: str
    min_priority: int

    def targets(self) -> Sequence[str]:
        """Names, without secrets, of what is configured; `send` gets one of them."""

    def send(self, target: str, message: Message) -> None:
        """Delivers, or raises `DeliveryFailed`."""


def public_name(url: str, *, host: bool = True) -> str:
    """A URL's scheme and host with a short keyed digest of the whole: tells targets apart, shows no token."""
    digest = salted_hmac("mia_site.ops.channels", url).hexdigest()[:8]
    try:
        shown = (urlsplit(url).hostname or "") if host else ""
    except ValueError:  # not an address at all; the channel says so when it sends
        shown = ""
    return f"{url.partition(':')[0][:16]}://{shown}"[: TARGET_LENGTH - 9] + f"#{digest}"


def configured(target: str, urls: Sequence[str], *, name: Callable[[str], str]) -> str:
    """The URL of the settings behind a public name; raises `DeliveryFailed` if they no longer have it."""
    for url in urls:
        if name(url) == target:
            return url
    raise DeliveryFailed("no longer configured", permanent=True)
