r"""Which texts a condition means: exactly one, with ``*`` for anything, or by a regular expression.

=====================  =============================================================================================
``curl``               exactly this text
``curl/*``             ``*`` is anything, also nothing: the pattern is for the whole text
``*bot*``              found anywhere
``re:^curl/[78]\.``     a regular expression, found anywhere; so is a compiled ``re.Pattern``
=====================  =============================================================================================

Patterns of paths are those of :mod:`doorward.patterns`, for whole paths. Many patterns are tried together: a set for
those without a star, one call for all ends and one for all beginnings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.patterns import MAX_SOURCE, compile_path, compile_regex, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    Pattern = str | re.Pattern[str]

Predicate = Callable[[str], bool]
_REGEX = ("re:", "regex:")
_WILD = frozenset({"*", "**", "?"})


class _Sorted:
    """Patterns by what it takes to try them: whole texts, beginnings, ends, parts, and tests of their own."""

    def __init__(self) -> None:
        self.whole: set[str] = set()
        self.starts: list[str] = []
        self.ends: list[str] = []
        self.parts: list[str] = []
        self.tests: list[Predicate] = []

    def add(self, text: str, *, open_start: bool, open_end: bool) -> None:
        """Add what stands between a star at the start and one at the end, where there are such."""
        if open_start and open_end:
            self.parts.append(text)
        elif open_start:
            self.ends.append(text)
        elif open_end:
            self.starts.append(text)
        else:
            self.whole.add(text)

    def predicate(self, *, any_case: bool) -> Predicate:
        """Whether a text is one of them; ``any_case`` where they are in lower case, and texts are to be compared so."""
        whole, starts, ends = frozenset(self.whole), tuple(self.starts), tuple(self.ends)
        parts, tests = tuple(self.parts), tuple(self.tests)
        if whole and not (starts or ends or parts or tests or any_case):
            return whole.__contains__
        if len(tests) == 1 and not (whole or starts or ends or parts or any_case):
            return tests[0]

        def matches(text: str) -> bool:
            if any_case:
                text = text.lower()  # expressions that ignore case find the same in it: their flag stays on
            if text in whole or text.startswith(starts) or text.endswith(ends):
                return True
            for part in parts:  # a generator costs as much as ten of these
                if part in text:
                    return True
            for test in tests:  # noqa: SIM110  (as above)
                if test(text):
                    return True
            return False

        return matches


def compile_texts(patterns: Sequence[Pattern], *, field: str, any_case: bool, overlong: bool) -> Predicate:
    """Whether a text is one that the patterns mean. Takes linear time, and never raises.

    Args:
        patterns: See the table of this module.
        field: What to name in an error.
        any_case: Compare without case.
        overlong: What regular expressions say of a text of more than ``doorward.patterns.MAX_TEXT`` characters.

    Raises:
        ConfigurationError: A pattern cannot be compiled, or could take more than linear time.
    """
    found = _Sorted()
    for pattern in patterns:
        if (source := regex_of(pattern)) is not None:
            found.tests.append(compile_regex(_cased(source, any_case=any_case), field=field, overlong=overlong))
            continue
        text = _checked(pattern, field)
        first, *inner = (text.lower() if any_case else text).split("*")
        if inner and not first and not any(inner):
            raise ConfigurationError(field, f"{pattern!r} is any text: write true for what only has to be there")
        if not inner:
            found.whole.add(first)
        elif len(inner) == 1 and not (first and inner[0]):
            found.add(first or inner[0], open_start=not first, open_end=bool(first))
        elif len(inner) == 2 and not first and not inner[1]:
            found.add(inner[0], open_start=True, open_end=True)
        else:
            found.tests.append(_in_order(first, inner[:-1], inner[-1]))
    return found.predicate(any_case=any_case)


def _in_order(first: str, inner: Sequence[str], last: str) -> Predicate:
    """Whether a text begins and ends so, with all that is ``inner`` between, one after the other.

    To take each at the first place where it is found leaves the most for those that follow, so nothing is tried twice.
    """

    def matches(text: str) -> bool:
        if not text.startswith(first):
            return False
        at = len(first)
        for part in inner:
            found = text.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return len(text) - len(last) >= at and text.endswith(last)

    return matches


def compile_paths(patterns: Sequence[Pattern], *, field: str, any_case: bool, overlong: bool) -> Predicate:
    """Whether a path is one that the patterns of :mod:`doorward.patterns` mean. As :func:`compile_texts`.

    Raises:
        ConfigurationError: A pattern cannot be compiled, can match no path, or could take more than linear time.
    """
    found = _Sorted()
    for pattern in patterns:
        if (source := regex_of(pattern)) is not None:
            cased = _cased(source, any_case=any_case)
            compiled = cased if isinstance(cased, re.Pattern) else f"re:{cased}"
            found.tests.append(compile_path(compiled, field=field, overlong=overlong).matches)
            continue
        text = _checked(pattern, field)
        path = compile_path(text.lower() if any_case else text, field=field, overlong=overlong)
        pieces = tokenize(path.source)
        open_start, open_end = pieces[0] == "**", pieces[-1] == "**"
        inner = pieces[open_start : len(pieces) - open_end]
        if not inner or not _WILD.isdisjoint(inner):
            found.tests.append(path.matches)
        else:
            found.add("".join(inner), open_start=open_start, open_end=open_end)
    return found.predicate(any_case=any_case)


def regex_of(pattern: Pattern) -> Pattern | None:
    """What a regular expression is; None for another pattern."""
    if isinstance(pattern, re.Pattern):
        return pattern
    prefix = next((each for each in _REGEX if pattern.startswith(each)), None)
    return None if prefix is None else pattern.removeprefix(prefix)


def _cased(source: Pattern, *, any_case: bool) -> Pattern:
    if not any_case:
        return source
    text = source.pattern if isinstance(source, re.Pattern) else source
    flags = source.flags if isinstance(source, re.Pattern) else 0
    try:
        return re.compile(text, flags | re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return source  # whoever compiles it says what is wrong


def _checked(pattern: object, field: str) -> str:
    if not isinstance(pattern, str):
        raise ConfigurationError(field, f"takes text or a compiled pattern, not {pattern!r}")
    if len(pattern) > MAX_SOURCE:
        raise ConfigurationError(field, f"a pattern has at most {MAX_SOURCE} characters, not {len(pattern)}")
    return pattern


__all__ = ["Predicate", "compile_paths", "compile_texts", "regex_of"]
