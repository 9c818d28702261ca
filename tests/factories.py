"""Rows for tests. Facts go through the journal, like everybody's; defaults make a plausible row of the desk."""

import hashlib
import struct
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from factory.django import DjangoModelFactory

from decisions.models import Decision, DecisionFeatures, LimitsReplay, Outcome, ShadowRow
from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.facts import Fact
from mia_site.ops.models import Alert, AlertDelivery, Timing
from risk.accounts import account_open
from risk.models import (
    Account,
    AccountState,
    Admission,
    AlgorithmEntry,
    AlgorithmRuling,
    AlgorithmSwitch,
    CalendarFetch,
    CalendarSource,
    Client,
    Cluster,
    DeskLimitsApproval,
    DeskLimitsStep,
    DeskLimitsVersion,
    DeskPoint,
    EquityBatch,
    EquityPoint,
    EventVersion,
    FeatureReference,
    FeatureSet,
    HeldPoint,
    HeldRuling,
    ImportRun,
    LimitsApproval,
    LimitsStep,
    LimitsVersion,
    MacroEvent,
    MemoryProposal,
    MemoryRuling,
    PeakRebase,
    Penalty,
    PositionReport,
    ScopedStop,
    SessionOverride,
    Snapshot,
    StateChange,
    StateReview,
    TradingSession,
    WindowOverride,
    WindowRuling,
)

FACTORY = Actor("system", "factory")
NOON = datetime(2025, 5, 13, 12, tzinfo=UTC)
PASSWORD = "a long password for tests"


def fact_record(fact: Fact, *, actor: Actor = FACTORY, companions: tuple[Fact, ...] = ()) -> None:
    """Writes one fact with its journal entry."""
    account = getattr(fact, "account", None)
    with transaction.atomic():
        facts_record([fact], actor=actor, account=account.code if account else "", companions=companions)


