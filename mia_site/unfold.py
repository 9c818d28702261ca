"""The admin's look and menu. Read by settings.py; no page loads anything from elsewhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

BLOCKED = "?verdict__exact=block"
Test = Callable[[HttpRequest], bool]


def _may(permission: str) -> Test:
    return lambda request: request.user.has_perm(permission)


def _item(title: Any, icon: str, model: str, **more: Any) -> dict[str, Any]:
    """A menu entry that leads to a model's list, for those who may see it."""
    app_label, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app_label}_{name}_changelist"),
        "permission": _may(f"{app_label}.view_{name}"),
        **more,
    }


def _decisions(*, blocked: bool) -> Test:
    """Two entries lead to one list: which of them is lit depends on its filter. The week has an entry of its own."""

    def active(request: HttpRequest) -> bool:
        here = request.path.startswith(reverse("admin:decisions_decision_changelist"))
        here = here and request.path != reverse("admin:decisions_decision_week")
        return here and (request.GET.get("verdict__exact") == "block") is blocked

    return active


def _checkpoints(request: HttpRequest) -> bool:
    """The ledger's own page stands beside its checkpoints, and has an entry of its own."""
    here = request.path.startswith(reverse("admin:audit_checkpoint_changelist"))
    return here and request.path != reverse("admin:audit_ledger")


def _blocked_link() -> Any:
    return lambda _request: reverse("admin:decisions_decision_changelist") + BLOCKED


