"""The builders of rules of the application's own: ``allow``, ``deny``, ``challenge``, ``weigh``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from doorward.builders.conditions import CONDITIONS, matchers
from doorward.duration import seconds
from doorward.errors import ConfigurationError
from doorward.levels import DEFAULT_LEVEL, parse_level
from doorward.rules.access import ENDABLE, ENDED_BY_DEFAULT, AccessRule, Action, ChallengeRule
from doorward.rules.base import MOST, RuleOptions, number
from doorward.rules.filters import check_options

if TYPE_CHECKING:
    import re
    from datetime import timedelta

    from doorward.levels import Level


class AccessOptions(RuleOptions, total=False):
    """What :func:`allow`, :func:`deny`, :func:`challenge` and :func:`weigh` take: conditions, and what all rules take.

    Attributes:
        ip: What the address may be: an address, a network, a range, a kind such as tor, country:DE, asn:64500.
        where: A filter expression, or several that have to hold together.
        hosts: Hosts that the request is for, without port and in any case.
        user_agent: Patterns of the User-Agent, in any case: "curl/*", "*bot*", "re:...".
        headers: Patterns of header values by name; true for one that is there, false for one that is not.
        query: The same of query parameters.
        cookies: The same of cookies.
        form: The same of form fields, which are read from the body.
        json: The same of JSON fields by dotted path, such as user.role or items.*.id, which are read from the body.
        given: Patterns of characteristics that the application gives to protect.
        bot: Bots that the client claims to be: ids and CATEGORY:... as of detect_bot.
        standing: How that claim has to stand: verified, spoofed, unchecked, unverifiable.
        when: Conditions as a tree of all, any and not, with any of these and path, raw_path, method and header.
        ignore_case: Whether texts are compared without case, those of when too.
    """

    ip: Sequence[str] | str
    where: Sequence[str] | str
    hosts: Sequence[str | re.Pattern[str]] | str
    user_agent: Sequence[str | re.Pattern[str]] | str
    headers: Mapping[str, Any]
    query: Mapping[str, Any]
    cookies: Mapping[str, Any]
    form: Mapping[str, Any]
    json: Mapping[str, Any]
    given: Mapping[str, Any]
    bot: Sequence[str] | str
    standing: Sequence[str] | str
    when: Mapping[str, Any]
    ignore_case: bool


def allow(*, ends: Collection[str] = ENDED_BY_DEFAULT, **options: Unpack[AccessOptions]) -> AccessRule:
    """Let requests past the rules for bots and challenges, that are no such matter for whoever is known.

    Limits and attack detection still apply, unless ``ends`` says so. Every condition given has to be met.

    Args:
        ends: Kinds of rules that are not asked about a request that matches, in place of BOT and CHALLENGE; of other
            ``allow``, ``deny`` and ``weigh`` rules (RULE) those declared later.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    return _access("allow", options, ends=_parse_kinds(ends))


def deny(**options: Unpack[AccessOptions]) -> AccessRule:
    """Refuse requests with status 403.

    Every condition given has to be met; ``deny(paths=["/internal/*"])`` has none but the path. What cannot be told
    (there is no data about an address, a body is not held) does not match, nor does its ``not``.

    ::

        deny(user_agent=["*sqlmap*", "re:^nikto/"])
        deny(when={"path": "**/.env", "ignore_case": True})
        deny(headers={"x-debug": True}, when={"not": {"ip": "10.0.0.0/8"}})

    Args:
        **options: Conditions: ``ip``, what the client's address may be, one of: an address (``"192.0.2.1"``), a
            network (``"192.0.2.0/24"``) or range (``"192.0.2.1..192.0.2.9"``), a kind (``"tor"``, ``"abuse"``,
            ``"vpn"``, ``"proxy"``, ``"hosting"``, ``"relay"``, ``"crawler"``, ``"reserved"``), ``"country:DE"``,
            ``"asn:64500"``; ``where``, a filter expression (:mod:`doorward.filters`), or several that have to hold
            together; and those of :class:`AccessOptions`, described in :mod:`doorward.builders.conditions`. Beside
            these, ``paths``, ``methods``, ``mode``, ``name``, ``on_error``: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong, or there is no condition at all.
    """
    return _access("deny", options)


def challenge(
    level: Level | str = DEFAULT_LEVEL,
    *,
    max_age: str | float | timedelta | None = None,
    **options: Unpack[AccessOptions],
) -> ChallengeRule:
    """Ask for a challenge, before requests that meet every condition are let in: all requests, without a condition.

    Args:
        level: How much clients have to show: ``"wait"``, ``"work"``, ``"browser"`` or ``"human"``. A clearance of a
            higher level will do.
        max_age: How long ago they may have shown it, in seconds or as ``"5m"``; as long as their clearance holds when
            it is not given.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    fresh = seconds(max_age, "max_age") if max_age is not None else 0.0
    if max_age is not None and fresh <= 0:
        # As an age it would let nobody in; as no age it would let everybody in that was ever let in.
        raise ConfigurationError("max_age", f"must be over 0, not {max_age!r}; leave it out for any age")
    rule = _access("challenge", options, level=parse_level(level), max_age=fresh)
    assert isinstance(rule, ChallengeRule)
    return rule


def weigh(weight: float, **options: Unpack[AccessOptions]) -> AccessRule:
    """Add to the weight of requests: what follows is said by the threshold that their sum reaches.

    Args:
        weight: What to add; below 0, what to take off. Not 0.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong, or there is no condition at all.
    """
    return _access("weigh", options, weight=_parse_weight(weight))


def _access(builder: str, options: Mapping[str, Any], **effect: Any) -> AccessRule:
    own = {"allow": ("ends",), "deny": (), "weigh": ("weight",), "challenge": ("level", "max_age")}[builder]
    check_options(builder, own, {**RuleOptions.__annotations__, **AccessOptions.__annotations__}, options)
    if "ignore_case" in options and len(options.keys() & set(CONDITIONS)) == 1:
        raise ConfigurationError("ignore_case", "is about texts of conditions; for paths write when={'path': …}")
    given = {name: value for name, value in options.items() if name in CONDITIONS}
    named: Any = {name: value for name, value in options.items() if name not in CONDITIONS}
    named["name"] = named.get("name") or builder
    lets_pass = builder == "allow" or effect.get("weight", 0.0) < 0
    made = ChallengeRule if builder == "challenge" else AccessRule
    return made(action=_ACTIONS[builder], matchers=matchers(given, lets_pass=lets_pass), **named, **effect)


_ACTIONS: Mapping[str, Action] = {"allow": "ALLOW", "deny": "DENY", "weigh": "WEIGH", "challenge": "CHALLENGE"}


def _parse_weight(weight: object) -> float:
    found = number(weight, "weight", "a number other than 0", least=-MOST)
    if not found:
        raise ConfigurationError("weight", f"must be a number other than 0, not {weight!r}")
    return found


def _parse_kinds(ends: object) -> frozenset[str]:
    if isinstance(ends, str) or not isinstance(ends, Collection):
        raise ConfigurationError("ends", f"must be a list of kinds of rules, not {ends!r}; {', '.join(ENDABLE)}")
    kinds = frozenset(kind.upper().replace("-", "_") if isinstance(kind, str) else repr(kind) for kind in ends)
    for kind in sorted(kinds.difference(ENDABLE)):
        raise ConfigurationError("ends", f"{kind!r} is no kind of rule that can be ended; {', '.join(ENDABLE)}")
    return kinds
