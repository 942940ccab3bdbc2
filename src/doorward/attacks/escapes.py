"""Escapes of one character each: percent encoding, HTML character references, backslash escapes, UTF-7.

Each function decodes what it finds in one pass and leaves the rest as it is, also what is malformed. None makes a text
longer, and none raises. A text in which there is nothing to decode comes back as the same object.
"""

from __future__ import annotations

import binascii
import re
from html.entities import html5

# Patterns begin with a sign that is no repeat: only then is it looked for as fast as a text is.
_PERCENT_RUN = re.compile(r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*+")
_PERCENT_WIDE = re.compile(r"%[uU]([0-9A-Fa-f]{4})")
PERCENT = re.compile(r"%(?:[0-9A-Fa-f]{2}|[uU][0-9A-Fa-f]{4})")

_REFERENCE = re.compile(
    r"&(?:#0*+([0-9]{1,7});?|#[xX]0*+([0-9A-Fa-f]{1,6});?|([A-Za-z][A-Za-z0-9]{1,30});|(lt|gt|amp|quot|LT|GT|AMP|QUOT)(?!=))"
)
_LAST_CODE = 0x10FFFF

_BACKSLASHES = r"\\\\{0,3}+"  # more than one where a text in a string was put into a string
_ESCAPE = re.compile(
    _BACKSLASHES + r"(?:u([0-9A-Fa-f]{4})|u\{0{0,8}+([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|U([0-9A-Fa-f]{8})"
    r"|0{2,4}([2-7][0-9A-Fa-f])\s?|0?([2-7][A-Fa-f])\s?|([0-3][0-7]{2}|[1-7][0-7]))"
)
_OCTAL = 7  # the group
_SPACE = 0x20
_HEADER_LINE = re.compile(r"\\r\\n(?=[A-Za-z][A-Za-z0-9-]{0,40}:)")
"""What a logger, a template or a shell makes a line of a head of (CWE-113)."""
_SIMPLE_ESCAPES = (("\\'", "'"), ('\\"', '"'), ("\\/", "/"), ("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"))

_UTF7 = re.compile(r"\+(A[A-H][A-Za-z0-9/]{1,62})-")

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_LATIN_1 = {0xDC00 + code: code for code in range(0x80, 0x100)}


def readable(text: str) -> str:
    """Bytes that were not UTF-8 as characters of Latin-1, where ``surrogateescape`` (PEP 383) kept them."""
    return text if text.isascii() or not _NOT_UTF8.search(text) else text.translate(_LATIN_1)


def percent(text: str) -> str:
    """Undo one layer of percent encoding (RFC 3986 section 2.1), and ``%uXXXX`` as IIS understands it.

    Bytes that are not UTF-8 become characters of Latin-1.
    """
    if "%" not in text:
        return text
    if "%u" in text or "%U" in text:
        text = _PERCENT_WIDE.sub(_hex_character, text)
    return readable(_PERCENT_RUN.sub(_percent_run, text))


def entities(text: str) -> str:
    """Resolve HTML character references (HTML section 13.2.5.72 and on).

    Numeric ones with or without a semicolon; without one only the names that markup needs: browsers know more, but they
    are also names of parameters (``&copy=``).
    """
    return _REFERENCE.sub(_reference, text) if "&" in text else text


def backslashes(text: str) -> str:
    r"""Undo escapes of JavaScript, JSON, C and CSS: ``\u003c``, ``\u{3c}``, ``\x3c``, ``\74``, ``\00003c``.

    Those that only quote (``\'``, ``\n``) are undone only where there is one that hides: paths and patterns are full of
    backslashes.
    """
    if "\\" not in text:
        return text
    decoded = _ESCAPE.sub(_escape, text)
    if decoded == text and _HEADER_LINE.search(text) is None:
        return text
    for escape, character in _SIMPLE_ESCAPES:
        decoded = decoded.replace(escape, character)
    return decoded


def utf7(text: str) -> str:
    """Decode the parts that are UTF-7 for ASCII (RFC 2152): ``+ADw-``."""
    return _UTF7.sub(_utf7, text) if "+A" in text else text


def hides(text: str) -> bool:
    """Whether any of the functions here finds something to decode. For texts of any length, and many joined."""
    return (
        ("%" in text and PERCENT.search(text) is not None)
        or ("&" in text and _REFERENCE.search(text) is not None)
        or ("\\" in text and (_ESCAPE.search(text) is not None or _HEADER_LINE.search(text) is not None))
        or ("+A" in text and _UTF7.search(text) is not None)
    )


def _hex_character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _percent_run(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogateescape")


def _reference(found: re.Match[str]) -> str:
    decimal, hexadecimal, name, bare = found.groups()
    if bare:
        return html5[bare]
    if name:
        return html5.get(name + ";", found[0])
    return _character(int(decimal) if decimal else int(hexadecimal, 16), found[0])


def _escape(found: re.Match[str]) -> str:
    group = found.lastindex or 0
    code = int(found[group], 8 if group == _OCTAL else 16)
    # Patterns and documentation name control characters so; attacks send them raw or percent-encoded.
    return found[0] if code < _SPACE and chr(code) not in "\t\n\r" else _character(code, found[0])


def _character(code: int, otherwise: str) -> str:
    return chr(code) if code <= _LAST_CODE else otherwise


def _utf7(found: re.Match[str]) -> str:
    digits = found[1]
    data = binascii.a2b_base64(digits + "A" * (-len(digits) % 4))
    units = len(digits) * 6 // 16
    decoded = data[: 2 * units].decode("utf-16-be", "replace")
    return decoded if decoded.isascii() else found[0]
