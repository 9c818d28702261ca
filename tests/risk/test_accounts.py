"""Accounts, clients and tokens: opened by people, bound to each other, secrets shown once."""

from typing import Any

import pytest
from knox.models import get_token_model

from mia_site.audit.models import Entry
from risk.accounts import account_open, client_issue, tokens_revoke
from risk.inputs import InputError
from risk.locking import AccountUnknown, account_only
from risk.models import Account, AccountState, Client
from tests.factories import AccountFactory
from tests.risk.accounts import CODE, MANAGER

pytestmark = pytest.mark.django_db


def test_an_account_is_opened_with_its_state_and_its_entry() -> None:
    account = account_open(CODE, initial_balance="50000.5", timezone="Europe/Paris", currency="EUR", actor=MANAGER)
    assert AccountState.objects.get(account=account).state == "ACTIVE"
    entry = Entry.objects.get(account=CODE)
    assert (entry.kind_name, entry.actor) == ("account_opened", "user:1")
    assert '"initial_balance":"50000.5000"' in entry.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("code", code) for code in ("", "es", "ES MAIN", "-ES", "ES\n", "E" * 33, "ÉS", "ES/1")],
        *[("initial_balance", text) for text in ("0", "-1", "NaN", "inf", "ten", "", "1e11", "0.00001", "1e9999999")],
        *[("timezone", zone) for zone in ("", "Chicago", "America", "../../etc/passwd", "/etc/localtime", "x" * 300)],
        *[("currency", text) for text in ("", "usd", "US", "USDT", "U5D", "ÜSD")],
        ("owner", "x" * 121),
    ],
)
def test_each_field_is_checked(field: str, value: str) -> None:
    given: dict[str, Any] = {"code": CODE, "initial_balance": "50000", field: value}
    with pytest.raises(InputError) as refused:
        account_open(given.pop("code"), actor=MANAGER, **given)
    assert (refused.value.field, refused.value.value) == (field, value)
    assert not Account.objects.exists() and not Entry.objects.filter(kind_name="account_opened").exists()


def test_an_account_that_exists_is_not_touched() -> None:
    AccountFactory(code=CODE, initial_balance=1000)
    with pytest.raises(InputError, match="code"):
        account_open(CODE, initial_balance="9", actor=MANAGER)
    assert Account.objects.get().initial_balance == 1000


def test_a_clients_token_is_stored_only_as_a_hash() -> None:
    AccountFactory(code=CODE)
    issued = client_issue("mia-es", account=CODE, actor=MANAGER)
    row = get_token_model().objects.get()
    assert len(issued.token) == 64 and issued.token not in (row.digest, row.token_key)
    assert row.user == issued.client.user and not row.user.has_usable_password() and not row.user.is_staff
    kinds = set(Entry.objects.filter(account=CODE).values_list("kind_name", flat=True))
    assert kinds == {"account_opened", "client_created", "token_issued"}
    assert not Entry.objects.filter(body__contains=issued.token).exists()
    assert not Entry.objects.filter(body__contains=row.digest).exists()


@pytest.mark.parametrize("name", ["", " bot", "bot ", "b\not", "x" * 65, "bot\x00"])
def test_a_clients_name_is_checked(name: str) -> None:
    AccountFactory(code=CODE)
    with pytest.raises(InputError, match="name"):
        client_issue(name, account=CODE, actor=MANAGER)


def test_a_name_is_taken_once_and_an_account_must_exist() -> None:
    AccountFactory(code=CODE)
    client_issue("mia-es", account=CODE, actor=MANAGER)
    with pytest.raises(InputError, match="no client has yet"):
        client_issue("mia-es", account=CODE, actor=MANAGER)
    with pytest.raises(AccountUnknown):
        client_issue("mia-nq", account="NQ-MAIN", actor=MANAGER)
    assert Client.objects.count() == 1


def test_revoking_takes_every_token_and_says_so() -> None:
    AccountFactory(code=CODE)
    client = client_issue("mia-es", account=CODE, actor=MANAGER).client
    get_token_model().objects.create(user=client.user)
    assert tokens_revoke(client, actor=MANAGER, reason="lost laptop") == 2
    assert not get_token_model().objects.exists()
    assert Entry.objects.get(kind_name="tokens_revoked").why == "lost laptop"
    assert tokens_revoke(client, actor=MANAGER) == 0


def test_the_only_account_is_found_and_a_choice_is_none() -> None:
    with pytest.raises(AccountUnknown):
        account_only()
    AccountFactory(code=CODE)
    assert account_only() == CODE
    AccountFactory()
    with pytest.raises(AccountUnknown, match="one of several"):
        account_only()
