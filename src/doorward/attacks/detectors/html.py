"""Markup that makes a browser run code or load something: elements, handlers, URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.html_attributes import Attributes
from doorward.attacks.detectors.html_elements import Elements
from doorward.attacks.detectors.html_tokens import tags
from doorward.attacks.detectors.javascript import Strength, strength
from doorward.attacks.detectors.literacy import Reading, is_literate
from doorward.attacks.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.work import Work

_UNITS_A_CHARACTER = 2
_UNITS_A_TAG = 200
_UNITS_AN_ATTRIBUTE = 100
_UNITS_IN_TAGS = 5
_UNITS_A_HANDLER = 1_000
_MOST_JUDGED = 64
"""Handlers, and elements that run something, in one text. No page has one in every seventy characters."""
_HANDLER = re.compile(r"on[a-z]{3,40}[\x00-\x21#-&(-/:;?@\[-`{-~]{0,40}+=")
_NAMES_AFTER_BLANKS = frozenset({"script", "iframe"})
_SIGNS_OF_ATTRIBUTES = ("style", "srcdoc", "&{", "hx-on")
_IN_TAG = re.compile(r"on[a-z]{3,48}+[\x00-\x20]{0,64}+=")
_TELLING_SIGN = re.compile(
    r"[:@-](?:(?<=@)[a-z.:-]{2}|(?<=:)is\b|(?<=[>at\x00-\x1f\x7f\xa0\u200b-\u200f\ufeff]:)"
    r"|(?<=[^a-z0-9-][vx]-)|(?<=[^a-z0-9-]ng-)|(?<=data-ng-))"
)
"""A directive, or the end of a URL's scheme of which a browser may make one that runs code."""
_VALUE = re.compile(r"""[\x00-\x20]{0,8}+(?:"[^"]{0,512}+|'[^']{0,512}+|[^\x00-\x20>]{0,512}+)""")
_BEFORE_HANDLER = "\"'`/;>&|+-*,(\\"
_NEAR = 48
_QUOTES = ('"', "'", "`")
_INSTRUCTION = re.compile(r"<\?[^<>]{0,256}")
_END_OF_RAW_TEXT = re.compile(
    r"</(?:script|style|title|textarea|noscript|xmp|noembed|noframes|iframe|template|select)\b"
)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>?")
_SPLIT_WORD = re.compile(r"<(?<=[a-z]<)[a-z/]{1,8}>[a-z(]")
_SHORT_TAG = re.compile(r"</?[a-z]{1,8}/?>")
_OUT_OF_ATTRIBUTE = re.compile(r"""["'`][\x00-\x20/]{0,8}+>[^<]{0,16}+<[/!?]?[a-z]""")
_WHOLE_BREAK_OUT = re.compile(r"""["'][\x00-\x20/]{0,8}+><[a-z][a-z0-9]{0,16}+[\x00-\x20/>]""")


