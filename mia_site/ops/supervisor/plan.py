"""The processes of the desk."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mia_site.ops.registry import ExtraProcess
from mia_site.ops.supervisor.child import Spec

CELERY = (sys.executable, "-m", "celery", "-A", "mia_site")


def processes_plan(
    *,
    base_dir: Path,
    data_dir: Path,
    listener: int,
    environment: dict[str, str],
    extra: Sequence[ExtraProcess],
) -> list[Spec]:
    """Web, worker, beat and what apps registered; `listener` is the file descriptor of the open port."""
    metrics = metrics_dir_clean(data_dir)
    common = {"PYTHONUNBUFFERED": "1", **environment}
    measured = {**common, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    gunicorn = (sys.executable, "-m", "gunicorn", "-c", str(base_dir / "mia_site" / "gunicorn_conf.py"))
    worker = ("worker", "--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle")
    beat = ("beat", "--schedule", str(data_dir / "run" / "beat-schedule"), "--pidfile", "")
    return [
        Spec(
            "web",
            (*gunicorn, "--bind", f"fd://{listener}", "mia_site.wsgi:application"),
            measured,
            (listener,),
        ),
        Spec("worker", (*CELERY, *worker), measured),
        Spec("beat", (*CELERY, *beat), common),
        *(Spec(item.name, (sys.executable, str(base_dir / "manage.py"), *item.arguments), common) for item in extra),
    ]


def metrics_dir_clean(data_dir: Path) -> Path:
    """``metrics/``, without the files of an earlier run: their counters would be added to the new ones."""
    directory = data_dir / "metrics"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in directory.glob("*.db"):
        left_over.unlink()
    return directory
