from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.translation import gettext_noop
from pytest_django import Settings

from mia_site.ops.alert_texts import alert_codes
from mia_site.ops.alerts import (
    alert_acknowledge,
    alert_raise,
    alert_raise_outside,
    alert_text,
    alert_texts_register,
    alerts_expire,
    alerts_outside_flush,
)
from mia_site.ops.models import Alert
from mia_site.ops.signals import alert_acknowledged
from tests.ops.conftest import NINE, Clock

pytestmark = pytest.mark.django_db


def breach(priority: int = 3, account: str = "ES-DEMO", dedup_key: str = "max_drawdown") -> None:
    params: dict[str, str | int] = {"drawdown": "0.06", "limit": "0.05"}
    alert_raise("drawdown_breach", priority=priority, params=params, dedup_key=dedup_key, account=account)


def fail_after(work: Callable[[], None]) -> None:
    with transaction.atomic():
        work()
        raise ZeroDivisionError


def test_an_alert_is_a_row_with_its_numbers() -> None:
    breach()
    alert = Alert.objects.get()
    assert (alert.code, alert.priority, alert.account) == ("drawdown_breach", 3, "ES-DEMO")
    assert alert.params == {"drawdown": "0.06", "limit": "0.05"}
    assert alert.repeats == 0 and alert.routed_at is None and alert.last_at == alert.created_at


def test_an_alert_is_undone_with_the_transaction_it_tells_of() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after(breach)
    assert not Alert.objects.exists()


def test_the_same_trouble_within_the_cool_down_is_a_repeat(clock: Clock) -> None:
    breach()
    for _ in range(2):
        clock.shift(timedelta(seconds=100))
        breach()
    alert = Alert.objects.get()
    assert alert.repeats == 2
    assert alert.created_at == NINE and alert.last_at == NINE + timedelta(seconds=200)


def test_after_the_cool_down_it_is_told_again(clock: Clock) -> None:
    breach()
    clock.shift(timedelta(seconds=299))
    breach()
    clock.shift(timedelta(seconds=1))
    breach()
    assert list(Alert.objects.order_by("created_at").values_list("repeats", flat=True)) == [1, 0]


def test_the_cool_down_is_a_setting(settings: Settings, clock: Clock) -> None:
    settings.MIA_ALERT_COOLDOWN = 10
    breach()
    clock.shift(timedelta(seconds=11))
    breach()
    assert Alert.objects.count() == 2


@pytest.mark.parametrize("other", [{"account": "ES-MAIN"}, {"dedup_key": "daily_loss"}], ids=["account", "dedup_key"])
def test_another_trouble_is_another_row(other: dict[str, str]) -> None:
    breach()
    breach(**other)  # type: ignore[arg-type]
    assert Alert.objects.count() == 2


def test_a_priority_that_rises_is_told_again_and_one_that_falls_is_not() -> None:
    breach(priority=3)
    breach(priority=4)
    breach(priority=3)
    assert list(Alert.objects.order_by("priority").values_list("priority", "repeats")) == [(3, 0), (4, 1)]


def test_trouble_after_the_acknowledgement_is_news() -> None:
    breach()
    assert alert_acknowledge(Alert.objects.get(), by="user:3")
    breach()
    assert Alert.objects.filter(acknowledged_at=None, repeats=0).count() == 1
    assert Alert.objects.count() == 2


def test_long_keys_are_compared_whole() -> None:
    breach(dedup_key="x" * 500 + "a")
    breach(dedup_key="x" * 500 + "a")
    breach(dedup_key="x" * 500 + "b")
    assert sorted(Alert.objects.values_list("repeats", flat=True)) == [0, 1]


def test_no_text_of_a_client_keeps_an_alert_from_being_written() -> None:
    nasty = "a\x00b\ud800" + "x" * 5_000
    alert_raise("t_nasty", priority=3, params={"reason": nasty}, dedup_key=nasty, account=nasty)
    alert_raise("t_nasty", priority=3, params={"reason": nasty}, dedup_key=nasty, account=nasty)
    alert = Alert.objects.get()
    assert alert.params["reason"].startswith("ab?xx") and len(alert.params["reason"]) == 2_000
    assert alert.repeats == 1 and len(alert.account) == 64


@pytest.mark.parametrize("priority", [0, 6])
def test_a_priority_outside_1_to_5_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        breach(priority=priority)


