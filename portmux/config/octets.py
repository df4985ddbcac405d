"""How byte strings are written: as text with escapes, or in hexadecimal."""

from __future__ import annotations

import re

from portmux.config.faults import quoted

OCTETS = r'text with escapes like \0e, or {hex: "000e"}'
HEX = 'text of pairs of 0-9 and a-f such as "000e"'

_ESCAPE = re.compile(rb"\\([0-9a-fA-F]{2})")

_MISREAD = re.compile("[\0\a\b\x1b\f][0-9a-fA-F]")
r"""What C{"\0e"} is where C{\0}, C{\a}, C{\b}, C{\e} and C{\f} mean one character."""


def from_text(text: str) -> bytes:
    """
    Text is UTF-8; a backslash and two hexadecimal digits are one octet.

    Any other backslash stands for itself.

    @raise ValueError: half of a surrogate pair.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{quoted(text)} is not UTF-8, {OCTETS} is allowed") from None
    return unescape(raw)


def unescape(raw: bytes) -> bytes:
    """@return: with each backslash and two hexadecimal digits as one octet."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw)


def from_double_quotes(text: str) -> bytes:
    r"""
    Text whose escapes the syntax of the file has replaced before.

    @raise ValueError: it may have been meant otherwise: C{"\x80"} is a
        character of two octets here, and C{"\0e"} a NUL before an C{e}.
    """
    if strange := next((character for character in text if character >= "\x80"), None):
        raise ValueError(
            f"{strange!a} in double quotes may mean one octet or its UTF-8, "
            'single quotes or {hex: "..."} is allowed'
        )
    if _MISREAD.search(text):
        raise ValueError(
            f"the escape in double quotes in {quoted(text)} took one digit only, "
            'single quotes or {hex: "..."} is allowed'
        )
    return from_text(text)


def from_hex(text: str) -> bytes:
    """Read C{000e38}; blanks may stand between octets."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(
            f"{quoted(text)} is not hexadecimal, pairs of 0-9 and a-f are allowed"
        ) from None


def show(octets: bytes) -> str:
    """@return: visible ASCII that L{from_text} reads as these octets."""
    return "".join(
        chr(octet) if 0x20 <= octet < 0x7F and octet != 0x5C else f"\\{octet:02x}"
        for octet in octets
    )
