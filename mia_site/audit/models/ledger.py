"""The ledger: an RFC 6962 Merkle tree over the journal's entries, and what the sealer signed about it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import AppendOnly, Fact

LEVEL_SHIFT = 48
"""A tile's key holds its level above this bit and its index below: levels sort apart, one level is one range."""


class LedgerLeaf(AppendOnly):
    """The place of an entry in the tree, given once by the sealer. Contiguous from 0."""

    index = models.BigIntegerField(_("place"), primary_key=True)
    entry_id = models.UUIDField(_("entry"), unique=True)
    leaf_hash = models.BinaryField(_("leaf hash"), max_length=32)

    class Meta:
        verbose_name = _("leaf")
        verbose_name_plural = _("leaves")
        ordering = ["-index"]

    def __str__(self) -> str:
        return str(self.index)


def tile_place(level: int, index: int) -> int:
    """The key of a tile."""
    return (level << LEVEL_SHIFT) | index


class Tile(AppendOnly):
    """256 hashes of one level of the tree, whole; a shorter last tile is read from the level below."""

    place = models.BigIntegerField(_("place"), primary_key=True)
    root = models.BinaryField(_("root"), max_length=32)
    hashes = models.BinaryField(_("hashes"), max_length=8192)

    class Meta:
        verbose_name = _("tile")
        verbose_name_plural = _("tiles")
        ordering = ["place"]

    def __str__(self) -> str:
        return f"{self.place >> LEVEL_SHIFT}/{self.place & ((1 << LEVEL_SHIFT) - 1)}"


class Checkpoint(AppendOnly):
    """What was signed about the tree of `size` leaves. `number` counts seals, without gaps."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    size = models.BigIntegerField(_("size"), unique=True)
    root = models.BinaryField(_("root"), max_length=32)
    sealed_at = models.DateTimeField(_("sealed"))
    note = models.TextField(_("signed note"))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ["-number"]

    def __str__(self) -> str:
        return str(self.size)


class Continuation(Fact):
    """The ledger went on after a restore, although a checkpoint outside knows of more: two people said so.

    Leaves from `kept` up to `lost` (of root `root`, base64) are gone; every later checkpoint says it.
    """

    kind = "continuation"

    kept = models.BigIntegerField(_("leaves kept"))
    lost = models.BigIntegerField(_("leaves known outside"))
    root = models.CharField(_("root known outside"), max_length=44)
    note = models.TextField(_("checkpoint known outside"))
    reason = models.CharField(_("reason"), max_length=2000)
    asked_by = models.CharField(_("asked by"), max_length=120)
    agreed_by = models.CharField(_("agreed by"), max_length=120)

    class Meta:
        verbose_name = _("continuation after a restore")
        verbose_name_plural = _("continuations after a restore")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kept} / {self.lost}"
