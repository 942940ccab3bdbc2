"""Characters that pass for others: overlong UTF-8, compatibility forms of ASCII, what nobody sees, unusual white space.

Each function works in one pass and never makes a text longer. A text in which there is nothing to do comes back as the
same object.
"""

from __future__ import annotations

import re
import unicodedata

from doorward.attacks.escapes import readable

_OVERLONG = re.compile(
    "(?:[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]"
    "|\xf8\x80\x80[\x80\x81][\x80-\xbf]|\xfc\x80\x80\x80[\x80\x81][\x80-\xbf]|\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e])++"
)
"""A run; what is decoded of them, :func:`overlong` decides."""
_SEQUENCE = re.compile("[\xc0\xc1].|\xe0..|\xef..|\xf0...|\xf8.{4}|\xfc.{5}", re.DOTALL)
_CUT = re.compile(r"\xc0[./\\]|\xc1[\x00-\x1f]")
"""For decoders that drop what does not fit, or do not look at the highest bits: in paths to parent directories."""
_LEADS = ("\xe0", "\xf0\x80", "\xf8\x80\x80", "\xfc\x80\x80\x80")


def _overlong_table() -> dict[str, str]:
    table = {"\xc0" + character: character for character in "./\\"}  # decoders that drop what does not fit
    for code in range(0x80):
        high, low = code >> 6, chr(0x80 | code & 0x3F)
        table["\xc0\xc1"[high] + low] = chr(code)
        table |= {lead + chr(0x80 | high) + low: chr(code) for lead in _LEADS}
        if high and code & 0x3F < 0x20:
            table["\xc1" + chr(code & 0x3F)] = chr(code)  # decoders that do not look at the highest bits
        if code > 0x20:
            table[chr(code - 0x20 + 0xFF00).encode().decode("latin-1")] = chr(code)
    return table


_ASCII_OF = _overlong_table()

_COMPATIBILITY_RANGES = ((0xFF01, 0xFF5E), (0xFE50, 0xFE6B), (0x24B6, 0x24E9), (0x1D400, 0x1D6A3), (0x1D7CE, 0x1D7FF))
_LOOKALIKES = {
    "\u017f": "s",
    "\u02b9": "'",
    "\u02ba": '"',
    "\u02bc": "'",
    "\u02c8": "'",
    "\u037e": ";",
    "\u1fef": "`",
    "\u2024": ".",
    "\u2032": "'",
    "\u2033": '"',
    "\u2044": "/",
    "\u2215": "/",
    "\u2216": "\\",
    "\u2329": "<",
    "\u232a": ">",
    "\u3008": "<",
    "\u3009": ">",
}
"""Beyond NFKC: what Windows' best-fit conversions make of them."""

# Patterns begin with a class of rare characters, and look back: so the search is one fast loop.
_STRONG = (
    "\uff02\uff04\uff06\uff07\uff1c\uff1e\uff3c\uff40\uff5b-\uff5d\ufe64\ufe65\ufe68\ufe6b"
    "\u017f\u02b9\u02ba\u02bc\u02c8\u037e\u1fef\u2024\u2032\u2033\u2044\u2215\u2216\u2329\u232a"
)
_WEAK = "\uff03\uff05\uff08\uff09\uff0a\uff0b\uff0d\uff1a\uff1b\uff1d"
_WEAK_ALONE = "\uff0e\uff0f"
_LETTERS = "\uff21-\uff3a\uff41-\uff5a\u24b6-\u24e9\U0001d400-\U0001d6a3"
_TELLING = re.compile(
    f"[{_STRONG}{_WEAK}{_WEAK_ALONE}{_LETTERS}](?:(?<=[{_STRONG}])|(?<=[{_LETTERS}])[{_LETTERS}]"
    f"|(?<=[{_WEAK}{_WEAK_ALONE}])[!-~]|(?<=[!-~][{_WEAK}{_WEAK_ALONE}])|(?<=[{_WEAK_ALONE}])[{_WEAK_ALONE}])"
)

_CONTROL = "\x00-\x08\x0e-\x1b\x7f"
_CONTROL_SPACES = "\x0b\x0c\x1c-\x1f"
_ASCII = bytes(range(0x80))
_ORDINARY = bytes([9, 10, 13, *range(0x20, 0x7F)])
_NO_SPACES = bytes([*range(0x0B), *range(0x0D, 0x1C), *range(0x20, 0x80)])
_NO_CONTROL = bytes([*range(9, 14), *range(0x1C, 0x7F)])
_UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
_SPACES = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_INVISIBLE = re.compile(f"[{_CONTROL}{_UNSEEN}]++")
_HIDDEN = re.compile(f"[{_UNSEEN}](?<=[!-~].)[{_UNSEEN}]{{0,64}}+[!-~]", re.DOTALL)
_ODD_SPACE = re.compile(f"[{_CONTROL_SPACES}{_SPACES}]")
_USED_SPACE = re.compile(f"[{_SPACES}](?<=[!-~].)[!-~]|[{_CONTROL_SPACES}]", re.DOTALL)
_OVERLONG_LEADS = "\xc0\xc1\xe0\xef\xf0\xf8\xfc\udc80-\udcff"
_ANY_OVERLONG = re.compile(f"[{_OVERLONG_LEADS}]")
_MAY_BE_OVERLONG = re.compile(rf"[{_OVERLONG_LEADS}](?:(?<=[\udc80-\udcff])|[\x00-\x1f./\\\x80-\xbf])")
_ANY_WIDE = re.compile(f"[{_STRONG}{_WEAK}{_WEAK_ALONE}{_LETTERS}]")
_ANY_UNSEEN = re.compile(f"[{_UNSEEN}]")
_ANY_SPACE = re.compile(f"[{_SPACES}]")
_UNUSUAL = re.compile(f"[{_STRONG}{_WEAK}{_WEAK_ALONE}{_LETTERS}{_UNSEEN}{_SPACES}{_OVERLONG_LEADS}]")
"""All of these are above ASCII, and there is not much of that in most texts: so it is taken out, and searched."""


