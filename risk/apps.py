from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = _("Risk")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from mia_site.audit.verification.findings import commitment_register
        from mia_site.ops.alerts import alert_texts_register  # models cannot be imported before this point
        from mia_site.ops.registry import bootstrap_register, readiness_register
        from mia_site.ops.sentences import sentences_register
        from risk.alert_texts import CALENDAR_TEXTS, CONTROLLER_TEXTS
        from risk.commitments import batch_findings
        from risk.readiness import readiness
        from risk.roles import roles_after_migrate, roles_ensure
        from risk.rules.sentences import TEMPLATES

        alert_texts_register(CALENDAR_TEXTS | CONTROLLER_TEXTS)
        sentences_register(TEMPLATES)
        commitment_register("risk.equitybatch", batch_findings)
        readiness_register(10, "risk", readiness)
        bootstrap_register(20, "roles", roles_ensure)
        post_migrate.connect(roles_after_migrate, dispatch_uid="desk-roles")
