"""Where alerts go: one destination, one file. `channels()` lists them all."""

from mia_site.ops.channels.base import Channel, DeliveryFailed, Message


def channels() -> dict[str, Channel]:
    """Every channel by name; each says which targets the settings give it."""
    from mia_site.ops.channels.apprise_channel import AppriseChannel
    from mia_site.ops.channels.email import EmailChannel
    from mia_site.ops.channels.file import FileChannel
    from mia_site.ops.channels.log import LogChannel
    from mia_site.ops.channels.webhook import WebhookChannel

    found: list[Channel] = [LogChannel(), WebhookChannel(), AppriseChannel(), EmailChannel(), FileChannel()]
    return {channel.name: channel for channel in found}


__all__ = ["Channel", "DeliveryFailed", "Message", "channels"]
