"""Bodies of the API: decoded and checked in one step, every size bounded."""

import contextlib
import re
from typing import Any, TypeVar

import msgspec
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

Body = TypeVar("Body")
MEGABYTE = 1024 * 1024
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"^(?P<field>[a-z_0-9.\[\]]+): (?P<rest>.+)$")
_STEP = re.compile(r"[^.\[\]]+")
_INDEX = re.compile(r"[0-9]{1,9}")
_NAMED = re.compile(r"`(?P<name>[^`]+)`")


class BodyError(ValueError):
    """The body cannot be taken: `field` (dotted path, "" for the whole body), its value, what was expected there."""

    def __init__(self, field: str, expected: str, value: object = None) -> None:
        super().__init__(f"{field or 'body'}: {expected}")
        self.field = field
        self.expected = expected
        self.value = value


def body_read(request: Request, *, limit: int = MEGABYTE) -> bytes:
    """The raw body, at most `limit` bytes; raises `BodyTooLarge`."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLarge(limit)
    body: bytes = body_source(request).read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def body_source(request: Request) -> Any:
    """What the body is read from (`read(size)`).

    Django takes a body without Content-Length for an empty one. A chunked body ends by itself where the server says so
    (`wsgi.input_terminated`), and is then read from the server.
    """
    chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    if chunked and request.META.get("wsgi.input_terminated"):
        return request.META["wsgi.input"]
    return request._request


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
        field, expected = _read_message(str(error))
        raise BodyError(field, expected, _value_at(body, field)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError("", f"JSON ({error})") from error


def body_convert(plain: object, type_: type[Body]) -> Body:
    """Plain Python values as `type_`, for callers without JSON. Raises `BodyError`."""
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        field, expected = _read_message(str(error))
        raise BodyError(field, expected, _scalar_at(plain, field)) from error


def _read_message(message: str) -> tuple[str, str]:
    """Field and expectation out of msgspec's sentence (or out of ours, which begins with the field)."""
    match = _PATH.search(message)
    path = match["path"] if match else ""
    text = message[: match.start()] if match else message
    ours = _FIELD.match(text)
    if ours:
        if not path.endswith(ours["field"]):
            path = f"{path}.{ours['field']}" if path else ours["field"]
        text = ours["rest"]
    elif "unknown field" in text or "required field" in text:
        name = _NAMED.search(text)
        path = ".".join(part for part in (path, name["name"] if name else "") if part)
        text = "no such field" if "unknown" in text else "this field, which is missing"
    return path, text.removeprefix("Expected ").removeprefix("expected ").replace("`", "")


def _value_at(body: bytes, path: str) -> object:
    """What stands at `path` in the body; None where nothing does, or where what follows the first fault is no JSON."""
    value: Any = None
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = msgspec.json.decode(body)
    return _scalar_at(value, path)


def _scalar_at(value: Any, path: str) -> object:
    for name in _STEP.findall(path):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value if isinstance(value, str | int | float | bool) else None


def body_encode(value: Any) -> bytes:
    """JSON bytes of plain values and structs: times in RFC 3339 (UTC as Z), decimals as text."""
    return msgspec.json.encode(value)


class JsonRenderer(BaseRenderer):
    """What the API answers with."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else body_encode(data)
