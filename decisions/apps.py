from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DecisionsConfig(AppConfig):
    name = "decisions"
    label = "decisions"
    verbose_name = _("Decisions")

    def ready(self) -> None:
        from decisions.alert_texts import TEXTS
        from mia_site.ops.alerts import alert_texts_register  # models cannot be imported before this point

        alert_texts_register(TEXTS)
