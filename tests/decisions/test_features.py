"""The feature vector: packed once in the set's order, salted, committed to by the decision's entry."""

import hashlib
import json
import math
import struct

import pytest
from django.core.exceptions import ObjectDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

from decisions.judging import features_commit
from decisions.models import Decision, DecisionFeatures
from decisions.selectors import features_of
from mia_site.audit.models import Entry
from mia_site.ops.ids import uuid7
from tests.decisions.bots import FEATURES, Bot, feature_desk
from tests.stillness import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


def test_the_vector_is_packed_in_the_sets_order_with_nan_for_what_is_missing(bot: Bot) -> None:
    features = feature_desk()
    decision = bot.asks(features={"spread": 0.25, "vix": 17.25}).decision
    row = DecisionFeatures.objects.get(id=decision.id)
    values = struct.unpack("<3d", bytes(row.vector))
    assert values[0] == 17.25 and math.isnan(values[1]) and values[2] == 0.25
    assert row.feature_set == features and len(bytes(row.salt)) == 16
    assert features_of(decision) == {"vix": 17.25, "spread": 0.25}


def test_the_entry_commits_to_salt_and_vector_and_holds_neither(bot: Bot) -> None:
    feature_desk()
    decision = bot.asks(features=FEATURES).decision
    row = DecisionFeatures.objects.get(id=decision.id)
    by_hand = hashlib.sha256(bytes(row.salt) + bytes(row.vector)).hexdigest()
    entry = Entry.objects.get(id=decision.id)
    fact = json.loads(entry.body)["fact"]
    assert fact["feature_commitment"] == decision.feature_commitment == by_hand
    assert fact["feature_set_id"] == str(row.feature_set_id)
    assert "17.25" not in entry.body, "a vector can be erased without touching the ledger"
    with pytest.raises(ObjectDoesNotExist):
        Entry.objects.get(kind_name="decision_features")


def test_equal_vectors_have_different_commitments(bot: Bot) -> None:
    feature_desk()
    first, second = (bot.asks(features=FEATURES).decision for _ in range(2))
    assert first.feature_commitment != second.feature_commitment, "else a vector could be guessed from the ledger"


def test_without_a_set_the_names_go_to_the_context(bot: Bot) -> None:
    decision = bot.asks(features={"anything": 1.5}).decision
    assert decision.context == {"features": {"anything": 1.5}}
    assert decision.feature_commitment == "" and not DecisionFeatures.objects.exists()


def test_no_features_are_no_vector(bot: Bot) -> None:
    feature_desk()
    decision = bot.asks().decision
    assert (decision.feature_set_id, decision.feature_commitment) == (None, "")
    assert features_of(decision) == {}


@given(st.lists(st.floats(allow_infinity=False, width=64), min_size=1, max_size=150))
def test_a_vector_comes_back_bit_for_bit(vector: list[float]) -> None:
    decision = Decision()
    row = features_commit(decision, uuid7(), vector, NOON)
    assert struct.pack(f"<{len(vector)}d", *struct.unpack(f"<{len(vector)}d", row.vector)) == row.vector
    assert len(row.vector) == 8 * len(vector) and row.id == decision.id
    assert decision.feature_commitment == hashlib.sha256(bytes(row.salt) + row.vector).hexdigest()
