"""Whatever header lines come, bots are found as the registry says, in whatever form the lines are handed over.

An input is the header lines of a request, as on the wire; the first is its scheme and method: ``https GET``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward import RequestContext, detect_bot
    from doorward.automation import AUTOMATED, Examination, Examiner
    from doorward.intelligence.agent_evidence import frame
    from doorward.intelligence.bot_index import FILE, LONGEST, BotIndex, _parsed
    from doorward.intelligence.library import wheel_folder
    from doorward.reason import BotReason
    from doorward.rules.base import Outcome, View
    from doorward.rules.bots import UNKNOWN_BOT, BotRule

Lines = list[tuple[str, str]]

LONGEST_REASON = 200


class Bench:
    """What is looked through; answers are not kept between inputs, but for those that the index keeps by itself."""

    def __init__(self) -> None:
        self.index = BotIndex.open(wheel_folder() / FILE)
        self.claims = [_parsed(row) for row in self.index._claims]
        self.rules = [detect_bot(allow=[]), detect_bot(deny=["CURL", "CATEGORY:AI"]), detect_bot(allow=[], lists=False)]

    def named(self, agent: str) -> list[str]:
        """The bots that an agent names, found by asking for every one of them."""
        looked_at = agent[:LONGEST]
        framed = frame(looked_at)
        numbers = {claim.bot for claim in self.claims if claim.is_made_by(looked_at, framed)}
        return [self.index._bots[number].id for number in sorted(numbers)]


@cache
def bench() -> Bench:
    return Bench()


def parsed(data: bytes) -> tuple[str, str, Lines]:
    """The scheme, the method, and the lines; their bytes are latin-1, as they are to servers."""
    first, *lines = data.decode("latin-1").split("\n")
    scheme, _, method = first.partition(" ")
    pairs = [line.partition(":") for line in lines if ":" in line]
    return scheme, method, [(name.strip(), value.strip(" \t")) for name, _, value in pairs]


def context(scheme: str, method: str, lines: Any) -> RequestContext:
    return RequestContext(scheme=scheme, method=method, headers=lines)


def examined(scheme: str, method: str, lines: Any) -> Examination:
    return Examiner().examine(context(scheme, method, lines))


def check_examination(scheme: str, method: str, lines: Lines) -> None:
    """Evidence is of known size and wording, and the same however the lines are written and handed over."""
    found = examined(scheme, method, lines)
    assert 0 <= found.weight <= 1
    assert found.automated is (found.weight >= AUTOMATED)
    for finding in found.findings:
        assert 0 < finding.weight <= 1, finding
        assert finding.reason.isascii(), finding
        assert finding.reason.isprintable(), finding
        assert len(finding.reason) <= LONGEST_REASON, finding
    raw = [(name.lower().encode("latin-1", "replace"), value.encode("latin-1")) for name, value in lines]
    assert examined(scheme, method, raw) == found
    assert examined(scheme, method, [(_shouted(name), value) for name, value in lines]) == found
    assert Examiner().examine(context(scheme, method, raw), ordered=True).weight >= found.weight


def _shouted(name: str) -> str:
    return name.upper() if name.isascii() else name


def check_rule(rule: BotRule, scheme: str, method: str, lines: Lines) -> None:
    """The rule comes to a reason without look-ups, which names only bots that there are, each once."""
    outcome = rule.evaluate(View(context(scheme, method, lines), "203.0.113.9", {}, {}))
    assert isinstance(outcome, Outcome)
    reason = outcome.reason
    assert isinstance(reason, BotReason)
    for names in (reason.allowed, reason.denied):
        assert len(names) == len(set(names)), names
        assert all(name == UNKNOWN_BOT or name.startswith("CATEGORY:") or bench().index.bot(name) for name in names)
    assert bool(reason.denied) is (outcome.conclusion == "DENY")


def agents(lines: Lines) -> Sequence[str]:
    return [value for name, value in lines if name.lower() == "user-agent"]


def target(data: bytes) -> None:
    scheme, method, lines = parsed(data)
    check_examination(scheme, method, lines)
    for rule in bench().rules:
        check_rule(rule, scheme, method, lines)
    for agent in agents(lines)[:2]:
        assert [bot.id for bot in bench().index.find(agent)] == bench().named(agent), agent


if __name__ == "__main__":
    fuzz(target, "agents")
