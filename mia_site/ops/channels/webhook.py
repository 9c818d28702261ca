"""Webhooks: a signed JSON POST. http and https only, no redirects, a time-out on each wait.

Signature, in `X-MIA-Signature`: `t=<unix seconds>,v1=<hex>` where hex is HMAC-SHA256 of `<t>.<body>` under
the shared secret. A receiver compares in constant time, refuses an old `t`, and drops an `X-MIA-Alert` it has
seen.
"""

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from mia_site import env
from mia_site.ops.channels.base import DeliveryFailed, Message, configured, public_name

SIGNATURE_HEADER = "X-MIA-Signature"
ALERT_HEADER = "X-MIA-Alert"
ANSWER_BYTES = 65_536


class WebhookChannel:
    """Priority 3 and above, to each URL of `MIA_ALERT_WEBHOOKS`."""

    name = "webhook"
    min_priority = 3

    def targets(self) -> Sequence[str]:
        return [public_name(url) for url in settings.MIA_ALERT_WEBHOOKS]

    def send(self, target: str, message: Message) -> None:
        url = configured(target, settings.MIA_ALERT_WEBHOOKS, name=public_name)
        body = json.dumps(message.as_dict()).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "mia-risk-desk",
            ALERT_HEADER: message.alert_id,
            SIGNATURE_HEADER: signature(webhook_secret(), body, at=int(time.time())),
        }
        http_post(url, body, headers)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Value of the signature header for a body sent `at` (unix seconds)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def webhook_secret() -> str:
    """`MIA_ALERT_WEBHOOK_SECRET`, or the one kept in the data directory (made on first use, 0600)."""
    return settings.MIA_ALERT_WEBHOOK_SECRET or env.secret_file(Path(settings.DATA_DIR) / "secrets" / "webhook")


def url_problem(url: str) -> str:
    """What is wrong with a webhook's address; empty if nothing is."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"not an address: {error}"
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme or 'no scheme'}: only http and https are called"
    return "" if parts.hostname else "no host"


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers that follow redirects or read files and FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def http_post(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The first 64 kB of the answer to a POST; no redirect is followed. Raises `DeliveryFailed`."""
    if problem := url_problem(url):
        raise DeliveryFailed(problem, permanent=True)
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - checked above
    try:
        with _opener().open(request, timeout=settings.MIA_ALERT_TIMEOUT) as answer:
            told: bytes = answer.read(ANSWER_BYTES)
            return told
    except urllib.error.HTTPError as error:
        with error:
            refused = " (redirects are not followed)" if 300 <= error.code < 400 else ""
            raise DeliveryFailed(f"HTTP {error.code}{refused}") from error
    except urllib.error.URLError as error:
        raise DeliveryFailed(f"{type(error.reason).__name__}: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(f"{type(error).__name__}: {error}") from error
