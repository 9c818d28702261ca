"""docs/api.md against the site: every address, every example sent, every code of an error."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Web
from django.urls import URLPattern, URLResolver, get_resolver

from mia_site.audit.ledger import head
from mia_site.audit.sealing import seal_pending
from mia_site.ops.clock import database_now
from risk.accounts import client_issue
from risk.limits_document import assignments_apply
from risk.limits_law import limits_submit
from risk.tasks import check_drawdown
from tests.docs.pages import page, sections
from tests.environment import ROOT
from tests.factories import FACTORY, AccountFactory, AlgorithmRulingFactory
from tests.risk.calendars import event, load

API = page("docs/api.md")
THEN, CODE, ID = "2026-05-13T14:30:00Z", "ES-MAIN", "{id}"
CALLS = {heading: text for heading, text in sections(API, 3).items() if heading.startswith(("GET ", "POST "))}
PEOPLE = ("admin/", "i18n/")
"""Pages for people, not addresses of the API."""
MORE = "…"
BY_NAME = {"drawdowns", "positions"}
"""Objects whose members are names of rules and instruments."""


# Every address


def _addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", route), pattern.callback
        elif route not in PEOPLE:
            yield from _addresses(pattern.url_patterns, route)


def _calls() -> Iterator[str]:
    for path, view in _addresses(get_resolver().url_patterns):
        methods = getattr(getattr(view, "cls", None), "http_method_names", ())
        has = [method for method in ("get", "post") if method in methods and hasattr(view.cls, method)]
        yield from (f"{method.upper()} /{path}" for method in has or ["get"] if path)


def test_every_call_has_its_section_and_every_section_its_call() -> None:
    assert {heading.partition("?")[0] for heading in CALLS} == set(_calls())


# Every example


@pytest.fixture
def web(quiet_background: None) -> Web:
    """A client of an account that is ready, on a desk with an event a day ahead and an algorithm in the register."""
    load(event(database_now() + timedelta(days=1)))
    AccountFactory(code=CODE)
    document = assignments_apply({}, ["max_drawdown=0.05", "features=off"], reason="first limits")
    limits_submit(CODE, document, actor=FACTORY, reason="first limits")
    AlgorithmRulingFactory()
    check_drawdown()
    return Web(
        headers={"Authorization": f"Token {client_issue('my-bot', account=CODE, actor=FACTORY, can_halt=True).token}"}
    )


def _example(text: str, label: str) -> tuple[str, Any] | None:
    """What stands in brackets of the label, and the JSON under it."""
    found = re.search(rf"^{label}(?:, (\d+))?:\n\n```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return None if found is None else (found[1] or "", json.loads(found[2]))


def _call(web: Web, heading: str, text: str, identifier: str) -> Any:
    method, _, path = heading.partition(" ")
    if "/audit/" in path:
        seal_pending()
    newest = head()
    path = path.replace("{code}", CODE).replace(ID, identifier).replace("{size}", str(newest.size if newest else 0))
    asked = _example(text, "Request")
    if method == "GET":
        return web.get(path)
    assert asked is not None, f"{heading} has no example of a request"
    body = json.dumps(asked[1]).replace(THEN, database_now().isoformat())
    return web.post(path, body, "application/json")


@pytest.mark.django_db
def test_each_example_is_taken_and_answered_as_it_says(web: Web) -> None:
    identifier = ""
    for heading, text in CALLS.items():
        response = _call(web, heading, text, identifier)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        told = _example(text, "Answer")
        assert response.status_code == int(told[0] if told else 200), f"{heading}: {body!r}"
        if told:
            answer = json.loads(body)
            _compare(heading, told[1], answer)
            identifier = identifier or answer["id"]


def _compare(where: str, told: Any, answer: Any) -> None:
    """The same members, all the way down; `…` stands for more. Values may differ, null may be anything."""
    if isinstance(told, dict) and isinstance(answer, dict):
        missing = told.keys() - {MORE} - answer.keys()
        more = set() if MORE in told else answer.keys() - told.keys()
        if where.rpartition(".")[2] not in BY_NAME:
            assert (missing, more) == (set(), set()), where
        for name in told.keys() & answer.keys():
            _compare(f"{where}.{name}", told[name], answer[name])
    elif isinstance(told, list) and told:
        assert answer, f"{where} is empty"
        _compare(where, told[0], answer[0])
    elif told is not None and answer is not None and not isinstance(told, list):
        assert type(told) is type(answer), f"{where}: {answer!r}"


# Every code


def test_every_code_of_an_error_is_in_the_table() -> None:
    sources = [path for app in ("mia_site", "risk", "decisions") for path in (ROOT / app).rglob("*.py")]
    raised = {
        found for path in sources for found in re.findall(r"Problem\(\s*[\w.]+,\s*\"([a-z_]+)\"", path.read_text())
    }
    told = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", API, re.MULTILINE))
    assert {"key_reused", "offset_mismatch"} <= raised
    assert raised - told == set()
