"""References of features: a version of the desk, in force from its recording, judged by the gate."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from decisions.replay.known import _set, asked_of
from mia_site.audit.models import Entry
from mia_site.audit.verification.fact_stages import facts_run
from mia_site.ops.clock import database_now
from risk.feature_references import Learned, feature_reference_record
from risk.inputs import InputError
from risk.models import Desk, FeatureReference, FeatureSet
from risk.projections import desk_check
from risk.selectors.facts import FactsBook
from risk.sources.records import FeatureStatistics
from tests.decisions.bots import FEATURES, Bot, codes, feature_desk, trading_bot
from tests.decisions.mia_files import import_mia, text_file
from tests.factories import FACTORY, FeatureReferenceFactory, FeatureSetFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
USUAL = [
    FeatureStatistics("vix", 17.25, 1.349, 100),
    FeatureStatistics("delta", -0.5, 1.349, 100),
    FeatureStatistics("spread", 0.25, 0.0, 100),
]
"""The features of `feature_desk` as `FEATURES` has them: a scale of 1, and a spread that never varied."""


@pytest.fixture
def features() -> FeatureSet:
    Desk.objects.get_or_create(id=1)
    return feature_desk()


def learned(*rows: FeatureStatistics, source: str = "a calm month") -> FeatureReference:
    told = rows or tuple(USUAL)
    return feature_reference_record(told, Learned(source=source), actor=FACTORY, reason="first reference")


def test_a_reference_is_a_version_in_the_sets_order_with_its_entry(features: FeatureSet) -> None:
    reference = learned(*reversed(USUAL))
    assert (reference.version, reference.feature_set) == (1, features)
    assert reference.centres == [17.25, -0.5, 0.25]
    assert reference.scales == [pytest.approx(1), pytest.approx(1), 0.0]
    assert Desk.objects.get().feature_reference == reference
    assert Entry.objects.get(id=reference.id).kind_name == "feature_reference"


def test_the_same_statistics_again_add_nothing_and_others_are_a_new_version(features: FeatureSet) -> None:
    first = learned()
    assert learned() == first
    other = learned(replace(USUAL[0], median=20.0), *USUAL[1:])
    assert (other.version, Desk.objects.get().feature_reference) == (2, other)
    assert learned().version == 3, "going back is a step of its own"


def test_what_the_set_does_not_have_is_left_out_and_too_little_of_it_is_refused(features: FeatureSet) -> None:
    assert learned(*USUAL[:2], FeatureStatistics("foreign", 1.0, 1.0)).centres == [17.25, -0.5, None]
    with pytest.raises(InputError, match=r"0\.9 of the importance"):
        learned(USUAL[0], USUAL[2])
    with pytest.raises(InputError, match="reason"):
        feature_reference_record(USUAL, Learned(source="x"), actor=FACTORY, reason=" ")


def test_statistics_for_a_set_that_is_no_longer_in_use_are_refused(features: FeatureSet) -> None:
    older = FeatureSetFactory(version=9)
    with pytest.raises(InputError, match="still in use"):
        feature_reference_record(USUAL, Learned(source="x", set_id=older.id), actor=FACTORY, reason="late")
    Desk.objects.update(feature_set=None)
    with pytest.raises(InputError, match="a feature set in use"):
        learned()


def test_the_newest_is_in_force_and_a_replay_says_so(features: FeatureSet) -> None:
    first, second = learned(), learned(*USUAL[:2])
    assert desk_check() == []
    Desk.objects.update(feature_reference=first)
    assert [found.field for found in desk_check(rebuild=True)] == ["feature_reference_id"]
    assert Desk.objects.get().feature_reference == second


def test_a_file_becomes_a_reference_once(features: FeatureSet, tmp_path: Path) -> None:
    file = text_file(
        tmp_path / "reference.csv",
        "name,median,q1,q3", "vix,17,16,18", "delta,0,-1,1", "spread,0.25,0.25,0.25", "rsi,50,40,60",
    )  # fmt: skip
    told = import_mia(file)
    assert "read 4, imported 3" in told and "1 features of the file are not in the set in use" in told
    assert Desk.objects.get().feature_reference == FeatureReference.objects.get()
    assert "reference version 1, in use" in import_mia(file)
    assert FeatureReference.objects.count() == 1


def test_a_dry_run_and_a_file_without_a_set_leave_everything_as_it_was(tmp_path: Path) -> None:
    file = text_file(tmp_path / "reference.csv", "name,median,iqr", "vix,17,1", "delta,0,1")
    assert "a feature set in use" in import_mia(file)
    Desk.objects.get_or_create(id=1)
    feature_desk()
    import_mia(file, "--dry-run")
    assert not FeatureReference.objects.exists()


# What the gate makes of it


@pytest.fixture
def steady(features: FeatureSet) -> Bot:
    """A bot whose features may drift by 0.4; the desk has a reference."""
    _set.cache_clear()
    learned()
    return trading_bot("ES-STEADY", rules={}, features={"max_drift": "0.4"})


def test_features_where_they_usually_lie_pass_and_are_kept_with_the_verdict(steady: Bot) -> None:
    decision = steady.asks(features={**FEATURES, "vix": 18.25}).decision
    assert decision.verdict == "allow"
    assert decision.judged_on is not None
    told = decision.judged_on["features"]
    assert (told["reference"], told["drift"]) == ("1", 0.12), "0.6 x 1/5"
    assert told["top"] == [
        {"name": "vix", "share": 0.6, "deviation": 1.0, "missing": False},
        {"name": "delta", "share": 0.3, "deviation": 0.0, "missing": False},
        {"name": "spread", "share": 0.1, "deviation": 0.0, "missing": False},
    ]
    assert "18.25" not in Entry.objects.get(id=decision.id).body, "values are in the vector alone"


def test_features_that_ran_away_block(steady: Bot) -> None:
    decision = steady.asks(features={**FEATURES, "vix": 80.0}).decision
    assert codes(decision) == ["feature_drift_high"]
    assert decision.reasons[0]["evidence"]["drift"] == "0.6"


def test_a_missing_influential_feature_blocks_an_opening_and_no_exit(steady: Bot) -> None:
    some = {name: value for name, value in FEATURES.items() if name != "spread"}
    assert codes(steady.asks(features=some).decision) == ["feature_influential_missing"], "coverage is 0.9"
    steady.reports(quantity=1)
    exit_asked = steady.asks(decision="exit_long", side="sell", features=some).decision
    assert (exit_asked.effect, exit_asked.verdict) == ("reduces", "allow")


def test_a_replay_judges_the_features_as_the_gate_saw_them(steady: Bot) -> None:
    decision = steady.asks(features={"vix": 80.0, "spread": 0.25}).decision
    known = asked_of(decision, Decimal(50_000)).known.features
    assert known is not None
    assert (known.missing_top, known.missing_ranks) == (("delta",), (2,))
    assert (known.drift, known.reference) == (Decimal("0.857142857"), "1"), "0.6 of 0.7"
    assert codes(decision) == ["feature_coverage_low", "feature_influential_missing", "feature_drift_high"]


def test_a_reference_of_another_set_is_none(steady: Bot) -> None:
    Desk.objects.update(feature_reference=FeatureReferenceFactory(version=7))
    assert codes(steady.asks(features=FEATURES).decision) == ["feature_reference_missing"]


def test_a_reference_costs_one_query_once(steady: Bot, django_assert_num_queries: Any) -> None:
    state, desk, now = steady.account.state, Desk.objects.get(), database_now()
    assert FactsBook(state, desk, now).reference is not None
    with django_assert_num_queries(0):
        assert FactsBook(state, desk, now).reference is not None


def test_a_deep_look_finds_the_reference_as_it_was_recorded(features: FeatureSet) -> None:
    reference = learned(FeatureStatistics("vix", 1e-9, 9e14, 1), FeatureStatistics("delta", -0.0, 3.0, None))
    assert reference.scales[0] == 9e14 / 1.349
    assert facts_run("risk.featurereference", {}).findings == []
