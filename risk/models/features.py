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


class FeatureReference(Fact):
    """Where each feature of a set usually lies: learned from recorded decisions, or imported. The newest is in force.

    `centres` are medians, `scales` interquartile ranges / 1.349, `counts` how many values they come from, in the set's
    order; null where nothing is known. `since` and `until` bound the decisions that it was learned from.
    """

    kind = "feature_reference"

    version = models.PositiveIntegerField(_("version"), unique=True)
    feature_set = models.ForeignKey(FeatureSet, models.PROTECT, related_name="+", verbose_name=_("feature set"))
    centres = models.JSONField(_("medians"))
    scales = models.JSONField(_("scales"))
    counts = models.JSONField(_("values"))
    since = models.DateTimeField(_("from"), null=True, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    decisions = models.PositiveIntegerField(_("decisions"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)
    content = models.CharField(_("SHA-256"), max_length=64)
    actor = models.CharField(_("by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("reference of features")
        verbose_name_plural = _("references of features")
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"v{self.version}"
