"""Every model has its pages, they open, and nobody edits a fact there."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from decisions.models import Decision
from mia_site.audit.admin.base import FactAdmin, JournalAdmin
from mia_site.audit.admin.paging import CAP, CappedPaginator
from mia_site.ops.append_only import fact_models
from risk.models import Account, Snapshot
from tests.admin.pages import desk_models, html_of, page_name, pages_of, registered, rows_everywhere
from tests.factories import (
    AccountFactory,
    AlertFactory,
    DecisionFactory,
    DeskLimitsVersionFactory,
    PenaltyFactory,
    SnapshotFactory,
    UserFactory,
)
from tests.stories import Story

ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//[^"']+""")


def test_every_model_of_the_desk_has_pages() -> None:
    missing = [model._meta.label for model in desk_models() if model not in admin.site._registry]

    assert missing == []


def test_every_page_journals_what_it_changes() -> None:
    strangers = [
        model._meta.label for model, page in admin.site._registry.items() if not isinstance(page, JournalAdmin)
    ]

    assert strangers == []


def test_nobody_may_edit_a_fact_not_even_a_superuser(db: None) -> None:
    request = RequestFactory().get("/")
    request.user = UserFactory(is_superuser=True)

    for model in fact_models():
        page = admin.site._registry[model]
        assert isinstance(page, FactAdmin), model
        assert not page.has_add_permission(request), model
        assert not page.has_change_permission(request), model
        assert not page.has_delete_permission(request), model
        assert page.get_actions(request) == {}, model


def test_a_posted_form_changes_no_fact(as_superuser: Browser, story: Story) -> None:
    url = reverse("admin:decisions_decision_change", args=[story.blocked.pk])

    answer = as_superuser.post(url, {"verdict": "allow", "_save": "Save"})
    deleted = as_superuser.post(reverse("admin:decisions_decision_delete", args=[story.blocked.pk]), {"post": "yes"})
    added = as_superuser.post(reverse("admin:decisions_decision_add"), {"trade_id": "x"})

    assert {answer.status_code, deleted.status_code, added.status_code} == {403}
    assert Decision.objects.get(pk=story.blocked.pk).verdict == "block"


def test_every_page_opens_and_loads_nothing_from_elsewhere(as_superuser: Browser, story: Story) -> None:
    rows_everywhere()
    opened = 0

    for model in registered():
        for url in pages_of(model):
            html = html_of(as_superuser, url)
            assert ELSEWHERE.search(html) is None, f"{url}: {ELSEWHERE.findall(html)}"
            assert 'id="kill-switch"' in html, url
            opened += 1

    assert opened > 80
    for url in ("/admin/", "/admin/login/", "/admin/password_change/", "/admin/auth/user/add/"):
        assert ELSEWHERE.search(html_of(as_superuser, url)) is None, url


def test_every_list_answers_a_search_and_every_filter(as_superuser: Browser, story: Story) -> None:
    rows_everywhere()

    for model in registered():
        url = reverse(page_name(model, "changelist"))
        html_of(as_superuser, f"{url}?q=ES-MAIN")
        for name in re.findall(r'<input class="desk-day" type="date"[^>]* name="([^"]+)"', html_of(as_superuser, url)):
            html = html_of(as_superuser, f"{url}?{name}=2020-01-01")
            assert 'value="2020-01-01"' in html, f"{url} {name}"


@pytest.mark.parametrize("model", [Decision, Snapshot], ids=lambda model: str(model._meta.model_name))
def test_a_longer_list_costs_no_more_queries(
    as_superuser: Browser, django_assert_max_num_queries: object, model: type[Decision] | type[Snapshot]
) -> None:
    make = DecisionFactory if model is Decision else SnapshotFactory
    account = AccountFactory()
    url = reverse(page_name(model, "changelist"))
    as_superuser.get(url)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as spent:
            html_of(as_superuser, url)
        return len(spent)

    make(account=account)
    short = cost()
    make.create_batch(20, account=account)
    for _ in range(3):
        make()

    assert cost() == short


