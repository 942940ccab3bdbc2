"""MongoDB operators in names, which parsers of forms and JSON make of them, and JavaScript conditions in values.

Explicit operators in values, and calls, are patterns, of :class:`~doorward.attacks.detectors.context.ContextPatterns`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import ContextPatterns, document_scale
from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_OPERATOR = re.compile(r"(?:\[|\.|\A|\])\$([a-z]{2,16})(?=\]|\.|\[|\Z)")
_FILTER_NAME = re.compile(r"(?:filters?|where|query|q|criteria|populate)(?:\W|\Z)")
_PARENT = re.compile(r"[a-z]+")
_OPERAND = r"""(?:["'`]?[\w.]{0,40}["'`]?)"""
_CONDITION = re.compile(
    rf"""(?:["'`]\)?\s{{0,8}}(?:\|\||&&)|\A\s{{0,4}}(?:\|\||&&)|["'`]\s{{0,8}};\s{{0,8}}return\b)
        \s{{0,8}}\(?{_OPERAND}\s{{0,8}}[=!]==?\s{{0,8}}{_OPERAND}""",
    re.VERBOSE,
)
_ALWAYS = re.compile(r"""["'`]\)?\s{0,8}\|\|\s{0,8}(?:true|1|!0)\s{0,8}(?:\|\||&&|//|;|\x00|["'`]|\Z)""")
_HAS_OPERATOR = re.compile(r"""["'`]\)?\s{0,8}(?:\|\||&&|;)|\A\s{0,4}(?:\|\||&&)""")
_FILTERS = frozenset({"filter", "filters", "$filter", "where", "query", "criteria", "conditions", "selector"})
_END_OF_NAME = re.compile(r"[^.\[\]]+")
_LONGEST_NAME = 64
_FIELD_FIRST = re.compile(r"""\s{0,8}\{\s{0,8}["'][a-z_]""")
_GUARDED = re.compile(
    r"""["'](?:user\w{0,8}|login|e?mail|pass\w{0,8}|pwd|\w{0,16}token|secret|role|admin)["']\s{0,4}:\s{0,4}\{"""
)
_QUOTES = "\"'`"
_NEAR = 24
_LONGEST = 2_000


class StringBreaks(ContextPatterns):
    """The patterns of ``nosql.toml`` and ``xpath.toml``.

    Those that begin at the end of a string apply only where no string was opened.

    In code the quote before ``; return`` closes a string that began in the text. In an attack the string began in the
    application.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book)
        self._after_a_string = frozenset([f"{book.name}.{name}" for name in book.words("after_a_string")])
        self._object = f"{book.name}.operator_object"

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule."""
        if subject.is_name and ":" not in subject.text and "(" not in subject.text:
            return
        for evidence in super().examine(subject, work):
            if evidence.rule in self._after_a_string and not _ends_outer_string(subject.lower, evidence.start):
                continue
            is_filter = evidence.rule == self._object and _is_filter(subject)
            yield evidence._replace(weight=evidence.weight * 0.5) if is_filter else evidence


class OperatorNameDetector:
    """Operators as names, and conditions that follow a string that was ended.

    Args:
        book: The rules of ``nosql.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} names"
        self._operator = book.rule("operator_name")
        self._comparing = book.rule("comparing_name")
        self._equality = book.rule("loose_equality")
        self._operators = book.words("operators")
        self._lesser = book.words("comparing")
        self._running = book.words("running")
        self._secrets = book.words("secrets")

    def wants(self, subject: Subject) -> bool:
        """Whether there is a sigil of operators in a name, or a condition of JavaScript in a value."""
        text, is_one = subject.text, is_one_value(subject)
        if "$" in text and (subject.is_name or not is_one):
            return True
        if is_one and (subject.is_name or len(text) > _LONGEST):
            return False
        if ("|" in text and "||" in text) or ("&" in text and "=" in text and "&&" in text):
            return True
        return ";" in text and "=" in text and "return" in subject.words

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """An operator in a name, or a condition in a value."""
        lower = subject.lower
        if subject.is_name:
            work.spend(len(lower))
            if "$" in lower:
                yield from self._in_name(subject)
        elif len(lower) <= _LONGEST and _HAS_OPERATOR.search(lower):
            work.spend(3 * len(lower))
            found = _CONDITION.search(lower) or _ALWAYS.search(lower)
            if found and _ends_outer_string(lower, found.start()):
                yield self._equality.at(found.start(), found.end(), scale=document_scale(subject))

    def _in_name(self, subject: Subject) -> Iterator[Evidence]:
        for found in _OPERATOR.finditer(subject.lower[:400]):
            operator = found[1]
            if operator not in self._operators:
                continue
            # Where the parser of the body names a key alone, the path to it is the value's name.
            path = subject.lower[: found.start()] or subject.name.lower()
            if _OPERATOR.search(subject.lower, found.end()) and not _FILTER_NAME.match(path):
                yield self._operator.at(found.start(), found.end())
                return
            guarded = operator in self._running or not self._secrets.isdisjoint(_PARENT.findall(path[-80:]))
            if guarded or (operator not in self._lesser and subject.place is not Place.JSON):
                yield self._operator.at(found.start(), found.end())
            else:
                yield self._comparing.at(found.start(), found.end())
            return


def _is_filter(subject: Subject) -> bool:
    """Whether it is the filter of a list, as clients of some APIs send it: by a parameter's name, and fields first."""
    leaf = _END_OF_NAME.findall(subject.name.lower()[-_LONGEST_NAME:])[-1:]
    lower = subject.lower
    return not _FILTERS.isdisjoint(leaf) and _FIELD_FIRST.match(lower) is not None and _GUARDED.search(lower) is None


def _ends_outer_string(lower: str, at: int) -> bool:
    """Whether the quote there ends a string that began outside the text; a number has to be near the beginning."""
    first = lower[at]
    if first.isdigit():
        return at < _NEAR
    return first not in _QUOTES or lower.count(first, 0, at) % 2 == 0
