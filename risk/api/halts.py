"""The kill switch for bots that were given it: each within its own account, and none may resume."""

from typing import Annotated, Literal

import msgspec
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta
from msgspec.structs import force_setattr
from rest_framework.request import Request
from rest_framework.response import Response

from mia_site.ops.deadline import answer_deadline
from mia_site.ops.http import body_decode, body_read
from mia_site.ops.openapi import body_schema, json_body
from mia_site.ops.problems import Problem
from mia_site.ops.retry import retry_within
from risk.api.base import DeskView, account_check, actor_of, client_of, created
from risk.inputs import AccountCode, Aware, Input, InputError, Text, moment_utc
from risk.models import Client
from risk.models.state import Scope
from risk.rules.facts import TradingState
from risk.selectors.account_state import StateWord
from risk.stop_targets import StopTarget, target_halt


class HaltInput(Input, frozen=True):
    """`scope` client is the bot itself; algorithm and instrument need a `key` and are stopped in the account only."""

    account: AccountCode
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    scope: Literal["account", "client", "algorithm", "instrument"] = "account"
    key: Text = ""
    state: Literal["HALTED", "REDUCE_ONLY"] = "HALTED"
    until: Aware | None = None

    def __post_init__(self) -> None:
        if self.until is not None:
            force_setattr(self, "until", moment_utc("until", self.until))


class HaltAnswer(msgspec.Struct, frozen=True):
    """The change as it is recorded; `id` is that of its journal entry."""

    id: str
    scope: str
    key: str | None
    account: str
    from_state: StateWord
    state: StateWord
    since: Aware
    until: Aware | None


class HaltView(DeskView):
    @extend_schema(
        summary="Stop trading of the account, of the bot itself, of an algorithm or an instrument (its own right)",
        request=json_body(HaltInput),
        responses={201: OpenApiResponse(body_schema(HaltAnswer))},
    )
    def post(self, request: Request) -> Response:
        client = client_of(request)
        if not client.can_halt:
            raise Problem(
                403, "halt_not_permitted", "This token may not stop trading: an administrator gives the right."
            )
        sent = body_decode(body_read(request), HaltInput)
        account_check(request, sent.account)
        target, actor = _target(sent, client), actor_of(request)
        state = TradingState(sent.state)
        try:
            change = retry_within(
                answer_deadline(),
                lambda: target_halt(target, reason=sent.reason, actor=actor, state=state, until=sent.until),
            )
        except InputError as error:  # the command line has an option for each scope, a body has its `key`
            field = "key" if error.field == sent.scope else error.field
            raise InputError(field, error.value, error.expected) from error
        answer = HaltAnswer(
            id=str(change.id), scope=change.scope, key=change.key, account=sent.account, from_state=change.from_state,
            state=change.to_state, since=change.recorded_at, until=change.until,
        )  # fmt: skip
        return created(answer)


def _target(sent: HaltInput, client: Client) -> StopTarget:
    key = client.name if sent.scope == "client" else sent.key
    return StopTarget(Scope(sent.scope), sent.account, key)
