"""*_performance.csv: timings of operations. They are work rows and not facts, so that none is imported."""

from risk.sources.notes import Notes
from risk.sources.records import Kind, Parsed, Record
from risk.sources.text import decode, numbered_lines

_COLUMNS = ("operation", "latency", "success")


def parse_performance(data: bytes) -> Parsed[Record]:
    """Count the rows, import none and say so. Raises SourceError where the file is not text."""
    notes = Notes()
    notes.say("timings of operations: they are not facts and are not imported")
    lines = [line for line in numbered_lines(decode(data)) if isinstance(line, tuple)]
    header = bool(lines) and is_timings_header(frozenset(cell.strip() for cell in lines[0][1].lower().split(",")))
    return Parsed(Kind.PERFORMANCE, (), (), notes.sentences(), len(lines) - header)


def is_timings_header(header: frozenset[str]) -> bool:
    """Whether `header` is that of a file of timings."""
    return header.issuperset(_COLUMNS)
