"""Identifiers of facts: UUIDv7 (RFC 9562) of the recording time, so that primary keys arrive nearly in order."""

import uuid

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    """A new identifier; later ones sort after it."""
    return uuid_utils.compat.uuid7()
