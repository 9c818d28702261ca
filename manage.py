#!/usr/bin/env python
"""Command line of the desk. ``--data-dir DIR`` works with every command (it sets ``MIA_DATA_DIR``)."""

import os
import sys


def _take_data_dir(argv: list[str]) -> list[str]:
    """Removes ``--data-dir DIR`` before the settings are read, since they depend on it."""
    rest = list(argv)
    for index, word in enumerate(rest):
        if word.startswith("--data-dir="):
            os.environ["MIA_DATA_DIR"] = word.partition("=")[2]
            return rest[:index] + rest[index + 1 :]
        if word == "--data-dir":
            if index + 1 == len(rest):
                sys.exit("--data-dir needs a directory")
            os.environ["MIA_DATA_DIR"] = rest[index + 1]
            return rest[:index] + rest[index + 2 :]
    return rest


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")
    argv = _take_data_dir(sys.argv)
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, connection

    try:
        execute_from_command_line(argv)
    except ImproperlyConfigured as error:  # of the environment: a sentence says it, a traceback hides it
        sys.exit(f"Cannot start: {error}")
    except DatabaseError as error:
        if "--traceback" in argv:
            raise
        why, where = str(error).partition("\n")[0], connection.settings_dict["NAME"]
        sys.exit(f"The database {where} cannot be used: {why} (--traceback says where)")


if __name__ == "__main__":
    main()
