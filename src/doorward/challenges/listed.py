"""The kinds of challenges by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from doorward.challenges.waiting import Wait
from doorward.challenges.work import Work
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.challenges.kinds import Kind


def _pictures(name: str) -> Kind:
    from doorward.challenges.pictures import Pictures  # what draws is imported when somebody wants it

    return Pictures(name)


BY_NAME: Mapping[str, Callable[[], Kind]] = {
    "wait": Wait,
    "work": Work,
    **{name: partial(_pictures, name) for name in ("letters", "shapes", "odd", "pictures", "audio")},
}


def kinds_of(given: Sequence[Any]) -> list[Kind]:
    """Kinds from names, and objects of the application's own.

    Raises:
        ConfigurationError: A name is unknown, or an object is none.
    """
    return [_kind(each) for each in given]


def _kind(given: Any) -> Kind:
    if isinstance(given, str):
        if given not in BY_NAME:
            raise ConfigurationError("challenges.kinds", f"{given!r} is none of {', '.join(BY_NAME)}")
        return BY_NAME[given]()
    if not all(hasattr(given, name) for name in ("name", "level", "pose", "check")):
        raise ConfigurationError("challenges.kinds", f"must hold names or kinds, not {given!r}")
    kind: Kind = given
    return kind
