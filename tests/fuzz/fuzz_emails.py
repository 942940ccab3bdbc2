"""Whatever text comes as an e-mail address, it is one with a domain that can be asked for, or has a problem.

An input is the address.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import RequestContext, validate_email
    from doorward.effects import DnsAnswer, Gather, ResolveDns
    from doorward.email_syntax import LONGEST_ADDRESS, Address, parse
    from doorward.errors import ResolverError
    from doorward.reason import EmailReason
    from doorward.resolving.messages import parse_name
    from doorward.rules.base import Outcome, View
    from doorward.rules.email import EmailRule, EmailType

A_LABELS = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
DETAIL = re.compile(r"[ -~]{1,200}")
MOST_QUESTIONS = 3  # MX, and A with AAAA where there is none


@cache
def rules() -> list[EmailRule]:
    denied = ["DISPOSABLE", "FREE", "RELAY", "NO_MX_RECORDS"]
    return [
        validate_email(deny=denied),
        validate_email(allow=["FREE"], require_top_level_domain=False, allow_domain_literal=True),
        validate_email(deny=[]),
    ]


def check_address(text: str, found: Address, *, literal: bool) -> None:
    if found.problem:
        assert DETAIL.fullmatch(found.problem)
        assert found.domain == ""
        assert len(found.typed_domain) <= LONGEST_ADDRESS * 3  # lower case may have more characters
        return
    assert len(text.encode()) <= LONGEST_ADDRESS
    assert "@" in text
    assert "\n" not in text
    if literal and not found.domain:
        assert text.endswith("]")
        return
    assert A_LABELS.fullmatch(found.domain), found
    assert parse_name(found.domain).is_absolute()
    local_part, _, domain = text.rpartition("@")
    # A domain means the same in any case and in its A-labels.
    for other in (found.domain, found.domain.upper()):
        assert len(f"{local_part}@{other}".encode()) > LONGEST_ADDRESS or again(f"{local_part}@{other}") == found.domain
    assert domain.isascii() or found.domain.isascii()


def again(text: str) -> str:
    found = parse(text, require_top_level_domain=False)
    assert not found.problem, (text, found)
    return found.domain


def outcome_of(rule: EmailRule, text: str, answer: DnsAnswer | Exception) -> Outcome:
    """What the rule comes to when every question gets the same answer."""
    view = View(RequestContext(), "203.0.113.9", {"email": text}, {})
    steps: Any = rule.evaluate(view)
    if isinstance(steps, Outcome):
        return steps
    asked = 0
    try:
        effect = next(steps)
        while True:
            questions = effect.effects if isinstance(effect, Gather) else [effect]
            asked += len(questions)
            assert asked <= MOST_QUESTIONS
            assert all(isinstance(question, ResolveDns) for question in questions)
            if isinstance(answer, Exception):
                effect = steps.throw(answer)
            else:
                effect = steps.send([answer] * len(questions) if isinstance(effect, Gather) else answer)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


def check_rule(rule: EmailRule, text: str) -> None:
    try:
        outcome_of(rule, text, ResolverError("the servers are down"))
    except ResolverError:
        assert rule.refuses(EmailType.NO_MX_RECORDS)  # a failure is an error, and never a type
    for answer in (DnsAnswer(exists=False), DnsAnswer(exists=True), DnsAnswer(exists=True, records=("x",))):
        outcome = outcome_of(rule, text, answer)
        reason = outcome.reason
        assert isinstance(reason, EmailReason)
        assert set(reason.email_types) <= set(EmailType)
        assert (outcome.conclusion == "DENY") is any(
            rule.refuses(found) for found in map(EmailType, reason.email_types)
        )
        assert not reason.detail or DETAIL.fullmatch(reason.detail), reason


def target(data: bytes) -> None:
    text = text_of(data)
    check_address(text, parse(text), literal=False)
    loose = parse(text, require_top_level_domain=False, allow_domain_literal=True)
    check_address(text, loose, literal=True)
    # What the strict reading takes, the loose one takes for the same.
    assert parse(text).problem or loose == parse(text)
    for rule in rules():
        check_rule(rule, text)


if __name__ == "__main__":
    fuzz(target, "emails")
