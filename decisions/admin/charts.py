"""How the desk's charts look: stacked bars, and the colours of good, middling and bad."""

import json

GOOD, WARN, BAD = "#22c55e", "#f97316", "#ef4444"
CHART_OPTIONS = json.dumps(
    {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "maxBarThickness": 18,
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": "#9ca3af", "maxTicksLimit": 12}},
            "y": {
                "stacked": True,
                "beginAtZero": True,
                "ticks": {"color": "#9ca3af", "precision": 0},
                "grid": {"color": "#9ca3af33"},
            },
        },
    }
)
