"""Work rows of verifying: where a run stands, what it found."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verification(models.Model):
    """One run of `verify_audit`. `position`: where its current `stage` goes on; `findings`: the first of them."""

    deep = models.BooleanField(_("deep"))
    started_at = models.DateTimeField(_("started"))
    touched_at = models.DateTimeField(_("last step"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    stage = models.CharField(_("stage"), max_length=120, blank=True)
    position = models.JSONField(_("position"), default=dict)
    checked = models.BigIntegerField(_("rows checked"), default=0)
    count = models.PositiveIntegerField(_("findings"), default=0)
    findings = models.JSONField(_("the first findings"), default=list)

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        ordering = ["-id"]
        indexes = [models.Index(fields=["finished_at"], name="audit_verification_finished")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
