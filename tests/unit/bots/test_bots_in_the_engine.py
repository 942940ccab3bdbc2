"""The bot rule as ``detect_bot`` makes it, in a walk: with the list and the ranges in the wheel."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.bots.doubles import CRAWL_HOST, NO_SUCH_NAME
from tests.unit.walking import Walking, conclusions, limit, request, states

from doorward import Decision
from doorward.builders.bots import detect_bot
from doorward.effects import DnsAnswer, DnsKind, Failed, ResolveDns
from doorward.errors import ResolverError
from doorward.intelligence.bot_index import BotIndex
from doorward.intelligence.library import wheel_folder
from doorward.progress import Progress
from doorward.rules.bots import is_spoofed_bot, is_verified_bot

GOOGLEBOT = [("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]
OUTSIDE = "9.9.9.7"
SEARCH = ["CATEGORY:SEARCH_ENGINE"]


class Resolving(Walking):
    """A walk with a DNS that knows these answers, by kind of record; without any it is silent."""

    def __init__(self, *rules: Any, dns: dict[DnsKind, DnsAnswer], **options: Any) -> None:
        super().__init__(*rules, **options)
        self.dns = dns

    def googlebot(self, ip: str = OUTSIDE) -> Decision:
        return self.walk(Progress(request(headers=GOOGLEBOT, peer=ip), self.client.engine))

    def _attempt(self, effect: Any) -> Any:
        if not isinstance(effect, ResolveDns):
            return super()._attempt(effect)
        return self.dns.get(effect.kind) or Failed(ResolverError("timed out"))


CONFIRMED = {DnsKind.PTR: DnsAnswer(True, (CRAWL_HOST,)), DnsKind.A: DnsAnswer(True, (OUTSIDE,))}


def test_googles_published_ranges_are_in_the_wheel() -> None:
    """Verified offline; nothing is asked."""
    walk = Resolving(detect_bot(allow=SEARCH), dns={})
    decision = walk.googlebot("66.249.66.1")
    assert decision.is_allowed()
    assert is_verified_bot(decision.results[0])
    assert walk.asked == []


def test_verified_by_the_dns() -> None:
    """Outside of the ranges, but with a host name of Google's."""
    decision = Resolving(detect_bot(allow=SEARCH), dns=CONFIRMED).googlebot()
    assert (conclusions(decision), is_verified_bot(decision.results[0])) == (["ALLOW"], True)


def test_a_spoofed_googlebot_does_not_pass() -> None:
    """Although its category is allowed; the charge stays, since an attempt is an attempt."""
    walk = Resolving(detect_bot(allow=SEARCH), limit(), dns={DnsKind.PTR: NO_SUCH_NAME})
    decision = walk.googlebot()
    assert (decision.is_denied(), decision.status, is_spoofed_bot(decision.results[0])) == (True, 403, True)
    assert walk.googlebot().reason.is_rate_limit()


def test_could_not_check_is_an_error_and_neither() -> None:
    """Failing open it passes, and says what was not checked."""
    decision = Resolving(detect_bot(allow=SEARCH), dns={}).googlebot()
    assert (decision.is_allowed(), decision.is_errored()) == (True, True)
    assert not is_spoofed_bot(decision.results[0])
    assert not is_verified_bot(decision.results[0])
    assert "could not check GOOGLE_CRAWLER: ResolverError: timed out" in decision.explain()


@pytest.mark.parametrize("where", ["rule", "client"])
def test_could_not_check_is_denied_where_that_was_asked_for(where: str) -> None:
    """As of every rule, also where the whole client fails closed: 503, since it is not the bot's fault."""
    rule = detect_bot(allow=SEARCH, on_error="deny" if where == "rule" else None)
    options: dict[str, Any] = {"on_error": "deny"} if where == "client" else {}
    decision = Resolving(rule, dns={}, **options).googlebot()
    assert (decision.is_denied(), decision.status) == (True, 503)
    assert "could not check GOOGLE_CRAWLER" in decision.explain()


def test_a_spoofed_bot_in_a_dry_run_passes() -> None:
    """The decision names the rule that would have denied; the helper does not tempt a handler to."""
    decision = Resolving(detect_bot(allow=SEARCH, mode="DRY_RUN"), dns={DnsKind.PTR: NO_SUCH_NAME}).googlebot()
    assert (decision.is_allowed(), decision.dry_run) == (True, "bot")
    assert (conclusions(decision), states(decision)) == (["DENY"], ["DRY_RUN"])
    assert not is_spoofed_bot(decision.results[0])


def test_masks_of_the_list_end_in_somebodys_domain() -> None:
    """A mask such as ``@googlebot.com`` would also let the owner of evilgooglebot.com choose a name that fits."""
    index = BotIndex.open(wheel_folder() / "bots.dwd")
    masks = {mask for name in index.ids() if (bot := index.bot(name)) for mask in bot.masks if set(mask) & {"*", "@"}}
    assert masks
    for mask in masks:
        fixed = mask[max(mask.rfind("*"), mask.rfind("@")) + 1 :]
        assert fixed.startswith(".")
        assert fixed.count(".") >= 2
