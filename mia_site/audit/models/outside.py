"""Work rows of sending checkpoints to others."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckpointPost(models.Model):
    """Where checkpoints go, and which of them went there last. `target`: a public name, without secrets."""

    target = models.CharField(_("target"), max_length=254, unique=True)
    note = models.CharField(_("checkpoint sent last"), max_length=80, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("failed attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("checkpoint sent")
        verbose_name_plural = _("checkpoints sent")

    def __str__(self) -> str:
        return self.target
