"""Telegram, Discord, Slack and the rest, through the optional package apprise (`pip install apprise`)."""

import importlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from mia_site.ops.channels.base import DeliveryFailed, Message, configured, public_name


class AppriseChannel:
    """Priority 3 and above, to each address of `MIA_ALERT_APPRISE` (apprise's own notation, `tgram://…`)."""

    name = "apprise"
    min_priority = 3

    def targets(self) -> Sequence[str]:
        return [_name(url) for url in settings.MIA_ALERT_APPRISE]

    def send(self, target: str, message: Message) -> None:
        url = configured(target, settings.MIA_ALERT_APPRISE, name=_name)
        notifier = _apprise().Apprise()
        if not notifier.add(url):
            raise DeliveryFailed("apprise does not know this kind of address", permanent=True)
        if not notifier.notify(title=f"[MIA {message.priority}] {message.code}", body=message.text):
            raise DeliveryFailed("apprise could not deliver it")


def _name(url: str) -> str:
    """Scheme and digest only: what stands in the place of the host is often the token."""
    return public_name(url, host=False)


def _apprise() -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        raise DeliveryFailed("apprise is not installed: pip install apprise", permanent=True) from error
