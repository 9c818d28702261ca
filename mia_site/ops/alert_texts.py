"""What an alert says, in the reader's language: apps register sentences, rows hold code and numbers only."""

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext

from mia_site.ops.sentences import sentence_told

TOLD = ("reason", "scope", "state")
"""Parameters that are a sentence or a word of the desk itself."""
_texts: dict[str, str] = {}


def alert_texts_register(texts: Mapping[str, str]) -> None:
    """Adds `{code: gettext_noop("Drawdown %(drawdown)s on %(account)s …")}`; called from `AppConfig.ready`.

    `%(account)s` is the alert's account unless the parameters name one. Raises `ValueError` if a code has
    another sentence already.
    """
    for code, text in texts.items():
        if _texts.setdefault(code, text) != text:
            raise ValueError(f"alert {code!r} has a text already")


def alert_codes() -> dict[str, str]:
    """Every registered code with its English sentence; for documentation and its test."""
    return dict(sorted(_texts.items()))


def text_render(code: str, params: Mapping[str, str | int], *, account: str = "", language: str = "en") -> str:
    """The sentence of `code` with its parameters, or, lacking a fitting one, code and parameters."""
    text = _texts.get(code)
    if text is None:
        return _plain(code, params, account)
    with translation.override(language):
        translated = gettext(text)
        told = {name: sentence_told(str(params[name])) for name in TOLD if name in params}
    try:
        return translated % {"account": account, **params, **told}
    except (KeyError, TypeError, ValueError):  # a sentence that does not fit its numbers must not hide them
        return _plain(code, params, account)


def _plain(code: str, params: Mapping[str, str | int], account: str) -> str:
    shown = {**({"account": account} if account else {}), **params}
    return f"{code}: " + ", ".join(f"{name}={value}" for name, value in shown.items()) if shown else code
