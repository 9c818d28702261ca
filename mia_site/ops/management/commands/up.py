"""`manage.py up`: everything a desk needs, in one terminal."""

import os
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.translation import gettext as _

from mia_site import env
from mia_site.ops import registry
from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.first_admin import NAME, first_admin_create
from mia_site.ops.logs import log_to_file
from mia_site.ops.starting import data_dir_prepare, schema_prepare
from mia_site.ops.supervisor.console import Console
from mia_site.ops.supervisor.lock import Refused, data_dir_lock, listener_open
from mia_site.ops.supervisor.logfile import RotatingLog
from mia_site.ops.supervisor.plan import processes_plan
from mia_site.ops.supervisor.redis_server import server_prepare
from mia_site.ops.supervisor.supervisor import Supervisor, stop_signals
from mia_site.ops.supervisor.texts import PROCESS_DIED
from mia_site.ops.supervisor.watch import Watch


class Command(BaseCommand):
    """Prepares the data directory and the database, then runs the processes until Ctrl-C."""

    help = "Starts the desk and keeps it running until Ctrl-C: database, web, worker, beat, broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with a synthetic account and a live synthetic feed")
        parser.add_argument("--port", type=_port, default=8000, help="of the web server (8000)")
        parser.add_argument("--data-dir", metavar="DIR", help="where all data are (var/); every command has it")

    def handle(self, *args: Any, **options: Any) -> None:
        data_dir = Path(settings.DATA_DIR)
        try:
            data_dir_prepare(data_dir)
            with data_dir_lock(data_dir), _stop_signals_interrupt():
                Desk(data_dir, env.text("MIA_BIND", "127.0.0.1"), options["port"], demo=options["demo"]).run()
        except Refused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(_("Stopped before the desk was ready."), returncode=130) from None


def _port(text: str) -> int:
    """A port that bots can be told: 0 would be another one, and the system takes a larger number modulo 65536."""
    port = int(text)
    if not 1 <= port <= 65535:
        raise ArgumentTypeError(_("%(port)d is no port; expected 1 to 65535") % {"port": port})
    return port


@contextmanager
def _stop_signals_interrupt() -> Iterator[None]:
    """Before the supervisor takes over, each stop signal ends the preparation as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Desk:
    """One run on one data directory, which the caller has locked."""

    def __init__(self, data_dir: Path, host: str, port: int, *, demo: bool) -> None:
        self._data_dir = data_dir
        self._host = host
        self._port = port
        self._demo = demo
        self._console = Console(log=RotatingLog(data_dir / "log" / "up.log"))
        self._password: str | None = None
        self._lines: list[str] = []

    @property
    def url(self) -> str:
        """Where this machine reaches the site."""
        host = self._local_host()
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    def run(self) -> None:
        """Returns when everything has ended after a stop signal. Raises `Refused`."""
        listener = listener_open(self._host, self._port)
        try:
            log_to_file(self._data_dir / "log" / "supervisor.log")
            schema_prepare(self._console, self._data_dir)
            self._steps()
            connections.close_all()
            self._supervise(listener.fileno())
        finally:
            listener.close()
            self._show_password()
            self._console.close()

    def _steps(self) -> None:
        """Steps of the apps, each idempotent; the demo's know the site's address as `MIA_URL`."""
        os.environ["MIA_URL"] = self.url
        for step, line in registry.bootstrap_run():
            self._console.event(step, line)
        self._password = first_admin_create()
        if self._demo:
            self._lines = [line for _step, line in registry.demo_run()]

    def _supervise(self, listener: int) -> None:
        environment: dict[str, str] = {}
        specs = []
        if not os.environ.get("REDIS_URL"):
            server = server_prepare(self._data_dir)
            specs.append(server.spec)
            environment["REDIS_URL"] = server.url
        known = get_commands()
        extra = [item for item in registry.processes(demo=self._demo) if item.arguments[0] in known]
        specs += processes_plan(
            base_dir=Path(settings.BASE_DIR),
            data_dir=self._data_dir,
            listener=listener,
            environment=environment,
            extra=extra,
        )
        watch = Watch(
            self._console,
            host=self._local_host(),
            port=self._port,
            host_header=_host_header(self._port),
            ready=self._banner,
        )
        supervisor = Supervisor(
            specs,
            self._console,
            log_dir=self._data_dir / "log",
            cwd=Path(settings.BASE_DIR),
            died=_alert_died,
        )
        watch.start()
        supervisor.run()
        watch.stop()
        watch.join(timeout=1.0)
        self._console.event("desk", "stopped", good=True)

    def _local_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound

    def _banner(self) -> None:
        console = self._console
        console.event("desk", "ready", self.url, good=True)
        console.line("")
        console.line(f"  {console.bold('MIA Risk Desk')}   {self.url}/admin/")
        self._show_password()
        data, ending = _("data"), _("Ctrl-C stops everything.")
        console.line(f"  {data:<15} {self._data_dir}")
        for line in self._lines:
            console.line(f"  {line}")
        console.line(f"  {ending}")
        console.line("")

    def _show_password(self) -> None:
        """Once, on the terminal alone; also when the start failed after the account was made."""
        if self._password is None:
            return
        password, self._password = self._password, None
        label, note = _("first login"), _("(shown this once; change it after you logged in)")
        self._console.line(f"  {label:<15} {NAME} / {password}   {note}")


def _alert_died(process: str, how: str, _starts: int) -> None:
    alert_raise_outside(
        PROCESS_DIED, priority=3, params={"process": process, "how": how}, dedup_key=f"process:{process}"
    )


def _host_header(port: int) -> str:
    """A name that the site accepts, for asking it from this machine."""
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    return f"{'127.0.0.1' if first == '*' else first.lstrip('.')}:{port}"
