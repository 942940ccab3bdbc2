"""Which kind of challenge a client is given, where the one that it should be given cannot be checked now.

A kind may have ``is_away`` (whether what it needs is known to fail) and ``deputy`` (the name of the kind that takes its
place then, and whose passing counts as much).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.challenges.kinds import Kind, Offer
    from doorward.levels import Level

KIND = "kind"
"""The key that names the kind, where one is given as a table."""
UNAVAILABLE = "unavailable"
"""The code of an answer that could not be checked, through no fault of the client's."""


def standing_in(offer: Offer, level: Level, failed: str = "") -> tuple[Kind, Level]:
    """The kind for ``level``, and what passing it shows.

    Args:
        offer: What there is.
        level: What is asked for.
        failed: Name of the kind that could not be checked just now; empty as a rule.
    """
    kind = offer.by_name.get(failed) or offer.choose(level)
    if kind.name != failed and not _is_away(kind):
        return kind, kind.level
    deputy = offer.by_name.get(getattr(kind, "deputy", ""))
    if deputy is not None:
        return deputy, max(kind.level, deputy.level)
    others = [other for other in offer.by_name.values() if _serves(other, kind)]
    other = min(others, key=lambda each: each.level) if others else kind
    return other, other.level


def _serves(other: Kind, kind: Kind) -> bool:
    return other is not kind and other.level >= kind.level and not _is_away(other)


def _is_away(kind: Kind) -> bool:
    return bool(getattr(kind, "is_away", False))


def name_of(given: Any) -> str:
    """The name of a kind, however it is given; empty where it has none."""
    name = given if isinstance(given, str) else _named(given)
    return name if isinstance(name, str) else ""


def _named(given: Any) -> Any:
    return given.get(KIND) if isinstance(given, Mapping) else getattr(given, "name", "")


def check_deputies(kinds: Sequence[Any], field: str) -> None:
    """Whether each kind that names a deputy has one.

    Raises:
        ConfigurationError: One has none.
    """
    names = {name_of(kind) for kind in kinds}
    for kind in kinds:
        deputy = "" if isinstance(kind, str) else getattr(kind, "deputy", "")
        if deputy and deputy not in names:
            problem = f"must hold {deputy!r} too, which {getattr(kind, 'name', kind)!r} falls back to"
            raise ConfigurationError(field, problem)
