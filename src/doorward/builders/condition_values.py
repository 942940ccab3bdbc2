"""What stands for a value in conditions: patterns, texts, names of headers, and tables of them by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import ConfigurationError
from doorward.rules.conditions import Condition, all_of, negated
from doorward.rules.texts import Predicate, compile_texts

if TYPE_CHECKING:
    from doorward.rules.value_tests import Spec
_HEADER_NAME = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]{1,200}")


class Place(NamedTuple):
    """Where a condition stands, and what that means for it.

    Attributes:
        field: What to name in an error.
        lets_pass: Whether more requests pass where it holds: what cannot be tried then counts as no match.
        any_case: Whether texts are compared without case.
        standing: How a claim to be a bot has to stand; empty for any.
        depth: In how many tables.
    """

    field: str
    lets_pass: bool
    any_case: bool = False
    standing: frozenset[str] = frozenset()
    depth: int = 0

    def at(self, name: str) -> Place:
        """A key of it."""
        return self._replace(field=f"{self.field}.{name}" if self.field else name)


def mapped_by_name(table: Any, place: Place, one: Callable[[str, Spec], Condition]) -> Condition:
    """Conditions on values by name: ``one`` makes each, of a name and what its value has to be, or None for any."""
    if not isinstance(table, Mapping) or not table:
        raise ConfigurationError(place.field, f"must map names to patterns, true or false, not {table!r}")
    found = []
    for name, value in table.items():
        if not isinstance(name, str) or not name:
            raise ConfigurationError(place.field, f"has names of text, not {name!r}")
        if isinstance(value, bool):
            # Found by name, whatever it holds.
            condition = one(name, None)
            found.append(condition if value else negated(condition))
        else:
            found.append(one(name, spec_of(value, place.at(name))))
    return all_of(found)


def spec_of(value: Any, place: Place) -> Predicate:
    """What a text has to be, as the side that protects has it where it is too long to be searched."""
    return compile_texts(
        patterns_of(value, place), field=place.field, any_case=place.any_case, overlong=not place.lets_pass
    )


def patterns_of(value: Any, place: Place) -> list[Any]:
    """One pattern or several; a number is its text."""
    given = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if not given:
        raise ConfigurationError(place.field, "is an empty list, which nothing could match")
    found = [str(each) if isinstance(each, int | float) and not isinstance(each, bool) else each for each in given]
    for each in found:
        if not isinstance(each, str | re.Pattern):
            raise ConfigurationError(place.field, f"takes patterns of text, not {each!r}")
    return found


def texts_of(value: Any, place: Place) -> list[str]:
    """One text or several, none of them empty."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple | set | frozenset) or not given:
        raise ConfigurationError(place.field, f"must be text or a list of text, not {value!r}")
    for each in given:
        if not isinstance(each, str) or not each:
            raise ConfigurationError(place.field, f"must be text or a list of text, not {each!r}")
    return list(given)


def header_name(name: str, place: Place) -> str:
    """In lower case."""
    if not _HEADER_NAME.fullmatch(name):  # RFC 9110 section 5.6.2, but for "_"
        raise ConfigurationError(place.field, f"{name!r} is no name of a header, or one that servers drop")
    return name.lower()
