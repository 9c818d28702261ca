"""The journal: one entry for each fact, in the fact's own transaction."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class Entry(Fact):
    """Canonical bytes of one fact (same id) with their RFC 6962 leaf hash.

    `body` is the record; the other columns are copies of parts of it, for searching.
    """

    kind_name = models.CharField(_("kind"), max_length=40, db_column="kind")
    object_type = models.CharField(_("object"), max_length=60)
    object_id = models.CharField(_("object id"), max_length=64)
    account = models.CharField(_("account"), max_length=32, blank=True)
    actor = models.CharField(_("who"), max_length=120)
    why = models.CharField(_("why"), max_length=2000, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    body = models.TextField(_("canonical text"))
    leaf_hash = models.BinaryField(_("leaf hash"), max_length=32)

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_entry_object"),
            models.Index(fields=["account", "id"], name="audit_entry_account"),
            models.Index(fields=["kind_name", "id"], name="audit_entry_kind"),
            models.Index(fields=["actor", "id"], name="audit_entry_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind_name} {self.object_id}"


class PendingEntry(models.Model):
    """An entry that the sealer has not taken yet (a queue: rows come and go)."""

    entry_id = models.UUIDField(_("journal entry"), primary_key=True)
    leaf_hash = models.BinaryField(_("leaf hash"), max_length=32)

    class Meta:
        verbose_name = _("pending entry")
        verbose_name_plural = _("pending entries")

    def __str__(self) -> str:
        return str(self.entry_id)


class PersonalData(models.Model):
    """Who an entry is about, by address or name: beside the entry, so that it can be erased.

    The entry itself holds only SHA-256(`salt` || canonical bytes of `data`); without the salt that says nothing.
    """

    entry_id = models.UUIDField(_("entry"), primary_key=True)
    salt = models.BinaryField(_("salt"), max_length=16)
    data = models.JSONField(_("personal data"))

    class Meta:
        verbose_name = _("personal data")
        verbose_name_plural = _("personal data")

    def __str__(self) -> str:
        return str(self.entry_id)
