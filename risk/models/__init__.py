"""Tables of the risk app: facts (append-only), projections (rebuildable from facts) and a few mutable rows."""

from risk.models.account import Account, AccountState, Desk
from risk.models.admission import Admission
from risk.models.algorithm import AlgorithmSwitch
from risk.models.algorithm_register import AlgorithmEntry, AlgorithmRuling
from risk.models.calendar import (
    CalendarFetch,
    CalendarSource,
    Dialect,
    EventStatus,
    EventVersion,
    MacroEvent,
    WindowAnnouncement,
)
from risk.models.client import Client
from risk.models.desk_drawdown import DeskLimitsApproval, DeskLimitsStep, DeskLimitsVersion, DeskPoint
from risk.models.equity import EquityBatch, EquityPoint
from risk.models.features import FeatureReference, FeatureSet
from risk.models.held import HeldPoint, HeldRuling
from risk.models.imports import ImportRun
from risk.models.limits import LimitsApproval, LimitsStep, LimitsVersion
from risk.models.memory import Cluster, MemoryProposal, MemoryRuling
from risk.models.peak import PeakRebase
from risk.models.penalty import Penalty
from risk.models.position import PositionReport
from risk.models.session import SessionOverride, TradingSession
from risk.models.snapshot import Snapshot
from risk.models.state import ScopedStop, StateChange, StateReview
from risk.models.windows import OverrideAction, WindowOverride, WindowRuling

__all__ = [
    "Account",
    "AccountState",
    "Admission",
    "AlgorithmEntry",
    "AlgorithmRuling",
    "AlgorithmSwitch",
    "CalendarFetch",
    "CalendarSource",
    "Client",
    "Cluster",
    "Desk",
    "DeskLimitsApproval",
    "DeskLimitsStep",
    "DeskLimitsVersion",
    "DeskPoint",
    "Dialect",
    "EquityBatch",
    "EquityPoint",
    "EventStatus",
    "EventVersion",
    "FeatureReference",
    "FeatureSet",
    "HeldPoint",
    "HeldRuling",
    "ImportRun",
    "LimitsApproval",
    "LimitsStep",
    "LimitsVersion",
    "MacroEvent",
    "MemoryProposal",
    "MemoryRuling",
    "OverrideAction",
    "PeakRebase",
    "Penalty",
    "PositionReport",
    "ScopedStop",
    "SessionOverride",
    "Snapshot",
    "StateChange",
    "StateReview",
    "TradingSession",
    "WindowAnnouncement",
    "WindowOverride",
    "WindowRuling",
]
