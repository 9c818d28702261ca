"""Addresses of the ledger, under /api/v1/."""

from django.urls import path

from mia_site.audit.api import (
    CheckpointAtView,
    CheckpointView,
    ConsistencyView,
    KeyView,
    ProofView,
    RecordView,
)

urlpatterns = [
    path("audit/key", KeyView.as_view(), name="audit-key"),
    path("audit/checkpoint", CheckpointView.as_view(), name="audit-checkpoint"),
    path("audit/checkpoint/<int:size>", CheckpointAtView.as_view(), name="audit-checkpoint-at"),
    path("audit/consistency", ConsistencyView.as_view(), name="audit-consistency"),
    path("audit/entries/<uuid:id>/record", RecordView.as_view(), name="audit-record"),
    path("audit/entries/<uuid:id>/proof", ProofView.as_view(), name="audit-proof"),
]
