"""The register of algorithms: which may trade where an account asks for it, within what, and who said so."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.columns import contracts
from risk.models.state import KEY_LENGTH


class AlgorithmEntry(Fact):
    """An algorithm as somebody registered it; `key` is its name as it is compared, `version` counts its entries.

    Of several the newest that was approved counts. Null is no limit of its own.
    """

    kind = "algorithm_entry"

    key = models.CharField(_("algorithm"), max_length=KEY_LENGTH)
    version = models.PositiveIntegerField(_("version"))
    owner = models.CharField(_("owner"), max_length=120)
    max_quantity = contracts(_("largest opening"), null=True, blank=True)
    max_openings_per_hour = models.PositiveIntegerField(_("openings an hour"), null=True, blank=True)
    proposer = models.CharField(_("registered by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("registered algorithm")
        verbose_name_plural = _("registered algorithms")
        ordering = ["-recorded_at"]
        constraints = [models.UniqueConstraint(fields=["key", "version"], name="risk_algorithm_version_once")]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class RegisterAction(models.TextChoices):
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")


class AlgorithmRuling(Fact):
    """What a person said to an entry of the register: a second one approves or rejects it, anybody may withdraw it."""

    kind = "algorithm_ruling"

    entry = models.ForeignKey(
        AlgorithmEntry, models.PROTECT, related_name="rulings", verbose_name=_("registered algorithm")
    )
    action = models.CharField(_("action"), max_length=9, choices=RegisterAction.choices)
    actor = models.CharField(_("who"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("ruling on an algorithm")
        verbose_name_plural = _("rulings on algorithms")
        ordering = ["-recorded_at"]
        constraints = [models.UniqueConstraint(fields=["entry", "action"], name="risk_algorithm_ruling_once")]

    def __str__(self) -> str:
        return f"{self.entry} {self.action}"
