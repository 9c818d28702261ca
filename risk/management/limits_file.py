"""A limits document out of a file, or from standard input."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from risk.limits_document import document_read

MAX_BYTES = 256 * 1024


def limits_file_read(name: str) -> dict[str, Any]:
    """The document in the file `name`, - for standard input. Raises `CommandError`, and `InputError` for what is no
    document."""
    text = sys.stdin.read(MAX_BYTES + 1) if name == "-" else _text(name)
    if len(text) > MAX_BYTES:
        raise CommandError(f"The file is larger than {MAX_BYTES} bytes.")
    return document_read(text)


def _text(name: str) -> str:
    try:
        with Path(name).open(encoding="utf-8") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} cannot be read: it is no text in UTF-8") from error
