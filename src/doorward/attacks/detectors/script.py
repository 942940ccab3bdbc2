"""JavaScript as a value, or that ends the string or expression of a script into which the value is put."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from doorward.attacks.detectors import javascript
from doorward.attacks.detectors.html_attributes import SPLIT_SCHEME, code_of_url, is_document_url, runs_code_by_style
from doorward.attacks.detectors.javascript import Strength, compact, is_only_code, strength, uses
from doorward.attacks.detectors.javascript_uses import GLOBALS, METHODS
from doorward.attacks.detectors.literacy import Reading, is_literate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.detectors.javascript import Use
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_SAMPLE = "script-sample"
"""In reports that browsers send, the beginning of a script (Content Security Policy 3 section 5.3)."""
_PICTURE = re.compile(r"\s{0,4}data:image/svg\+xml(?:;[a-z0-9=-]{1,20}){0,3},")
_ACTIVE = re.compile(r"script|\bon[a-z]{3,}|href|foreignobject|animate|<set|&#|&\w|%|<!|<\?|style|base64")
"""What a picture has that does more than to be looked at, or that may hide it."""
_UNITS_A_CHARACTER = 3
_UNITS_A_COMPACTED_CHARACTER = 12
_UNITS_A_USE = 300
_UNITS_A_NAME = 50
_MOST_USES = 256
"""Uses of what attacks use, in one text. No program has one in every twenty characters."""
_LONGEST_WHOLE = 2_048
_LINES_OF_PROGRAM = 3
_JOINERS = ";,-+*/|&^%?:<>=!~([{}.)]\\ "
_WORD_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_$"
_BEFORE_URL = "\"'` "
_QUOTES = "\"'`"
_BEFORE_USE = 64
_WORDS_BEFORE_USE = 3
_NETWORK = re.compile(
    r"\bfetch\(|xmlhttprequest|sendbeacon|new image|\.src=|location=|location\.(?:href|assign|replace)|window\.open|"
    r"websocket\(|\.open\(|\$\.(?:get|post|ajax)|https?:|//"
)
_SECRET = re.compile(r"document\.cookie|localstorage|sessionstorage|document\[['\"]cookie")
_LOCATION = re.compile(
    r"(?<![\w$-])location(?:\.href|\.pathname|\.hash)?=(?:[\"'`/]|name\b|document|location|window|atob|url\b|unescape|string)"
)
_MEMBER = re.compile(
    r"(?<![\w$.-])(?:\(?(?:document|window|self|top|parent|frames|globalthis|this)\)?\[[\"'`][\w$]{1,24}[\"'`]\]|"
    r"(?:document\.(?:cookie|domain|write(?:ln)?|location|documentelement)|window\.(?:location|name|open))\b)|"
    r"\.(?:innerhtml|outerhtml|insertadjacenthtml|fromcharcode|fromcodepoint)\b"
)
_ORDINARY_MEMBER = re.compile(
    r"(?<![\w$.-])(?:document\.(?:body|createelement|queryselector|getelement\w{1,24})\b|(?:atob|unescape|fetch)[(`])"
)
_STORES = frozenset({"localstorage", "sessionstorage"})
_USE = re.compile(r"""(?:[\s"'`)\]]|/\*[^*]{0,64}\*/){0,8}+(?:[(`\[=]|\??\.\s?\w|//)|[\s)\]]{0,8}`""")
_STYLE_OF_CODE = re.compile(r"url\([\"']?(?:javascript|vbscript)\b|:expression\(|-moz-binding:")
_ENCODERS = re.compile(r"\(ﾟ.ﾟ\) ?[\[=]|=~\[\]")
_DOTTED_NAME = re.compile(r"[\w.$]+")
_NAME_WITH_REMARK = re.compile(r"[a-z]+\(\)|[A-Za-z]+ \((?:\d{1,3}|[a-zA-Z][\w\s/,-]{0,40})\)(?:\.\w{1,5})?")


class ScriptDetector:
    """Knows how JavaScript looks that somebody puts where a value belongs.

    Args:
        book: ``script.toml``.
    """

    name = "script"

    def __init__(self, book: Rulebook) -> None:
        self._rule = book.rule
        self._schemes = book.words("schemes")
        self._telling = book.words("telling")
        self._called = book.words("called")
        self._in_texts = book.words("in_texts")
        self._page = book.words("page")
        self._of_page = book.words("of_page")

    def wants(self, subject: Subject) -> bool:
        """Whether it has one of the names that attacks need and a sign of code, or is code without any letters."""
        if subject.is_json:
            return False
        lower, words = subject.lower, subject.words
        if "[" in lower and ("[]" in lower or "][" in lower or not words.isdisjoint(GLOBALS)):
            return True
        if ":" in lower and (
            not words.isdisjoint(self._schemes) or (not lower.isprintable() and SPLIT_SCHEME.search(lower) is not None)
        ):
            return True
        if not words.isdisjoint(self._called) and _has_mark(lower):
            return True
        if not words.isdisjoint(self._page) and not words.isdisjoint(self._of_page):
            return True
        return not words.isdisjoint(self._telling) or ("`" in lower and not words.isdisjoint(METHODS)) or "(ﾟ" in lower

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """What the value is as a whole; then what ends a string in it."""
        is_sample = subject.name.endswith(_SAMPLE) and not subject.is_name
        for evidence in self._examined(subject, work):
            yield evidence._replace(weight=evidence.weight * 0.6) if is_sample else evidence

    def _examined(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        text = Reading(subject.text, subject.lower, is_literate(subject.text))
        work.spend(_UNITS_A_CHARACTER * len(text.text))
        yield from self._url(text)
        yield from self._symbols(text.text)
        if text.literate and not self._is_used(subject, work):
            return
        work.spend(_UNITS_A_COMPACTED_CHARACTER * len(text.text))
        short = compact(text.text)
        used = list(islice(uses(short), _MOST_USES + 1))
        work.spend(_UNITS_A_USE * len(used))
        if len(used) > _MOST_USES:
            yield self._rule("crowd").at(0, len(text.text))
            return
        yield from self._break_out(text, short, used)
        if not text.literate and len(text.text) <= _LONGEST_WHOLE:
            yield from self._whole(subject, short, used)
        elif _SECRET.search(short) and _NETWORK.search(short):
            yield self._rule("exfiltration").at(0, len(text.text), scale=0.3)

    def _is_used(self, subject: Subject, work: Work) -> bool:
        """Whether a text for people has one of the names that tell something even there, used as code uses it."""
        words, lower = subject.words, subject.lower
        if not words.isdisjoint(_STORES) or ("cookie" in words and "document" in words):
            return True
        for name in words & self._in_texts:
            at = lower.find(name)
            while at >= 0:
                work.spend(_UNITS_A_NAME)
                if _USE.match(lower, at + len(name)):
                    return True
                at = lower.find(name, at + len(name))
        return False

    def _url(self, text: Reading) -> Iterator[Evidence]:
        """The value as a URL, for where it is put into ``href`` or the like."""
        end = len(text.text)
        value = text.text.lstrip(_BEFORE_URL)
        if (code := code_of_url(value)) is not None:
            scale = _weight_of_url(text, code)
            if scale > 0.0:
                yield self._rule("script_url").at(0, end, scale=scale)
        elif is_document_url(value):
            is_picture = _PICTURE.match(text.lower) is not None and _ACTIVE.search(text.lower) is None
            runs = ("<" in value or "base64" in text.lower) and not is_picture
            yield self._rule("document_url").at(0, end, scale=1.0 if runs and not text.literate else 0.5)

    def _symbols(self, text: str) -> Iterator[Evidence]:
        encoded = ("~[" in text or "(ﾟ" in text) and _ENCODERS.search(text)
        if encoded or ("[]" in text and javascript.is_symbols(text)):
            yield self._rule("symbols").at(0, len(text))

    def _break_out(self, text: Reading, short: str, used: list[Use]) -> Iterator[Evidence]:
        """A call right after a quotation mark that is, in the value's own terms, the first of a pair."""
        for use in used:
            if not use.is_call and use.strength < Strength.ATTACK:
                continue
            quote = _quote_before(short, use.start)
            if quote is not None and short.count(short[quote], 0, quote) % 2 == 0:
                end = min(use.end, len(text.text))  # some letters are longer in lower case
                yield self._rule("out_of_string").at(min(quote, end), end, scale=0.5 if text.literate else 1.0)
                return

    def _whole(self, subject: Subject, short: str, used: list[Use]) -> Iterator[Evidence]:
        text = subject.text
        end = len(text)
        strongest = max([use.strength for use in used], default=Strength.NOTHING)
        if not (used or javascript.has_chain(short) or _STYLE_OF_CODE.search(short) or _MEMBER.search(short)):
            return
        if is_only_code(text):
            yield from self._code(subject, short, used)
        elif strongest is Strength.ATTACK and any(use.is_call for use in used):
            yield self._rule("call_in_text").at(0, end)
        if _SECRET.search(short) and _NETWORK.search(short):
            yield self._rule("exfiltration").at(0, end)
        if _STYLE_OF_CODE.search(short) and runs_code_by_style(short):
            yield self._rule("style").at(0, end)

    def _code(self, subject: Subject, short: str, used: list[Use]) -> Iterator[Evidence]:
        """What is nothing but code."""
        text, end = subject.text, len(subject.text)
        calls = [use for use in used if use.is_call]
        if calls or javascript.has_chain(short):
            yield self._rule("call").at(0, end, scale=_weight_of_calls(text, calls))
        elif javascript.is_passed_on(short):
            yield self._rule("call").at(0, end)
        is_program = text.count("\n") >= _LINES_OF_PROGRAM
        if _LOCATION.search(short):
            yield self._rule("location").at(0, end, scale=0.5 if is_program else 1.0)
        if _MEMBER.search(short):
            is_known_name = _DOTTED_NAME.fullmatch(text) is not None and not subject.is_name
            yield self._rule("member").at(0, end, scale=0.4 if is_program else 0.7 if is_known_name else 1.0)
        elif _ORDINARY_MEMBER.search(short):
            yield self._rule("member").at(0, end, scale=0.6)


def _weight_of_url(text: Reading, code: str) -> float:
    grade = strength(code)
    is_url = "//" in code
    if grade is Strength.NOTHING and not is_url:
        return 0.0
    if grade is Strength.ATTACK or (not text.literate and is_only_code(code)):
        return 1.0 if grade >= Strength.SINK or is_url else 0.6
    return 0.4


def _quote_before(short: str, start: int) -> int | None:
    """Where a quotation mark stands before a use, with nothing but operators and a few names between them."""
    begin = max(0, start - _BEFORE_USE)
    before = short[begin:start]
    for _ in range(_WORDS_BEFORE_USE):
        joined = before.rstrip(_JOINERS)
        if joined != before and joined and joined[-1] in _QUOTES:
            return begin + len(joined) - 1
        before = joined.rstrip(_WORD_CHARACTERS)
    return None


def _has_mark(lower: str) -> bool:
    return "(" in lower or "`" in lower or "=" in lower or "[" in lower


def _weight_of_calls(text: str, calls: list[Use]) -> float:
    """Less for a name with a remark in parentheses, for a call without anything in it, and for a whole program."""
    if text.count("\n") >= _LINES_OF_PROGRAM and not any(use.strength is Strength.ATTACK for use in calls):
        return 0.5
    if _NAME_WITH_REMARK.fullmatch(text.strip()):
        return 0.5 if " (" in text else 0.7
    return 1.0
