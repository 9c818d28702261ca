"""Tables of the risk app: facts (append-only), projections (rebuildable from facts) and a few mutable rows."""

from risk.models.account import Account, AccountState, Desk
from risk.models.admission import Admission
from risk.models.calendar import CalendarFetch, CalendarSource, EventVersion, MacroEvent, WindowAnnouncement
from risk.models.client import Client
from risk.models.equity import EquityBatch, EquityPoint
from risk.models.features import FeatureSet
from risk.models.imports import ImportRun
from risk.models.limits import LimitsApproval, LimitsVersion
from risk.models.memory import Cluster
from risk.models.penalty import Penalty
from risk.models.position import PositionReport
from risk.models.snapshot import Snapshot
from risk.models.state import StateChange

__all__ = [
    "Account",
    "AccountState",
    "Admission",
    "CalendarFetch",
    "CalendarSource",
    "Client",
    "Cluster",
    "Desk",
    "EquityBatch",
    "EquityPoint",
    "EventVersion",
    "FeatureSet",
    "ImportRun",
    "LimitsApproval",
    "LimitsVersion",
    "MacroEvent",
    "Penalty",
    "PositionReport",
    "Snapshot",
    "StateChange",
    "WindowAnnouncement",
]
