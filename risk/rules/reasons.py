"""The one place where a reason is made, so that its sentence and its evidence cannot disagree."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from risk.rules.codes import ReasonCode
from risk.rules.messages import message
from risk.rules.verdict import Reason


def reason(code: ReasonCode, evidence: Mapping[str, Any], retry_at: datetime | None = None) -> Reason:
    """Return a reason with its English sentence.

    `evidence` holds JSON values only (decimals and times as text) and at least the fields of the code's
    template, else KeyError is raised.
    """
    return Reason(code=code, message=message(code, evidence), evidence=dict(evidence), retry_at=retry_at)
