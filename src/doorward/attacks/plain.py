"""Values that hold nothing any detector could find: most of them, dismissed before anything else is asked.

A value is plain if it has no character but letters, digits, blanks and a few marks that every address and sentence has,
and nothing of what any rule or vocabulary tells by. A longer one may be sentences (:mod:`.sentences`) in which nothing
is said that a database or a shell would obey.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks import decoding
from doorward.attacks.base64_text import SHORTEST, may_be_wrapped
from doorward.attacks.detectors.shell_words import first_words
from doorward.attacks.vocabulary import WHOLE_WORD, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorward.attacks.subject import Subject

_TELLING = re.compile(r"[^\w .,;:=/+()*?!@-]|[\xbc\xbe]")
"""What neither addresses nor sentences need; of fractions those that lose their highest bit to become brackets."""
_GLOB = re.compile(r"\?(?![\w-]{1,64}+=)[\w/?]|[\w/]\*[\w/ ]")
"""Wildcards within a word or a path."""
_PAIRS = ("..", "()", ")(", "(!", ")!", "*)", "=*", "@(", "==", "--", "@@", "0x")
_CONNECTING = frozenset({
    "all", "and", "any", "between", "by", "date", "for", "from", "group", "image", "in", "into", "is", "like", "name",
    "new", "not", "now", "on", "or", "page", "test", "this", "to", "user", "with", "xml",
})  # fmt: skip
"""Words of every sentence; without an operator beside them, or a number, they connect nothing."""
_OPERATORS = frozenset("=()*;+@0123456789")
_COMPARED = re.compile(
    r"(?:[0-9)\"]\s{1,4}|\A\s{0,4})(?:and|or|xor|like|in|not|is|between)(?![a-z])"
    r"|(?<![a-z])(?:and|or|xor|like|in|not|is|between|by)\s{1,4}(?:[0-9(\"]|true|false|null|not)"
)
"""Beside what words of sentences are operators of a query."""
_AMOUNT = re.compile(
    r"[$\u20ac\xa3][0-9]{1,9}(?:[.,][0-9]{1,3}){0,3}|[0-9]{1,9}(?:[.,][0-9]{1,3})?\s?[%\u20ac]|#[0-9A-Fa-f]{3,8}"
)
"""Of money, of a hundred; or a colour."""
_AROUND_NAMES = "0123456789.'\""
"""Of commands: their version, and what a shell drops."""
_CALL = re.compile(r"(\w{1,32}+)['\"\u201d\u2019]?\s\(")
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
    r"https?://([A-Za-z][A-Za-z0-9-]*+(?:\.[A-Za-z0-9-]++){1,8}+)(/[\w/@~-]*+(?:\.[\w/@~-]++){0,8}+)?(\?[\w=&.~+-]*+)?"
)
"""An address with nothing but names in it; of a file or a command its path could only be the name."""
_BROWSER = "Mozilla/5.0 ("
_OF_BROWSERS = ("KHTML, like Gecko", "Mozilla/5.0 ")
_OF_AGENTS = frozenset({"android", "like", "linux", "mac", "mobile", "nt", "os", "version", "windows", "x"})
_OF_MEDIA_TYPES = frozenset({"application", "form", "gzip", "html", "image", "json", "text", "www", "xml"})
"""And of encodings."""
_QUOTED_LISTS = ("sec-ch-", "if-none-match")
"""Headers whose values are quoted texts (Client Hints, RFC 9110 section 13.1.2)."""
_FOUR_NUMBERS = re.compile(r"[0-9]\.[0-9]++\.[0-9]++\.[0-9]")


class Told:
    """What tells, that may be in a text.

    Args:
        vocabulary: Words, and names with words in them: these tell where all their words are, in any order.
        literals: Texts with words in them, which tell where they occur.
    """

    __slots__ = ("_alone", "_literals", "_names", "_together")

    def __init__(self, vocabulary: Iterable[str], literals: Iterable[str]) -> None:
        alone: set[str] = set()
        self._names: dict[str, list[frozenset[str]]] = {}
        self._literals: dict[str, list[str]] = {}
        for _, words in _with_words(vocabulary):
            if len(words) == 1:
                alone.add(words[0])
            else:
                self._names.setdefault(_rarest(words), []).append(frozenset(words))
        for literal, words in _with_words(literals):
            if words[0] == literal:
                alone.add(literal)
            else:
                self._literals.setdefault(_rarest(words), []).append(literal)
        self._alone = frozenset(alone)
        self._together = frozenset([*self._names, *self._literals]) - self._alone

    def among(self, words: frozenset[str], lower: str) -> frozenset[str]:
        """What tells in a text: words, names and literals.

        Args:
            words: The words of the text.
            lower: The text, in lower case.
        """
        told = self._alone & words
        together = self._together & words
        return told.union(*[self._found(word, words, lower) for word in together]) if together else told

    def has_literal(self, words: frozenset[str], lower: str) -> bool:
        """Whether one of the literals that are not words occurs; as :meth:`among`."""
        return any([literal in lower for word in self._together & words for literal in self._literals.get(word, ())])

    def _found(self, word: str, words: frozenset[str], lower: str) -> list[str]:
        names = [" ".join(name) for name in self._names.get(word, ()) if name <= words]
        return names + [literal for literal in self._literals.get(word, ()) if literal in lower]


class Plain:
    """Tells plain values.

    Args:
        telling: What detectors look for.
        of_paths: The same for what only tells in the name of a file, or a path.
        spoken: What tells in sentences: the words of queries, and literals that are words or phrases.
        commands: Words that tell in sentences where a command may begin.
        called: Words that tell in sentences before a parenthesis.
    """

    __slots__ = ("_called", "_commands", "_of_paths", "_spoken", "_telling")

    def __init__(
        self, telling: Told, of_paths: Told, spoken: Told, commands: frozenset[str], called: frozenset[str]
    ) -> None:
        self._called = called
        self._commands = commands
        self._telling = telling
        self._of_paths = of_paths
        self._spoken = spoken

    def __call__(self, text: str, header: str = "") -> bool:
        """Whether nothing has to be looked at in a text, nor in what it may be decoded to.

        Args:
            text: The text.
            header: The name of the header of which it is the value, in lower case.
        """
        if text.isalnum():
            word = text.lower()
            plain = word in _CONNECTING or not self._telling.among(frozenset((word,)), word)
        elif header:
            plain = self._is_usual(text, header)
        else:
            plain = self._is_plain(text)
        if not plain:
            return False
        if text.isascii() and "+" not in text:
            return len(text) < SHORTEST or not may_be_wrapped(text)
        return not decoding.may_change(text, (text,))

    def says_nothing(self, subject: Subject) -> bool:
        """Whether a text is sentences in which nothing has to be looked at, nor in what it may be decoded to."""
        words, text, lower = subject.sentence, subject.text, subject.lower
        if words is None:
            return False
        told = self._spoken.among(words, lower)
        if told and (not told <= _CONNECTING or _COMPARED.search(lower) is not None):
            return False
        if "(" in lower and not self._called.isdisjoint(_CALL.findall(lower)):
            return False
        return not self._has_command(lower) and not decoding.may_change(text, (text,))

    def _has_command(self, lower: str) -> bool:
        return not self._commands.isdisjoint([word.strip(_AROUND_NAMES) for word in first_words(lower)])

    def _is_plain(self, text: str) -> bool:
        if text.startswith("http") and (web := _WEB.fullmatch(text)) is not None:
            return self._is_usual_address(*web.groups())
        if _AMOUNT.fullmatch(text) is not None:
            return True
        if len(text) <= _SHORT and ("'" in text or " & " in text):
            text = _without_ordinary(text)
        if _TELLING.search(text) is not None or _has_telling_pair(text):
            return False
        if text.count(".") > 2 and _FOUR_NUMBERS.search(text) is not None:
            return False
        lower = text.lower()
        words = words_of(lower)
        if ("." in text or "/" in text) and self._of_paths.among(words, lower):
            return False
        told = self._telling.among(words, lower)
        return not told or (told <= _CONNECTING and not _OPERATORS.intersection(text))

    def _is_usual_address(self, host: str, path: str | None, query: str | None) -> bool:
        """Whether the words of a host and of a query say nothing; without spaces those of a query cannot.

        Of a path only what rules look for as it stands: its words may be names of anything.
        """
        asked = f"{path or ''}{query or ''}".lower()
        if self._telling.has_literal(words_of(asked), asked):
            return False
        words = f"{host} {query}" if query and "+" in query else host
        lower = words.lower()
        said = words_of(lower)
        return not self._of_paths.among(said, lower) and self._telling.among(said, lower) <= _CONNECTING

    def _is_usual(self, text: str, header: str) -> bool:
        """The same of a header, where versions of browsers have four numbers too."""
        if text.startswith("http") and (web := _WEB.fullmatch(text)) is not None:
            return self._is_usual_address(*web.groups())
        text = _without_usual(header, text)
        if _TELLING.search(text) is not None or _has_telling_pair(text):
            return False
        lower = text.lower()
        words = words_of(lower)
        told = self._telling.among(words, lower) | self._of_paths.among(words, lower)
        return not told or told <= _words_sent_in(header)


def _with_words(texts: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    for text in map(str.lower, texts):
        if words := WHOLE_WORD.findall(text):
            yield text, words


def _rarest(words: list[str]) -> str:
    """The longest: of words that all have to be there, one is enough to ask for."""
    return max(words, key=len)


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
            text = text.replace(part, " ")  # not nothing: what is around it would make another sign
    return text.replace('"', " ") if header.startswith(_QUOTED_LISTS) else text


def _has_telling_pair(text: str) -> bool:
    for pair in _PAIRS:  # a loop: twice as fast as any() of a generator, and this is asked about all values
        if pair in text:
            return True
    if "/" in text and (("/*" in text and _COMMENT.search(text)) or ("//" in text and _ADDRESS.search(text))):
        return True
    if ("?" in text or "*" in text) and _GLOB.search(text) is not None:
        return True
    return text.endswith(("?", "(", "="))
