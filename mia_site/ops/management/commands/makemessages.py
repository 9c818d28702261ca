"""`manage.py makemessages`: Django's own, with the options that keep a catalogue's changes small and easy to read."""

from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

DATE = '"POT-Creation-Date:'


class Command(makemessages.Command):
    """Without options it updates every language: one line a text, files without line numbers, nothing obsolete, and no
    date in the header. Needs GNU gettext."""

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["locale"] or options["exclude"]
        ours = {
            "all": options["all"] or not chosen,
            "ignore_patterns": [*options["ignore_patterns"], "tests/*", "docs/*", "var/*", "requirements*.txt"],
            "no_wrap": True,
            "no_obsolete": True,
            "add_location": options["add_location"] or "file",
        }
        super().handle(*args, **{**options, **ours})

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Django's, without the moment of extraction: two that find the same texts write the same file."""
        super().write_po_file(potfile, locale)
        path = Path(potfile).with_name(locale) / "LC_MESSAGES" / f"{self.domain}.po"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(DATE)), encoding="utf-8")
