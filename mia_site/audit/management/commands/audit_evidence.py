"""`manage.py audit_evidence ID -o FILE`: one decision and its proof, to hand over."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mia_site.audit.actors import command_actor
from mia_site.audit.bundle import bundle_bytes, document_bytes
from mia_site.audit.evidence import EvidenceError, broken_promise_of, evidence_of
from mia_site.audit.evidence_record import evidence_record
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.ledger import NotSealedYet
from mia_site.ops.clock import database_now


class Command(BaseCommand):
    """FILE ending in .zip: with both verifiers and how to use them; else the JSON document alone."""

    help = "Writes offline evidence of one record, or, with --receipt, that a promise to record was broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=UUID, metavar="ID", help="of the decision, or of any entry")
        parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
        parser.add_argument("--receipt", type=Path, metavar="NOTE", help="a receipt that was not honoured")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["id"] is None) == (options["receipt"] is None):
            raise CommandError(_("Name one: an ID, or a --receipt."))
        path: Path = options["output"]
        try:
            document = self._document(options["id"], options["receipt"])
            packed = path.suffix == ".zip"
            path.write_bytes(bundle_bytes(document, verifier_keys()) if packed else document_bytes(document))
        except NotSealedYet as error:
            raise CommandError(_("%(id)s waits for its place in the ledger: ask again.") % {"id": error}) from error
        except (EvidenceError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        evidence_record(document, actor=command_actor("audit_evidence"))
        self.stdout.write(str(path))

    @staticmethod
    def _document(identifier: UUID | None, receipt: Path | None) -> dict[str, Any]:
        if receipt is not None:
            return broken_promise_of(receipt.read_text(encoding="utf-8"), database_now())
        assert identifier is not None
        return evidence_of(identifier, database_now())
