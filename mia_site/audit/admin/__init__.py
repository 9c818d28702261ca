"""Admin pages: the journal, operations, and what the pages of the other apps are built from."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from mia_site.audit.admin import entries, ledger, operations, personal

admin.site.index_title = gettext_lazy("Overview")
admin.site.empty_value_display = "—"

__all__ = ["entries", "ledger", "operations", "personal"]
