"""Addresses of the journal, under /api/v1/."""

from django.urls import path

from mia_site.audit.api import KeyView, RecordView

urlpatterns = [
    path("audit/key", KeyView.as_view(), name="audit-key"),
    path("audit/entries/<uuid:id>/record", RecordView.as_view(), name="audit-record"),
]