class FactFactory(DjangoModelFactory[Any]):
    """A fact, recorded through the journal. `recorded_at` may be given."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type[Any], **kwargs: Any) -> Any:
        fact = model_class(**kwargs)
        fact_record(fact)
        return fact


@lru_cache(maxsize=1)
def _hashed() -> str:
    """Hashing is slow by design; once is enough."""
    return make_password(PASSWORD)


class UserFactory(DjangoModelFactory[User]):
    """A person of the staff. `UserFactory(role="compliance viewer")`; the password is `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"person{number}")
    is_staff = True

    @classmethod
    def _create(cls, model_class: type[User], **kwargs: Any) -> User:
        role = kwargs.pop("role", "")
        user = model_class.objects.create(password=_hashed(), **kwargs)
        if role:
            user.groups.add(Group.objects.get(name=role))
        return user


class AccountFactory(DjangoModelFactory[Account]):
    """An account, opened by the service, with its state row."""

    class Meta:
        model = Account

    code = factory.Sequence(lambda number: f"ES-{number}")
    initial_balance = Decimal(50_000)

    @classmethod
    def _create(cls, model_class: type[Account], **kwargs: Any) -> Account:
        return account_open(kwargs.pop("code"), actor=FACTORY, **kwargs)


class ClientFactory(DjangoModelFactory[Client]):
    """A bot. It has no token; `risk.accounts.client_issue` gives one that has."""

    class Meta:
        model = Client

    name = factory.Sequence(lambda number: f"bot{number}")
    account = factory.SubFactory(AccountFactory)
    user = factory.LazyAttribute(lambda client: User.objects.create_user(username=f"client:{client.name}"))


class OfAccount(FactFactory):
    """A fact of an account, in the account's own sequence."""

    class Meta:
        abstract = True

    account = factory.SubFactory(AccountFactory)
    seq = factory.Sequence(lambda number: number + 1)


LIMITS: dict[str, Any] = {
    "drawdown": [
        {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.05"}},
        {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}, "reset_at": "17:00"},
    ],
    "pace": {"max_openings_per_hour": 10},
}


class LimitsVersionFactory(OfAccount):
    """A version of limits that nobody put in force; `risk.risk_controller.limits_submit` does that."""

    class Meta:
        model = LimitsVersion

    version = factory.Sequence(lambda number: number + 1)
    body = factory.LazyFunction(lambda: dict(LIMITS))
    changes = factory.LazyFunction(
        lambda: [{"path": "pace.max_openings_per_hour", "old": "10", "new": "20", "direction": "loosens"}]
    )
    proposer = "command:limits:uid0"
    reason = "a busier bot"
    applied = False


class LimitsApprovalFactory(OfAccount):
    class Meta:
        model = LimitsApproval

    limits = factory.SubFactory(LimitsVersionFactory, account=factory.SelfAttribute("..account"))
    approved = True
    approver = "command:limits:uid1"
    reason = "agreed at the risk meeting"


class LimitsStepFactory(OfAccount):
    class Meta:
        model = LimitsStep

    limits = factory.SubFactory(LimitsVersionFactory, account=factory.SelfAttribute("..account"))
    step = "withdrawn"
    actor = "user:1"
    reason = "not now"


class StateReviewFactory(FactFactory):
    class Meta:
        model = StateReview

    change = factory.SubFactory("tests.factories.StateChangeFactory")
    account = factory.SelfAttribute("change.account")
    step = "kept"
    actor = "user:2"
    reason = "rightly so"


class EquityBatchFactory(OfAccount):
    class Meta:
        model = EquityBatch

    count = 1
    digest = "ab" * 32


class EquityPointFactory(OfAccount):
    """A stored point; the account's state does not know it. `risk.equity.equity_record` judges one."""

    class Meta:
        model = EquityPoint

    batch_id = factory.LazyAttribute(lambda point: EquityBatchFactory(account=point.account).pk)
    ordinal = 0
    at = NOON
    equity = Decimal("50250.5")

    @classmethod
    def _create(cls, model_class: type[Any], **kwargs: Any) -> Any:
        """Points have no entry of their own: that of their batch commits to them."""
        kwargs.setdefault("recorded_at", kwargs["at"])
        point = model_class(**kwargs)
        point.save()
        return point


class HeldPointFactory(OfAccount):
    """An implausible point that waits for a ruling; the account's state does not know it."""

    class Meta:
        model = HeldPoint

    point_id = factory.LazyAttribute(lambda held: EquityPointFactory(account=held.account, equity=held.equity).pk)
    ordinal = 0
    at = NOON
    equity = Decimal(50)
    previous = Decimal("50250.5")
    move = Decimal("0.999005")
    limit = Decimal("0.2")


class HeldRulingFactory(OfAccount):
    class Meta:
        model = HeldRuling

    held = factory.SubFactory(HeldPointFactory, account=factory.SelfAttribute("..account"))
    accepted = False
    reason = "a decimal point in the wrong place"
    actor = "user:1"


class PeakRebaseFactory(OfAccount):
    class Meta:
        model = PeakRebase

    rule = "max_drawdown"
    before = Decimal(52_000)
    reference = Decimal("50250.5")
    reason = "profit was paid out"
    actor = "user:1"


class DeskLimitsVersionFactory(FactFactory):
    """A version of the desk's rules that nobody put in force."""

    class Meta:
        model = DeskLimitsVersion

    version = factory.Sequence(lambda number: number + 1)
    seq = 0
    body = factory.LazyFunction(lambda: {"currency": "USD", "drawdown": LIMITS["drawdown"][:1]})
    proposer = "command:limits:uid0"
    reason = "the desk as a whole"
    applied = False


class DeskLimitsApprovalFactory(FactFactory):
    class Meta:
        model = DeskLimitsApproval

    limits = factory.SubFactory(DeskLimitsVersionFactory)
    seq = 0
    approved = True
    approver = "command:limits:uid1"
    reason = "agreed at the risk meeting"


class DeskLimitsStepFactory(FactFactory):
    class Meta:
        model = DeskLimitsStep

    limits = factory.SubFactory(DeskLimitsVersionFactory)
    seq = 0
    step = "withdrawn"
    actor = "user:1"
    reason = "not now"


class DeskPointFactory(FactFactory):
    class Meta:
        model = DeskPoint

    seq = factory.Sequence(lambda number: number + 1)
    equity = Decimal("150250.5")


class PositionReportFactory(OfAccount):
    class Meta:
        model = PositionReport

    at = NOON
    positions = factory.LazyFunction(lambda: {"ES": "2"})


class SnapshotFactory(OfAccount):
    class Meta:
        model = Snapshot

    at = NOON
    drawdown = Decimal("0.031")
    overtrade_risk_score = 0.5
    penalty_active = False
    limit = Decimal("0.05")
    cause = "check"
    evidence = factory.LazyFunction(lambda: {"rules": [{"rule": "max_drawdown", "equity": "48450"}]})


class PenaltyFactory(OfAccount):
    class Meta:
        model = Penalty

    at = NOON
    penalty_active = True
    overtrade_risk_score = 0.5
    penalty_kind = "drawdown"
    value = Decimal(1)
    reason = "drawdown 0.06 above the limit 0.05"


class StateChangeFactory(OfAccount):
    class Meta:
        model = StateChange

    scope = "account"
    from_state = "ACTIVE"
    to_state = "REDUCE_ONLY"
    cause = "drawdown"
    reason = "drawdown 0.06 above the limit 0.05"
    actor = "worker:risk.tasks.check_drawdown"


class AdmissionFactory(DjangoModelFactory[Admission]):
    class Meta:
        model = Admission

    id = factory.Faker("uuid4")
    account = factory.SubFactory(AccountFactory)
    seq = factory.Sequence(lambda number: number + 1)
    at = NOON
    effect = "opens"
    instrument = "ES"
    side = "buy"
    quantity = Decimal(1)
    working = factory.SelfAttribute("quantity")
    until = factory.LazyAttribute(lambda row: row.at + timedelta(days=1) if row.effect == "opens" else None)


BLACKOUT_REASON: dict[str, Any] = {
    "code": "blackout",
    "message": "Blackout until 2025-05-07T18:30:00Z: FOMC statement",
    "evidence": {"until": "2025-05-07T18:30:00Z", "names": "FOMC statement"},
    "retry_at": "2025-05-07T18:30:00+00:00",
}
DRAWDOWN_REASON: dict[str, Any] = {
    "code": "drawdown_breached",
    "message": "max_drawdown: equity 47000 is below the floor 47500, a drawdown of 0.06 from the reference 50000.",
    "evidence": {
        "rule": "max_drawdown", "equity": "47000", "floor": "47500", "drawdown": "0.06", "reference": "50000",
    },
}  # fmt: skip


class DecisionFactory(OfAccount):
    """A judged decision. `blocked=True`: by a blackout; `vector=[…]`: with features of `feature_set`."""

    class Meta:
        model = Decision

    class Params:
        blocked = factory.Trait(
            verdict="block",
            reasons=factory.LazyFunction(lambda: [dict(BLACKOUT_REASON)]),
            reason_code="blackout",
        )

    client = None
    actor = "system:factory"
    at = NOON
    trade_id = factory.Sequence(lambda number: f"trade-{number:04d}")
    decision = "enter"
    signal_score = 0.82
    regime_probs = factory.LazyFunction(lambda: {"range": 0.2, "trend": 0.7, "defensive": 0.1})
    instrument = "ES"
    side = "buy"
    quantity = Decimal(1)
    price = Decimal("5912.25")
    order_type = "limit"
    reason = "breakout above the opening range"
    algorithm = "sac"
    model = "mia-7"
    verdict = "allow"
    effect = "opens"
    valid_until = factory.LazyAttribute(lambda decision: decision.at + timedelta(seconds=5))
    trading_state = "ACTIVE"
    judged_on = factory.LazyFunction(
        lambda: {
            "account_state": "ACTIVE",
            "desk_state": "ACTIVE",
            "equity": {"equity": "50250.5", "at": "2025-05-13T11:59:30+00:00"},
            "openings_last_hour": 3,
        }
    )

    @classmethod
    def _create(cls, model_class: type[Any], **kwargs: Any) -> Any:
        vector = kwargs.pop("vector", None)
        decision = model_class(**kwargs)
        companions: tuple[Fact, ...] = ()
        if vector is not None:
            companions = (_features(decision, vector),)
        fact_record(decision, companions=companions)
        return decision


def _features(decision: Any, vector: list[float]) -> DecisionFeatures:
    salt, packed = b"\x01" * 16, struct.pack(f"<{len(vector)}d", *vector)
    decision.feature_commitment = hashlib.sha256(salt + packed).hexdigest()
    return DecisionFeatures(id=decision.id, feature_set=decision.feature_set, vector=packed, salt=salt)


class OutcomeFactory(OfAccount):
    class Meta:
        model = Outcome

    decision_id = factory.LazyAttribute(lambda outcome: DecisionFactory(account=outcome.account).pk)
    pnl = Decimal("312.5")
    closed_at = NOON + timedelta(minutes=20)
    quantity = Decimal(1)
    exit_price = Decimal("5918.5")
    actor = "system:factory"


class ShadowRowFactory(DjangoModelFactory[ShadowRow]):
    """The pace in shadow would have blocked a decision."""

    class Meta:
        model = ShadowRow

    account = factory.SubFactory(AccountFactory)
    seq = factory.Sequence(lambda number: number + 1)
    decision_id = factory.Faker("uuid4")
    rule = "pace"
    at = NOON
    outcome = "block"
    share = Decimal(1)


class LimitsReplayFactory(DjangoModelFactory[LimitsReplay]):
    """A replay that nobody has begun."""

    class Meta:
        model = LimitsReplay

    account = factory.SubFactory(AccountFactory)
    limits = factory.LazyFunction(lambda: dict(LIMITS))
    actor = "system:factory"
    created_at = NOON
    total = 100
    progress = "{}"


class FeatureSetFactory(FactFactory):
    class Meta:
        model = FeatureSet

    version = factory.Sequence(lambda number: number + 1)
    count = 150
    names = factory.LazyFunction(lambda: [f"feature_{place:03d}" for place in range(1, 151)])
    importances = factory.LazyFunction(lambda: [round(0.02 / place, 6) for place in range(1, 151)])
    content = factory.LazyAttribute(lambda features: hashlib.sha256(f"set {features.version}".encode()).hexdigest())
    source = "feature_importance.csv"


class FeatureReferenceFactory(FactFactory):
    """Every feature of its set lies at 0, in a scale of 1; the desk does not use it."""

    class Meta:
        model = FeatureReference

    version = factory.Sequence(lambda number: number + 1)
    feature_set = factory.SubFactory(FeatureSetFactory)
    centres = factory.LazyAttribute(lambda row: [0.0] * row.feature_set.count)
    scales = factory.LazyAttribute(lambda row: [1.0] * row.feature_set.count)
    counts = factory.LazyAttribute(lambda row: [100] * row.feature_set.count)
    since = NOON - timedelta(days=30)
    until = NOON
    decisions = 100
    source = "decisions"
    content = factory.LazyAttribute(lambda row: hashlib.sha256(f"reference {row.version}".encode()).hexdigest())
    actor = "command:learn_features:uid0"
    reason = "a calm month"


class ClusterFactory(FactFactory):
    class Meta:
        model = Cluster

    source_id = factory.Sequence(lambda number: str(number + 1))
    event_type = "FOMC"
    features = factory.LazyFunction(lambda: {"vix": 17.2, "vix_es_correlation": -0.6})
    at = NOON - timedelta(days=7)
    confidence = 0.8
    vix_es_correlation = -0.6
    content = factory.LazyAttribute(lambda row: hashlib.sha256(f"cluster {row.source_id}".encode()).hexdigest())


class CalendarSourceFactory(DjangoModelFactory[CalendarSource]):
    class Meta:
        model = CalendarSource

    name = factory.Sequence(lambda number: f"source{number}")
    path = "/srv/calendar/macro_events.csv"


class CalendarFetchFactory(FactFactory):
    class Meta:
        model = CalendarFetch

    source = "macro_events.csv"
    ok = True
    sha256 = "cd" * 32
    rows = 12
    added = 12


class EventVersionFactory(FactFactory):
    class Meta:
        model = EventVersion

    event_id = factory.Faker("uuid4")
    version = 1
    fetch_id = factory.Faker("uuid4")
    start_at = NOON + timedelta(hours=6)
    event_type = "FOMC statement"
    currency = "USD"
    impact = Decimal("0.95")
    source = "macro_events.csv"


class MacroEventFactory(DjangoModelFactory[MacroEvent]):
    class Meta:
        model = MacroEvent

    id = factory.Faker("uuid4")
    start_at = factory.Sequence(lambda number: NOON + timedelta(hours=number))
    event_type = "FOMC statement"
    currency = "USD"
    impact = Decimal("0.95")
    source = "macro_events.csv"


class WindowOverrideFactory(FactFactory):
    class Meta:
        model = WindowOverride

    action = "waive"
    event_id = factory.Faker("uuid4")
    event_type = "FOMC statement"
    start_at = NOON + timedelta(hours=6)
    impact = Decimal("0.95")
    currency = "USD"
    proposer = "user:1"
    reason = "no statement today"


class WindowRulingFactory(FactFactory):
    class Meta:
        model = WindowRuling

    override = factory.SubFactory(WindowOverrideFactory)
    approved = True
    approver = "user:2"
    reason = "confirmed"


class TradingSessionFactory(DjangoModelFactory[TradingSession]):
    class Meta:
        model = TradingSession

    hours = "globex"
    day = factory.Sequence(lambda number: NOON.date() + timedelta(days=number))
    opens_at = factory.LazyAttribute(lambda row: datetime.combine(row.day, time(), UTC) - timedelta(hours=1))
    closes_at = factory.LazyAttribute(lambda row: row.opens_at + timedelta(hours=23))
    source = "exchange_calendars CMES"


class SessionOverrideFactory(DjangoModelFactory[SessionOverride]):
    class Meta:
        model = SessionOverride

    day = factory.Sequence(lambda number: NOON.date() + timedelta(days=number))
    closed = True
    source = "https://www.cmegroup.com/trading-hours.html"


class ScopedStopFactory(DjangoModelFactory[ScopedStop]):
    class Meta:
        model = ScopedStop

    scope = "instrument"
    key = factory.Sequence(lambda number: f"ES{number}")
    state = "HALTED"
    state_since = NOON
    state_reason = "rollover"


class MemoryProposalFactory(FactFactory):
    class Meta:
        model = MemoryProposal

    account = factory.SubFactory(AccountFactory)
    event_id = factory.Faker("uuid4")
    event_type = "FOMC statement"
    at = NOON
    features = factory.LazyFunction(lambda: {"equity_move": -0.004, "decisions": 3})
    confidence = 0.5


class MemoryRulingFactory(FactFactory):
    class Meta:
        model = MemoryRuling

    proposal = factory.SubFactory(MemoryProposalFactory)
    accepted = False
    actor = "user:1"
    reason = "one day proves nothing"


class ImportRunFactory(FactFactory):
    class Meta:
        model = ImportRun

    account = factory.SubFactory(AccountFactory)
    name = "macro_events.csv"
    sha256 = "ef" * 32
    file_kind = "macro_events"
    timezone = "America/New_York"
    read = 12
    imported = 12
    notes = factory.LazyFunction(lambda: ["one column was not known: comment"])


class AlgorithmSwitchFactory(OfAccount):
    class Meta:
        model = AlgorithmSwitch

    key = "sac"
    action = "disabled"
    executions = 100
    limit = 100
    reason = "opened 100 times without a review, the limit is 100"
    actor = "client:1"


class AlgorithmEntryFactory(FactFactory):
    class Meta:
        model = AlgorithmEntry

    key = factory.Sequence(lambda number: f"sac {number}")
    version = 1
    owner = "M. Keller, quantitative desk"
    max_quantity = Decimal(2)
    max_openings_per_hour = 5
    proposer = "user:1"
    reason = "tested on 2024"


class AlgorithmRulingFactory(FactFactory):
    class Meta:
        model = AlgorithmRuling

    entry = factory.SubFactory(AlgorithmEntryFactory)
    action = "approved"
    actor = "user:2"
    reason = "agreed at the risk meeting"


class AlertFactory(DjangoModelFactory[Alert]):
    class Meta:
        model = Alert

    code = "drawdown_breached"
    priority = 3
    account = "ES-DEMO"
    params = factory.LazyFunction(lambda: {"drawdown": "0.06", "limit": "0.05"})
    created_at = NOON
    last_at = factory.SelfAttribute("created_at")


class AlertDeliveryFactory(DjangoModelFactory[AlertDelivery]):
    class Meta:
        model = AlertDelivery

    alert = factory.SubFactory(AlertFactory)
    channel = "webhook"
    target = "https://risk.example/hook"
    status = "failed"
    attempts = 3
    last_error = "connection refused"
    next_try_at = NOON


class TimingFactory(DjangoModelFactory[Timing]):
    class Meta:
        model = Timing

    timestamp = NOON
    operation = "submit"
    latency = 0.0042
    success = True
    memory_usage_mb = 96.5
    cpu_percent = 12.0


def state_of(account: Account) -> AccountState:
    """The account's projection as it is in the database now."""
    return AccountState.objects.select_related("account", "limits").get(account=account)
