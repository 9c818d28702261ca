"""Feature sets: which features the model uses, and how much each of them counts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class FeatureSet(Fact):
    """A version of ``feature_importance.csv``: names in the set's order, largest |SHAP| first, with their shares."""

    kind = "feature_set"

    version = models.PositiveIntegerField(_("version"), unique=True)
    count = models.PositiveIntegerField(_("features"))
    names = models.JSONField(_("names"))
    importances = models.JSONField(_("importance"))
    content = models.CharField(_("SHA-256"), max_length=64, unique=True)
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        verbose_name = _("feature set")
        verbose_name_plural = _("feature sets")
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"v{self.version} ({self.count})"
