"""limits export, import, set: round trips, bad values, and YAML that means harm."""

import io
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User

from mia_site.audit.actors import user_actor
from mia_site.audit.management import people as terminal
from risk.desk_limits import desk_limits_submit
from risk.models import Desk, LimitsVersion
from risk.roles import RISK_APPROVER, RISK_MANAGER
from tests.decisions.mia_files import text_file
from tests.factories import PASSWORD, AccountFactory, UserFactory
from tests.risk.accounts import CODE, state_now
from tests.risk.test_commands import refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
WHY = ("--reason", "the risk committee, May")


@pytest.fixture(autouse=True)
def _account() -> None:
    AccountFactory(code=CODE)


def limits(action: str, *arguments: str) -> str:
    return run("limits", action, CODE, *arguments, *(() if action == "export" else WHY))


def refusal(action: str, *arguments: str) -> str:
    return refused("limits", action, CODE, *arguments, *(() if action == "export" else WHY))


def imported(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return limits("import", str(path))


# --- set ----------------------------------------------------------------------------------------------------


def test_one_line_sets_the_first_limit() -> None:
    assert limits("set", "max_drawdown=0.05") == f"{CODE}: limits version 1 are in force.\n"
    body = LimitsVersion.objects.get().body
    assert body["drawdown"][0] | {"name": "max_drawdown", "mode": "trailing_intraday"} == body["drawdown"][0]
    assert body["drawdown"][0]["allowance"] == {"of": "reference", "value": "0.05"}


def test_mias_negative_sign_means_the_same() -> None:
    limits("set", "max_drawdown=0.05")
    assert "nothing new; version 1 says the same" in limits("set", "max_drawdown=-0.05")


def test_several_values_are_one_version() -> None:
    limits("set", "max_drawdown=0.05", "pace.max_openings_per_hour=5", "features=off", "memory.required=true")
    body = LimitsVersion.objects.get().body
    assert body["pace"]["max_openings_per_hour"] == 5 and body["memory"]["required"] is True
    assert body["rules"] == {"features": {"mode": "off", "reason": "the risk committee, May"}}


def test_loosening_is_proposed() -> None:
    limits("set", "max_drawdown=0.05")
    assert "version 2 loosens and is proposed: a second person approves it" in limits("set", "max_drawdown=0.06")
    assert state_now().limits is not None and state_now().limits.version == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("max_drawdown", "expected NAME=VALUE"),
        ("=0.05", "expected NAME=VALUE"),
        ("max_drawdown=", "expected NAME=VALUE"),
        ("max_drawdown=five", "drawdown[0].allowance.value"),
        ("max_drawdown=1.5", "drawdown[0].allowance.value"),
        ("max_drawdown=0", "drawdown[0].allowance.value"),
        ("max_drawdown=NaN", "drawdown[0].allowance.value"),
        ("max_drawdown=1e9999999", "drawdown[0].allowance.value"),
        ("max_drawdown=0.00000001", "drawdown[0].allowance.value"),
        ("max_drawdwon=0.05", "new rules come by limits import"),
        ("pace.max_openings_per_hour=many", "pace.max_openings_per_hour"),
        ("pace.max_openings_per_hour=0", "pace.max_openings_per_hour"),
        ("pace.maximum=5", "pace.maximum"),
        ("speed.max=5", "speed"),
        ("drawdown.value.deep=1", "section.field"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_stored(assignment: str, sentence: str) -> None:
    assert sentence in refusal("set", assignment)
    assert not LimitsVersion.objects.exists()


def test_what_must_be_enforced_cannot_be_switched_off() -> None:
    assert "rules: expected state and limits enforced" in refusal("set", "max_drawdown=0.05", "state=off")


# --- export and import --------------------------------------------------------------------------------------


def test_what_export_prints_imports_again_with_nothing_new(tmp_path: Path) -> None:
    limits("set", "max_drawdown=0.05", "order.max_quantity=3", "features=shadow")
    text = limits("export")
    assert text.startswith(f"# {CODE}, version 1\n")
    assert "nothing new; version 1 says the same" in imported(tmp_path / "limits.yaml", text)
    assert yaml.safe_load(text)["order"]["max_quantity"] == "3"


def test_numbers_in_yaml_keep_their_digits(tmp_path: Path) -> None:
    text = """
drawdown:
  - {name: max_drawdown, mode: daily, allowance: {of: reference, value: 0.050000}, reset_at: 17:00}
pace: {max_openings_per_hour: 7}
rules: {features: {mode: "off", reason: not used yet}}
"""
    assert "version 1 are in force" in imported(tmp_path / "limits.yaml", text)
    body = LimitsVersion.objects.get().body
    assert body["drawdown"][0]["allowance"]["value"] == "0.05" and body["drawdown"][0]["reset_at"] == "17:00"
    assert body["pace"]["max_openings_per_hour"] == 7


def test_limits_come_from_standard_input_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "{name: max_drawdown, mode: static, allowance: {of: amount, value: 2000}}"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"drawdown: [{rule}]"))
    assert "version 1 are in force" in limits("import", "-")


