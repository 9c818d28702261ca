from typing import Any

from django.db import migrations

from risk.rules.scopes import algorithm_key


def algorithms_project(apps: Any, _schema_editor: Any) -> None:
    """Admissions of before learn from their decisions which algorithm they are of."""
    decisions = apps.get_model("decisions", "Decision").objects.exclude(algorithm="")
    admissions = apps.get_model("risk", "Admission").objects
    for name in decisions.order_by().values_list("algorithm", flat=True).distinct():
        named = decisions.filter(algorithm=name).values("id")
        admissions.filter(id__in=named).update(algorithm=algorithm_key(name))


class Migration(migrations.Migration):
    dependencies = [
        ("decisions", "0002_outcome_seq"),
        ("risk", "0008_algorithm_reviews"),
    ]

    operations = [migrations.RunPython(algorithms_project, migrations.RunPython.noop)]
