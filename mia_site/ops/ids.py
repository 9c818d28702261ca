"""Identifiers of facts: UUIDv7 (RFC 9562) of the recording time, so that primary keys arrive nearly in order."""

import uuid
from datetime import UTC, datetime, timedelta

import uuid_utils.compat

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> uuid.UUID:
    """A new identifier; later ones sort after it."""
    return uuid_utils.compat.uuid7()


def uuid7_time(identifier: uuid.UUID) -> datetime:
    """When a UUIDv7 says that it was made, to the millisecond."""
    return EPOCH + timedelta(milliseconds=identifier.int >> 80)
