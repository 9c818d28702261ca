"""Work rows of the journal of people."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LoginFailure(models.Model):
    """Failed logins of one address within one window, counted until the window's entry is written.

    `names`: what was tried -> how often; a known person by number, any other text only as an HMAC.
    """

    address = models.CharField(_("address"), max_length=45)
    window = models.DateTimeField(_("window"))
    count = models.PositiveIntegerField(_("tries"), default=0)
    names = models.JSONField(_("who was tried"), default=dict)

    class Meta:
        verbose_name = _("failed logins")
        verbose_name_plural = _("failed logins")
        constraints = [models.UniqueConstraint(fields=["address", "window"], name="audit_login_failure_once")]
        indexes = [models.Index(fields=["window"], name="audit_login_failure_window")]

    def __str__(self) -> str:
        return f"{self.count} @ {self.window:%Y-%m-%d %H:%M}"
