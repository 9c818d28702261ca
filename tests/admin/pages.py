"""Every page of the admin, found by asking the admin itself."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client as Browser
from django.urls import reverse
from factory.base import FactoryMetaClass

from tests import factories

DESK_APPS = ("ops", "audit", "risk", "decisions")
FACTORIES: dict[str, Any] = {
    made._meta.model._meta.label_lower: made
    for made in vars(factories).values()
    if isinstance(made, FactoryMetaClass) and made._meta.model is not None
}


def desk_models() -> list[type[models.Model]]:
    """Every model of the desk's own apps."""
    return [model for label in DESK_APPS for model in apps.get_app_config(label).get_models()]


def registered() -> list[type[models.Model]]:
    """Every model that has pages."""
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def page_name(model: type[models.Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def rows_everywhere() -> None:
    """At least one row of every model that a factory makes and that has none yet."""
    for model in registered():
        made = FACTORIES.get(model._meta.label_lower)
        if made is not None and not model._default_manager.exists():
            made()


def pages_of(model: type[models.Model]) -> Iterator[str]:
    """The list, and the page and the history of one row."""
    yield reverse(page_name(model, "changelist"))
    row = model._default_manager.first()
    if row is not None:
        yield reverse(page_name(model, "change"), args=[row.pk])
        yield reverse(page_name(model, "history"), args=[row.pk])


def html_of(browser: Browser, url: str) -> str:
    """The page's HTML; fails unless it is there."""
    response = browser.get(url, follow=True)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    return response.content.decode()
