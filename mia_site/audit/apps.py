from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "mia_site.audit"
    label = "audit"
