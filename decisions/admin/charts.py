"""How the desk's charts look: stacked bars, lines side by side, and the colours of good, middling and bad."""

import json
from typing import Any

GOOD, WARN, BAD = "#16a34a", "#ea580c", "#dc2626"
"""Legible as figures too, on light and on dark pages."""

GREY = "#6b7280"
_LEGEND = {"display": True, "align": "end", "labels": {"boxWidth": 10, "boxHeight": 10, "color": GREY}}
_Y_AXIS = {"ticks": {"color": GREY, "precision": 0}, "grid": {"color": "#9ca3af33"}}


def _options(**scales: Any) -> dict[str, Any]:
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "plugins": {"legend": _LEGEND},
        "scales": scales,
    }


def _x_axis(most: int) -> dict[str, Any]:
    return {"grid": {"display": False}, "ticks": {"color": GREY, "maxTicksLimit": most}}


CHART_OPTIONS = json.dumps(
    {
        **_options(x={**_x_axis(12), "stacked": True}, y={**_Y_AXIS, "stacked": True, "beginAtZero": True}),
        "maxBarThickness": 18,
    }
)
LINE_OPTIONS = json.dumps(
    {**_options(x=_x_axis(8), y=_Y_AXIS), "datasets": {"line": {"borderWidth": 2, "pointStyle": False}}}
)
