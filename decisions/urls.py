"""Addresses of the decisions app, under /api/v1/."""

from django.urls import path

from decisions.api.decisions import BatchView, DecisionsView, DecisionView, OutcomeView
from decisions.api.export import ExportView
from decisions.api.stream import StreamView

urlpatterns = [
    path("decisions/", DecisionsView.as_view(), name="decisions"),
    path("decisions/batch", BatchView.as_view(), name="decisions-batch"),
    path("decisions/stream", StreamView.as_view(), name="decisions-stream"),
    path("decisions/export", ExportView.as_view(), name="decisions-export"),
    path("decisions/<uuid:id>/", DecisionView.as_view(), name="decision"),
    path("decisions/<uuid:id>/outcome", OutcomeView.as_view(), name="decision-outcome"),
]
