"""One text that detectors look at, and what several of them want to know about it, found out once."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.attacks.evidence import Place
from doorward.attacks.sentences import words_of_sentence
from doorward.attacks.vocabulary import words_of
from doorward.lazily import lazily

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.attacks.evidence import Value
    from doorward.attacks.vocabulary import Vocabulary

_Found = TypeVar("_Found")

# Letters, with vowel signs and accents that are characters of their own. Not: punctuation, symbols, full-width forms.
_LETTER = (
    "A-Za-z\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\u02af\u0300-\u1fff\u2c00-\u2dff\u3040-\u312f\u3131-\u318e\u31a0-\u31ff"
    "\u3400-\ud7ff\uf900-\ufdff\ufe70-\ufefc\uff66-\uffdc\U00010000-\U0001bfff\U00020000-\U0003ffff"
)
_SPELLED = re.compile(f"[{_LETTER}]{{2,}}+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_LETTERS_A_WORD = 2
_PROSE_WORDS = 6
_PROSE_SHARE = 0.7

PLAIN_WORD = re.compile(r"(?<![^\s(*_])[^\W\d_]{2,}+(?=[\s,.;:?!)*_]|\Z)")
"""A word of a language that people speak: letters, with blanks or punctuation at both ends."""
_LONG_TEXT = 2_048
_END = 640
_WORDS_AT_AN_END = 12

_LONGER_IN_LOWER_CASE = "\u0130"
"""The Turkish I with a dot: of all characters the only one."""
_LONGEST_JSON = 4_096
_SAMPLE = 1_500
_LONG = 500
_CODE_LINES = 3
_CODE_SHARE = 0.4
_CODE_BEGINNING = re.compile(
    r"\t|\x20{2}|\x20?(?://|/\*|\*/?\s|--\s|#|<[!/A-Za-z]|[$%>|]\s|>>>|@@|[+-](?![\s\d])|[})\]]"
    r"|(?:diff|import|def|const|let|var|func|public|static)\s|\[?\d{4}-\d\d-\d\d[T\s])"
)
_CODE_ENDINGS = (";", "{", "}", "(", "[", ">", "\\", "):", "=>", "*/", "else:", "try:", '",', "',", "},", "),")
_FENCE = re.compile(r"^\s{0,3}(?:```|~~~)", re.MULTILINE)


_UNSPOKEN = frozenset((Place.HEADER, Place.PATH, Place.FILENAME))


class Subject:
    """A text, where it comes from, and how it was decoded.

    Args:
        text: The text.
        value: The value that it is a form of.
        via: The decodings that led from the value to the text.
    """

    def __init__(self, text: str, value: Value, via: tuple[str, ...] = ()) -> None:
        self.text = text
        self.value = value
        self.via = via
        self._is_joined = False
        self._vocabulary: Vocabulary | None = None
        self._occurring: frozenset[str] = frozenset()
        self._found: dict[Callable[[Subject], Any], Any] = {}

    @classmethod
    def joined(cls, subjects: Sequence[Subject]) -> Subject:
        """Texts as one, to ask about all of them at once."""
        joined = cls(" ".join([subject.text for subject in subjects]), subjects[0].value)
        joined._is_joined = True
        return joined

    @property
    def place(self) -> Place:
        """Where in the request it stands."""
        return self.value.place

    @property
    def name(self) -> str:
        """The value's name."""
        return self.value.name

    @property
    def is_name(self) -> bool:
        """Whether the text is a name."""
        return self.value.is_name

    @property
    def is_long(self) -> bool:
        """Whether it is longer than what is typed into a field of one line; pieces of long values are."""
        return len(self.text) >= _LONG or self.value.offset > 0

    @lazily
    def is_json(self) -> bool:
        """Whether it is an object or a list of JSON, whose strings are values of their own."""
        text = self.text
        # Of several values joined, or of a piece of a long one, beginning and end tell nothing.
        if text is not self.value.text or self.value.offset or len(text) > _LONGEST_JSON:
            return False
        return text[:1] in ("{", "[") and text[-1:] in ("}", "]") and '"' in text

    @lazily
    def lower(self) -> str:
        """The text in lower case; of the same length, so that offsets are the same."""
        lower = self.text.lower()
        if len(lower) == len(self.text):
            return lower
        return _LONGER_IN_LOWER_CASE.join([part.lower() for part in self.text.split(_LONGER_IN_LOWER_CASE)])

    @lazily
    def sentence(self) -> frozenset[str] | None:
        """Its words in lower case if it is words with the marks of sentences, so that only words can tell.

        None also of what no sentence is expected in: headers, paths and names of files are read by rules of their own;
        and of texts joined together, of which not one needs to be any.
        """
        if self._is_joined or self.value.place in _UNSPOKEN:
            return None
        return words_of_sentence(self.lower)

    @lazily
    def words(self) -> frozenset[str]:
        """The ASCII words in it, in lower case: letters, digits, underscores."""
        return self.sentence or words_of(self.lower)

    def occurring(self, vocabulary: Vocabulary) -> frozenset[str]:
        """The literals of a vocabulary that occur in it; found out once, as long as one vocabulary is asked for."""
        if self._vocabulary is not vocabulary:
            find = vocabulary.found_in if self.sentence is None else vocabulary.spoken_in
            self._vocabulary, self._occurring = vocabulary, find(self.lower, self.words)
        return self._occurring

    def once(self, find: Callable[[Subject], _Found]) -> _Found:
        """What a function finds in it; called once, whoever asks: screens and detectors, also several of a kind."""
        if find not in self._found:
            self._found[find] = find(self)
        found: _Found = self._found[find]
        return found

    @lazily
    def lines(self) -> int:
        """How many lines it has that are not blank, as far as the sample goes."""
        return len(_lines(self._sample))

    @lazily
    def is_prose(self) -> bool:
        """Whether it reads as text that people write to each other, in any script: many words, and little else.

        Six words, and seven tenths of what is visible are letters of words. Looks at 4,500 characters at most: the
        beginning, the middle and the end.
        """
        sample = self._sample
        spelled = _SPELLED.findall(sample)
        letters = sum(map(len, spelled))
        visible = len(sample) - sum(map(sample.count, (" ", "\n", "\r", "\t")))
        if letters < _PROSE_SHARE * visible:
            return False
        words = len(spelled)
        if words < _PROSE_WORDS and not sample.isascii():
            words += len(_UNSPACED.findall(sample)) // _LETTERS_A_WORD
        return words >= _PROSE_WORDS

    @lazily
    def is_between_words(self) -> bool:
        """Whether it is long, and begins and ends with a dozen plain words and more.

        What is found in it then has ten of them outside of it, wherever it is: it is not as long as the whole text.
        """
        text = self.text
        return len(text) >= _LONG_TEXT and _has_words(text, 0, _END) and _has_words(text, len(text) - _END, len(text))

    @lazily
    def is_code_like(self) -> bool:
        """Whether it is laid out as source code, markup, a log or a patch is: over lines; or has fenced code in it.

        Looks at no more than :attr:`is_prose`.
        """
        sample = self._sample
        if "\n" not in sample:
            return False
        if ("```" in sample or "~~~" in sample) and _FENCE.search(sample):
            return True
        lines = _lines(sample)
        return len(lines) >= _CODE_LINES and sum(map(_is_code, lines)) >= _CODE_SHARE * len(lines)

    @lazily
    def _sample(self) -> str:
        text = self.text
        if len(text) <= 3 * _SAMPLE:
            return text
        middle = (len(text) - _SAMPLE) // 2
        return f"{text[:_SAMPLE]}\n{text[middle : middle + _SAMPLE]}\n{text[-_SAMPLE:]}"


def _has_words(text: str, start: int, end: int) -> bool:
    return len(list(islice(PLAIN_WORD.finditer(text, start, end), _WORDS_AT_AN_END))) == _WORDS_AT_AN_END


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line and not line.isspace()]


def _is_code(line: str) -> bool:
    return _CODE_BEGINNING.match(line) is not None or line.rstrip().endswith(_CODE_ENDINGS)