def test_nothing_to_export_and_no_account_are_said() -> None:
    assert refusal("export") == f"No limits are set for {CODE}."
    assert "'ES-NONE' does not exist" in refused("limits", "export", "ES-NONE")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in refusal("import", str(tmp_path / "none.yaml"))
    assert "cannot be read" in refusal("import", str(tmp_path))
    (tmp_path / "latin.yaml").write_bytes(b"drawdown: \xe9")
    assert "cannot be read" in refusal("import", str(tmp_path / "latin.yaml"))
    text_file(tmp_path / "large.yaml", "#" * 300_000)
    assert "larger than 262144 bytes" in refusal("import", str(tmp_path / "large.yaml"))


BAD_YAML = {
    "nothing": ("", "a mapping of limits"),
    "a list": ("- 1", "a mapping of limits"),
    "half a mapping": ("{a: ", "expected YAML"),
    "an alias": ("a: &a 1\nb: *a", "without aliases"),
    "a billion laughs": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "without aliases"),
    "an alias of itself": ("&a [*a]", "without aliases"),
    "depth": ("a: " + "[" * 50, "at most 8 levels"),
    "endless depth": ("[" * 250_000, "at most 8 levels"),
    "deep mappings": ("{a: " * 60_000, "at most 8 levels"),
    "a Python object": ("a: !!python/object/apply:os.system [ls]", "expected YAML"),
    "a tag that does not fit": ("a: !!bool perhaps", "expected YAML"),
    "a number's tag": ("a: !!int five", "expected YAML"),
    "a date that is none": ("since: 2025-13-45", "since: expected"),
    "a key that stands twice": ("pace: {max_openings_per_hour: 5, max_openings_per_hour: 50}", "each key once"),
    "a key that is a list": ("? [1]\n: 2", "expected YAML"),
    "a merge": ("<<: {pace: {}}", "<<: expected"),
    "a control character": ("a: \x00", "expected YAML"),
    "a reason that no database keeps": (r'rules: {features: {mode: "off", reason: "a\0b"}}', "rules.features.reason"),
    "an unknown limit": ("max_drawdown: 0.05", "max_drawdown: expected"),
    "no drawdown": ("pace: {max_openings_per_hour: 5}", "drawdown"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_YAML.values(), ids=BAD_YAML)
def test_bad_yaml_is_refused_at_once_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "limits.yaml").write_text(text, encoding="utf-8")
    assert sentence in refusal("import", str(tmp_path / "limits.yaml"))
    assert not LimitsVersion.objects.exists()


# --- by policy, and by people who log in ---------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[User]:
    """Two people at the terminal, and a policy under which each of them may loosen alone."""
    people: list[User] = [
        UserFactory(username=name, role=role) for name, role in (("ann", RISK_MANAGER), ("bob", RISK_APPROVER))
    ]
    monkeypatch.setattr(terminal, "getpass", lambda _prompt: PASSWORD)
    policy = {"loosening": {"break_glass": True}}
    version = desk_limits_submit(policy, actor=user_actor(people[0].pk), reason="alone").version
    run("desk_limits", "approve", "1", "--user", "bob", "--reason", "agreed")
    assert Desk.objects.get().limits_id == version.id
    limits("set", "max_drawdown=0.05")
    return people


def test_break_glass_is_for_a_person_who_logs_in_and_another_reviews_it(alone: list[User]) -> None:
    wide = ("set", CODE, "max_drawdown=0.06", "--break-glass", *WHY)
    assert "a person who logged in" in refused("limits", *wide)
    assert "bob did not log in, or may not" in refused("limits", *wide, "--user", "bob"), "an approver does not propose"
    told = run("limits", *wide, "--user", "ann")
    assert "version 2 loosens and is in force by break-glass: another person must review it until" in told
    assert LimitsVersion.objects.get(version=2).proposer == str(user_actor(alone[0].pk))
    review = ("limits", "review", CODE, "2", *WHY)
    assert "ann did not log in" in refused(*review, "--keep", "--user", "ann")
    assert run(*review, "--keep", "--user", "bob") == f"{CODE}: version 2: review, recorded\n"
    assert "the desk's policy" in refused("limits", "set", CODE, "max_drawdown=0.07", "--delay", "--user", "ann", *WHY)


def test_a_proposal_is_withdrawn_approved_or_rejected_at_the_terminal(alone: list[User]) -> None:
    for value, act, who in (("0.06", "withdraw", "ann"), ("0.07", "reject", "bob"), ("0.08", "approve", "bob")):
        limits("set", f"max_drawdown={value}")
        newest = LimitsVersion.objects.order_by("-version")[0].version
        run("limits", act, CODE, str(newest), "--user", who, *WHY)
    in_force = state_now().limits
    assert in_force is not None and in_force.version == 4
    assert "no limits version 9" in refused("limits", "approve", CODE, "9", "--user", "bob", *WHY)


def test_a_wrong_password_acts_on_nothing(alone: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    limits("set", "max_drawdown=0.06")
    monkeypatch.setattr(terminal, "getpass", lambda _prompt: "guessed")
    assert "bob did not log in" in refused("limits", "approve", CODE, "2", "--user", "bob", *WHY)