NAVIGATION = [
    {
        "title": None,
        "items": [
            {"title": _("Overview"), "icon": "monitoring", "link": reverse_lazy("admin:index")},
            _item(_("Accounts"), "account_balance_wallet", "risk.account"),
            _item(_("Decisions"), "rule", "decisions.decision", active=_decisions(blocked=False)),
            _item(
                _("Blocked decisions"),
                "block",
                "decisions.decision",
                link=_blocked_link(),
                active=_decisions(blocked=True),
            ),
            _item(_("Outcomes"), "payments", "decisions.outcome"),
            _item(_("Order reports"), "receipt_long", "decisions.orderreport"),
            _item(_("Shadow report"), "visibility_off", "decisions.shadowrow"),
            _item(_("Other limits tried"), "science", "decisions.limitsreplay"),
            _item(_("Alerts"), "notifications", "ops.alert"),
        ],
    },
    {
        "title": _("Risk"),
        "collapsible": True,
        "items": [
            _item(_("Desk"), "hub", "risk.desk"),
            _item(_("Limits"), "tune", "risk.limitsversion"),
            _item(_("Approvals of limits"), "how_to_reg", "risk.limitsapproval"),
            _item(_("Steps of limits"), "steps", "risk.limitsstep"),
            _item(_("Limits of the desk"), "domain", "risk.desklimitsversion"),
            _item(_("Approvals for the desk"), "approval", "risk.desklimitsapproval"),
            _item(_("Steps for the desk"), "steps", "risk.desklimitsstep"),
            _item(_("Stops in force"), "do_not_disturb_on", "risk.scopedstop"),
            _item(_("Stops and resumes"), "pan_tool", "risk.statechange"),
            _item(_("Reviews of resumes"), "rate_review", "risk.statereview"),
            _item(_("Register of algorithms"), "app_registration", "risk.algorithmentry"),
            _item(_("Rulings on algorithms"), "how_to_reg", "risk.algorithmruling"),
            _item(_("Reviews of algorithms"), "smart_toy", "risk.algorithmswitch"),
            _item(_("Snapshots"), "photo_camera", "risk.snapshot"),
            _item(_("Penalties"), "gavel", "risk.penalty"),
            _item(_("Account states"), "fact_check", "risk.accountstate"),
            _item(_("Equity"), "show_chart", "risk.equitypoint"),
            _item(_("Held equity"), "help", "risk.heldpoint"),
            _item(_("Rulings on held equity"), "rule", "risk.heldruling"),
            _item(_("Rebased peaks"), "south", "risk.peakrebase"),
            _item(_("Equity of the desk"), "functions", "risk.deskpoint"),
            _item(_("Equity reports"), "stacked_line_chart", "risk.equitybatch"),
            _item(_("Position reports"), "balance", "risk.positionreport"),
            _item(_("Admissions"), "door_open", "risk.admission"),
        ],
    },
    {
        "title": _("Calendar and models"),
        "collapsible": True,
        "items": [
            {
                "title": _("Week"),
                "icon": "calendar_view_week",
                "link": reverse_lazy("admin:decisions_decision_week"),
                "permission": _may("risk.view_macroevent"),
            },
            _item(_("Macro events"), "event", "risk.macroevent"),
            _item(_("Versions of events"), "history", "risk.eventversion"),
            _item(_("Calendar fetches"), "sync", "risk.calendarfetch"),
            _item(_("Calendar sources"), "source", "risk.calendarsource"),
            _item(_("Window overrides"), "edit_calendar", "risk.windowoverride"),
            _item(_("Rulings on windows"), "gavel", "risk.windowruling"),
            _item(_("Trading sessions"), "schedule", "risk.tradingsession"),
            _item(_("Other session hours"), "event_busy", "risk.sessionoverride"),
            _item(_("Blackout announcements"), "campaign", "risk.windowannouncement"),
            _item(_("Market memory"), "psychology", "risk.cluster"),
            _item(_("Proposed memories"), "lightbulb", "risk.memoryproposal"),
            _item(_("Rulings on memories"), "how_to_vote", "risk.memoryruling"),
            _item(_("Feature sets"), "list_alt", "risk.featureset"),
            _item(_("References of features"), "straighten", "risk.featurereference"),
            _item(_("Feature vectors"), "data_array", "decisions.decisionfeatures"),
        ],
    },
    {
        "title": _("Record"),
        "collapsible": True,
        "items": [
            _item(_("Ledger"), "verified_user", "audit.checkpoint", link=reverse_lazy("admin:audit_ledger")),
            _item(_("Journal"), "menu_book", "audit.entry"),
            _item(_("Checkpoints"), "verified", "audit.checkpoint", active=_checkpoints),
            _item(_("Checkpoints sent"), "outbox", "audit.checkpointpost"),
            _item(_("Verifications"), "fact_check", "audit.verification"),
            _item(_("Leaves"), "account_tree", "audit.ledgerleaf"),
            _item(_("Tiles"), "grid_view", "audit.tile"),
            _item(_("Signing keys"), "vpn_key", "audit.signingkey"),
            _item(_("Restores declared"), "settings_backup_restore", "audit.continuation"),
            _item(_("Clock readings"), "schedule", "audit.clockreading"),
            _item(_("Clocks now"), "more_time", "audit.clockstate"),
            _item(_("Imports"), "upload_file", "risk.importrun"),
            _item(_("Alert deliveries"), "outgoing_mail", "ops.alertdelivery"),
            _item(_("Timings"), "timer", "ops.timing"),
            _item(_("Waiting for the ledger"), "hourglass_top", "audit.pendingentry"),
            _item(_("Idempotency keys"), "key", "decisions.idempotencykey"),
            _item(_("Streams"), "stream", "decisions.streamcursor"),
        ],
    },
    {
        "title": _("People and bots"),
        "collapsible": True,
        "items": [
            _item(_("Users"), "person", "auth.user"),
            _item(_("Roles"), "badge", "auth.group"),
            _item(_("API clients"), "smart_toy", "risk.client"),
            _item(_("Failed logins"), "no_accounts", "audit.loginfailure"),
            _item(_("Personal data"), "contact_page", "audit.personaldata"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "MIA Risk Desk",
    "SITE_HEADER": "MIA Risk Desk",
    "SITE_SUBHEADER": _("pre-trade risk and compliance"),
    "SITE_URL": None,
    "SITE_SYMBOL": "shield",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("desk/favicon.svg")}],
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "decisions.admin.dashboard.dashboard_context",
    "STYLES": [lambda _request: static("desk/admin.css")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .055 190)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}
