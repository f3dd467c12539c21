"""Texts from outside (names of files, of layers) as they can be shown on one line, in a page or in XML."""

__all__ = ["printable"]


def printable(text: str) -> str:
    """The text with ``U+FFFD`` for each character that moves a cursor, hides, or has no place in UTF-8.

    These are the control characters (with newlines and tabs), the halves of surrogate pairs that stand for
    bytes of a name that is not UTF-8, the marks that turn the direction of writing, and what XML 1.0 refuses.
    """
    return "".join("\ufffd" if _is_hidden(ord(character)) else character for character in text)


def _is_hidden(code: int) -> bool:
    return (code < 0x20 or 0x7F <= code < 0xA0                       # control characters
            or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE    # no characters at all
            or code in (0x061C, 0x200E, 0x200F) or 0x2028 <= code < 0x202F or 0x2066 <= code < 0x206A)
