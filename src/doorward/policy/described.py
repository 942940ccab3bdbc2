"""Rules and options as plain words and data, for whoever compares two policies."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from doorward.challenges.appearance import File
from doorward.challenges.standing_in import KIND, name_of
from doorward.clock import NANOSECONDS
from doorward.duration import UNITS
from doorward.filters import Filter
from doorward.levels import Level
from doorward.rules.access import AccessRule, Matcher
from doorward.rules.limits import DynamicLimit, StaticLimit

if TYPE_CHECKING:
    from doorward.bound import Bound
    from doorward.rules.base import Rule
    from doorward.runtime import Runtime
    from doorward.settings import Settings

    Plain = str | int | float | bool | list[Any] | None

_BUILDERS = {
    "BOT": "detect_bot",
    "EMAIL": "validate_email",
    "SHIELD": "shield",
    "FILTER": "filter_request",
    "FORM": "form_trap",
}
_SETTLED = frozenset({"mode", "name", "on_error", "characteristics", "quota", "parameters", "matchers", "action"})
"""Fields that are described by what they come to in the client, or in other words."""


@dataclass(frozen=True, slots=True)
class Described:
    """One rule of a client.

    Attributes:
        builder: What made it, such as ``sliding_window``.
        name: What results call it.
        called: Whether its author gave it that name.
        fields: What it comes to, by argument; ``mode`` is LIVE or DRY_RUN.
    """

    builder: str
    name: str
    called: bool
    fields: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two policies.

    Attributes:
        options: The client's options, by name.
        rules: Its rules, in order.
    """

    options: Mapping[str, Plain]
    rules: tuple[Described, ...]


def side_of(runtime: Runtime) -> Side:
    """A client as it is now, but for ``DOORWARD_MODE``: that is about where it runs."""
    settings = runtime.settings
    return Side(_options(settings), tuple([_described(bound, settings) for bound in runtime.engine.bound]))


def _options(settings: Settings) -> dict[str, Plain]:
    return {
        "mode": settings.mode.value,
        "on_error": settings.on_error,
        "characteristics": plain(settings.identity.names),
        "ipv6_prefix": settings.ipv6_prefix,
        "proxies": plain(settings.proxies),
        "thresholds": [f"{action.value} at {weight:g}" for weight, action in sorted(settings.thresholds)],
        "body_limit": settings.body_limit,
        **_challenges(settings),
    }


def _challenges(settings: Settings) -> dict[str, Plain]:
    """What is said about challenges, one by one. Of objects only the name: they may hold secrets."""
    said = {**settings.challenges._asdict(), **settings.challenges.look._asdict()}
    del said["look"]
    found: dict[str, Plain] = {
        **{name: plain(value) for name, value in said.items()},
        "kinds": [_kind(each) for each in settings.challenges.kinds],
        "levels": [f"{level.word} at {weight:g}" for weight, level in sorted(settings.challenges.levels)],
        "words": [f"{tag}.{key}: {text}" for tag, words in said["words"].items() for key, text in words.items()],
    }
    return {f"challenges.{name}": value for name, value in found.items()}


def _kind(given: Any) -> str:
    options = [f"{name} {value}" for name, value in given.items() if name != KIND] if isinstance(given, Mapping) else []
    return name_of(given) + (f" ({', '.join(options)})" if options else "")


def _described(bound: Bound, settings: Settings) -> Described:
    rule = bound.rule
    builder = builder_of(rule)
    found: dict[str, Plain] = {
        "mode": (rule.mode or settings.mode).value,
        **_special(rule),
        **{each.name: plain(getattr(rule, each.name)) for each in fields(rule) if _counts(each)},
        "on_error": bound.on_error,
        "characteristics": plain(bound.identity.names),
    }
    return Described(builder, bound.name, bool(rule.name) and rule.name != builder, found)


def builder_of(rule: Rule) -> str:
    """The name of the builder that makes such rules."""
    if isinstance(rule, StaticLimit):
        return rule.quota.algorithm.value.lower()
    if isinstance(rule, DynamicLimit):
        return "rate_limit"
    if isinstance(rule, AccessRule):
        return rule.action.lower()
    return _BUILDERS.get(rule.kind, rule.kind.lower())


def _counts(each: Any) -> bool:
    # What is not compared is made from the rest; of functions, the one that an author gives says something.
    return bool(each.init) and each.compare and each.name not in _SETTLED


def _special(rule: Rule) -> dict[str, Plain]:
    if isinstance(rule, StaticLimit):
        return {"max": rule.quota.max, "interval": span(rule.quota.interval)}
    if isinstance(rule, AccessRule):
        found: dict[str, list[Any]] = {}
        for matcher in rule.matchers:
            name, values = matcher.parameter
            found.setdefault(name, []).extend(values if isinstance(values, list | tuple) else [values])
        return dict(found)
    return {}


def plain(value: Any) -> Plain:  # noqa: PLR0911  (one for each kind of value)
    """A value of a rule as data."""
    if isinstance(value, Level):
        return value.word
    if isinstance(value, enum.Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, re.Pattern):
        return f"re:{value.pattern}"
    if isinstance(value, Filter):
        return value.source
    if isinstance(value, Matcher):
        return str(value.parameter)
    if isinstance(value, File):
        return f"{value.name} {hashlib.sha256(value.content).hexdigest()[:12]}"
    if isinstance(value, Mapping):
        return [f"{key}: {inner}" for key, inner in value.items()]
    if isinstance(value, set | frozenset):
        return sorted([plain(each) for each in value], key=str)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return _name_of(value) if isinstance(value, Callable) else str(value)  # type: ignore[arg-type]  # an ABC


def _name_of(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def span(interval: int) -> str:
    """A window as one writes it: ``90s``, ``10m``."""
    for unit, seconds in sorted(UNITS.items(), key=lambda each: -each[1]):
        count, rest = divmod(interval, seconds * NANOSECONDS)
        if count and not rest:
            return f"{count}{unit}"
    return f"{interval / NANOSECONDS:g}s"


__all__ = ["Described", "Side", "builder_of", "plain", "side_of", "span"]
