"""Recording a stream of decisions: each piece and the stream's position are committed together."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import Error, transaction

from decisions.decision_log import EngineUnavailable, KeyReused, OtherAccount, decisions_write
from decisions.inputs import DecisionInput
from decisions.models import StreamCursor
from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from mia_site.ops.timings import timed
from risk.models import Client


@dataclass(slots=True)
class StreamPosition:
    """A client's stream and how far it is committed."""

    client: Client
    name: str
    committed: int


def stream_committed(client: Client, name: str) -> int:
    """Rows of the stream that are committed; 0 for one that was never sent."""
    found = StreamCursor.objects.filter(client=client, name=name).values_list("committed", flat=True).first()
    return found or 0


@timed("stream_append")
def stream_append(position: StreamPosition, rows: Sequence[DecisionInput], *, actor: Actor) -> str:
    """Records `rows` behind `position` and moves it; returns the receipt over all of them.

    Raises `OtherAccount`, `InputError`, `KeyReused` where another connection moved the stream meanwhile, and
    `EngineUnavailable`.
    """
    for row in rows:
        if row.account != position.client.account.code:
            raise OtherAccount(row.account)
    try:
        with transaction.atomic():
            written = decisions_write(rows, account=position.client.account.code, client=position.client, actor=actor)
            _move(position, len(rows))
    except Error as error:
        raise EngineUnavailable(f"{type(error).__name__}: the rows could not be recorded") from error
    position.committed += len(rows)
    return written.note


def _move(position: StreamPosition, rows: int) -> None:
    cursor, _ = StreamCursor.objects.get_or_create(
        client=position.client, name=position.name, defaults={"updated_at": database_now()}
    )
    moved = StreamCursor.objects.filter(id=cursor.id, committed=position.committed).update(
        committed=position.committed + rows, updated_at=database_now()
    )
    if not moved:
        raise KeyReused(position.name)
