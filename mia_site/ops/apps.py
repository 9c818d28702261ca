from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OpsConfig(AppConfig):
    name = "mia_site.ops"
    label = "ops"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from mia_site.ops import (
            deadline,
            grants,  # noqa: F401 - registers its system check
        )
        from mia_site.ops.alert_texts import alert_texts_register
        from mia_site.ops.append_only import protect_after_migrate  # models cannot be imported before this point
        from mia_site.ops.health import health_checks_register
        from mia_site.ops.supervisor.texts import TEXTS
        from mia_site.ops.work_rows import work_rows_register

        post_migrate.connect(protect_after_migrate, dispatch_uid="protect-facts")
        alert_texts_register(TEXTS)
        alert_texts_register(deadline.TEXTS)
        health_checks_register()
        work_rows_register()
