"""Keywords that say what they found, and conditions as fields of an id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.filters import compile_filters
from doorward.rules.access import Finding, Matcher
from doorward.rules.address_matcher import address_finder
from doorward.rules.filters import sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.builders.condition_values import Place
    from doorward.filters import Filter
    from doorward.ids import Field
    from doorward.rules.base import View


# --- keywords that say what they found


def by_address(items: object) -> Matcher:
    """``ip=``: says what the address is."""
    finder = address_finder(items, "ip")

    def find(view: View) -> Finding:
        found = finder.find(view)
        return Finding(bool(found), f"the address is {found}" if found else "")

    return Matcher(parameter=("ip", finder.items), find=find, reads=finder.reads)


def by_expression(expressions: object, *, lets_pass: bool) -> list[Matcher]:
    """``where=``: says which expression holds, or cannot be told.

    Raises:
        ConfigurationError: One is none.
    """
    filters = compile_filters(expressions, "where")
    if not filters:
        raise ConfigurationError("where", "has no expression; leave it out, or the rule")
    return [_expression(expression, certain=lets_pass) for expression in filters]


def _expression(expression: Filter, *, certain: bool) -> Matcher:
    def find(view: View) -> Finding:
        holds = expression.holds(view, certain=certain)
        if holds is None:
            return Finding(False, f"could not tell {expression.source}")
        return Finding(holds, f"{expression.source} holds" if holds else "")

    parameter: Field = ("where", sources([expression]))
    return Matcher(
        parameter=parameter, find=find, reads=expression.about, wants=expression.local, parts=expression.parts
    )


# --- conditions as fields of an id


def parameter_of(name: str, value: Any, place: Place) -> Field:
    """A condition in its one form: equal ones are equal text."""
    if name == "when":
        items = [json.dumps(value, default=_as_text, sort_keys=True, ensure_ascii=True)]
    elif isinstance(value, Mapping):
        items = [f"{key}: {_listed(each)}" for key, each in value.items()]
    else:
        items = [str(_as_text(each)) for each in (value if isinstance(value, list | tuple | set) else [value])]
    more = [*(["in any case"] if place.any_case else []), *_stands(name, place.standing)]
    return (name, [*items, *more])


def _stands(name: str, standing: Iterable[str]) -> list[str]:
    return [f"standing {word}" for word in sorted(standing)] if name == "bot" else []


def _listed(value: Any) -> str:
    return json.dumps(value, default=_as_text, sort_keys=True)


def _as_text(value: Any) -> Any:
    if isinstance(value, re.Pattern):
        return f"re:{value.pattern} ({value.flags})"
    return sorted(value, key=str) if isinstance(value, set | frozenset) else str(value)


__all__ = ["by_address", "by_expression", "parameter_of"]