class HtmlDetector:
    """Knows the elements and attributes of HTML, SVG and MathML by which texts become code.

    Args:
        book: ``html.toml``.
    """

    name = "html"

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self._rule = book.rule
        self._elements = Elements(book)
        self._attributes = Attributes(book)

    def wants(self, subject: Subject) -> bool:
        """Whether there may be a tag or a handler."""
        lower = subject.lower
        return "<" in lower or "\0" in lower or ("=" in lower and _HANDLER.search(lower) is not None)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Tags first, since they tell the most; then handlers and ends of elements without their beginning."""
        if "\0" in subject.text:  # ignored within names by browsers of old
            subject = Subject(subject.text.replace("\0", ""), subject.value, subject.via)
        literate = is_literate(subject.text, _TAG.sub("", subject.text) if "<" in subject.text else subject.text)
        text = Reading(subject.text, subject.lower, literate)
        work.spend(_UNITS_A_CHARACTER * len(text.text))
        seen: set[int] = set()
        if "<" in text.text:
            yield from self._markup(text, subject.words, seen, work)
            yield from self._break_outs(text)
        if "=" in text.text:
            yield from self._loose_handlers(text, seen, work)
        if "<" in text.text and _SPLIT_WORD.search(text.lower):
            yield from self._loose_handlers(text._replace(lower=_SHORT_TAG.sub("", text.lower)), set(), work)

    def _markup(self, text: Reading, words: frozenset[str], seen: set[int], work: Work) -> Iterator[Evidence]:
        judged = 0
        for tag in tags(text.text, self._elements.names) if self._may_tell(text.lower, words) else ():
            work.spend(
                _UNITS_A_TAG + _UNITS_AN_ATTRIBUTE * len(tag.attributes) + _UNITS_IN_TAGS * (tag.end - tag.start)
            )
            handlers = [attribute.start for attribute in tag.attributes if attribute.name.startswith("on")]
            work.spend(_UNITS_A_HANDLER * len(handlers))
            seen.update(handlers)
            judged += len(handlers) + (tag.name in self._elements.names)
            if judged > _MOST_JUDGED:
                yield self._rule("crowd").at(tag.start, tag.end)
                return
            yield from self._attributes.judge(tag, text)
            yield from self._elements.judge(tag, text)
        if "<?" in text.text:
            for found in _INSTRUCTION.finditer(text.lower):
                yield from self._elements.judge_instruction(found, text)

    def _may_tell(self, lower: str, words: frozenset[str]) -> bool:
        """Whether any tag may have a name, or an attribute, that is judged: most tags of documents have neither."""
        for name in self._elements.names & words:
            if f"<{name}" in lower or f":{name}" in lower or name in _NAMES_AFTER_BLANKS:
                return True
        if any([sign in lower for sign in _SIGNS_OF_ATTRIBUTES]):
            return True
        return _IN_TAG.search(lower) is not None or _TELLING_SIGN.search(lower) is not None

    def _break_outs(self, text: Reading) -> Iterator[Evidence]:
        """What ends an attribute or an element that began before the value."""
        if text.literate:
            return
        lower = text.lower
        if (found := _OUT_OF_ATTRIBUTE.search(lower)) and _is_opening(lower, found.start()):
            is_whole = _WHOLE_BREAK_OUT.match(lower, found.start()) is not None
            yield self._rule("out_of_attribute").at(found.start(), found.end(), scale=1.0 if is_whole else 0.6)
        if (found := _END_OF_RAW_TEXT.search(lower)) and f"<{found[0][2:]}" not in lower[: found.start()]:
            yield self._rule("out_of_element").at(found.start(), found.end())

    def _loose_handlers(self, text: Reading, seen: set[int], work: Work) -> Iterator[Evidence]:
        """Handlers outside of tags: for where the value is put into a tag's attribute, or tags are taken out of it."""
        lower = text.lower
        position = judged = 0
        while found := _HANDLER.search(lower, position):
            start, position = found.span()
            if start in seen or not _may_begin_attribute(lower, start):
                continue
            value = _VALUE.match(lower, position)
            position = value.end() if value else position
            work.spend(_UNITS_A_HANDLER)
            judged += 1
            if judged > _MOST_JUDGED:
                yield self._rule("crowd").at(start, position)
                return
            scale = _weight_of_loose(text, start, value[0] if value else "")
            if scale > 0.0:
                yield self._rule("loose_handler").at(start, position, scale=scale)


def _is_opening(text: str, position: int) -> bool:
    """Whether a quotation mark is the first of a pair, if the text is read on its own.

    In what the text is put into, it then ends something.
    """
    return text.count(text[position], 0, position) % 2 == 0


def _may_begin_attribute(lower: str, start: int) -> bool:
    return start == 0 or lower[start - 1] <= " " or lower[start - 1] in _BEFORE_HANDLER


def _breaks_out(lower: str, start: int) -> bool:
    """Whether a quotation mark shortly before it, or the beginning of an unfinished one, ends an attribute."""
    begin = max(0, start - _NEAR)
    before = lower[begin:start]
    return any(quote in before and _is_opening(lower, lower.rindex(quote, begin, start)) for quote in "\"'`")


def _weight_of_loose(text: Reading, start: int, value: str) -> float:
    grade = strength(value.strip("\"'"))
    breaks_out = _breaks_out(text.lower, start)
    if grade is Strength.ATTACK:
        return 1.0 if breaks_out or not text.literate else 0.7
    if grade is Strength.SINK:
        return (0.5 if text.literate else 1.0) if breaks_out else (0.0 if text.literate else 0.7)
    if not breaks_out or text.literate:
        return 0.0
    follows_quote = text.lower[max(0, start - _NEAR) : start].rstrip(" \t\r\n/")[-1:] in _QUOTES
    if grade is Strength.CODE:
        return 1.0 if follows_quote else 0.9
    return 1.0 if follows_quote and not value.strip(" \"'") else 0.0
