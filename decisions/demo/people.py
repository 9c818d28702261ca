"""One person per role, with a random password that is shown once and kept nowhere."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

from decisions.demo import ACTOR
from mia_site.audit.actors import Actor, user_actor
from mia_site.audit.journal import change_record
from mia_site.ops.first_admin import LENGTH, LETTERS
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER

PEOPLE = {
    "demo-viewer": COMPLIANCE_VIEWER,
    "demo-manager": RISK_MANAGER,
    "demo-approver": RISK_APPROVER,
    "demo-administrator": ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo. `password` is None where the user existed before."""

    name: str
    role: str
    actor: Actor
    password: str | None


def people_ensure() -> list[Person]:
    """Makes those who are not there yet, in the caller's transaction; their groups exist (risk/roles.py)."""
    known = dict(User.objects.filter(username__in=PEOPLE).values_list("username", "pk"))
    passwords = {name: "".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for name in PEOPLE if name not in known}
    with ThreadPoolExecutor() as pool:  # hashing is slow by design, and lets go of the interpreter
        hashed = dict(zip(passwords, pool.map(make_password, passwords.values()), strict=True))
    made = {name: _make(name, PEOPLE[name], password) for name, password in hashed.items()}
    return [
        Person(name, role, user_actor(made.get(name) or known[name]), passwords.get(name))
        for name, role in PEOPLE.items()
    ]


def _make(name: str, role: str, hashed: str) -> int:
    user = User.objects.create(username=name, password=hashed, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    change_record(user, action="created", actor=ACTOR, why="a person of the demo", after={"role": role})
    return user.pk
