"""E-mail through Django's backend (`EMAIL_URL`), one message for each address."""

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import override

from mia_site.ops.channels.base import DeliveryFailed, Message

SUBJECT_LENGTH = 150


class EmailChannel:
    """Priority 4 and above, to each address of `MIA_ALERT_EMAILS`."""

    name = "email"
    min_priority = 4

    def targets(self) -> Sequence[str]:
        return list(settings.MIA_ALERT_EMAILS)

    def send(self, target: str, message: Message) -> None:
        if target not in settings.MIA_ALERT_EMAILS:
            raise DeliveryFailed("no longer configured", permanent=True)
        mail = EmailMessage(
            subject=_subject(message),
            body=_body(message),
            to=[target],
            headers={
                "Message-ID": f"<{message.alert_id}@{settings.SITE_NAME}>",
                "X-MIA-Alert": message.alert_id,
            },
        )
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error


def _subject(message: Message) -> str:
    """One line: an alert's text may hold what a client sent, a header may not."""
    return " ".join(f"[MIA {message.priority}] {message.text}".split())[:SUBJECT_LENGTH]


def _body(message: Message) -> str:
    with override(settings.MIA_ALERT_LANGUAGE):
        lines = [
            message.text,
            "",
            _("Code: %(code)s") % {"code": message.code},
            _("Priority: %(priority)s") % {"priority": message.priority},
            _("Account: %(account)s") % {"account": message.account or "-"},
            _("Raised at: %(at)s UTC") % {"at": message.raised_at.strftime("%Y-%m-%d %H:%M:%S")},
            _("Alert: %(id)s") % {"id": message.alert_id},
        ]
    lines += [f"{name} = {value}" for name, value in message.params.items()]
    return "\n".join(lines) + "\n"
