"""Tables of the record: the journal, the ledger over it, and the work rows of verifying it."""

from mia_site.audit.models.clock import ClockReading, ClockState
from mia_site.audit.models.entry import Entry, PendingEntry, PersonalData
from mia_site.audit.models.keys import SigningKey
from mia_site.audit.models.ledger import Checkpoint, Continuation, LedgerLeaf, Tile
from mia_site.audit.models.outside import CheckpointPost
from mia_site.audit.models.people import LoginFailure
from mia_site.audit.models.verification import Verification

__all__ = [
    "Checkpoint",
    "CheckpointPost",
    "ClockReading",
    "ClockState",
    "Continuation",
    "Entry",
    "LedgerLeaf",
    "LoginFailure",
    "PendingEntry",
    "PersonalData",
    "SigningKey",
    "Tile",
    "Verification",
]
