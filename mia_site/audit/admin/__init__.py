"""Admin pages: the journal, operations, and what the pages of the other apps are built from."""

from mia_site.audit.admin import entries, operations

__all__ = ["entries", "operations"]
