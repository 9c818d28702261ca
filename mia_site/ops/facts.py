"""Rows that are written once. The database holds the rule (append_only.py); this says it early, in Python."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.ids import uuid7


class FactIsImmutable(TypeError):
    """Somebody tried to change or delete a recorded fact; correct it with a new fact."""


class AppendOnly(models.Model):
    """A row that nobody changes or deletes: facts, and the tables of the ledger over them."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise FactIsImmutable(f"{self._meta.label} {self.pk} is recorded; facts are corrected by new facts")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FactIsImmutable(f"{self._meta.label} {self.pk} is recorded; facts are never deleted")


class Fact(AppendOnly):
    """Something that happened: UUIDv7 primary key, and when the database's clock says it was recorded."""

    kind: ClassVar[str] = ""
    """Name of the fact in the journal, for example ``decision``; stable, since it is hashed."""
    committed_by: ClassVar[str | None] = None
    """Model whose facts' entries commit to rows of this kind, which then have no entries of their own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recorded_at = models.DateTimeField(_("recorded at"), editable=False)

    class Meta:
        abstract = True
