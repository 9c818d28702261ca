"""The shadow report as a file, journalled like every export."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from decisions.mia_export import ExportFailed, file_write
from decisions.shadow_report import COLUMNS, ShadowLine, shadow_cells
from mia_site.audit.actors import Actor
from mia_site.audit.admin.exporting import csv_cell
from mia_site.audit.journal import change_record
from mia_site.ops.timings import timed
from risk.export import csv_bytes
from risk.models import Account, Desk

CRLF = "\r\n"


def report_csv(lines: Sequence[ShadowLine]) -> bytes:
    """The report with a header, as RFC 4180 has it; text that a spreadsheet would run gets an apostrophe before it."""
    rows = ([csv_cell(value) for value in cells] for cells in shadow_cells(lines))
    return csv_bytes([COLUMNS, *rows], end=CRLF)


@timed("shadow_report")
def report_write(
    path: Path, lines: Sequence[ShadowLine], *, account: Account | None, filters: Mapping[str, str], actor: Actor
) -> None:
    """Writes the report to `path`, whole or not at all. Raises `ExportFailed`."""
    change_record(
        account or Desk.objects.get_or_create(id=1)[0], action="exported", actor=actor,
        account="" if account is None else account.code, after={"what": "shadow_report", "filters": dict(filters)},
    )  # fmt: skip
    try:
        file_write(path, report_csv(lines))
    except OSError as error:
        raise ExportFailed(f"{path} could not be written: {error.strerror or error}") from error
