"""Bodies of the API: decoded and checked in one step, every size bounded."""

import contextlib
import re
from typing import Any, TypeVar

import msgspec
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from mia_site.ops.expected import expected_words

Body = TypeVar("Body")
MEGABYTE = 1024 * 1024
_PATH = re.compile(r" - at (?P<key>`key` in )?`\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"^(?P<field>[a-z_0-9.\[\]]+): (?P<rest>.+)$")
_STEP = re.compile(r"[^.\[\]]+")
_INDEX = re.compile(r"[0-9]{1,9}")
_NAMED = re.compile(r"`(?P<name>[^`]+)`")
_GOT = re.compile(r", got `(?P<kind>\w+)`$")
_KINDS: dict[str, type] = {"str": str, "null": type(None), "bool": bool, "object": dict, "array": list}
_ANY = "[...]"
"""How msgspec writes "some value of a mapping"."""
_OPAQUE = {
    "Invalid RFC3339 encoded datetime": "a time with its zone, such as 2026-05-13T14:30:00Z",
    "Invalid decimal string": "a number",
    "Number out of range": "a number that is not out of range",
}
"""What says only that something is wrong -> what would be right."""


class BodyError(ValueError):
    """The body cannot be taken: `field` (dotted path, "" for the whole body), its value, what was expected there."""

    def __init__(self, field: str, expected: str, value: object = None) -> None:
        super().__init__(f"{field or 'body'}: {expected}")
        self.field = field
        self.expected = expected
        self.value = value


def body_read(request: Request, *, limit: int = MEGABYTE) -> bytes:
    """The raw body, whole and at most `limit` bytes. Raises `BodyTooLarge`, and `BodyError` for one that was cut off:
    the first rows of many would be taken for all of them."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    expected = int(declared) if declared.isdecimal() else 0
    if expected > limit:
        raise BodyTooLarge(limit)
    try:
        body: bytes = body_source(request).read(limit + 1)
    except OSError as error:  # the connection broke, or chunks that are none
        raise BodyError("", "a body that does not break off") from error
    if len(body) > limit:
        raise BodyTooLarge(limit)
    if len(body) < expected:
        raise BodyError("", f"{expected} bytes, of which {len(body)} came")
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
        raise _body_error(str(error), type_, _plain(body)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError("", f"JSON ({error})") from error


def _body_error(message: str, type_: Any, plain: object) -> BodyError:
    """Field, expectation and value out of msgspec's sentence (or out of ours, which begins with the field)."""
    match = _PATH.search(message)
    path, text = (match["path"], message[: match.start()]) if match else ("", message)
    if path.endswith(_ANY) and (got := _GOT.search(text)):
        path = _path_named(plain, path.removesuffix(_ANY), _KINDS.get(got["kind"], object))
    field, expected = _read(path, text)
    if "regex" in text or "enum" in text:
        expected = expected_words(type_, path, key=bool(match and match["key"])) or expected
    if match and match["key"]:
        expected = f"names, each {expected}"
    return BodyError(field, _OPAQUE.get(expected, expected), _scalar_at(plain, field))


def _read(path: str, text: str) -> tuple[str, str]:
    """Field and expectation; a sentence of ours names the field below `path`, msgspec's a missing or unknown one."""
    ours = _FIELD.match(text)
    if ours:
        path, text = ".".join(filter(None, (path, ours["field"]))), ours["rest"]
    elif "unknown field" in text or "required field" in text:
        name = _NAMED.search(text)
        path = ".".join(part for part in (path, name["name"] if name else "") if part)
        text = "no such field" if "unknown" in text else "this field, which is missing"
    return path, text.removeprefix("Expected ").removeprefix("expected ").replace("`", "")


def _plain(body: bytes) -> object:
    """The body without its type; None where what follows the first fault is no JSON."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body)
    return None


def _path_named(plain: object, path: str, kind: type) -> str:
    """The path of the first value of that kind in the mapping at `path`."""
    found = _at(plain, path)
    names = [name for name, value in found.items() if isinstance(value, kind)] if isinstance(found, dict) else []
    return f"{path}.{names[0]}" if names else f"{path}{_ANY}"


def _scalar_at(plain: object, path: str) -> object:
    value = _at(plain, path)
    return value if isinstance(value, str | int | float | bool) else None


def _at(value: Any, path: str) -> object:
    """What stands at `path`; None where nothing does."""
    for name in _STEP.findall(path):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


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
