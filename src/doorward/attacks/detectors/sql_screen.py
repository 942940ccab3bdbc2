"""Which texts have to be read as SQL at all, and which parts of long ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.sql_tokens import end_of_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject

BEFORE = 64
AFTER = 448
"""Characters that are read around what may be an injection into a long text."""
STEP = 64
"""Characters from one such place to the next: all between are read with them."""
HEAD = 400
"""Characters at the beginning of a long text in which a comment may end the query."""

_WIDE = "\uff02\uff07\u02b9\u02bc\u2032"
_QUOTES = f"['\"`{_WIDE}]"
_SIGNS = r"(?:[-+*=#|&~<>^%!@\x00]|::|/\*|\?(?:[|&]|\s{1,4}['\"]))"
_GO_ON = r"(?:as|or|and|xor|union|having|order|group|like|in|is|between|div|where|limit)\b"
_NOT = r"[\s(+!~-]{0,16}+(?:not\b[\s(+!~-]{0,16}+)?"
# Not "or 5 of them": behind a number and blanks no word stands but these.
_NUMBER = (
    r"\d++(?:\.\d*+)?(?:(?![\s)]{1,8}[a-z])|[\s)]{1,8}+(?:or|and|xor|is|not|r?like|ilike|glob|regexp|sounds|similar|between"
    r"|in\b\s{0,8}+\(|div|mod|collate|limit|offset|where|having|group|order|union|into|procedure|as)\b)"
)
_OPERAND = (
    r"['\"`@.{\uff02\uff07\u02b9\u02bc\u2032]"
    r"|(?!\d)[\w.$@]{1,64}+[\s)'\"`]{0,8}+(?:[=<>!~^({?|:]|->|not\b|r?like\b|regexp\b|glob\b|ilike\b|sounds\b|similar\b"
    r"|is\b\s{1,8}+(?:not|null|true|false|unknown)\b|in\b\s{0,8}+\(|between\b|--|\#|;|/\*|&&|$)"
    r"|(?:true|false|null|unknown|dual|rownum|current_user)\b|select\b|case\b|exists\b"
)


def _conditions(number: str) -> Sequence[re.Pattern[str]]:
    # Each begins with a literal, which re looks for at the speed of memory.
    return [
        re.compile(f"{operator}{_NOT}(?:{number}|{_OPERAND})")
        for operator in (r"or(?<![a-wyz_]or)\b", r"and(?<![a-z_]and)\b", r"\|\|", "&&")
    ]


_OF_ONE = _conditions(_NUMBER)
_OF_MANY = _conditions(r"\d")
_LOGICAL = frozenset(("or", "and", "xor"))
_LIKE = re.compile(r"like[\s(]{0,8}(?:['\"`(]|$)")
_ALONE = r"(?:(?<![^\s+]['\"`])|(?<=\b[nxbeu]')|(?<=\*/['\"`]))['\"`]?[;)]{0,2}(?:[\s+]|\Z)"
# Most quotes are apostrophes: what cannot follow is asked for at once, before all that can.
_QUOTED = re.compile(
    rf"['\"`](?:(?=\W|\Z){_ALONE}|[\s)]{{0,8}}+(?![cefjkmnp-tvyz])(?:{_SIGNS}|(;)(?!\w{{1,32}}=)|{_GO_ON}))"
)
_BEHIND_END = re.compile(r"[;\s\\\x01-\x08\x0e-\x1f]{0,32}+([^\W\d][\w$]{0,64}+|)")
"""The word behind the end of a string and of the statement."""
_MOST_BEFORE_QUOTES = 4
_MOST_BEFORE_BACKTICKS = 10
"""Tokens that shapes have before a verb, with the quote itself, where no semicolon stands between; but HANDLER."""
_GOES_ON = frozenset(("waitfor", "handler"))
_BEFORE_VERBS = r"(?:(?:begin|end|case|when|then|else|or|and|not)\b\W{1,16}+|\d{1,8}+\W{0,16}+)?"
_PHRASES = frozenset(("having", "rlike", "regexp", "mysql", "outfile", "dumpfile", "infile", "analyse", "waitfor"))
_COMMENT = re.compile(r"/\*(?:!|[^*]{0,64}\*/)")
HEXADECIMAL = re.compile(r"0x(?:[2-7][0-9a-f](?:00)?){8,256}")
_LEAVING = re.compile(
    rf"{_QUOTES}[\s)]{{0,64}}"
    r"(?:(?:x?or\b|and\b|\|\||&&)[\s(!]{0,64}(?:[\d'\"`@*]|not\b|true\b|false\b|null\b|select\b|\w{1,32}\()"
    r"|union\b|;[\s(]{0,64}(?:insert|delete|drop|alter|truncate|declare|exec|waitfor|\w{1,8}_))"
)
_UNION = re.compile(r"union\b[^\w;'\"]{1,64}+(?:(?:all|distinct|distinctrow)\b[^\w;'\"]{1,64}+)?(?:select|values)")
_END = re.compile(r"--|#|;\s?\x00")


_TELLING = ("catalogues", "procedures", "behind_exponents")
_VERBS = ("destroyers", "executors", "verbs")
_CALLED = ("functions", "everyday_functions", "everyday_verbs", "objects", "constants", "sessions")
_QUERIES = frozenset(("select", "values"))
_SECOND_QUERY = re.compile(
    r"(?:union|intersect|except|minus)\W{1,64}+(?:(?:all|distinct|distinctrow|top)\b\W{0,64}+)?(?:select|values)"
)
# A word and a blank before it make it a word of a sentence; what may stand there in SQL is asked for by itself.
_SELECT = re.compile(r"select(?<![a-z\x80-\U0010ffff][ \n]select)(?<![a-z_,-]select)")
# A call that ends with the value, or in which two numbers are compared; or behind the end of a statement.
_CUT_SHORT = re.compile(r"\((?:[\s\\+]|\*/|\Z|[\s\\]{0,8}[\d.]{1,16}[\s\\]{0,8}[=!<>])")
_EXPONENT = re.compile(r"\.e[\s\\]{0,8}\(")
_NEXT = re.compile(r";\W{0,16}+\w{1,32}+\s{0,8}+\(")
_LISTED = re.compile(r"['\"`][\s)]{0,8}+,")


class SqlScreen:
    """Looks for words and signs.

    Args:
        book: The rules.
    """

    def __init__(self, book: Rulebook) -> None:
        self._rare = frozenset().union(*map(book.words, _TELLING)) | _PHRASES
        self._verbs = frozenset().union(*map(book.words, _VERBS))
        self._telling = book.words("telling")
        self._called = frozenset().union(*map(book.words, _CALLED))
        self._asked = book.words("sessions") | book.words("constants")
        self._known = self._rare | self._verbs | self._telling | _QUERIES
        behind = "|".join([f"(?<={prefix})" for prefix in sorted(book.words("telling_prefixes"))])
        self._prefix = re.compile(f"_(?:{behind})")
        verbs = rf"\W{{0,64}}+{_BEFORE_VERBS}(?:{'|'.join(sorted(self._verbs))})\b"
        self._first = re.compile(verbs)
        self._statement = re.compile(rf";(?:\W{{0,64}}+\w{{1,16}}+)?{verbs}")
        self._quoted = re.compile(rf"{_QUOTES}{verbs}")
        everyday = book.words("everyday_verbs")
        self._behind_end = self._rare | self._verbs | self._telling | everyday | _QUERIES | _LOGICAL | _GOES_ON

    def wants(self, subject: Subject) -> bool:
        """Whether a text has to be read; also for many texts joined together."""
        lower, words = subject.lower, subject.words
        return (  # cheap and telling first
            (not words.isdisjoint(self._known) and self._has_rare(subject))
            or (_has_quote(lower) and self._has_end(subject))
            or ("(" in lower and self._has_call(lower, words))
            or ("_" in lower and self._prefix.search(lower) is not None)
            or _has_sign(lower)
            or _is_logical(subject)
        )

    def _has_rare(self, subject: Subject) -> bool:
        lower, words = subject.lower, subject.words
        if not words.isdisjoint(self._rare):
            return True
        if ("(" in lower or ";" in lower) and not words.isdisjoint(self._telling):
            return True
        if not words.isdisjoint(_QUERIES) and _SECOND_QUERY.search(lower) is not None:
            return True
        verbs = words & self._verbs
        if "select" not in words and not verbs:
            return False
        return (
            not is_one_value(subject)
            or _SELECT.search(lower) is not None
            or (len(verbs) > 0 and self._has_statement(lower))
        )

    def _has_statement(self, lower: str) -> bool:
        """Whether a verb stands where a statement may begin: behind a quote only at the beginning of the value."""
        if self._first.match(lower) is not None:
            return True
        if ";" in lower and self._statement.search(lower) is not None:
            return True
        quoted = self._quoted.search(lower)
        return quoted is not None and _may_begin(lower, quoted.start())

    def _has_end(self, subject: Subject) -> bool:
        """Whether a string ends, and a query goes on or another begins; not a sentence or a program."""
        lower = subject.lower
        found = _QUOTED.search(lower)
        while found is not None:
            if found[1] is None or not is_one_value(subject) or self._may_follow(lower, found.end()):
                return True
            found = _QUOTED.search(lower, found.end())
        return False

    def _may_follow(self, lower: str, at: int) -> bool:
        found = _BEHIND_END.match(lower, at)
        return found is None or not found[1] or "_" in found[1] or found[1] in self._behind_end

    def _has_call(self, lower: str, words: frozenset[str]) -> bool:
        if ".e" in lower and _EXPONENT.search(lower) is not None:
            return True
        if words.isdisjoint(self._called):
            return False
        return (
            _CUT_SHORT.search(lower) is not None
            or ("()" in lower and not words.isdisjoint(self._asked))
            or (";" in lower and _NEXT.search(lower) is not None)
            or (_has_quote(lower) and _LISTED.search(lower) is not None)
        )


def _may_begin(lower: str, at: int) -> bool:
    """Whether no shape is sure to have too few tokens before a verb for what stands before a quote."""
    if "*/" in lower or "handler" in lower or ("+" in lower and " " not in lower):
        return True
    return at < end_of_tokens(lower, _MOST_BEFORE_BACKTICKS if "`" in lower else _MOST_BEFORE_QUOTES)


# One character is found in a tenth of the time of two: that is why the first is asked for before both.
def _has_quote(lower: str) -> bool:
    return "'" in lower or '"' in lower or "`" in lower


def _has_sign(lower: str) -> bool:
    return (
        (":" in lower and "::" in lower)
        or ("@" in lower and "@@" in lower)
        or ("$" in lower and ("v$" in lower or "b$" in lower or "n$" in lower))
        or ("*" in lower and _COMMENT.search(lower) is not None)
        or ("0x" in lower and HEXADECIMAL.search(lower) is not None)
        or not (lower.isascii() or all([sign not in lower for sign in _WIDE]))
    )


def _is_logical(subject: Subject) -> bool:
    lower, words = subject.lower, subject.words
    either, both, bars, ampersands = _OF_ONE if is_one_value(subject) else _OF_MANY
    if not words.isdisjoint(_LOGICAL) and (either.search(lower) is not None or both.search(lower) is not None):
        return True
    if ("|" in lower and bars.search(lower) is not None) or ("&" in lower and ampersands.search(lower) is not None):
        return True
    if "like" in words and _LIKE.search(lower) is not None:
        return True
    if "as" in words and "from" in words and ('"' in lower or "`" in lower):
        return True
    return ("by" in words and ("order" in words or "group" in words)) or ("when" in words and "case" in words)


def windows(lower: str) -> Iterator[tuple[int, int]]:
    """The parts of a long text to read: around quotes with something behind them that goes on with a query."""
    begun, reached = 0, -1
    for at in sorted([at for pattern in (_LEAVING, _UNION) for at in _places(pattern, lower)]):
        if at - BEFORE > reached:
            if reached >= 0:
                yield begun, reached
            begun = max(0, at - BEFORE)
        reached = min(len(lower), at + AFTER)
    if reached >= 0:
        yield begun, reached


def _places(pattern: re.Pattern[str], lower: str) -> Iterator[int]:
    found = pattern.search(lower)
    while found is not None:
        yield found.start()
        found = pattern.search(lower, found.start() + STEP)


def head(lower: str) -> str:
    """A long text as far as a comment that begins early; what is behind it is nothing to a query.

    Empty without one, and for code: that has lines, and the same quotes again behind its comments.
    """
    found = _END.search(lower, 0, HEAD)
    if found is None or "\n" in lower[: found.start()]:
        return ""
    beginning = lower[: found.end()]
    quotes = frozenset("'\"`") & frozenset(beginning)
    return beginning if quotes.isdisjoint(lower[found.end() :]) else ""