def _compatible() -> dict[int, str]:
    table = {ord(character): ascii_ for character, ascii_ in _LOOKALIKES.items()}
    for first, last in _COMPATIBILITY_RANGES:
        for code in range(first, last + 1):
            normal = unicodedata.normalize("NFKC", chr(code))
            if len(normal) == 1 and normal.isascii():
                table[code] = normal
    return table


_COMPATIBLE = _compatible()


def overlong(text: str) -> str:
    """Decode overlong UTF-8 for ASCII (RFC 3629 section 10), and UTF-8 of full-width forms.

    Its bytes are characters of Latin-1, as bytes that are not UTF-8 are handed over, or of ``surrogateescape``. The
    same bytes are characters in Shift_JIS, GBK, EUC-KR and windows-1251: there they stand beside others above ASCII,
    and stand for letters as often as for the punctuation that an attack needs.
    """
    if text.isascii() or _ANY_OVERLONG.search(_above_ascii(text)) is None or _MAY_BE_OVERLONG.search(text) is None:
        return text
    readable_text = readable(text)
    decoded = _OVERLONG.sub(_run, readable_text)
    if _CUT.search(decoded) is not None:
        whole = _CUT.sub(_ascii, decoded)
        decoded = whole if whole.isascii() and ".." in whole else decoded
    return text if decoded == readable_text else decoded


def wide(text: str) -> str:
    """Compatibility forms of ASCII as ASCII (Unicode, NFKC), where there is any that a language needs.

    Commas, question marks and brackets of full width are what people write in Chinese and Japanese: alone they stay.
    """
    return text.translate(_COMPATIBLE) if _hides_wide(text) else text


def visible(text: str) -> str:
    """Without what nobody sees, where that stands between ASCII characters, and without control characters.

    Joiners and direction marks between letters of other scripts, and after emoji, are what people write: alone they
    stay.
    """
    return _INVISIBLE.sub("", text) if _hides_unseen(text) else text


def spaced(text: str) -> str:
    """White space that few expect as spaces, where it stands between ASCII characters."""
    return _ODD_SPACE.sub(" ", text) if _hides_spaces(text) else text


def hides(text: str) -> bool:
    """Whether any of the functions here finds something to do. For texts of any length, and many joined."""
    if _has_but(text, _ORDINARY):
        return True
    if text.isascii() or _UNUSUAL.search(_above_ascii(text)) is None:
        return False
    return overlong(text) is not text or _hides_wide(text) or _hides_unseen(text) or _hides_spaces(text)


def _above_ascii(text: str) -> str:
    """What is not ASCII in a text: by way of bytes, ten times as fast as one character after the other."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _has_but(text: str, ordinary: bytes) -> bool:
    """Whether there is any ASCII character but those."""
    return not text.isprintable() and len(text.encode("ascii", "ignore").translate(None, ordinary)) > 0


def _hides_wide(text: str) -> bool:
    if text.isascii() or _ANY_WIDE.search(_above_ascii(text)) is None:
        return False
    return _TELLING.search(text) is not None


def _hides_unseen(text: str) -> bool:
    if text.isprintable():
        return False
    if text.isascii() or _has_but(text, _NO_CONTROL):
        return _has_but(text, _NO_CONTROL)
    return _ANY_UNSEEN.search(_above_ascii(text)) is not None and _HIDDEN.search(text) is not None


def _hides_spaces(text: str) -> bool:
    if text.isprintable():
        return False
    if text.isascii():
        return _has_but(text, _NO_SPACES)
    return (_ANY_SPACE.search(_above_ascii(text)) is not None or _has_but(text, _NO_SPACES)) and (
        _USED_SPACE.search(text) is not None
    )


def _run(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    if (start and text[start - 1] >= "\x80") or (end < len(text) and text[end] >= "\x80"):
        return found[0]
    decoded = _SEQUENCE.sub(_ascii, found[0])
    return found[0] if decoded.isalnum() else decoded


def _ascii(found: re.Match[str]) -> str:
    return _ASCII_OF[found[0]]
