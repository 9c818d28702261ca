"""People on the command line: an act that needs a name is done by somebody who logs in there."""

from getpass import getpass

from django.contrib.auth import authenticate
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from mia_site.audit.actors import Actor, user_actor


def person_log_in(name: str, *permissions: str) -> Actor:
    """The person of this name, who logs in here and holds one of the permissions. Raises `CommandError`."""
    user = authenticate(username=name, password=getpass(_("Password of %(name)s: ") % {"name": name}))
    if user is None or not any(user.has_perm(permission) for permission in permissions):
        raise CommandError(_("%(name)s did not log in, or may not do this.") % {"name": name})
    return user_actor(user.pk)
