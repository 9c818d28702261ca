"""English sentences for every reason code, as data that can be translated.

A template holds `%(name)s` fields of the evidence. The Django side translates the same template with gettext and
fills in the same evidence; this room only ever speaks English.
"""


def gettext_noop(message: str) -> str:
    """Mark a template for xgettext and return it unchanged."""
    return message
