"""`manage.py learn_features --since T --reason TEXT`: a reference of the features from recorded decisions."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from decisions.feature_learning import Lesson, features_learn, lesson_record
from decisions.management.periods import period_arguments, period_of
from mia_site.audit.actors import command_actor
from mia_site.ops.clock import database_now
from risk.inputs import InputError


class Command(BaseCommand):
    """Learns where the features of the set in use usually lie, and puts it in force for `features.max_drift`."""

    help = "Learns medians and quartiles of the features from the decisions of a window; they become the reference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        period_arguments(parser)
        parser.add_argument("--reason", default="", help="why this window; goes into the record")
        parser.add_argument("--dry-run", action="store_true", help="only say what the window teaches")

    def handle(self, *args: Any, **options: Any) -> None:
        period = period_of(options)
        if period.since is None:
            raise CommandError(_("--since must say from when on decisions count"))
        try:
            lesson = features_learn(period.since, period.until or database_now())
            self._tell(lesson)
            if options["dry_run"]:
                return
            actor = command_actor("learn_features")
            reference = lesson_record(lesson, actor=actor, reason=options["reason"])
        except InputError as error:
            raise CommandError(str(error)) from error
        told = {"version": reference.version, "set": lesson.features.version}
        self.stdout.write(_("reference version %(version)s of feature set version %(set)s is in use") % told)

    def _tell(self, lesson: Lesson) -> None:
        told = {
            "found": lesson.found, "used": lesson.used, "known": len(lesson.statistics), "count": lesson.features.count,
            "covered": lesson.covered.normalize(),
        }  # fmt: skip
        self.stdout.write(
            _(
                "decisions: %(found)s, read: %(used)s; features with enough values: %(known)s of %(count)s, "
                "%(covered)s of the importance"
            )
            % told
        )
