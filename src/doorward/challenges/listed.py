"""The kinds of challenges by name: ``"work"``, or ``{"kind": "work", "least": 2000}`` with its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from doorward.challenges.standing_in import KIND, name_of
from doorward.challenges.waiting import Wait
from doorward.challenges.work import Work
from doorward.errors import ConfigurationError, UnknownArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.challenges.kinds import Kind

FIELD = "challenges.kinds"
_WORK = ("algorithm", "cost", "memory", "least", "most")


def _browser(*, work: Mapping[str, Any] | None = None, **options: Any) -> Kind:
    from doorward.challenges.signals.kind import Browser  # few offer it

    return Browser(Work(**_known("work", work)) if work is not None else None, **options)


def _pictures(name: str, **options: Any) -> Kind:
    from doorward.challenges.pictures import Pictures  # what draws is imported when somebody wants it

    return Pictures(name, **options)


_DRAWN = ("letters", "shapes", "odd", "pictures", "audio")
BY_NAME: Mapping[str, Callable[..., Kind]] = {
    "wait": Wait,
    "work": Work,
    "browser": _browser,
    **{name: partial(_pictures, name) for name in _DRAWN},
}
ARGUMENTS: Mapping[str, Sequence[str]] = {
    "wait": (),
    "work": _WORK,
    "browser": ("work", "doubtful"),
    **dict.fromkeys(_DRAWN, ("hardness", "drawings_per_minute")),
}
"""What a table may say of a kind; ``work`` of ``browser`` is such a table itself, without its name."""


def kinds_of(given: Sequence[Any]) -> list[Kind]:
    """Kinds from names, tables, and objects of the application's own.

    Raises:
        ConfigurationError: A name is unknown, or an object is none.
    """
    return [_kind(each) for each in given]


def _kind(given: Any) -> Kind:
    if isinstance(given, str | Mapping):
        return _by_name(given)
    if not all(hasattr(given, name) for name in ("name", "level", "pose", "check")):
        raise ConfigurationError(FIELD, f"must hold names or kinds, not {given!r}")
    kind: Kind = given
    return kind


def _by_name(given: str | Mapping[str, Any]) -> Kind:
    name, options = name_of(given), dict(given) if isinstance(given, Mapping) else {}
    if name not in BY_NAME:
        raise ConfigurationError(
            FIELD, f"{given.get(KIND) if isinstance(given, Mapping) else given!r} is none of {', '.join(BY_NAME)}"
        )
    options.pop(KIND, None)
    try:
        return BY_NAME[name](**_known(name, options))
    except ConfigurationError as error:
        if error.field == FIELD:
            raise
        # Kinds name their own arguments: "hardness", "work.most".
        raise ConfigurationError(f"{FIELD}.{error.field.removeprefix(f'{name}.')}", error.problem) from error


def _known(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(options, Mapping):
        raise ConfigurationError(name, f"must be a table such as {{'least': 2000}}, not {options!r}")
    for argument in options:
        if argument not in ARGUMENTS[name]:
            raise UnknownArgument(name, argument, ARGUMENTS[name])
    return options
