"""A filtered list as a file: what is on the list and nothing else, and the journal knows who took it."""

import csv
import io
import json
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mia_site.audit.admin.exporting import CHUNK, export_stream, model_columns
from mia_site.audit.models import Entry, PendingEntry
from risk.models import Snapshot
from risk.roles import COMPLIANCE_VIEWER
from tests.admin.conftest import Login
from tests.admin.pages import desk_models, html_of, page_name, rows_everywhere
from tests.factories import AccountFactory, DecisionFactory, PenaltyFactory, SnapshotFactory, UserFactory

pytestmark = pytest.mark.django_db


def fetch(browser: Browser, url: str) -> bytes:
    answer = browser.get(url)
    assert answer.status_code == 200, url
    assert "attachment" in answer["Content-Disposition"]
    return answer.getvalue()


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_export_holds_the_rows_of_the_filter_and_no_other(as_role: Login) -> None:
    account = AccountFactory()
    DecisionFactory.create_batch(3, account=account, blocked=True)
    DecisionFactory.create_batch(2, account=account)
    DecisionFactory(blocked=True)
    browser = as_role(COMPLIANCE_VIEWER)

    url = f"/admin/decisions/decision/export/csv/?account__exact={account.pk}&verdict__exact=block"
    rows = csv_rows(fetch(browser, url))

    assert len(rows) == 3
    assert {row["verdict"] for row in rows} == {"block"}
    assert {row["account"] for row in rows} == {account.code}


def test_the_link_above_a_list_keeps_its_filters(as_role: Login) -> None:
    DecisionFactory(blocked=True)

    html = html_of(as_role(COMPLIANCE_VIEWER), "/admin/decisions/decision/?verdict__exact=block")

    assert "/admin/decisions/decision/export/csv/?verdict__exact=block" in html
    assert "/admin/decisions/decision/export/json/?verdict__exact=block" in html


def test_csv_and_json_tell_the_same(as_superuser: Browser) -> None:
    snapshot = SnapshotFactory()
    url = reverse("admin:risk_snapshot_changelist")

    [as_csv] = csv_rows(fetch(as_superuser, f"{url}export/csv/"))
    [as_json] = json.loads(fetch(as_superuser, f"{url}export/json/"))

    assert as_csv["id"] == as_json["id"] == str(snapshot.pk)
    assert as_csv["drawdown"] == as_json["drawdown"] == "0.031000000000"
    assert as_csv["at"] == as_json["at"] == "2025-05-13T12:00:00Z"
    assert json.loads(as_csv["evidence"]) == as_json["evidence"] == snapshot.evidence


def test_an_export_is_journalled_with_who_and_which_filters(as_role: Login) -> None:
    browser = as_role(COMPLIANCE_VIEWER)

    fetch(browser, "/admin/risk/penalty/export/json/?penalty_active__exact=1")

    entry = Entry.objects.get(kind_name="exported")
    assert entry.actor == f"user:{browser.session['_auth_user_id']}"
    assert json.loads(entry.body)["fact"]["after"] == {
        "list": "risk.penalty",
        "format": "json",
        "filters": {"penalty_active__exact": "1"},
    }


def test_without_the_permission_there_is_neither_a_link_nor_a_file(db: None) -> None:
    someone = UserFactory()
    someone.user_permissions.add(*_permissions("view_decision"))
    browser = Browser()
    browser.force_login(someone)

    assert "export/csv" not in html_of(browser, "/admin/decisions/decision/")
    assert browser.get("/admin/decisions/decision/export/csv/").status_code == 403
    assert not Entry.objects.filter(kind_name="exported").exists()


def test_exporting_does_not_show_what_may_not_be_seen(db: None) -> None:
    someone = UserFactory()
    someone.user_permissions.add(*_permissions("export"))
    browser = Browser()
    browser.force_login(someone)

    assert browser.get("/admin/risk/penalty/export/csv/").status_code == 403


def _permissions(codename: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=codename)


def test_text_that_a_spreadsheet_would_run_is_defused_and_numbers_stay_numbers(as_superuser: Browser) -> None:
    PenaltyFactory(reason='=HYPERLINK("http://evil.example";"click")', overtrade_risk_score=-0.5)

    [row] = csv_rows(fetch(as_superuser, "/admin/risk/penalty/export/csv/"))

    assert row["reason"].startswith("'=HYPERLINK")
    assert float(row["overtrade_risk_score"]) == -0.5


def test_filters_that_cannot_be_used_export_nothing(as_superuser: Browser) -> None:
    PenaltyFactory()

    answer = as_superuser.get("/admin/risk/penalty/export/csv/?at_from=yesterday", follow=True)

    assert "nothing was exported" in answer.content.decode()
    assert not Entry.objects.filter(kind_name="exported").exists()


def test_every_list_can_be_exported(as_superuser: Browser) -> None:
    rows_everywhere()
    exported = [model for model in desk_models() if admin.site._registry[model].actions_list]  # type: ignore[attr-defined]

    for model in exported:
        url = reverse(page_name(model, "changelist"))
        rows = csv_rows(fetch(as_superuser, f"{url}export/csv/"))
        documents = json.loads(fetch(as_superuser, f"{url}export/json/"))
        # Each export is itself journalled, so that the journal is one entry longer the second time.
        assert len(documents) - len(rows) == (model in {Entry, PendingEntry}), model

    assert len(exported) == len(desk_models()) - 1, "all but the desk itself, which is one row"


def test_no_password_leaves_with_the_users(as_superuser: Browser) -> None:
    [row, *_others] = csv_rows(fetch(as_superuser, "/admin/auth/user/export/csv/"))

    assert "password" not in row
    assert "username" in row


def test_rows_are_read_in_chunks_not_all_at_once(db: None) -> None:
    account = AccountFactory()
    SnapshotFactory.create_batch(3, account=account)
    stream = export_stream(Snapshot.objects.order_by("pk"), model_columns(Snapshot), "csv")

    with CaptureQueriesContext(connection) as spent:
        header = next(stream)
        first = next(stream)

    assert header.startswith(b"id,recorded_at,account,seq")
    assert str(Snapshot.objects.order_by("pk")[0].pk).encode() in first
    assert len(spent) == 1
    assert CHUNK == 2_000
