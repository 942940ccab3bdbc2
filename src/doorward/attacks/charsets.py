"""Bytes read as text: by the charset that is declared for them, and as those read them that do not care.

Never raises. Text that is not exact has characters of latin-1 for the bytes that UTF-8 does not allow, so that
overlong forms can still be seen for what they are.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.parts import CHUNK, PAUSE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.attacks.parts import Part

REPLACEMENT = "\ufffd"
"""What :func:`decode` puts for bytes that the charset does not allow."""
_INVALID = re.compile("[\udc80-\udcff]++")
_UNICODE = re.compile(r"utf_?(?:16|32)(?:_?[bl]e)?")
_LIKE_ASCII = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "utf-8-sig"})
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
"""Codecs of Python that decode text but are no charsets; some take quadratic time."""
_LONGEST_NAME = 40
_XML_ENCODING = re.compile(
    rb"""<\?xml[^>]{0,80}?encoding\s{0,8}=\s{0,8}["']([A-Za-z0-9._:-]{1,40})["']""", re.IGNORECASE
)
_EBCDIC_XML = b"\x4c\x6f\xa7\x94"
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_BEGINNINGS = tuple(mark for mark, _ in _MARKS)


class Reading(NamedTuple):
    """Bytes as text.

    Attributes:
        text: The text.
        exact: False where each byte stands for a character of latin-1, and values have to be put right one by one.
    """

    text: str
    exact: bool = True


def read(data: bytes) -> Reading:
    """Bytes as UTF-8, or else as latin-1 with values that :func:`repaired` puts right."""
    try:
        return Reading(data.decode("utf-8-sig" if data[:3] == codecs.BOM_UTF8 else "utf-8"))
    except UnicodeDecodeError:
        return Reading(data.decode("latin-1"), False)


def repaired(text: str) -> str:
    """UTF-8 that was read as latin-1; bytes that are no UTF-8 stay characters of latin-1."""
    if text.isascii():
        return text
    try:
        return utf8(text.encode("latin-1"))
    except UnicodeEncodeError:
        return text


def utf8(data: bytes) -> str:
    """Bytes as UTF-8; those that are not stand for characters of latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _INVALID.sub(_as_latin_1, data.decode("utf-8", "surrogateescape"))


def known_charset(name: str) -> str | None:
    """Python's name of a charset; None for those that it does not know, or that are none."""
    if not name.isascii() or len(name) > _LONGEST_NAME or "\0" in name:
        return None
    try:
        # Reads a file of the standard library when a charset is first asked for. `decode` refuses what inflates.
        found = codecs.lookup(name).name
        b"a".decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return None if found.replace("-", "_") in _NO_CHARSETS else found


def is_like_ascii(charset: str) -> bool:
    """Whether :func:`read` gives what the charset would, as far as detectors care."""
    return charset in _LIKE_ASCII


def is_wide(charset: str) -> bool:
    """Whether the charset has several bytes for every character."""
    return _UNICODE.fullmatch(charset.replace("-", "_")) is not None


def marked_charset(data: bytes) -> str:
    """What a byte order mark says about the charset; or nothing."""
    if data.startswith(_BEGINNINGS):
        for mark, charset in _MARKS:
            if data.startswith(mark):
                return charset
    return ""


def patterned_charset(data: bytes) -> str:
    """What the zero bytes among the first four say about the charset of JSON and XML (RFC 4627 section 3)."""
    return json.detect_encoding(data[:4]) if 0 in data[:4] and len(data) > 1 else ""


def xml_charset(data: bytes) -> str:
    """What an XML declaration says about its charset (XML 1.0 appendix F); or nothing."""
    if data.startswith(_EBCDIC_XML):
        return "cp037"
    found = _XML_ENCODING.match(data.lstrip()[:200])
    return found[1].decode() if found is not None else ""


def decode(data: bytes, charset: str) -> Generator[Sequence[Part], None, str]:
    """Bytes by a charset that :func:`known_charset` knows, chunk by chunk, with pauses; what is invalid is replaced."""
    if charset in ("utf-16", "utf-32") and marked_charset(data) != charset:
        # Without a mark Python's own order of bytes, like WHATWG's.
        charset += "-le"
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    pieces: list[str] = []
    for start in range(0, len(data), CHUNK):
        pieces.append(decoder.decode(data[start : start + CHUNK]))
        yield (PAUSE,)
    pieces.append(decoder.decode(b"", True))
    return "".join(pieces).removeprefix("\ufeff")


def decode_now(data: bytes, charset: str) -> str:
    """The same at once, for little data."""
    return data.decode(charset, "replace").removeprefix("\ufeff")


def _as_latin_1(run: re.Match[str]) -> str:
    return run[0].encode("utf-8", "surrogateescape").decode("latin-1")
