from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OpsConfig(AppConfig):
    name = "mia_site.ops"
    label = "ops"

    def ready(self) -> None:
        from mia_site.ops.append_only import protect_after_migrate  # models cannot be imported before this point

        post_migrate.connect(protect_after_migrate, dispatch_uid="protect-facts")
