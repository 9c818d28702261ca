"""The first administrator."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from mia_site.ops.first_admin import first_admin_create

pytestmark = pytest.mark.django_db


def test_a_desk_without_administrator_gets_one() -> None:
    password = first_admin_create()
    assert password is not None and len(password) == 18 and password.isalnum()
    user = authenticate(username="admin", password=password)
    assert user is not None and user.is_superuser and user.is_staff


def test_a_desk_with_an_administrator_is_left_alone() -> None:
    User.objects.create_superuser("grace", password="a long enough password")
    assert first_admin_create() is None
    assert not User.objects.filter(username="admin").exists()


def test_each_desk_has_another_password() -> None:
    first = first_admin_create()
    User.objects.all().delete()
    assert first_admin_create() != first
