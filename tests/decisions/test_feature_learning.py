"""Learning a reference from recorded decisions: a worked window, its edges, the command and the page."""

import math
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse

from decisions import feature_learning
from decisions.feature_learning import features_learn
from risk.inputs import InputError
from risk.models import Account, Desk, FeatureReference, FeatureSet
from risk.roles import COMPLIANCE_VIEWER, RISK_MANAGER
from tests.decisions.bots import feature_desk
from tests.factories import NOON, AccountFactory, DecisionFactory, UserFactory

pytestmark = pytest.mark.django_db
UNTIL = NOON + timedelta(hours=1)


@pytest.fixture
def features() -> FeatureSet:
    Desk.objects.get_or_create(id=1)
    return feature_desk()


@pytest.fixture
def lived(features: FeatureSet) -> Account:
    """Forty-one minutes: vix rises from 1 to 41, delta lies at 2, spread came thirty times."""
    account: Account = AccountFactory()
    for minute in range(41):
        spread = 0.5 if minute < 30 else math.nan
        decided(account, features, minute, [minute + 1.0, 2.0, spread])
    return account


def decided(account: Account, features: FeatureSet, minute: int, vector: list[float]) -> None:
    at = NOON + timedelta(minutes=minute)
    DecisionFactory(account=account, at=at, feature_set=features, vector=vector)


def test_a_window_teaches_medians_and_quartiles(lived: Account, features: FeatureSet) -> None:
    lesson = features_learn(NOON, UNTIL)
    told = [(row.name, row.median, row.iqr, row.count) for row in lesson.statistics]
    assert told == [("vix", 21.0, 20.0, 41), ("delta", 2.0, 0.0, 41), ("spread", 0.5, 0.0, 30)]
    assert (lesson.features, lesson.found, lesson.used, lesson.covered) == (features, 41, 41, Decimal(1))


def test_the_last_moment_is_not_of_the_window_and_thirty_values_are_needed(lived: Account) -> None:
    lesson = features_learn(NOON, NOON + timedelta(minutes=40))
    assert lesson.found == 40
    later = features_learn(NOON + timedelta(minutes=1), NOON + timedelta(minutes=41))
    assert [row.name for row in later.statistics] == ["vix", "delta"], "29 of spread"
    assert later.covered == Decimal("0.9")


def test_of_many_decisions_every_nth_is_read(lived: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_learning, "SAMPLE_MOST", 21)
    monkeypatch.setattr(feature_learning, "LEAST_VALUES", 10)
    monkeypatch.setattr(feature_learning, "CHUNK", 4)
    lesson = features_learn(NOON, UNTIL)
    assert (lesson.found, lesson.used) == (41, 21)
    assert (lesson.statistics[0].median, lesson.statistics[0].iqr) == (21.0, 20.0), "1, 3, 5 … 41"


def test_vectors_of_another_set_teach_nothing_of_this_one(lived: Account) -> None:
    other = FeatureSet.objects.create(
        version=2, count=1, names=["rsi"], importances=[1.0], content="0" * 64, source="x", recorded_at=NOON
    )
    Desk.objects.update(feature_set=other)
    assert features_learn(NOON, UNTIL).found == 0


def test_a_window_that_is_empty_or_not_over_is_refused(features: FeatureSet) -> None:
    for since, until in ((UNTIL, NOON), (NOON, NOON), (NOON, NOON + timedelta(days=36_500))):
        with pytest.raises(InputError, match="until"):
            features_learn(since, until)


# The command


def learn(*arguments: str) -> str:
    output = StringIO()
    call_command("learn_features", "--since", NOON.isoformat(), "--until", UNTIL.isoformat(), *arguments, stdout=output)
    return output.getvalue()


def test_the_command_tells_what_it_learned_and_puts_it_in_force(lived: Account) -> None:
    told = learn("--dry-run")
    assert "decisions: 41, read: 41; features with enough values: 3 of 3, 1 of the importance" in told
    assert not FeatureReference.objects.exists()
    assert "reference version 1 of feature set version 1 is in use" in learn("--reason", "a calm hour")
    reference = FeatureReference.objects.get()
    assert (reference.since, reference.until, reference.decisions) == (NOON, UNTIL, 41)
    assert (reference.reason, reference.counts) == ("a calm hour", [41, 41, 30])
    assert Desk.objects.get().feature_reference == reference


def test_the_command_refuses_without_a_reason_and_a_window_that_teaches_too_little(
    lived: Account, features: FeatureSet
) -> None:
    with pytest.raises(CommandError, match="reason"):
        learn()
    with pytest.raises(CommandError, match=r"0\.9 of the importance"):
        call_command("learn_features", "--since", UNTIL.isoformat(), "--reason", "nothing there", stdout=StringIO())


# The page


def browser_of(role: str) -> Browser:
    browser = Browser(headers={"accept-language": "en"})
    browser.force_login(UserFactory(role=role))
    return browser


def window(**more: Any) -> dict[str, Any]:
    form = "%Y-%m-%d %H:%M"
    return {"since": NOON.strftime(form), "until": UNTIL.strftime(form), "reason": "a calm hour", **more}


def test_staff_see_what_a_window_teaches_before_they_use_it(lived: Account) -> None:
    url, manager = reverse("admin:risk_featurereference_learn"), browser_of(RISK_MANAGER)
    assert url in manager.get(reverse("admin:risk_featurereference_changelist")).content.decode()
    assert "Use as the reference" not in manager.get(url).content.decode()
    shown = manager.post(url, window(preview="1")).content.decode()
    assert "41 decisions, 41 read" in shown and "Use as the reference" in shown
    assert not FeatureReference.objects.exists()
    manager.post(url, window(use="1"))
    reference = FeatureReference.objects.get()
    assert reference.actor.startswith("user:") and reference.reason == "a calm hour"


def test_a_window_in_the_future_and_another_role_get_nothing(lived: Account) -> None:
    url = reverse("admin:risk_featurereference_learn")
    refused = browser_of(RISK_MANAGER).post(url, window(until="2100-01-01 00:00", preview="1")).content.decode()
    assert "not in the future" in refused and "Use as the reference" not in refused
    assert browser_of(COMPLIANCE_VIEWER).post(url, window(use="1")).status_code == 403
    assert not FeatureReference.objects.exists()
