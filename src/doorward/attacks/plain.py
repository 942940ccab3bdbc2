"""Values that hold nothing any detector could find: most of them, dismissed before anything else is asked.

A value is plain if it has no character but letters, digits, blanks and a few marks that every address and sentence has,
and none of the words that any rule or vocabulary knows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks import decoding
from doorward.attacks.base64_text import SHORTEST, may_be_wrapped
from doorward.attacks.vocabulary import WHOLE_WORD, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_TELLING = re.compile(r"[^\w .,;:=/+()*?!@-]")
"""What neither addresses nor sentences need."""
_PAIRS = ("..", "()", ")(", "(!", ")!", "*)", "=*", "@(", "==", "--", "@@", "0x")
_CONNECTING = frozenset({
    "all", "and", "any", "between", "by", "date", "for", "from", "group", "image", "in", "into", "is", "like", "name",
    "new", "not", "now", "on", "or", "page", "test", "this", "to", "user", "with", "xml",
})  # fmt: skip
"""Words of every sentence; without an operator beside them, or a number, they connect nothing."""
_OPERATORS = frozenset("=()*;+@0123456789")
_SHORT = 80
_CONNECTIVE = re.compile(
    r"(?:or|and|not|like|is|in|xor|div|mod|between|regexp|rlike|union|limit)(?![a-z])", re.IGNORECASE
)
_ORDINARY = re.compile(r"(?<=\w)'(?:s|t|re|ve|ll|d|m)(?!\w)|(?<!\w)[A-Za-z]'(?=[A-Za-z]{2})| & ")
"""Contractions and names (it's, O'Brien, l'école), and a word for "and": nothing that closes a string."""
_COMMENT = re.compile(r"/\*(?![,;]|\Z)")
"""Not ``*/*``, which every browser accepts."""
_ADDRESS = re.compile(r"(?<!:)//|(?<!http)(?<!https)://|://[^A-Za-z]|://[\w-]*+(?![\w.-])")
"""All but the address on the web of a host with dots."""
_WEB = re.compile(
    r"https?://([A-Za-z][A-Za-z0-9-]*+(?:\.[A-Za-z0-9-]++){1,8}+)(?:/[\w/@~-]*+(?:\.[\w/@~-]++){0,8}+)?(\?[\w=&.~+-]*+)?"
)
"""An address with nothing but names in it; of a file or a command its path could only be the name."""
_BROWSER = "Mozilla/5.0 ("
_OF_BROWSERS = ("KHTML, like Gecko", "Mozilla/5.0 ")
_OF_AGENTS = frozenset({"android", "like", "linux", "mac", "mobile", "nt", "os", "version", "windows", "x"})
_OF_MEDIA_TYPES = frozenset({"application", "form", "html", "image", "json", "text", "xml"})
_QUOTED_LISTS = ("sec-ch-", "if-none-match")
"""Headers whose values are quoted texts (Client Hints, RFC 9110 section 13.1.2)."""
_FOUR_NUMBERS = re.compile(r"[0-9]\.[0-9]++\.[0-9]++\.[0-9]")


class Plain:
    """Tells plain values.

    Args:
        vocabulary: What detectors look for, in lower case: words, and texts with words in them.
    """

    __slots__ = ("_telling",)

    def __init__(self, vocabulary: Iterable[str]) -> None:
        words = [WHOLE_WORD.findall(literal) for literal in vocabulary]
        # Of several words all have to be there, so that one is enough to ask for: the longest is the rarest.
        self._telling = frozenset([max(of_literal, key=len) for of_literal in words if of_literal])

    def __call__(self, text: str, header: str = "") -> bool:
        """Whether nothing has to be looked at in a text, nor in what it may be decoded to.

        Args:
            text: The text.
            header: The name of the header of which it is the value, in lower case.
        """
        if text.isalnum():
            word = text.lower()
            plain = word not in self._telling or word in _CONNECTING
        elif header:
            plain = self._is_usual(text, header)
        else:
            plain = self._is_plain(text)
        if not plain:
            return False
        if text.isascii() and "+" not in text:
            return len(text) < SHORTEST or not may_be_wrapped(text)
        return not decoding.may_change(text, (text,))

    def _is_plain(self, text: str) -> bool:
        if text.startswith("http") and (web := _WEB.fullmatch(text)) is not None:
            return self._is_usual_address(*web.groups())
        if len(text) <= _SHORT and ("'" in text or " & " in text):
            text = _without_ordinary(text)
        if _TELLING.search(text) is not None or _has_telling_pair(text):
            return False
        if text.count(".") > 2 and _FOUR_NUMBERS.search(text) is not None:
            return False
        told = self._telling.intersection(words_of(text.lower()))
        return not told or (told <= _CONNECTING and not _OPERATORS.intersection(text))

    def _is_usual_address(self, host: str, query: str | None) -> bool:
        """Whether the words of a host and of a query say nothing; without spaces those of a query cannot."""
        words = f"{host} {query}" if query and "+" in query else host
        return self._telling.intersection(words_of(words.lower())) <= _CONNECTING

    def _is_usual(self, text: str, header: str) -> bool:
        """The same of a header, where versions of browsers have four numbers too."""
        if text.startswith("http") and (web := _WEB.fullmatch(text)) is not None:
            return self._is_usual_address(*web.groups())
        text = _without_usual(header, text)
        if _TELLING.search(text) is not None or _has_telling_pair(text):
            return False
        told = self._telling.intersection(words_of(text.lower()))
        return not told or told <= _words_sent_in(header)


def _without_ordinary(text: str) -> str:
    """A short text without apostrophes within words, unless it has a word that would connect what they close."""
    if _CONNECTIVE.search(text) is not None:
        return text
    return _ORDINARY.sub(" ", text)


def _words_sent_in(header: str) -> frozenset[str]:
    """Words that browsers send in a header."""
    if header.startswith(("user-agent", "sec-ch-ua")):
        return _OF_AGENTS
    return _OF_MEDIA_TYPES if header.startswith(("accept", "content-type")) else frozenset()


def _without_usual(header: str, text: str) -> str:
    """The value of a header, without what browsers send in it."""
    if text.startswith(_BROWSER):
        for part in _OF_BROWSERS:
            text = text.replace(part, "")
    return text.replace('"', " ") if header.startswith(_QUOTED_LISTS) else text


def _has_telling_pair(text: str) -> bool:
    for pair in _PAIRS:  # a loop: twice as fast as any() of a generator, and this is asked about all values
        if pair in text:
            return True
    if "/" in text and (("/*" in text and _COMMENT.search(text)) or ("//" in text and _ADDRESS.search(text))):
        return True
    return text.endswith(("?", "("))
