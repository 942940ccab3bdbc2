"""What the lists of bot rules come to, bot by bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.rules.bots import CATEGORY, UNKNOWN_BOT, BotCategory, BotRule

if TYPE_CHECKING:
    from doorward.rules.bots import Bot


def bots_of(rule: BotRule, name: str) -> list[Bot]:
    """The bots that a name in a list stands for; none for what evidence finds."""
    if rule.bots is None:
        return []
    if name.startswith(CATEGORY):
        return list(rule.bots.by_category(name.removeprefix(CATEGORY)))
    bot = rule.bots.bot(name)
    return [] if bot is None else [bot]


def refuses(rule: BotRule, name: str, of: BotRule) -> bool:
    """Whether ``rule`` certainly refuses each bot that ``name`` in the lists of ``of`` stands for."""
    if name in (UNKNOWN_BOT, BotCategory.UNKNOWN.value):
        listed = bool({UNKNOWN_BOT, BotCategory.UNKNOWN.value} & set(rule.allow or rule.deny or ()))
        return listed is (rule.allow is None)
    bots = bots_of(of, name)
    # What an agent names beside a bot may let it pass: only a rule that lets none pass refuses all for certain.
    certain = rule.allow is None or not rule.allow
    return rule.bots is not None and certain and bool(bots) and all(not rule.passes(bot) for bot in bots)


def refuses_all_of(earlier: BotRule, later: BotRule) -> bool:
    """Whether ``earlier`` certainly refuses each bot that ``later``, a rule that denies, does."""
    return (earlier.bots is None) == (later.bots is None) and all(
        refuses(earlier, name, later) for name in later.deny or ()
    )
