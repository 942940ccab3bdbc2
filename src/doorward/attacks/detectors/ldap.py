"""Search filters of LDAP (RFC 4515): values that close the one they are put into, and values that are one.

Parentheses in prose, code and formulas are closed where they were opened. A value that is to break out of a filter has
to close one that it has not opened, and to go on with what makes the rest a filter again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import context_scale, document_scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_PARENTHESIS = re.compile(r"[()]")
_NEXT = re.compile(
    r"""\){1,4}(?:
        \s{0,4}[&|!]?\s{0,4}\(\s{0,4}[&|!]                        # a group
        |\s{0,4}[&|!]?\(\s{0,4}\(                                 # a group without its operator
        |\s{0,4}[&|!]?\(\s{0,2}([a-z][a-z0-9;.-]{0,40})\s{0,2}(?:[<>~]=|:?=)   # an item
    )""",
    re.VERBOSE,
)
_MARKS = re.compile(r"[()*](?:(?<=\()\s{0,4}[&|!]|(?<=\))\s{0,4}[&|!]?\s{0,4}\(|(?<=\*)\s?\))")
"""Without which nothing is a filter, but a single item."""
_GROUP = re.compile(r"\(\s{0,4}[&|!]\s{0,4}\(")
_ITEM = re.compile(r"\(\s{0,4}([a-z][a-z0-9;.-]{0,40})\s{0,4}(?:[<>~]=|=(?!=)|:[a-z0-9.]{0,40}:?=)")
_OPEN_END = re.compile(r"\*\s?\){1,4}\s?(?:\x00|[&|!]?\([&|!(]|[&|!]?\(\s{0,4}$)")
_WILDCARD_CLOSE = re.compile(r"^[\w.@-]{0,40}\*\s?\){1,4}\s{0,4}$")
_WORDS_APART = re.compile(r"\)\s")
_ALONE = re.compile(r"\s{0,4}!?\(\s{0,4}([a-z][a-z0-9;.-]{0,40})\s{0,4}[<>~]?=[^()=]{0,80}\)\s{0,4}\Z")
_ONE_ITEM = 0.7
_SURE = 2
_PASSWORDS = re.compile(r"(?:\A|[._\[-]|new|old|confirm)(?:pass(?:word|wd|phrase)?|pwd)\d?\]?(?:_?confirm\w{0,5})?\Z")
_FILTERS = re.compile(r"(?:\A|[._$\[-]|ldap_?|search_?|user_?|group_?)(?:filter|query)\]?\Z")
_LETTERS_OR_DIGITS = re.compile(r"[a-z0-9]")
_IN_A_PASSWORD = 0.6
_IN_AN_INTERFACE = 0.5
_FACE = re.compile(r"(?:\A|\s)[:;=8]['-]?\Z")
_MOST_UNOPENED = 8
_LONGEST_NAME = 64
_UNITS_A_PARENTHESIS = 20


class LdapDetector:
    """Filters that are broken out of, and filters.

    Args:
        book: The rules of ``ldap.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._breakout = book.rule("breakout")
        self._filter = book.rule("filter")
        self._open_end = book.rule("open_end")
        self._wildcard_close = book.rule("wildcard_close")
        self._attributes = book.words("attributes")

    def wants(self, subject: Subject) -> bool:
        """Whether there are parentheses, and beside them what filters have there."""
        text = subject.text
        if "(" in text or ")" in text:
            if _MARKS.search(text):
                return True
            return "=" in text and not self._attributes.isdisjoint(subject.words)
        return False

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """What a filter would be made of."""
        lower = subject.lower
        work.spend(2 * len(lower) + _UNITS_A_PARENTHESIS * (lower.count("(") + lower.count(")")))
        unopened = list(_unopened(lower))
        for at in unopened:
            found = _NEXT.match(lower, at)
            if found is None:
                continue
            known = found[1] in self._attributes
            if known or not (found[1] and _WORDS_APART.match(lower, at)):
                # In a document a parenthesis may be lost. What names an attribute is a filter there, too.
                yield self._breakout.at(at, found.end(), scale=1.0 if known else _scale_of_unknown(subject))
                break
        if unopened and "*" in lower:
            yield from self._ends(subject)
        yield from self._filters(subject)

    def _ends(self, subject: Subject) -> Iterator[Evidence]:
        lower = subject.lower
        if found := _OPEN_END.search(lower):
            yield self._open_end.at(found.start(), found.end(), scale=context_scale(subject))
        elif found := _WILDCARD_CLOSE.search(lower):
            yield self._wildcard_close.at(found.start(), found.end(), scale=context_scale(subject))

    def _filters(self, subject: Subject) -> Iterator[Evidence]:
        """Filters; interfaces for administrators take them as they are."""
        is_taken = _FILTERS.search(subject.name.lower()[-_LONGEST_NAME:]) is not None
        for evidence in self._whole_filters(subject):
            yield evidence._replace(weight=evidence.weight * _IN_AN_INTERFACE) if is_taken else evidence

    def _whole_filters(self, subject: Subject) -> Iterator[Evidence]:
        lower = subject.lower
        group = _GROUP.search(lower)
        if group is None:
            if (alone := _ALONE.match(lower)) and alone[1] in self._attributes:
                yield self._filter.at(0, alone.end(), scale=_ONE_ITEM * context_scale(subject))
            return
        items = 0
        for item in _ITEM.finditer(lower, group.start()):
            items += 1
            if item[1] in self._attributes:
                yield self._filter.at(group.start(), item.end(), scale=context_scale(subject))
                return
        # Of unknown attributes it takes two, and nothing around them.
        if items >= _SURE and lower.lstrip().startswith("(") and lower.rstrip().endswith(")"):
            yield self._filter.at(group.start(), len(lower), scale=_ONE_ITEM * context_scale(subject))


def _scale_of_unknown(subject: Subject) -> float:
    """How much a filter without a known attribute counts: passwords have such signs in any order."""
    is_password = _PASSWORDS.search(subject.name.lower()[-_LONGEST_NAME:]) is not None
    if is_password and not subject.is_name and _LETTERS_OR_DIGITS.search(subject.lower):
        return _IN_A_PASSWORD
    return document_scale(subject)


def _unopened(lower: str) -> Iterator[int]:
    """Where a parenthesis is closed that was not opened; the first few."""
    depth = found = 0
    for match in _PARENTHESIS.finditer(lower):
        if match[0] == "(":
            depth += 1
        elif depth > 0:
            depth -= 1
        elif _FACE.search(lower, max(0, match.start() - 3), match.start()) is None:
            yield match.start()
            found += 1
            if found == _MOST_UNOPENED:
                return