def test_a_float_is_no_parameter() -> None:
    with pytest.raises(TypeError, match="drawdown is float"):
        alert_raise("drawdown_breach", priority=3, params={"drawdown": 0.06})  # type: ignore[dict-item]


def test_the_alert_of_trouble_survives_the_rollback() -> None:
    def trouble() -> None:
        breach()
        alert_raise_outside("engine_trouble", priority=4, params={"error": "locked"}, account="ES-DEMO")

    with pytest.raises(ZeroDivisionError):
        fail_after(trouble)
    assert not Alert.objects.exists()
    assert alerts_outside_flush() == 1
    assert Alert.objects.get().code == "engine_trouble"


def test_outside_alerts_are_repeats_too() -> None:
    for _ in range(3):
        alert_raise_outside("engine_trouble", priority=4, params={"error": "locked"})
    assert alerts_outside_flush() == 3
    assert Alert.objects.get().repeats == 2


def test_an_acknowledgement_says_who_and_tells_subscribers_once() -> None:
    breach()
    alert = Alert.objects.get()
    heard: list[tuple[Alert, str]] = []

    def listen(alert: Alert, by: str, **_: object) -> None:
        heard.append((alert, by))

    alert_acknowledged.connect(listen)
    try:
        assert alert_acknowledge(alert, by="user:3")
        assert not alert_acknowledge(alert, by="user:4")
    finally:
        alert_acknowledged.disconnect(listen)
    alert.refresh_from_db()
    assert alert.acknowledged_by == "user:3" and alert.acknowledged_at is not None
    assert heard == [(alert, "user:3")]


def test_a_subscriber_that_fails_undoes_the_acknowledgement() -> None:
    breach()
    alert = Alert.objects.get()

    def refuse(**_: object) -> None:
        raise LookupError("journal is closed")

    alert_acknowledged.connect(refuse)
    try:
        with pytest.raises(LookupError):
            alert_acknowledge(alert, by="user:3")
    finally:
        alert_acknowledged.disconnect(refuse)
    assert Alert.objects.get().acknowledged_at is None


def test_the_text_is_the_apps_sentence_with_the_alerts_numbers() -> None:
    alert_texts_register({"t_breach": gettext_noop("%(account)s: drawdown %(drawdown)s over %(limit)s")})
    alert = Alert(code="t_breach", account="ES-DEMO", params={"drawdown": "0.06", "limit": "0.05"})
    assert alert_text(alert, "en") == "ES-DEMO: drawdown 0.06 over 0.05"
    assert "t_breach" in alert_codes()


def test_the_text_is_translated() -> None:
    alert_texts_register({"t_today": gettext_noop("Today")})  # a word that Django itself brings in French
    assert alert_text(Alert(code="t_today"), "fr") == "Aujourd\N{RIGHT SINGLE QUOTATION MARK}hui"
    assert alert_text(Alert(code="t_today"), "en") == "Today"


def test_an_unknown_code_shows_itself_and_its_numbers() -> None:
    alert = Alert(code="t_unheard_of", account="ES-DEMO", params={"drawdown": "0.06"})
    assert alert_text(alert, "fr") == "t_unheard_of: account=ES-DEMO, drawdown=0.06"


def test_a_sentence_that_does_not_fit_never_hides_the_numbers() -> None:
    alert_texts_register({"t_misfit": gettext_noop("%(absent)s and %(drawdown)s")})
    assert alert_text(Alert(code="t_misfit", params={"drawdown": "0.06"}), "en") == "t_misfit: drawdown=0.06"


def test_a_code_has_one_sentence() -> None:
    alert_texts_register({"t_once": gettext_noop("one")})
    alert_texts_register({"t_once": gettext_noop("one")})
    with pytest.raises(ValueError, match="t_once"):
        alert_texts_register({"t_once": gettext_noop("two")})


@pytest.mark.usefixtures("clock")
def test_old_alerts_expire_by_their_last_repeat() -> None:
    breach()
    breach(account="ES-MAIN")
    Alert.objects.filter(account="ES-MAIN").update(last_at=NINE + timedelta(days=1))
    assert alerts_expire(NINE + timedelta(days=90, seconds=1), days=90) == 1
    assert Alert.objects.get().account == "ES-MAIN"
