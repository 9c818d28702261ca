"""An account's equity as its facts tell it, in the order in which it counted: what tracks are replayed from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from risk.models import Account, EquityPoint, HeldPoint, HeldRuling, PeakRebase
from risk.rules.drawdown import PERIODIC, TRAILING, Point, mark_rebase, reset_before
from risk.rules.limits import ConfirmationLimits, DrawdownLimit
from risk.rules.track import Track, track_hear, track_start


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A point that counted, from `seq` on; `told_at` is when the desk recorded that."""

    seq: int
    ordinal: int
    point: Point
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebased:
    """A peak that a person moved."""

    seq: int
    ordinal: int
    rule: str
    point: Point
    told_at: datetime


Step = Heard | Rebased


def history(account: Account, *, after: int = 0, before: int | None = None) -> Iterator[Step]:
    """Every step of the account's equity, `seq` above `after` and below `before`: reported points, those that were held
    from the ruling that accepted them on, and rebased peaks."""
    bound = {"seq__gt": after} if before is None else {"seq__gt": after, "seq__lt": before}
    held = set(HeldPoint.objects.filter(account=account).values_list("point_id", flat=True))
    rows = EquityPoint.objects.filter(account=account, origin="live", **bound).order_by("seq", "ordinal")
    columns = ("id", "seq", "ordinal", "at", "equity", "cash_flow", "recorded_at")
    reported = (
        Heard(seq=seq, ordinal=ordinal, point=Point(at=at, equity=equity, cash_flow=flow), told_at=told)
        for row, seq, ordinal, at, equity, flow, told in rows.values_list(*columns).iterator(chunk_size=5_000)
        if row not in held
    )
    ruled = HeldRuling.objects.filter(account=account, accepted=True, **bound).select_related("held")
    accepted = [
        Heard(
            seq=ruling.seq, ordinal=place, told_at=ruling.recorded_at,
            point=Point(at=ruling.held.at, equity=ruling.held.equity, cash_flow=ruling.held.cash_flow),
        )
        for place, ruling in enumerate(ruled.order_by("seq", "held__seq", "held__ordinal"))
    ]  # fmt: skip
    moved = [
        Rebased(
            seq=rebase.seq, ordinal=0, rule=rebase.rule, told_at=rebase.recorded_at,
            point=Point(at=rebase.recorded_at, equity=rebase.reference),
        )
        for rebase in PeakRebase.objects.filter(account=account, **bound).order_by("seq")
    ]  # fmt: skip
    streams: list[Iterator[Step]] = [iter(reported), iter(accepted), iter(moved)]
    yield from merge(*streams, key=lambda step: (step.seq, step.ordinal))


def tracks_replay(
    account: Account, rules: Sequence[DrawdownLimit], confirmation: ConfirmationLimits, *, before: int | None = None
) -> dict[str, Track]:
    """The tracks of `rules` after the account's whole history: no peak is forgotten. Raises `PointError`."""
    tracks: dict[str, Track] = {}
    if not rules:
        return tracks
    for step in history(account, before=before):
        for rule in rules:
            track = tracks.get(rule.name)
            if isinstance(step, Heard):
                track = track or track_begin(account, rule, step.point, seq=step.seq)
                tracks[rule.name] = track_hear(rule, track, step.point, account.zone, confirmation)
            elif rule.name == step.rule and track is not None:
                tracks[rule.name] = rebase_apply(rule, track, step)
    return tracks


def track_begin(account: Account, rule: DrawdownLimit, point: Point, *, seq: int) -> Track:
    """The track of `rule` as the account's first equity comes, in the step `seq`.

    A daily or weekly rule begins with what was known as its period began: imported history (recorded before this step)
    where there is some, else this first point, without the money that came with it.
    """
    known = None
    if rule.mode in PERIODIC:
        before = EquityPoint.objects.filter(
            account=account, origin="imported", seq__lt=seq, at__lt=reset_before(rule, point.at, account.zone)
        )
        known = before.order_by("-at", "-seq", "-ordinal").values_list("equity", flat=True).first()
    return track_start(
        rule, account.initial_balance, point.at, point.equity - point.cash_flow if known is None else known
    )


def rebase_apply(rule: DrawdownLimit, track: Track, step: Rebased) -> Track:
    """The track after a peak was moved; a rule that measures from no peak, or a lower one already, is left alone."""
    lower = track.mark.last_equity <= step.point.equity < track.mark.reference
    if rule.mode not in TRAILING or not lower:
        return track
    return Track(mark=mark_rebase(track.mark, step.point.equity, step.told_at))
