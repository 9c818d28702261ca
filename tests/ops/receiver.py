"""A small HTTP server on loopback that answers as a test tells it and remembers what it got."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are status codes, one after the other, the last one for ever; 302 leads to `/elsewhere`.

    `reply` makes the answer's body out of the request's.
    """

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    delay_seconds: float = 0.0
    received: list[Received] = field(default_factory=list)
    reply: Callable[[bytes], bytes] = lambda body: b""

    def next_answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append(Received(self.path, dict(self.headers.items()), body))
            time.sleep(told.delay_seconds)
            status = told.next_answer()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{told.url}/elsewhere")
            self.end_headers()
            if reply := told.reply(body):
                self.wfile.write(reply)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
