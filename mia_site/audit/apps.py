from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "mia_site.audit"
    label = "audit"
    verbose_name = _("Record")

    def ready(self) -> None:
        from mia_site.audit.offers import offers_register  # models cannot be imported before this point
        from mia_site.audit.people_signals import people_signals_connect

        offers_register()
        people_signals_connect()
