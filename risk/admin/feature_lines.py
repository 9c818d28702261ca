"""What an account's limits ask of the model's features, as lines of its page."""

from django.utils.translation import gettext as _

from mia_site.audit.admin.rendering import number, percent
from risk.rules.limits import Limits


def feature_lines(limits: Limits) -> list[tuple[str, str]]:
    """(name, value) in the reader's language."""
    features = limits.features
    drift = _("any") if features.max_drift is None else number(features.max_drift)
    return [
        (_("features: least coverage"), percent(features.min_coverage)),
        (_("features: none missing of the most influential"), str(features.required_top)),
        (_("features: greatest drift"), drift),
    ]
