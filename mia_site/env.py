"""Typed readers of environment variables: a wrong value stops the start with a sentence, never a default."""

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "") or default


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; expected 1 or 0")


def integer(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """A whole number within its bounds, each included."""
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}; expected a whole number") from error
    if number < least or (most is not None and number > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ImproperlyConfigured(f"{name} is {number}; expected {bounds}")
    return number


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    """One of `choices`."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; expected one of {', '.join(choices)}")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret_file(path: Path, length: int = 50) -> str:
    """The secret in `path`; made on first use, readable by its owner only.

    Two processes that start at once agree, since the file appears whole and only once (link fails if it exists).
    """
    try:
        secret = _secret(path, length)
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be used: {error.strerror}") from error
    if not secret:
        raise ImproperlyConfigured(f"{path} is empty; restore it, or delete it to have a new secret made")
    return secret


def _secret(path: Path, length: int) -> str:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(length))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first; its secret counts
                os.link(draft, path)
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)  # a copy or a backup tool may have opened it to others
    return path.read_text(encoding="ascii").strip()


def mail(name: str) -> dict[str, str | int | bool]:
    """Django's EMAIL_* from ``smtp://user:password@host:port?tls=1`` (``smtps://`` or ``?ssl=1`` for ssl)."""
    refused = ImproperlyConfigured(f"{name} is not of the form smtp://user:password@host:port?tls=1")
    try:
        url = urlsplit(text(name, "smtp://localhost:25"))
        port = url.port
    except ValueError:  # its own words may hold a part of the password
        raise refused from None
    options = {key: values[-1] for key, values in parse_qs(url.query).items()}
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or options.keys() - {"tls", "ssl"}:
        raise refused
    ssl = url.scheme == "smtps" or options.get("ssl") == "1"
    tls = options.get("tls") == "1"
    if ssl and tls:
        raise ImproperlyConfigured(f"{name} asks for both tls and ssl; choose one")
    return {
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": port or (465 if ssl else 587 if tls else 25),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_TLS": tls,
        "EMAIL_USE_SSL": ssl,
        "EMAIL_TIMEOUT": 10,
    }
