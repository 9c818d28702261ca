"""Column types that several tables share, so that one idea has one scale."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from risk.rules.facts import TradingState


def money(label: Any, **options: Any) -> "models.DecimalField[Any, Any]":
    """Money: at most 15 digits, 4 decimals."""
    return models.DecimalField(label, max_digits=15, decimal_places=4, **options)


def fraction(label: Any, **options: Any) -> "models.DecimalField[Any, Any]":
    """A fraction such as a drawdown, 12 decimals."""
    return models.DecimalField(label, max_digits=18, decimal_places=12, **options)


def contracts(label: Any, **options: Any) -> "models.DecimalField[Any, Any]":
    """Contracts, signed where it is a position."""
    return models.DecimalField(label, max_digits=15, decimal_places=4, **options)


STATES = [
    (TradingState.ACTIVE.value, _("active")),
    (TradingState.REDUCE_ONLY.value, _("reduce only")),
    (TradingState.HALTED.value, _("halted")),
]


class Origin(models.TextChoices):
    """Where a fact comes from. Imported history never stops an account by itself."""

    LIVE = "live", _("live")
    IMPORTED = "imported", _("imported")
