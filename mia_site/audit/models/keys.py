"""Signing keys: their public halves, as facts, so that what an old key signed stays verifiable."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class SigningKey(Fact):
    """A key came into use. `endorsement`: the key that it replaces signs it (a signed note); empty for the first."""

    kind = "signing_key"

    purpose = models.CharField(_("purpose"), max_length=16)
    vkey = models.CharField(_("verifier key"), max_length=200, unique=True)
    endorsement = models.TextField(_("endorsement"), blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-id"]
        indexes = [models.Index(fields=["purpose", "id"], name="audit_signingkey_purpose")]

    def __str__(self) -> str:
        return self.vkey
