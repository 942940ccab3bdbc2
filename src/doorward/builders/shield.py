"""The builder of shield rules."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

from doorward.attacks.detectors import request_detectors, value_detectors
from doorward.attacks.evidence import Family
from doorward.attacks.exclusions import Exclusion, Exclusions
from doorward.attacks.scan import Scanner
from doorward.builders.rule_files import plain_values, rulebooks
from doorward.duration import nanoseconds
from doorward.errors import ConfigurationError
from doorward.patterns import RouteMatcher
from doorward.rules.base import RuleOptions
from doorward.rules.filters import check_options
from doorward.rules.shield import THRESHOLD, ShieldRule, When

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

_ARGUMENTS = ("threshold", "window", "exclude", "paranoia", "body", "when")
_LARGEST_THRESHOLD = 1_000_000.0

_CODE = "SQL NOSQL XSS SHELL TEMPLATE CODE PHP JAVA NODE SSI"
CODE = frozenset(map(Family, _CODE.split()))
"""What text in programming languages is full of."""


class Excluded(TypedDict, total=False):
    """What to leave alone: findings to which all of these apply.

    Attributes:
        path: A path pattern, as in ``paths=``; or a list of them.
        parameter: Name of a parameter, JSON key, header or cookie; what is below it too: ``item`` covers ``item.text``.
        family: A family of attacks, such as ``"XSS"``, or a list: see :class:`doorward.attacks.evidence.Family`.
        carries: ``"code"``: the families that code in that parameter would be taken for.
    """

    path: str | Sequence[str]
    parameter: str
    family: str | Sequence[str]
    carries: Literal["code"]


def shield(
    *,
    threshold: float = THRESHOLD,
    window: float | str | timedelta = "10m",
    exclude: Sequence[str | Excluded] = (),
    paranoia: int = 1,
    body: bool = True,
    when: When = "before",
    **options: Unpack[RuleOptions],
) -> ShieldRule:
    """Deny requests that carry an attack: SQL, scripts, shell commands, paths, templates, and twenty other kinds.

    Needs no configuration. A value that is an attack beyond doubt is denied at once. Weaker suspicion has a weight
    below 1, and adds up per client: at ``threshold`` within ``window``, the client is refused for ``window``.

    Args:
        threshold: Sum of weights, above 0.
        window: Seconds, text such as ``"10m"``, or a timedelta.
        exclude: What to leave alone: path patterns, or mappings with ``path``, ``parameter``, ``family``, ``carries``.
        paranoia: 1 for the fewest mistakes; 2 and 3 find more, also in what is none.
        body: Whether to look at bodies.
        when: ``"before"`` the application sees the request; or ``"after"`` the response, which costs no latency, denies
            nothing by itself, and counts for the client's next request. It takes middleware: a ``protect`` in a handler
            has no response to wait for.
        **options: ``mode``, ``name``, ``on_error``, ``characteristics``, ``paths``, ``methods``: see
            :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong.
        DataError: The rules cannot be read.
    """
    check_options("shield", _ARGUMENTS, RuleOptions.__annotations__, options)
    if isinstance(paranoia, bool) or paranoia not in (1, 2, 3):
        raise ConfigurationError("paranoia", f"must be 1, 2 or 3, not {paranoia!r}")
    if not isinstance(body, bool):
        raise ConfigurationError("body", f"must be True or False, not {body!r}")
    if when not in ("before", "after"):
        raise ConfigurationError("when", f'must be "before" or "after", not {when!r}')
    books = rulebooks(paranoia)
    exclusions = Exclusions([_exclusion(entry) for entry in _entries(exclude)])
    return ShieldRule(
        scanner=Scanner(value_detectors(books), request_detectors(books), exclusions, plain_values()),
        threshold=_threshold(threshold),
        window=nanoseconds(window, "window") / 1e9,
        body=body,
        when=when,
        exclude=tuple([str(entry) for entry in exclude]),
        paranoia=paranoia,
        **cast("dict[str, Any]", options),
    )


def _threshold(value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not isfinite(cast("float", value)) or not 0 < cast("float", value) <= _LARGEST_THRESHOLD:
        raise ConfigurationError("threshold", f"must be a number above 0 and at most 1,000,000, not {value!r}")
    return float(cast("float", value))


def _entries(exclude: object) -> Sequence[object]:
    if isinstance(exclude, str | bytes) or not isinstance(exclude, list | tuple):
        raise ConfigurationError("exclude", f"must be a list of path patterns and mappings, not {exclude!r}")
    return exclude


def _exclusion(entry: object) -> Exclusion:
    if isinstance(entry, str):
        return Exclusion(_paths(entry), "", frozenset())
    if not isinstance(entry, dict) or not entry:
        raise ConfigurationError("exclude", f"must hold path patterns and mappings, not {entry!r}")
    for key in entry:
        if key not in Excluded.__annotations__:
            raise ConfigurationError("exclude", f"{key!r} is none of {', '.join(Excluded.__annotations__)}")
    if "family" in entry and "carries" in entry:
        raise ConfigurationError("exclude", "takes family or carries, not both: carries names families")
    parameter = entry.get("parameter", "")
    if not isinstance(parameter, str) or ("parameter" in entry and not parameter):
        raise ConfigurationError("exclude", f"parameter must be a name, not {parameter!r}")
    paths = _paths(entry["path"]) if "path" in entry else None
    return Exclusion(paths, parameter, _narrowed(entry))


def _narrowed(entry: dict[str, Any]) -> frozenset[Family]:
    """The families that an exclusion is about; empty for all."""
    if "carries" in entry:
        return _carried(entry["carries"])
    return _families(entry["family"]) if "family" in entry else frozenset()


def _paths(path: object) -> RouteMatcher:
    patterns = [path] if isinstance(path, str) else path
    if not isinstance(patterns, list | tuple) or not patterns:
        raise ConfigurationError("exclude", f"path must be a pattern or a list of them, not {path!r}")
    return RouteMatcher(patterns, field="exclude")


def _families(family: object) -> frozenset[Family]:
    names = [family] if isinstance(family, str) else family
    if not isinstance(names, list | tuple) or not names:
        raise ConfigurationError("exclude", f"family must be a name or a list of them, not {family!r}")
    return frozenset([_family(name) for name in names])


def _family(name: object) -> Family:
    if not isinstance(name, str) or name.upper() not in Family.__members__:
        raise ConfigurationError("exclude", f"family must be one of {', '.join(Family)}, not {name!r}")
    return Family[name.upper()]


def _carried(carries: object) -> frozenset[Family]:
    if carries != "code":
        raise ConfigurationError("exclude", f'carries must be "code", not {carries!r}')
    return CODE
