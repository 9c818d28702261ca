"""The first administrator, so that a fresh desk can be entered; later ones are made in the admin."""

import secrets

from django.contrib.auth import get_user_model
from django.db import transaction

NAME = "admin"
PASSWORD_BYTES = 12
"""16 characters: 96 random bits."""


def first_admin_create() -> str | None:
    """Makes the superuser `admin` with a random password and returns that; None if there is a superuser already.

    The caller shows the password once and keeps it nowhere; `manage.py changepassword admin` sets another.
    """
    users = get_user_model().objects
    with transaction.atomic():
        if users.filter(is_superuser=True).exists():
            return None
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user, _ = users.get_or_create(username=NAME, defaults={"is_staff": True, "is_superuser": True})
        user.is_staff = user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
    return password
