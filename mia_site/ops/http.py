"""Bodies of the API: decoded and checked in one step, every size bounded."""

import re
from typing import Any, TypeVar

import msgspec
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

Body = TypeVar("Body")
MEGABYTE = 1024 * 1024
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"^(?P<field>[a-z_0-9.\[\]]+): (?P<rest>.+)$")
_NAMED = re.compile(r"`(?P<name>[^`]+)`")


class BodyError(ValueError):
    """The body cannot be taken: `field` (dotted path, "" for the whole body) and what was expected there."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field or 'body'}: {expected}")
        self.field = field
        self.expected = expected


def body_read(request: Request, *, limit: int = MEGABYTE) -> bytes:
    """The raw body, at most `limit` bytes; raises `BodyTooLarge`."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit)
    body: bytes = request._request.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


class BodyTooLarge(BodyError):
    """More bytes than this address takes."""

    def __init__(self, limit: int) -> None:
        super().__init__("", f"at most {limit} bytes")
        self.limit = limit


def body_decode(body: bytes, type_: type[Body]) -> Body:
    """`body` (JSON) as `type_`; numbers become Decimal from their digits. Raises `BodyError`."""
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        raise _from_message(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError("", f"JSON ({error})") from error


def _from_message(message: str) -> BodyError:
    match = _PATH.search(message)
    path = match["path"] if match else ""
    text = message[: match.start()] if match else message
    ours = _FIELD.match(text)
    if ours:
        path, text = f"{path}.{ours['field']}" if path else ours["field"], ours["rest"]
    elif "unknown field" in text or "required field" in text:
        name = _NAMED.search(text)
        if name:
            path = f"{path}.{name['name']}" if path else name["name"]
    return BodyError(path.removeprefix("."), text.removeprefix("Expected ").removeprefix("expected "))


def body_encode(value: Any) -> bytes:
    """JSON bytes of plain values and structs: times in RFC 3339 (UTC as Z), decimals as text."""
    return msgspec.json.encode(value)


class JsonRenderer(BaseRenderer):
    """What the API answers with."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else body_encode(data)
