"""The ledger's faces in the admin: how it stands, where a fact stands in it, evidence to take, people to forget."""

import ast
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from mia_site.audit.admin.history import KIND_NAMES
from mia_site.audit.clock_check import clocks_check
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.ledger import head
from mia_site.audit.models import Entry, LedgerLeaf, PendingEntry, PersonalData
from mia_site.audit.offline import verify_evidence
from mia_site.audit.people import login_record
from mia_site.audit.verification.steps import verification_open
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.audit.ledgers import decision_sealed, facts_write, found, ledger_grow, run_sql, triggers_drop, verify
from tests.environment import ROOT
from tests.factories import DecisionFactory, EquityPointFactory, UserFactory

LEDGER = "/admin/audit/checkpoint/ledger/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def evidence_url(row: Any) -> str:
    return reverse("admin:audit_entry_evidence", args=[row.pk])


# The ledger's own page


def test_a_desk_that_sealed_nothing_yet_says_what_will_come(as_superuser: Browser) -> None:
    PendingEntry.objects.all().delete()

    html = html_of(as_superuser, LEDGER)

    for sentence in (
        "nothing is sealed yet",
        "everything has its place",
        "nothing yet",
        "The clocks were not measured yet",
        "No key was used yet",
    ):
        assert sentence in html
    assert html.count("never") >= 2
    assert 'id="ledger-problem"' not in html


def test_it_shows_size_waiting_publication_verifications_keys_and_clocks(as_role: Login) -> None:
    ledger_grow(300)
    facts_write(2)
    verify(deep=False)
    clocks_check()
    newest = head()
    assert newest is not None

    html = html_of(as_role(COMPLIANCE_VIEWER), LEDGER)

    assert f'<div class="desk-figure">{newest.size}</div>' in html
    assert "up to date" in html
    assert "whole" in html
    assert "the oldest for" in html
    assert "host synchronised" in html
    assert verifier_keys()[0] in html
    assert 'id="ledger-problem"' not in html


def test_a_checkpoint_outside_that_is_ahead_is_told_here_and_on_the_overview(as_superuser: Browser) -> None:
    ledger_grow(2, 3)
    triggers_drop()
    run_sql("DELETE FROM audit_checkpoint WHERE number = (SELECT max(number) FROM audit_checkpoint)")

    page, overview = html_of(as_superuser, LEDGER), html_of(as_superuser, "/admin/")

    for html in (page, overview):
        assert 'id="ledger-problem"' in html
        assert "was published, and this database knows of" in html
    assert "ahead of this database" in page


def test_a_verification_that_found_something_is_told_until_a_later_one_does_not(as_superuser: Browser) -> None:
    ledger_grow(5)
    triggers_drop()
    run_sql("UPDATE audit_entry SET account = 'X' WHERE kind = 'signing_key'")
    assert found(deep=True)
    told = html_of(as_superuser, "/admin/")
    run_sql("UPDATE audit_entry SET account = '' WHERE kind = 'signing_key'")
    verify(deep=True)

    assert "The last verification found 1 fault" in told
    assert 'id="ledger-problem"' not in html_of(as_superuser, "/admin/")


