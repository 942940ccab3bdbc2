"""Values that are Base64, or hexadecimal digits, of text.

Tokens, digests and identifiers look the same; what tells is whether the bytes are text. Random bytes seldom are.
"""

from __future__ import annotations

import binascii
import re
import zlib

from doorward.attacks.escapes import readable

_DIGIT = "[A-Za-z0-9+/_-]"
_PREFIX = r"[A-Za-z][A-Za-z0-9_.-]{0,11}:"
"""Of a version or a scheme, as in ``v1:…``; what follows has to be longer than without one."""
_WRAPPED = re.compile(
    rf"\s*+(?:data:[^,\s]{{0,100}};\s?base64,\s?|(?:[Bb]asic|[Bb]earer)\s{{1,2}})?({_DIGIT}{{6,}}+)={{0,2}}\s*+"
    rf"|{_PREFIX}({_DIGIT}{{12,}}+)={{0,2}}\s*+",
    re.ASCII,
)
_DATA_URL = re.compile(rf";\s?base64,\s?({_DIGIT}{{6,}}+)", re.ASCII)
_JWT = re.compile(r"(?:[Bb]earer )?(eyJ[A-Za-z0-9_-]{4,}+)\.(eyJ[A-Za-z0-9_-]{4,}+)\.")
_LINES = re.compile(rf"(?:{_DIGIT}{{16,}}+\r?\n)++{_DIGIT}*+={{0,2}}\s*+")
_HEX = re.compile(r"0[xX]([0-9A-Fa-f]{8,}+)|([0-9A-Fa-f]{12,}+)")
_STANDARD = str.maketrans("-_", "+/")
_PRINTABLE = bytes([9, 10, 13, *range(0x20, 0x7F)])
_LETTERS_AND_DIGITS = bytes([*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)])

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

SHORTEST = 6
"""Characters of the shortest value that may be Base64 of something."""
_DEFLATED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""What data in gzip and zlib begin with (RFC 1952 section 2.3.1, RFC 1950 section 2.2)."""
_GZIP_OR_ZLIB = 47
MOST_INFLATED = 8_192
INFLATED = 2
"""What is inflated is no longer than that, nor than so many times the digits: work stays proportional."""

_LONG = 24
"""Digits; and bytes of text of which some may be strange."""
_STRANGE_SHARE = 8
_LONGEST_WORD = 16
"""Bytes; what is longer may be Base64 again."""

# Four digits are three bytes; of ASCII each has its highest bit 0, which tells of three digits. For random digits that
# holds once in eight, for words seldom.
_THREE = "[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]"
_CANDIDATE = re.compile(
    rf"\s*+(?:(?:[Bb]asic|[Bb]earer)\s{{1,2}})?"
    rf"(?:{_THREE}{_DIGIT}(?:(?:{_THREE}{_DIGIT}){{1,5}}+{_DIGIT}{{0,3}}|{_DIGIT}{{2,3}})={{0,2}}\s*+\Z"
    rf"|{_DIGIT}{{{_LONG}}}|{_DIGIT}{{16,}}+\r?\n|{_PREFIX}(?:{_THREE}{_DIGIT}){{3}}|(?:{_THREE}[A-Za-z0-9+/_ -]){{5}}"
    r"|eyJ|H4sI|e[JANF]|0[xX][0-9A-Fa-f]{8}|(?:[0-7][0-9A-Fa-f]){6,11}+\s*+\Z)",
    re.ASCII,
)
_WITH_SPACES = re.compile(rf"(?:{_THREE}[A-Za-z0-9+/_ -]){{5,}}+{_DIGIT}{{0,3}}={{0,2}}")


def may_be_wrapped(text: str) -> bool:
    """Whether a value may be Base64 or hexadecimal digits of text: what shows without decoding it."""
    return _CANDIDATE.match(text) is not None or "base64," in text


def unwrapped(text: str) -> tuple[str, str] | None:
    """The text that a value wraps, and how (``"base64"``, ``"hex"``).

    The whole value has to be Base64, or what follows ``data:…;base64,`` or ``Basic``; with any alphabet and padding
    (RFC 4648 sections 4 and 5), line breaks, and spaces for the ``+`` that a form's decoding made of them. Of JSON Web
    Tokens it is header and claims. Data of gzip or zlib are inflated, their beginning at least.
    """
    digits = _digits(text)
    if digits is not None:
        found = _hex(digits) or _base64(digits)
        if found is not None:
            return found
    if "base64," in text:
        parts = [decoded for found in _DATA_URL.findall(text) if (decoded := _text_of(found)) is not None]
        if parts:
            return " ".join(parts), "base64"
    if "eyJ" in text[:12] and (token := _JWT.match(text)):
        return " ".join([_text_of(part) or "" for part in token.groups()]), "base64"
    return None


def text_in(data: bytes) -> str | None:
    """Bytes as text, if that is what they are.

    Short ones have to be printable ASCII, and more than a word; longer ones UTF-8, or nearly ASCII. UTF-16 is what
    PowerShell takes.
    """
    if data[1:2] == b"\0" and not data[1::2].strip(b"\0"):
        data = data[::2]
    strange = len(data.translate(None, _PRINTABLE))
    if not strange:
        is_word = len(data) < _LONGEST_WORD and not data.translate(None, _LETTERS_AND_DIGITS)
        return None if is_word else data.decode("ascii")
    if 4 * len(data) < 3 * _LONG:
        return None
    if _STRANGE_SHARE * strange <= len(data):
        return readable(data.decode("utf-8", "surrogateescape"))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if _STRANGE_SHARE * len(_CONTROL.findall(text)) <= len(text) else None


def _digits(text: str) -> str | None:
    found = _WRAPPED.fullmatch(text)
    if found is None and "\n" in text and _LINES.fullmatch(text):
        found = _WRAPPED.fullmatch(text.replace("\r", "").replace("\n", ""))
    if found is None and _WITH_SPACES.fullmatch(text):
        found = _WRAPPED.fullmatch(text.replace(" ", "+"))
    return found[1] or found[2] if found is not None else None


def _base64(digits: str) -> tuple[str, str] | None:
    if len(digits) % 4 == 1:
        return None
    data = _bytes_of(digits)
    if data.startswith(_DEFLATED):
        text = _inflated(data, min(MOST_INFLATED, INFLATED * len(digits)))
        if text is not None:
            return text, "base64 of deflated text"
    text = text_in(data)
    return (text, "base64") if text is not None else None


def _inflated(data: bytes, most: int) -> str | None:
    try:
        inflated = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, most)
    except zlib.error:
        return None
    return text_in(inflated)


def _text_of(digits: str) -> str | None:
    if len(digits) % 4 == 1:
        return None
    return text_in(_bytes_of(digits))


def _bytes_of(digits: str) -> bytes:
    return binascii.a2b_base64(digits.translate(_STANDARD) + "==")


def _hex(digits: str) -> tuple[str, str] | None:
    found = _HEX.fullmatch(digits)
    if found is None or len(digits) % 2:
        return None
    data = bytes.fromhex(found[1] or found[2])
    text = text_in(data)
    return (text, "hex") if text is not None and len(data.translate(None, _LETTERS_AND_DIGITS)) > 1 else None
