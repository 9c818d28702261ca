"""Imports: which file went in, and what became of its rows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account


class ImportRun(Fact):
    """One file given to `import_mia`. Naive times in it were read in `timezone`."""

    kind = "import_run"

    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file_kind = models.CharField(_("kind"), max_length=40)
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    read = models.PositiveIntegerField(_("read"), default=0)
    imported = models.PositiveIntegerField(_("imported"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    notes = models.JSONField(_("notes"), default=list)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return self.name
