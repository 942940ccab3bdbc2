"""From a rule as the wire has it to a rule of ours, and the id that Arcjet's SDKs have for it.

What cannot be built is a :class:`~doorward.errors.ConfigurationError` with a message for whoever wrote the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from doorward.clock import NANOSECONDS
from doorward.decision import Mode
from doorward.duration import LONGEST
from doorward.effects import Algorithm
from doorward.errors import ConfigurationError
from doorward.ids import rule_id
from doorward.rules.base import positive
from doorward.rules.limits import Quota, StaticLimit
from doorward.service import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.ids import Field
    from doorward.rules.base import Rule
    from doorward.rules.shield import ShieldRule

_KINDS = ("rate_limit", "email", "shield", "bot_v2", "filter")
_NOT_HERE = "rules of this kind are not evaluated by this service: it has rate limits, e-mail, shield, bots and filters"
_LONGEST_FILL = 100 * LONGEST * NANOSECONDS


@dataclass(frozen=True, kw_only=True)
class WireLimit(StaticLimit):
    """A limit of a request.

    Attributes:
        match: As sent; part of the id, so that limits that differ in it have counters of their own.
    """

    match: str = ""

    def match_field(self) -> Field:
        """``match``, as sent."""
        return ("match", self.match)


def mode_of(rule: messages.Rule) -> Mode:
    """The mode of a rule; whatever is not LIVE is a dry run."""
    wanted = _part(rule)
    return Mode.LIVE if wanted is not None and wanted.mode is messages.Mode.LIVE else Mode.DRY_RUN


def build(rule: messages.Rule, characteristics: Sequence[str], *, own: bool) -> Rule:
    """The rule, ready to be bound.

    Args:
        rule: As the wire has it.
        characteristics: Those of the request, for a rule without any of its own.
        own: Whether the client is doorward's. To Arcjet's SDKs, ``requested`` is about token buckets only.

    Raises:
        ConfigurationError: It cannot be built; the text says why.
        DataError: The data in the package is damaged.
    """
    options: dict[str, Any] = {"mode": mode_of(rule), "name": rule.name}
    names = characteristics_of(rule, characteristics)
    if names and (rule.rate_limit is not None or rule.shield is not None):
        options["characteristics"] = list(names)
    if rule.rate_limit is not None:
        return _limit(rule.rate_limit, options, own=own)
    if rule.shield is not None:
        return replace(shield_template(), **{**options, "name": rule.name or "shield"})
    if rule.bot_v2 is not None:
        return _bots(rule.bot_v2, options)
    if rule.email is not None:
        return _email(rule.email, options)
    if rule.filter is not None:
        return _filter(rule.filter, options)
    raise ConfigurationError("rule", _NOT_HERE)


def characteristics_of(rule: messages.Rule, default: Sequence[str]) -> Sequence[str]:
    """Who a rule counts by: what it says itself, or else the request."""
    wanted = rule.rate_limit or rule.shield
    return (wanted.characteristics if wanted is not None else ()) or default


@cache
def shield_template() -> ShieldRule:
    """One for all: its scanner takes a fifth of a second to build."""
    from doorward.builders.shield import shield

    return shield()


def warm() -> None:
    """Build what rules share, so that no request waits for it."""
    from doorward.builders.bots import detect_bot
    from doorward.builders.email import validate_email

    shield_template()
    detect_bot(allow=[])
    validate_email(deny=[])


def _part(rule: messages.Rule) -> Any:
    return next((part for kind in _KINDS if (part := getattr(rule, kind)) is not None), None)


# --- limits

_WINDOW_NAMES = {"FIXED_WINDOW": "window", "SLIDING_WINDOW": "interval"}


def _limit(rule: messages.RateLimitRule, options: dict[str, Any], *, own: bool) -> WireLimit:
    algorithm = rule.algorithm.value
    if algorithm == "TOKEN_BUCKET":
        quota, parameters = _bucket(rule)
    elif algorithm in _WINDOW_NAMES:
        quota, parameters = _window(rule, algorithm)
        if not own:
            options["cost"] = 1
    else:
        raise ConfigurationError("algorithm", "must be TOKEN_BUCKET, FIXED_WINDOW or SLIDING_WINDOW")
    if rule.cost:
        options["cost"] = rule.cost
    options["name"] = options["name"] or algorithm.lower()
    return WireLimit(quota=quota, parameters=tuple(parameters), match=rule.match, scope=rule.match, **options)


def _window(rule: messages.RateLimitRule, algorithm: str) -> tuple[Quota, list[Field]]:
    seconds = rule.window_in_seconds if algorithm == "FIXED_WINDOW" and rule.window_in_seconds else rule.interval
    field = "window_in_seconds" if algorithm == "FIXED_WINDOW" else "interval"
    length = rule.nanoseconds or seconds * NANOSECONDS
    _check_length(length, field, LONGEST * NANOSECONDS)
    units = positive(rule.units or rule.max, "max")
    return Quota("", Algorithm(algorithm), units, length), [("max", units), (_WINDOW_NAMES[algorithm], _span(length))]


def _bucket(rule: messages.RateLimitRule) -> tuple[Quota, list[Field]]:
    capacity = positive(rule.units or rule.capacity, "capacity")
    fill = rule.nanoseconds
    parameters: list[Field] = [("refillRate", rule.refill_rate), ("interval", rule.interval), ("capacity", capacity)]
    if not rule.nanoseconds or (rule.refill_rate and rule.interval):
        rate = positive(rule.refill_rate, "refill_rate")
        _check_length(rule.interval * NANOSECONDS, "interval", LONGEST * NANOSECONDS)
        # Rounded up, as of a local bucket: it may fill a nanosecond late, never early.
        told = -(-capacity * rule.interval * NANOSECONDS // rate)
        fill = fill or told
        parameters += [("nanoseconds", str(fill))] if fill != told else []
    else:
        parameters.append(("nanoseconds", str(fill)))
    _check_length(fill, "capacity", _LONGEST_FILL)
    return Quota("", Algorithm.TOKEN_BUCKET, capacity, fill), parameters


def _check_length(length: int, field: str, longest: int) -> None:
    if not NANOSECONDS // 1000 <= length <= longest:
        spans = "from a millisecond to 366 days" if longest == LONGEST * NANOSECONDS else "at most a century to fill"
        raise ConfigurationError(field, f"must be {spans}, not {length / NANOSECONDS:g} s")


def _span(length: int) -> int | str:
    """As in the ids of local limits: whole seconds, or text."""
    return length // NANOSECONDS if length % NANOSECONDS == 0 else f"{length}ns"


# --- the others


def _lists(rule: Any, *, empty: bool) -> dict[str, Any]:
    if rule.allow and rule.deny:
        raise ConfigurationError("allow, deny", "cannot be given together")
    if rule.deny:
        return {"deny": list(rule.deny)}
    return {"allow": list(rule.allow)} if rule.allow or empty else {"deny": []}


def _bots(rule: messages.BotV2Rule, options: dict[str, Any]) -> Rule:
    from doorward.builders.bots import detect_bot

    chosen: dict[str, Any] = _lists(rule, empty=True)
    chosen |= {"lists": not rule.without_lists, "verified_only": rule.verified_only}
    chosen |= {**options, "name": options["name"] or "bot"}
    return detect_bot(**chosen)


def _email(rule: messages.EmailRule, options: dict[str, Any]) -> Rule:
    from doorward.builders.email import validate_email

    if messages.EmailType.UNSPECIFIED in (*rule.allow, *rule.deny, *rule.block):
        raise ConfigurationError("allow, deny", "hold a type of e-mail address that this service does not know")
    lists = rule.model_copy(update={"deny": [*rule.deny, *rule.block]})
    chosen: dict[str, Any] = {key: [kind.value for kind in kinds] for key, kinds in _lists(lists, empty=False).items()}
    chosen |= {
        "require_top_level_domain": rule.require_top_level_domain,
        "allow_domain_literal": rule.allow_domain_literal,
        "disposable": rule.disposable or "curated",
    }
    chosen |= {**options, "name": options["name"] or "email"}
    return validate_email(**chosen)


def _filter(rule: messages.FilterRule, options: dict[str, Any]) -> Rule:
    from doorward.rules.filters import filter_request

    return filter_request(allow=list(rule.allow), deny=list(rule.deny), **options)


# --- ids


def arcjet_id(rule: messages.Rule, characteristics: Sequence[str]) -> str:
    """The id that Arcjet's JavaScript SDK computes for a rule, by which it looks remembered refusals up.

    Of characteristics and names just as they were sent, where ours goes by what they mean.
    """
    part = next((kind for kind in _KINDS if getattr(rule, kind) is not None), "")
    if not part:
        return ""
    kind, fields = _ID_FIELDS[part]
    names = list(characteristics_of(rule, characteristics))
    head: list[Field] = [("type", kind), ("version", 0), ("mode", mode_of(rule).value)]
    return rule_id([*head, *fields(getattr(rule, part), names)])


def _limit_id(rule: messages.RateLimitRule, names: list[str]) -> list[Field]:
    numbers: dict[str, list[Field]] = {
        "TOKEN_BUCKET": [
            ("refillRate", rule.refill_rate),
            ("interval", rule.interval),
            ("capacity", rule.capacity),
        ],
        "FIXED_WINDOW": [("max", rule.max), ("window", rule.window_in_seconds)],
        "SLIDING_WINDOW": [("max", rule.max), ("interval", rule.interval)],
    }
    algorithm = rule.algorithm.value
    head: list[Field] = [("algorithm", algorithm), ("characteristics", names), ("match", rule.match)]
    return [*head, *numbers.get(algorithm, [])]


def _lists_id(rule: Any, _: list[str]) -> list[Field]:
    return [("allow", list(rule.allow)), ("deny", list(rule.deny))]


def _email_id(rule: messages.EmailRule, _: list[str]) -> list[Field]:
    denied = [*rule.deny, *rule.block]
    return [
        ("allow", [kind.value for kind in rule.allow]),
        ("deny", [kind.value for kind in denied]),
        ("requireTopLevelDomain", rule.require_top_level_domain),
        ("allowDomainLiteral", rule.allow_domain_literal),
    ]


def _shield_id(_: messages.ShieldRule, names: list[str]) -> list[Field]:
    return [("characteristics", names)]


_ID_FIELDS: dict[str, tuple[str, Callable[[Any, list[str]], list[Field]]]] = {
    "rate_limit": ("RATE_LIMIT", _limit_id),
    "shield": ("SHIELD", _shield_id),
    "bot_v2": ("BOT", _lists_id),
    "email": ("EMAIL", _email_id),
    "filter": ("FILTER", _lists_id),
}

__all__ = ["WireLimit", "arcjet_id", "build", "characteristics_of", "mode_of", "shield_template", "warm"]
