"""What `import_mia` makes of the desk's references, limits, penalties and snapshots."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mia_site.ops.clock import database_now
from risk.models import (
    Account,
    AccountState,
    CalendarFetch,
    Cluster,
    Desk,
    FeatureSet,
    ImportRun,
    LimitsVersion,
    MacroEvent,
    Penalty,
    Snapshot,
)
from risk.risk_controller import limits_submit
from tests.decisions.mia_files import features_file, import_mia, memory_file, stored, text_file
from tests.factories import FACTORY, AccountFactory, SnapshotFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
TWO_PM = datetime(2025, 5, 13, 14, tzinfo=UTC)
EVENTS = ("start_time,type,impact", "2030-05-07 18:00:00,FOMC,1.0", "2030-05-13 12:30:00,CPI,0.9")


@pytest.fixture
def account() -> Account:
    return AccountFactory(code="ES-MAIN")


def snapshot_file(path: Path, drawdown: str = "0.06", score: str = "0.65", at: str = "2025-05-13 14:00:00") -> Path:
    return text_file(
        path,
        f'{{"timestamp": "{at}", "drawdown": {drawdown}, "overtrade_risk_score": {score}, "penalty_active": true}}',
    )


def limits_in_force() -> dict[str, Any]:
    version = AccountState.objects.get(account__code="ES-MAIN").limits
    assert version is not None
    body: dict[str, Any] = version.body
    return body


# Feature sets


def test_a_feature_set_becomes_a_version_that_the_desk_uses(tmp_path: Path) -> None:
    output = import_mia(features_file(tmp_path / "feature_importance.csv", [3, 2, 1]))
    assert "read 150, imported 150" in output and "feature set version 1 is in use" in output
    version = FeatureSet.objects.get()
    assert (version.count, version.names[:3]) == (150, ["f000", "f001", "f002"])
    assert sum(version.importances) == pytest.approx(1, abs=1e-12)
    assert version.importances[0] == pytest.approx(3 / (3 + 2 + 1 + 147 / 2))
    assert Desk.objects.get().feature_set == version


def test_a_newer_feature_set_takes_over_and_the_older_file_does_not_take_it_back(tmp_path: Path) -> None:
    old = features_file(tmp_path / "feature_importance.csv", [3])
    new = features_file(tmp_path / "feature_importance_cache.csv", [4])
    import_mia(old)
    import_mia(new)
    output = import_mia(old)
    assert "imported 0, unchanged 150" in output
    assert "the file is feature set version 1; the desk uses version 2" in output
    desk = Desk.objects.select_related("feature_set").get()
    assert desk.feature_set is not None and desk.feature_set.version == 2


def test_the_same_weights_at_another_scale_are_the_same_feature_set(tmp_path: Path) -> None:
    import_mia(features_file(tmp_path / "feature_importance.csv", [1] * 150))
    output = import_mia(features_file(tmp_path / "feature_importance_2.csv", [2] * 150))
    assert "imported 0, unchanged 150" in output


def test_features_without_any_weight_are_refused(tmp_path: Path) -> None:
    output = import_mia(features_file(tmp_path / "feature_importance.csv", [0] * 150))
    assert "every SHAP value is 0: the features cannot be weighed" in output
    assert not FeatureSet.objects.exists() and Desk.objects.filter(feature_set__isnull=False).count() == 0


def test_fewer_than_150_features_are_refused(tmp_path: Path) -> None:
    output = import_mia(features_file(tmp_path / "feature_importance.csv", count=149))
    assert "150 distinct features with finite values are needed, the file has 149" in output
    assert not FeatureSet.objects.exists()


# Market memory


def test_clusters_are_known_by_their_row(tmp_path: Path) -> None:
    first = ("FOMC", {"vix_es_correlation": 0.9}, "2025-05-07 18:00:00", 0.8)
    second = ("CPI", {"vix": 17.5}, "2025-05-13 12:30:00", 0.5)
    import_mia(memory_file(tmp_path / "market_memory.db", first))
    (tmp_path / "market_memory.db").unlink()
    output = import_mia(memory_file(tmp_path / "market_memory.db", first, second))
    assert "read 2, imported 1, unchanged 1" in output
    assert list(Cluster.objects.order_by("at").values_list("event_type", "vix_es_correlation", "confidence")) == [
        ("FOMC", 0.9, 0.8),
        ("CPI", None, 0.5),
    ]


def test_a_cluster_with_broken_features_does_not_keep_the_others(tmp_path: Path) -> None:
    path = memory_file(
        tmp_path / "market_memory.db",
        ("FOMC", {"vix_es_correlation": 4}, "2025-05-07 18:00:00", 0.8),
        ("CPI", {}, "2025-05-13 12:30:00", 0.5),
    )
    output = import_mia(path)
    assert "read 2, imported 1, unchanged 0, rejected 1" in output
    assert "line 1: vix_es_correlation must be a number from -1 to 1" in output


# The calendar


def test_a_calendar_goes_in_and_just_read_it_is_not_read_again(tmp_path: Path) -> None:
    path = text_file(tmp_path / "macro_events.csv", *EVENTS)
    assert "read 2, imported 2" in import_mia(path)
    before = stored()
    assert "imported 0, unchanged 2" in import_mia(path)
    assert stored() == before
    assert MacroEvent.objects.count() == 2


def test_a_calendar_read_long_ago_is_read_again_to_be_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text_file(tmp_path / "macro_events.csv", *EVENTS)
    import_mia(path)
    monkeypatch.setattr("risk.mia_import.database_now", lambda: database_now() + timedelta(hours=2))
    assert "imported 0, unchanged 2" in import_mia(path)
    assert CalendarFetch.objects.filter(ok=True).count() == 2


# Limits


def test_a_configuration_is_applied_where_there_are_no_limits(account: Account, tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "market_config.yaml",
        "thresholds:",
        "  max_drawdown:",
        "    value: -0.10",
        "  entry_freq_max: 5",
        "risk:",
        "  min_rrr: 1.5",
        "api_key: hidden-from-all",
    )
    output = import_mia(path, "--account", "ES-MAIN", "--verbosity", "2")
    assert "limits version 1 is in force" in output
    assert "mapped: thresholds.max_drawdown.value -> drawdown[0].allowance.value = 0.10" in output
    assert "ignored: api_key: a secret: it is not read into the product" in output
    assert "ignored: 1 key: a secret: it is not read into the product" in output
    body = limits_in_force()
    assert body["drawdown"][0]["allowance"] == {"of": "reference", "value": "0.1"}
    assert body["pace"]["max_openings_per_hour"] == 5
    notes = ImportRun.objects.get().notes
    assert "ignored: risk.min_rrr: belongs to the bots' choice of signals" in notes
    assert "hidden-from-all" not in output + str(notes)


def test_without_verbosity_ignored_keys_are_counted_by_reason(account: Account, tmp_path: Path) -> None:
    path = text_file(tmp_path / "market_config.yaml", "max_drawdown: 0.05", "version: 1", "updated: now")
    output = import_mia(path, "--account", "ES-MAIN")
    assert "ignored: 2 keys: a comment" in output
    assert "ignored: version" not in output


def test_a_loosening_is_proposed_once_and_changes_nothing(account: Account, tmp_path: Path) -> None:
    import_mia(text_file(tmp_path / "a.yaml", "max_drawdown: 0.05"), "--account", "ES-MAIN")
    loose = text_file(tmp_path / "b.yaml", "max_drawdown: 0.20")
    output = import_mia(loose, "--account", "ES-MAIN")
    assert "limits version 2 loosens and is proposed: a second person must approve it" in output
    assert limits_in_force()["drawdown"][0]["allowance"]["value"] == "0.05"
    output = import_mia(loose, "--account", "ES-MAIN")
    assert "imported 0, unchanged 1" in output and "version 2, which waits for approval" in output
    assert LimitsVersion.objects.count() == 2


def test_a_configuration_changes_what_it_names_and_nothing_else(account: Account, tmp_path: Path) -> None:
    limits = {
        "drawdown": [
            {
                "name": "max_drawdown",
                "mode": "static",
                "allowance": {"of": "reference", "value": "0.08"},
                "action": "HALTED",
            },
            {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}},
        ],
        "order": {"max_quantity": "3"},
    }
    limits_submit("ES-MAIN", limits, actor=FACTORY, reason="the desk's own")
    import_mia(text_file(tmp_path / "a.yaml", "max_drawdown: 0.05"), "--account", "ES-MAIN")
    body = limits_in_force()
    first, second = body["drawdown"]
    assert (first["mode"], first["action"], first["allowance"]["value"]) == ("static", "HALTED", "0.05")
    assert (second["name"], second["allowance"]["value"]) == ("daily_loss", "2000")
    assert body["order"]["max_quantity"] == "3"


def test_a_configuration_with_one_bad_limit_changes_none(account: Account, tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.yaml", "max_drawdown: 0.05", "entry_freq_max: 0")
    output = import_mia(path, "--account", "ES-MAIN")
    assert "rejected 1" in output and "line 2: entry_freq_max" in output
    assert not LimitsVersion.objects.exists()


# Penalties and snapshots


def test_penalties_are_counted_by_content_and_project_nothing(account: Account, tmp_path: Path) -> None:
    header = "timestamp,penalty_active,overtrade_risk_score"
    same = "2025-05-13 14:00:00,True,0.65"
    import_mia(text_file(tmp_path / "penalty_log.csv", header, same), "--account", "ES-MAIN")
    path = text_file(tmp_path / "penalty_log.csv", header, same, same, "2025-05-13 14:00:01,False,0.65")
    assert "read 3, imported 2, unchanged 1" in import_mia(path, "--account", "ES-MAIN")
    penalty = Penalty.objects.order_by("seq")[0]
    assert (penalty.at, penalty.penalty_active, penalty.overtrade_risk_score) == (TWO_PM, True, 0.65)
    assert (penalty.origin, penalty.value) == ("imported", Decimal(1))
    state = AccountState.objects.get(account=account)
    assert (state.state, state.penalty_active, state.seq) == ("ACTIVE", False, 3)


def test_a_snapshot_is_kept_to_twelve_decimals_and_known_by_them(account: Account, tmp_path: Path) -> None:
    path = snapshot_file(tmp_path / "risk_20250513_140000.json", "-0.0600000000004")
    assert "imported 1" in import_mia(path, "--account", "ES-MAIN")
    snapshot = Snapshot.objects.get()
    assert (snapshot.at, snapshot.drawdown, snapshot.origin) == (TWO_PM, Decimal("0.06"), "imported")
    again = snapshot_file(tmp_path / "risk_20250513_140000_2.json", "0.06")
    assert "imported 0, unchanged 1" in import_mia(again, "--account", "ES-MAIN")
    other = snapshot_file(tmp_path / "risk_20250513_140000_3.json", "0.060000000001")
    assert "imported 1, unchanged 0" in import_mia(other, "--account", "ES-MAIN")


def test_a_live_snapshot_is_not_imported_again(account: Account, tmp_path: Path) -> None:
    SnapshotFactory(
        account=account, at=TWO_PM, drawdown=Decimal("0.06"), overtrade_risk_score=0.65, penalty_active=True
    )
    output = import_mia(snapshot_file(tmp_path / "risk_20250513_140000.json"), "--account", "ES-MAIN")
    assert "imported 0, unchanged 1" in output
    assert Snapshot.objects.get().origin == "live"


def test_a_snapshot_of_the_future_is_refused(account: Account, tmp_path: Path) -> None:
    path = snapshot_file(tmp_path / "risk_20990101_000000.json", at="2099-01-01 00:00:00")
    output = import_mia(path, "--account", "ES-MAIN")
    assert "line 1: timestamp 2099-01-01T00:00:00+00:00 lies in the future" in output
    assert not Snapshot.objects.exists()
