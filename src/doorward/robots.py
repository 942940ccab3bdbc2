"""A robots.txt (RFC 9309) that says what a bot rule does, for the crawlers that read it and keep to it.

It is courtesy, not protection: a crawler that is refused anyway may as well be told before it asks. RFC 9309 section
2.2.1: a crawler looks for its own product token in any case, and takes the group ``*`` where it finds none. Older
parsers, such as that of Python's standard library, take the first group whose token is *part* of the crawler's name, so
that ``Googlebot`` is also theirs which are called ``Googlebot-Image``: longer tokens come before those that they hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.errors import ConfigurationError
from doorward.rules.bots import UNKNOWN_BOT
from doorward.rules.honeypots import REGEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doorward.rules.bots import Bot, BotList, BotRule
    from doorward.rules.honeypots import HoneypotRule

_TOKEN = re.compile(r"[A-Za-z_-]+")
_PATH = re.compile(r"/[!-\"$-~]*")  # printable ASCII without blanks, and without "#", which begins a comment
_URL = re.compile(r"[!-~]+")
_NAMED_ANYWAY = frozenset({"ADVERTISING", "AI"})
"""Crawlers that are named also where ``*`` says the same: some of them, such as AdsBot-Google, do not obey ``*``."""


def robots_txt(
    rule: BotRule,
    *,
    disallow: Sequence[str] = ("/",),
    sitemap: str | Sequence[str] = (),
    honeypots: Sequence[HoneypotRule] = (),
) -> str:
    """A robots.txt that tells crawlers what a bot rule would tell them.

    Bots that the rule lets pass may fetch everything, the others nothing below the paths of ``disallow``. With
    ``allow=`` the others are all that are not named, with ``deny=`` those that are. Bots without a product token of
    RFC 9309 cannot be named and fall under ``*``. The same rule gives the same text.

    Args:
        rule: As :func:`doorward.detect_bot` makes it.
        disallow: Paths, which begin with ``/``; in them ``*`` and a final ``$`` are as in RFC 9309 section 2.2.3.
        sitemap: URLs of sitemaps, http or https.
        honeypots: Rules whose traps nobody may fetch, also those who may fetch everything else: the longer path wins
            (RFC 9309 section 2.2.2).

    Raises:
        ConfigurationError: A path or a URL cannot stand in a robots.txt.
    """
    paths = [_checked_path(path) for path in _texts(disallow, "disallow")]
    sitemaps = [_checked_url(url) for url in _texts(sitemap, "sitemap")]
    traps = [f"Disallow: {_checked_path(trap)}" for honeypot in honeypots for trap in _traps(honeypot)]
    refused = [*[f"Disallow: {path}" for path in paths], *traps] or ["Disallow:"]
    let_in = ["Allow: /", *traps]
    others_pass = rule.allow is None
    blocks = [list(_head(rule))]
    for passes, tokens in _groups(_named(rule), others_pass=others_pass):
        blocks.append([f"User-agent: {token}" for token in tokens] + (let_in if passes else refused))
    blocks.append(["# Everyone else.", "User-agent: *", *(let_in if others_pass else refused)])
    if sitemaps:
        blocks.append([f"Sitemap: {url}" for url in sitemaps])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _traps(rule: HoneypotRule) -> list[str]:
    """The traps as robots.txt has them: a path stands for all that begins with it.

    A method in front of a pattern is left out, since crawlers fetch; so are regular expressions, which it cannot say.
    """
    said = [trap.rpartition(" ")[2].replace("?", "*") for trap in rule.traps if not trap.lower().startswith(REGEX)]
    return [(path if path.startswith("/") else f"/{path}").rstrip("*") for path in said]


def _head(rule: BotRule) -> Iterator[str]:
    verb, names = ("deny", rule.deny) if rule.allow is None else ("allow", rule.allow)
    yield f"# Made by doorward from the rule detect_bot({verb}=[{', '.join(names or ())}])."
    yield "# Crawlers that do not keep to it are refused by the rule itself."
    if rule.allow is None and UNKNOWN_BOT in (rule.deny or ()):
        yield f"# {UNKNOWN_BOT} has no name that could be told here."
    unnamed = [bot.id for bot in rule.listed_bots() if not _TOKEN.fullmatch(bot.token)]
    if unnamed:
        yield f"# {len(unnamed)} listed bots have no product token and cannot be named here."


def _named(rule: BotRule) -> dict[str, bool]:
    """Each token that has to be named, and whether its bots pass."""
    tokens = _tokens(rule, rule.bots) if rule.bots is not None else {}
    others_pass = rule.allow is None
    apart = {token for token, (passes, _) in tokens.items() if passes is not others_pass}
    named = apart | {token for token in tokens if _holds_any(token, apart)} | {bot.token for bot in rule.listed_bots()}
    if not others_pass:
        named |= {token for token, (_, categories) in tokens.items() if not categories.isdisjoint(_NAMED_ANYWAY)}
    return {token: passes for token, (passes, _) in tokens.items() if token in named}


def _tokens(rule: BotRule, bots: BotList) -> dict[str, tuple[bool, frozenset[str]]]:
    """By token, whether the rule lets an agent pass that names it, and the categories of the bots that have it."""
    owners: dict[str, list[Bot]] = {}
    for bot in _all(bots):
        if _TOKEN.fullmatch(bot.token):
            owners.setdefault(bot.token.lower(), []).append(bot)
    return {
        having[0].token: (
            not rule.refused(bots.find(f"{having[0].token}/1.0") or having),
            frozenset[str]().union(*[bot.categories for bot in having]),
        )
        for having in owners.values()
    }


def _all(bots: BotList) -> Iterable[Bot]:
    return [bot for name in sorted(bots.ids()) if (bot := bots.bot(name)) is not None]


def _holds_any(token: str, others: Iterable[str]) -> bool:
    """Whether another token is part of this one."""
    text = token.lower()
    return any([other.lower() in text for other in others])


def _groups(named: Mapping[str, bool], *, others_pass: bool) -> Iterator[tuple[bool, list[str]]]:
    """Tokens of one verdict together; a token before all of the other verdict that are part of it."""
    waiting = dict(sorted(named.items()))
    verdict = others_pass
    while waiting:
        opposed = [token for token, passes in waiting.items() if passes is not verdict]
        ready = [
            token for token, passes in waiting.items() if passes is verdict and not _is_part_of_any(token, opposed)
        ]
        if ready:
            yield verdict, sorted(ready, key=lambda token: (-len(token), token))
            waiting = {token: passes for token, passes in waiting.items() if token not in ready}
        verdict = not verdict


def _is_part_of_any(token: str, others: Iterable[str]) -> bool:
    return any([token.lower() in other.lower() for other in others])


def _texts(values: object, field: str) -> list[str]:
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, list | tuple) or not all([isinstance(value, str) for value in listed]):
        raise ConfigurationError(field, f"must be text or a list of texts, not {values!r}")
    return list(listed)


def _checked_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ConfigurationError(
            "disallow", f"must begin with / and be printable ASCII without blanks and #, not {path!r}"
        )
    return path


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError("sitemap", f"must be a URL: {error}") from error
    if not _URL.fullmatch(url) or parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigurationError("sitemap", f"must be an absolute http or https URL, not {url!r}")
    return url
