"""API clients: who may ask for one account, and for that account only."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from risk.models.account import Account


class Client(models.Model):
    """A bot. Its knox token (stored hashed) belongs to `user`, which has no password and no admin access.

    `can_halt`: it may stop trading of its own account, of itself, of an algorithm or instrument there; none may resume.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="clients", verbose_name=_("account"))
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="client", verbose_name=_("user"))
    can_halt = models.BooleanField(_("may stop trading"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
