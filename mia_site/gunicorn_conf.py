"""The web server: two processes with four threads each, requests finished before an end, none older than its master.

The supervisor gives the listening socket (`--bind fd://N`), so a restart refuses nobody.
"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from prometheus_client import multiprocess

from mia_site.ops.supervisor.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")
# Threads are few: requests that wait for one locked account must not keep all the others waiting for a thread.
os.environ.setdefault("MIA_DATABASE_WAIT", "5")
logconfig_dict = settings.LOGGING

worker_class = "gthread"
preload_app = True  # loaded once; a worker that died is replaced in milliseconds
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
timeout = 30
graceful_timeout = 3  # kept-alive connections get 2 s; the rest of the supervisor's 5 s is for the end itself
keepalive = 30  # bots ask often; a new connection costs more than the gate
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - heartbeat files, not data
control_socket_disable = True
limit_request_line = 8190
limit_request_fields = 100


def post_fork(server: Any, _worker: Any) -> None:
    """A worker ends with its master, however that ends."""
    die_with_parent(server.pid)


def child_exit(_server: Any, worker: Any) -> None:
    """Its live gauges end with it; its counters stay, since what was counted was counted."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
