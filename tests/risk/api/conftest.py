"""A bot with a token, and what the desk answers it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client as Web

from risk.accounts import client_issue
from tests.risk.accounts import CODE, MANAGER, account_under

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is the decoded JSON, or the bytes of a file."""

    status: int
    body: Any
    kind: str
    headers: dict[str, str]

    @property
    def problem(self) -> tuple[int, str]:
        """Status and code of an error, which is problem details or the test fails."""
        assert self.kind == PROBLEM, (self.status, self.body)
        assert self.body["status"] == self.status and self.body["title"] and self.body["detail"]
        return self.status, self.body["code"]

    @property
    def error(self) -> dict[str, Any]:
        """The one field that was wrong, of a 400."""
        assert self.problem == (400, "invalid_request")
        (error,) = self.body["errors"]
        return dict(error)


class Bot:
    """Speaks to the API with one token, or with none."""

    def __init__(self, token: str | None, scheme: str = "Token") -> None:
        self._web = Web(headers={} if token is None else {"authorization": f"{scheme} {token}"})

    def get(self, path: str, **query: Any) -> Answer:
        return self._answer(self._web.get(f"/api/v1/{path}", query))

    def text(self, path: str, **query: Any) -> str:
        """What a GET answers with, as it is; fails unless it is there."""
        response: Any = self._web.get(f"/api/v1/{path}", query)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == 200, content
        return bytes(content).decode()

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """`body`: plain values, or bytes as they are. `idempotency_key="…"` is a header."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._answer(self._web.post(f"/api/v1/{path}", data, "application/json", headers=headers))

    def send(self, method: str, path: str, **headers: str) -> Answer:
        return self._answer(self._web.generic(method, f"/api/v1/{path}", headers=headers))

    @staticmethod
    def _answer(response: Any) -> Answer:
        content = b"".join(response.streaming_content) if response.streaming else response.content
        kind = response["Content-Type"]
        body = json.loads(content) if content and kind.endswith("json") and not kind.endswith("ndjson") else content
        return Answer(response.status_code, body or None, kind, dict(response.items()))


@pytest.fixture
def token(db: None) -> str:
    """A token for ES-MAIN, an account of 50,000 under a limit of 5 %."""
    account_under()
    return client_issue("mia-es", account=CODE, actor=MANAGER).token


@pytest.fixture
def bot(token: str) -> Bot:
    return Bot(token)
