"""The first administrator, so that a fresh desk can be entered; later ones are made in the admin."""

import secrets

from django.contrib.auth import get_user_model
from django.db import transaction

NAME = "admin"
LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look alike; a double click selects the whole word."""
LENGTH = 18
"""105 random bits."""


def first_admin_create() -> str | None:
    """Makes the superuser `admin` with a random password and returns that; None if there is a superuser already.

    The caller shows the password once and keeps it nowhere; `manage.py changepassword admin` sets another.
    """
    users = get_user_model().objects
    with transaction.atomic():
        if users.filter(is_superuser=True).exists():
            return None
        password = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        user, _made = users.get_or_create(username=NAME, defaults={"is_staff": True, "is_superuser": True})
        user.is_staff = user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
    return password
