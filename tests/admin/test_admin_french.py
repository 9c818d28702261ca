"""What the desk says of its own, in French: names of columns, sentences, alerts, numbers and times."""

from datetime import UTC, datetime

from django.contrib import admin
from django.db import models
from django.utils import translation
from django.utils.functional import Promise

from mia_site.audit.admin.rendering import moment, number, percent
from mia_site.ops.alert_texts import alert_codes, text_render
from risk.admin.shared import reason_sentence
from tests.admin.pages import desk_models, registered

IDENTIFIERS = {"id"}
NO_BREAK = "\N{NO-BREAK SPACE}"
STATEMENT = datetime(2025, 5, 7, 18, 30, tzinfo=UTC)


def test_every_column_of_the_desk_has_a_name_that_can_be_translated() -> None:
    nameless = [
        f"{model._meta.label}.{column.name}"
        for model in desk_models()
        for column in model._meta.get_fields()
        if isinstance(column, models.Field) and column.name not in IDENTIFIERS
        if not isinstance(column.verbose_name, Promise)
    ]

    assert nameless == []


def test_every_function_of_a_list_has_one_too() -> None:
    wrong = []
    for model in registered():
        page = admin.site._registry[model]
        for name in set(page.list_display) - {"__str__"}:
            shown = getattr(page, name, None) if isinstance(name, str) else name
            if callable(shown) and not isinstance(getattr(shown, "short_description", None), Promise):
                wrong.append(f"{model._meta.label}.{name}")

    assert wrong == []


def test_a_stop_of_the_desk_itself_reads_as_french_throughout() -> None:
    breach = "equity 94000 is below the floor 95000 of max_drawdown (drawdown 0.06, allowance 0.05 of reference)"
    reason = {"code": "account_halted", "evidence": {"since": "2025-05-07T18:30:00Z", "reason": breach}}

    with translation.override("fr"):
        told = reason_sentence(reason)

    assert told == (
        "Le compte est arrêté depuis le 2025-05-07T18:30:00Z : la valeur du compte, 94000, est sous le plancher 95000 "
        "de max_drawdown (drawdown 0.06, perte autorisée 0.05 de la référence)"
    ).replace(" :", f"{NO_BREAK}:")


def test_what_a_person_wrote_stays_as_it_is() -> None:
    reason = {"code": "account_halted", "evidence": {"since": "2025-05-07T18:30:00Z", "reason": "broker: no answer"}}

    with translation.override("fr"):
        assert reason_sentence(reason).endswith(f"2025-05-07T18:30:00Z{NO_BREAK}: broker: no answer")


def test_an_alert_speaks_french_and_keeps_its_figures() -> None:
    figures = {"drawdown": "0.06", "limit": "0.05"}

    told = text_render("drawdown_breached", figures, account="ES-MAIN", language="fr")

    assert told == (f"ES-MAIN{NO_BREAK}: le drawdown de 0.06 dépasse la limite de 0.05, le trading est arrêté")


def test_every_alert_has_a_french_sentence() -> None:
    with translation.override("fr"):
        same = [code for code, text in alert_codes().items() if translation.gettext(text) == text]

    assert same == []


def test_numbers_and_times_are_written_as_their_readers_write_them() -> None:
    with translation.override("fr"):
        assert number(1234567.5, 2).replace("\N{NARROW NO-BREAK SPACE}", NO_BREAK) == f"1{NO_BREAK}234{NO_BREAK}567,50"
        assert percent(0.0512).startswith("5,12")
        assert moment(STATEMENT) == "07/05/2025 18:30:00"
    with translation.override("en"):
        assert number(1234567.5, 2) == "1,234,567.50"
        assert moment(STATEMENT) == "2025-05-07 18:30:00"