def test_entries_that_wait_too_long_are_told(as_superuser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_grow(1)
    facts_write(1)
    later = database_now() + timedelta(minutes=3)
    monkeypatch.setattr("mia_site.audit.ledger_health.database_now", lambda: later)

    assert "entries have been waiting for the ledger for" in html_of(as_superuser, "/admin/").lower()


def test_a_verification_under_way_is_shown(as_superuser: Browser) -> None:
    verification_open(database_now(), deep=True)

    assert "One is under way: ledger, 0 rows so far." in html_of(as_superuser, LEDGER)


def test_only_who_may_see_checkpoints_sees_the_ledger(as_role: Login) -> None:
    assert as_role("").get(LEDGER).status_code == 403
    assert "Ledger" in html_of(as_role(COMPLIANCE_VIEWER), "/admin/")


# A fact's place


def test_the_page_of_a_fact_shows_whether_it_waits_or_where_it_stands(as_superuser: Browser) -> None:
    decision = DecisionFactory()

    waiting = html_of(as_superuser, page_of(decision))
    ledger_grow(3)
    ledger_grow(3)
    sealed = html_of(as_superuser, page_of(decision))

    leaf = LedgerLeaf.objects.get(entry_id=decision.pk)
    newest = head()
    assert newest is not None
    assert bytes(leaf.leaf_hash).hex() in waiting
    assert "waiting for its place in the ledger" in waiting
    assert f"leaf {leaf.index}, sealed " in sealed
    assert f"(now {newest.size})" in sealed
    assert leaf.index < newest.size - 3


def test_an_entry_that_was_taken_out_of_the_queue_is_called_broken(as_superuser: Browser) -> None:
    decision = DecisionFactory()
    PendingEntry.objects.filter(pk=decision.pk).delete()

    assert "neither in the ledger nor waiting for it" in html_of(as_superuser, page_of(decision))


def test_a_point_stands_where_its_batch_stands(as_superuser: Browser) -> None:
    point = EquityPointFactory()
    ledger_grow(1)

    html = html_of(as_superuser, page_of(point))

    assert f"leaf {LedgerLeaf.objects.get(entry_id=point.batch_id).index}, sealed" in html
    assert reverse("admin:audit_entry_evidence", args=[point.batch_id]) in html


# Evidence


def test_a_viewer_takes_evidence_that_checks_itself_and_it_is_journalled(as_role: Login) -> None:
    decision = decision_sealed()
    browser = as_role(COMPLIANCE_VIEWER)

    answer = browser.post(evidence_url(decision))

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names, data = set(archive.namelist()), archive.read("evidence.json")
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{decision.pk}.zip"'
    assert names == {"evidence.json", "verify_evidence.py", "verify_evidence.html", "README.txt"}
    assert verify_evidence.verify(verify_evidence.load(data), verifier_keys()[:1])[0] == "VERIFIED"
    taken = Entry.objects.get(kind_name="evidence_taken")
    assert taken.actor == f"user:{browser.session['_auth_user_id']}"
    assert taken.account == decision.account.code


def test_what_waits_gives_a_page_that_says_to_ask_again(as_superuser: Browser) -> None:
    decision = DecisionFactory()

    answer = as_superuser.post(evidence_url(decision))

    assert answer.status_code == 409
    assert "waits for its place in the ledger" in answer.content.decode()
    assert not Entry.objects.filter(kind_name="evidence_taken").exists()


def test_a_record_whose_limits_are_missing_gives_a_page_that_says_so(as_superuser: Browser) -> None:
    decision = decision_sealed()
    triggers_drop()
    run_sql("DELETE FROM audit_entry WHERE kind = 'limits_version'")

    answer = as_superuser.post(evidence_url(decision))

    assert answer.status_code == 409
    assert "which the record names, is missing" in answer.content.decode()


def test_evidence_is_for_those_who_may_export_and_is_never_taken_by_following_a_link(as_role: Login) -> None:
    decision = DecisionFactory()
    ledger_grow(1)

    assert as_role("").post(evidence_url(decision)).status_code == 403
    assert as_role(COMPLIANCE_VIEWER).get(evidence_url(decision)).status_code == 405
    unknown = reverse("admin:audit_entry_evidence", args=[uuid7()])
    assert as_role(COMPLIANCE_VIEWER).post(unknown).status_code == 404


# The journal's pages


def test_an_entry_shows_before_and_after(as_role: Login) -> None:
    browser = as_role(ADMINISTRATOR)
    source = {"name": "fed", "path": "/srv/fed.csv", "dialect": "mia", "every_minutes": 15, "enabled": "on"}
    browser.post("/admin/risk/calendarsource/add/", source)
    created = Entry.objects.get(object_type="risk.calendarsource")
    browser.post(f"/admin/risk/calendarsource/{created.object_id}/change/", source | {"path": "/srv/fed.ics"})
    changed = Entry.objects.get(object_type="risk.calendarsource", kind_name="changed")

    html = html_of(browser, page_of(changed))

    assert "<td>/srv/fed.csv</td><td>/srv/fed.ics</td>" in html
    assert "Personal data beside the entry" not in html


def test_the_entry_of_a_fact_has_no_before_and_after_and_tells_of_its_clock(as_superuser: Browser) -> None:
    decision = DecisionFactory()

    html = html_of(as_superuser, page_of(Entry.objects.get(pk=decision.pk)))

    assert "Before and after" not in html
    assert "it was not known whether the host&#x27;s clock was synchronised" in html.replace("&#39;", "&#x27;")


def a_login(name: str = "marc") -> Entry:
    """Somebody logs in from a known address."""
    login_record(UserFactory(username=name), None, action="logged_in")
    return Entry.objects.filter(kind_name="logged_in").latest("id")


def test_who_it_was_stands_beside_the_entry_for_those_who_may_see_it(as_role: Login) -> None:
    entry = a_login()
    viewer = as_role(COMPLIANCE_VIEWER)
    blind = as_role("")
    someone = User.objects.get(pk=blind.session["_auth_user_id"])
    someone.user_permissions.add(*_permissions("view_entry"))

    seen, unseen = html_of(viewer, page_of(entry)), html_of(blind, page_of(entry))

    assert "Personal data beside the entry" in seen
    assert "marc" in seen
    assert "Before and after" not in seen
    assert "Personal data beside the entry" not in unseen
    assert 'id="erase"' not in seen


def _permissions(codename: str) -> list[Any]:
    from django.contrib.auth.models import Permission

    return list(Permission.objects.filter(codename=codename))


# Forgetting


def test_an_administrator_erases_personal_data_with_a_reason_and_every_proof_still_holds(as_role: Login) -> None:
    entry = a_login()
    ledger_grow(3)
    browser = as_role(ADMINISTRATOR)
    ask = f"{reverse('admin:audit_personaldata_erase')}?entry={entry.pk}"
    assert ask in html_of(browser, page_of(entry))

    form = html_of(browser, ask)
    without = browser.post(reverse("admin:audit_personaldata_erase"), {"entry": str(entry.pk), "reason": " "})
    kept = PersonalData.objects.filter(pk=entry.pk).exists()
    browser.post(reverse("admin:audit_personaldata_erase"), {"entry": str(entry.pk), "reason": "left the desk"})

    assert "deleted for good" in form
    assert "Give a reason" in without.content.decode()
    assert kept
    assert not PersonalData.objects.filter(pk=entry.pk).exists()
    erased = Entry.objects.get(kind_name="erased")
    assert (erased.why, erased.object_id) == ("left the desk", str(entry.pk))
    assert "marc" not in erased.body
    assert "erased; the entry keeps only a salted hash" in html_of(browser, page_of(entry))
    assert found(deep=True) == []


def test_several_are_erased_from_the_list_by_the_name_they_are_about(as_role: Login) -> None:
    for name in ("marc", "vera"):
        a_login(name)
        a_login(f"{name}-2")
    browser = as_role(ADMINISTRATOR)
    url = reverse("admin:audit_personaldata_changelist")
    [row] = PersonalData.objects.filter(data__user_name="marc")
    listed = html_of(browser, f"{url}?q=marc")

    asked = browser.post(url, {"action": "erase", "_selected_action": [str(row.pk)]})
    browser.post(reverse("admin:audit_personaldata_erase"), {"entry": [str(row.pk), "nonsense"], "reason": "asked to"})

    assert "marc" in listed
    assert "vera" not in listed
    assert str(row.pk) in asked.content.decode()
    assert not PersonalData.objects.filter(data__user_name="marc").exists()
    assert PersonalData.objects.filter(data__user_name="vera").exists()


def test_nobody_else_erases(as_role: Login) -> None:
    entry = a_login()
    url = reverse("admin:audit_personaldata_erase")

    for role in (COMPLIANCE_VIEWER, RISK_MANAGER):
        browser = as_role(role)
        assert browser.post(url, {"entry": str(entry.pk), "reason": "no"}).status_code == 403
        browser.post("/admin/audit/personaldata/", {"action": "erase", "_selected_action": [str(entry.pk)]})
    assert PersonalData.objects.filter(pk=entry.pk).exists()


# Names


def test_every_action_that_the_journal_holds_has_a_name() -> None:
    actions = {
        keyword.value.value
        for folder in ("mia_site", "risk", "decisions")
        for path in Path(ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in {"change_record", "login_record"}
        for keyword in call.keywords
        if keyword.arg == "action" and isinstance(keyword.value, ast.Constant)
    }

    assert {"logged_in", "evidence_taken", "erased"} <= actions
    assert actions - set(KIND_NAMES) == set()
