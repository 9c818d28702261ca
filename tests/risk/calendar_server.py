"""A calendar's web server on loopback that answers as a test tells it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


@dataclass
class Answer:
    """`stated` is the length that the server states where it is not the body's; None states none."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stated: int | None = -1
    silent: threading.Event | None = None
    """Nothing is answered until it is set."""
    endless: bool = False


@dataclass
class CalendarServer:
    """`answers` are given one after the other, the last one for ever."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(told: CalendarServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            answer = told.answer()
            if answer.silent is not None:
                answer.silent.wait(30)
                return
            self.send_response(answer.status)
            stated = len(answer.body) if answer.stated == -1 else answer.stated
            if stated is not None:
                self.send_header("Content-Length", str(stated))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            write: Callable[[bytes], object] = self.wfile.write
            try:
                write(answer.body)
                while answer.endless:
                    write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            except OSError:
                self.close_connection = True  # whoever asked has heard enough

        def log_message(self, *args: object) -> None:
            """Keeps the test's output clean."""

    return Handler


@contextmanager
def calendar_server() -> Iterator[CalendarServer]:
    told = CalendarServer()
    server = ThreadingHTTPServer((HOST, 0), _handler(told))
    server.daemon_threads = True
    told.url = f"http://{HOST}:{server.server_port}/week.csv"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
