"""Addresses of the risk app, under /api/v1/."""

from django.urls import path

from risk.api.accounts import EquityView, PositionsView, ReadinessView, StateView
from risk.api.algorithms import AlgorithmList
from risk.api.blackouts import BlackoutsFile, BlackoutsView
from risk.api.browse import EventList, LimitsList, PenaltyList, SnapshotList
from risk.api.controls import BlockTradeView, StopTradingView
from risk.api.halts import HaltView

urlpatterns = [
    path("accounts/<str:code>/equity", EquityView.as_view(), name="equity"),
    path("accounts/<str:code>/positions", PositionsView.as_view(), name="positions"),
    path("accounts/<str:code>/state", StateView.as_view(), name="account-state"),
    path("accounts/<str:code>/readiness", ReadinessView.as_view(), name="readiness"),
    path("risk/stop-trading", StopTradingView.as_view(), name="stop-trading"),
    path("risk/halt", HaltView.as_view(), name="halt"),
    path("risk/block-trade", BlockTradeView.as_view(), name="block-trade"),
    path("snapshots/", SnapshotList.as_view(), name="snapshots"),
    path("penalties/", PenaltyList.as_view(), name="penalties"),
    path("events/", EventList.as_view(), name="events"),
    path("events/blackouts", BlackoutsView.as_view(), name="blackouts"),
    path("events/blackouts.ics", BlackoutsFile.as_view(), name="blackouts-ics"),
    path("algorithms/", AlgorithmList.as_view(), name="algorithms"),
    path("limits/", LimitsList.as_view(), name="limits"),
]
