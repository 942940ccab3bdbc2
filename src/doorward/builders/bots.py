"""The builder of bot rules: checks names against the compiled list of bots."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Unpack, cast

from doorward.errors import ConfigurationError, UnknownArgument
from doorward.intelligence.library import wheel_folder
from doorward.rules.base import RuleOptions
from doorward.rules.bots import CATEGORY, UNKNOWN_BOT, BotCategory, BotRule, VerifyingBotRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.intelligence.bot_index import Bot, BotIndex

_BY_EVIDENCE = (UNKNOWN_BOT, BotCategory.UNKNOWN.value)
_ARGUMENTS = ("allow", "deny", "lists", "verified_only")
_MOST_SUGGESTIONS = 3


def detect_bot(
    *,
    allow: Sequence[str] | None = None,
    deny: Sequence[str] | None = None,
    lists: bool = True,
    verified_only: bool = False,
    **options: Unpack[RuleOptions],
) -> BotRule:
    """Let only some automated clients pass, or keep some out. Exactly one of ``allow`` and ``deny`` is given.

    ::

        detect_bot(allow=[])                                           # no automated client
        detect_bot(allow=["CATEGORY:SEARCH_ENGINE", "SLACK_CRAWLER"])  # these, if they are what they claim to be
        detect_bot(deny=[BotCategory.AI])

    A bot of several categories is listed when any of them, or its id, is. ``UNKNOWN_BOT`` (category UNKNOWN) is what
    evidence finds and no list names, also a client without a ``User-Agent``.

    With ``allow``, a bot whose operator publishes its ranges or host names passes only when the client's address is
    one of them: by the ranges in doorward's data, else by forward-confirmed reverse DNS. One that claims to be such a
    bot and is not is **spoofed**, and denied. Where that could not be checked (the resolver fails, the client has no
    address), the result is an ERROR, and ``on_error`` says what follows: "allow" lets it pass, "deny" does not. With
    ``deny``, nothing is looked up.

    A bot whose operator publishes nothing passes by its name, **which anybody can send**. Most bots are such, also
    most of SEARCH_ENGINE (though not Google's, Microsoft's, Apple's, Yahoo's, Yandex's, or DuckDuckGo's): a category
    is a wide door. ``verified_only=True`` keeps them out.

    An agent that names several bots passes when all are allowed. Those count as allowed that come along with one that
    is: the tools that it is made with (categories TOOL and PROGRAMMATIC), and other names of its operator's that the
    same address verifies.

    Args:
        allow: Ids and categories of the bots that may pass; ``[]`` for none. Text in any case, or members of
            :class:`~doorward.BotCategory`.
        deny: Ids and categories of the bots that may not.
        lists: False to go by evidence alone, without the list of bots' names.
        verified_only: True to let only such bots pass as can be verified, and are; only with ``allow``.
        **options: ``mode``, ``name``, ``on_error``, ``paths``, ``methods``: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong, or a name unknown; the message suggests the nearest.
        DataError: The list of bots cannot be read.
    """
    from doorward.automation import Examiner  # not before a rule needs it

    for option in options:
        if option not in RuleOptions.__annotations__:
            raise UnknownArgument("detect_bot", option, [*_ARGUMENTS, *RuleOptions.__annotations__])
    _check_switches(allow, lists=lists, verified_only=verified_only)
    index = bot_index() if lists else None
    allowed, denied = _exactly_one(allow, deny, index)
    rule = BotRule(
        allow=allowed,
        deny=denied,
        verified_only=verified_only,
        bots=index,
        examiner=Examiner(),
        **cast("dict[str, Any]", options),
    )
    return VerifyingBotRule(**_arguments(rule)) if any([bot.masks for bot in rule.passing()]) else rule


def _check_switches(allow: object, **switches: object) -> None:
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise ConfigurationError(name, f"must be True or False, not {value!r}")
    if switches["verified_only"] and allow is None:
        raise ConfigurationError("verified_only", "goes only with allow: a rule that denies lets bots pass by default")


def _arguments(rule: BotRule) -> dict[str, Any]:
    return {argument.name: getattr(rule, argument.name) for argument in fields(rule) if argument.init}


@cache
def bot_index() -> BotIndex:
    """The list of bots of the wheel, opened once."""
    from doorward.intelligence.bot_index import FILE, BotIndex

    return BotIndex.open(wheel_folder() / FILE)


def _exactly_one(
    allow: object, deny: object, index: BotIndex | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    if allow is not None and deny is not None:
        raise ConfigurationError(
            "allow, deny", "cannot be given together: a rule lets some bots pass or keeps some out"
        )
    if allow is not None:
        return parse_names(allow, "allow", index), None
    if deny is not None:
        return None, parse_names(deny, "deny", index)
    raise ConfigurationError("allow, deny", "one of them must be given; allow=[] lets no bot pass, deny=[] every one")


def parse_names(names: object, field: str, index: BotIndex | None) -> tuple[str, ...]:
    """Ids and categories in their one form.

    Raises:
        ConfigurationError: One is unknown; the text suggests the nearest.
    """
    if not isinstance(names, list | tuple | set | frozenset):
        raise ConfigurationError(field, f"must be a list of ids and categories of bots, not {names!r}")
    return tuple(sorted({_parse_name(name, field, index) for name in names}))


def _parse_name(name: object, field: str, index: BotIndex | None) -> str:
    if not isinstance(name, str):
        raise ConfigurationError(field, f"must hold ids and categories of bots as text, not {name!r}")
    wanted = name.strip().upper().replace("-", "_")
    wanted = CATEGORY + wanted if wanted in BotCategory.__members__ else wanted
    if wanted in _BY_EVIDENCE:
        return wanted
    if index is None:
        raise ConfigurationError(field, f"may name only {' and '.join(_BY_EVIDENCE)} with lists=False, not {name!r}")
    if wanted.removeprefix(CATEGORY) in BotCategory.__members__:
        return wanted
    bot = index.bot(wanted)
    if bot is None:
        raise ConfigurationError(field, f"{name!r} is no id of a bot and no category{_hint(wanted, index)}")
    return bot.id


def _hint(wanted: str, index: BotIndex) -> str:
    """What may have been meant: bots that call themselves so, then names that look alike."""
    from difflib import get_close_matches  # imported where a mistake was made

    called = [bot.id for bot in index.find(f"{wanted}/1.0")]
    names = {name: f"{CATEGORY}{name}" for name in BotCategory.__members__}
    if not wanted.startswith(CATEGORY):
        names |= {name: bot.id for bot in map(index.bot, sorted(index.ids())) if bot for name in _names(bot)}
    alike = [names[near] for near in get_close_matches(wanted.removeprefix(CATEGORY), names, n=_MOST_SUGGESTIONS)]
    meant = list(dict.fromkeys([*called, *alike]))[:_MOST_SUGGESTIONS]
    return f"; did you mean {', '.join(meant)}?" if meant else f"; categories are {', '.join(BotCategory)}"


def _names(bot: Bot) -> tuple[str, str]:
    return bot.id, bot.token.upper().replace("-", "_")