def test_people_in_a_list_are_named_by_one_query(as_superuser: Browser) -> None:
    people = [UserFactory() for _ in range(3)]
    for person in people:
        DeskLimitsVersionFactory(proposer=f"user:{person.pk}")

    with CaptureQueriesContext(connection) as spent:
        html = html_of(as_superuser, reverse("admin:risk_desklimitsversion_changelist"))

    assert all(person.username in html for person in people)
    assert sum("username" in query["sql"] and " IN (" in query["sql"] for query in spent) == 1


def test_a_list_counts_no_further_than_the_cap(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mia_site.audit.admin.paging.CAP", 3)
    AccountFactory.create_batch(5)

    pages = CappedPaginator(Account.objects.order_by("code"), 2)

    assert (pages.count, pages.num_pages, pages.capped) == (3, 2, True)
    assert CAP == 10_000


def test_a_short_list_says_how_long_it_is(db: None) -> None:
    AccountFactory.create_batch(2)

    pages = CappedPaginator(Account.objects.order_by("code"), 2)

    assert (pages.count, pages.capped) == (2, False)


@pytest.mark.parametrize("day", ["yesterday", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("where", ["decisions/decision/?at", "audit/entry/?recorded_at"])
def test_no_day_is_an_error_page(as_superuser: Browser, story: Story, where: str, day: str) -> None:
    for end in ("from", "to"):
        assert as_superuser.get(f"/admin/{where}_{end}={day}", follow=True).status_code == 200


@pytest.mark.parametrize("where", ["decisions/decision/?verdict", "audit/entry/?actor", "risk/account/?q"])
def test_a_value_that_no_database_takes_filters_nothing(as_superuser: Browser, story: Story, where: str) -> None:
    assert as_superuser.get(f"/admin/{where}=%00", follow=True).status_code == 200


def test_json_of_a_stranger_is_shown_not_run(as_superuser: Browser, db: None) -> None:
    row = DecisionFactory(
        trade_id="<script>alert(1)</script>", reason="<img src=x onerror=alert(2)>",
        context={"<b>name</b>": "</pre><script>alert(3)</script>"},
        reasons=[{"code": "<i>code</i>", "message": "<script>alert(4)</script>", "evidence": {"<u>": "<script>"}}],
    )  # fmt: skip

    html = html_of(as_superuser, reverse("admin:decisions_decision_change", args=[row.pk]))
    listed = html_of(as_superuser, "/admin/decisions/decision/")

    for tag in ("<script>alert", "<img src=x", "<b>name", "<i>code", "<u>"):
        assert tag not in html
        assert tag not in listed


def test_people_are_found_and_bots_are_not_among_them(as_superuser: Browser, story: Story) -> None:
    html = html_of(as_superuser, "/admin/auth/user/")

    assert User.objects.filter(username="client:mia-es").exists()
    assert "client:mia-es" not in html


def test_an_empty_list_says_what_that_means_or_that_the_filters_hide_all(as_superuser: Browser) -> None:
    stops = reverse("admin:risk_scopedstop_changelist")

    assert "No client, algorithm or instrument is stopped." in html_of(as_superuser, stops)
    assert "Nothing matches this search and these filters." in html_of(as_superuser, f"{stops}?q=trend")
    assert "Nothing is recorded here yet." in html_of(as_superuser, reverse("admin:risk_snapshot_changelist"))


def test_an_alert_names_who_acted(as_superuser: Browser) -> None:
    vera = UserFactory(username="vera")
    AlertFactory(code="trading_stopped", params={"state": "HALTED", "actor": f"user:{vera.pk}", "reason": "drill"})

    told = f"trading is set to HALTED by vera (user:{vera.pk}): drill"
    assert told in html_of(as_superuser, reverse("admin:ops_alert_changelist"))
    assert told in html_of(as_superuser, reverse("admin:index"))


def test_codes_are_shown_as_words(as_superuser: Browser) -> None:
    PenaltyFactory(penalty_kind="trade_loss")

    assert "loss of one trade" in html_of(as_superuser, reverse("admin:risk_penalty_changelist"))
