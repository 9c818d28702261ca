import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse
from django.utils.translation import override

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")
application = get_wsgi_application()


def _site_load() -> None:
    """Imports all pages and lists their addresses, in each language: the first request of a process would, and a bot's
    has a deadline (330 ms of its 500 on an idle machine)."""
    for language, _name in settings.LANGUAGES:
        with override(language):
            reverse("admin:index")


_site_load()
