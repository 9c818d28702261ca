"""The desk's HTTP API as a bot uses it; the standard library is enough."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT = 10.0


class DeskTrouble(OSError):
    """No answer, or one that is none: for a bot the same as "no"."""


@dataclass(frozen=True, slots=True)
class DeskClient:
    """One bot's way to the desk. `headers` go with every request."""

    url: str
    token: str
    headers: dict[str, str]

    def get(self, path: str) -> dict[str, Any]:
        """The answer of ``GET /api/v1/PATH``. Raises `DeskTrouble`."""
        return self._call(path, None, {})

    def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        """The answer of ``POST /api/v1/PATH``. Raises `DeskTrouble` for anything but a success."""
        return self._call(path, json.dumps(body).encode(), headers)

    def _call(self, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address is the desk's own
            f"{self.url}/api/v1/{path}",
            data=body,
            headers={
                "Authorization": f"Token {self.token}",
                "Content-Type": "application/json",
                **self.headers,
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                answer: dict[str, Any] = json.loads(response.read())
                return answer
        except urllib.error.HTTPError as error:
            with error:
                text = error.read(500).decode(errors="replace")
            raise DeskTrouble(f"{path}: {error.code} {text}") from error
        except (OSError, ValueError) as error:
            raise DeskTrouble(f"{path}: {type(error).__name__}: {error}") from error
