from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"

    def ready(self) -> None:
        from mia_site.ops.alerts import alert_texts_register  # models cannot be imported before this point
        from mia_site.ops.registry import readiness_register
        from risk.alert_texts import CALENDAR_TEXTS, CONTROLLER_TEXTS
        from risk.readiness import readiness

        alert_texts_register(CALENDAR_TEXTS | CONTROLLER_TEXTS)
        readiness_register(10, "risk", readiness)
