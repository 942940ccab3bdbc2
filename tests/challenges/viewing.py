"""Rules of our own, asked about one request: what the tests of conditions share."""

from __future__ import annotations

from typing import Any

from doorward import (
    RequestContext,
)
from doorward.address_facts import NO_ADDRESS_DATA
from doorward.rules.access import AccessRule
from doorward.rules.base import View


def view(**request: Any) -> View:
    """A request as rules see it."""
    given = request.pop("given", {})
    ip = request.pop("ip", "192.0.2.9")
    return View(RequestContext(peer=ip, **request), ip, {}, given, NO_ADDRESS_DATA)


def matches(rule: AccessRule, **request: Any) -> bool:
    """Whether a rule is about a request."""
    return rule.matches(view(**request))


def why(rule: AccessRule, **request: Any) -> str:
    """What a rule says about a request."""
    outcome: Any = rule.evaluate(view(**request))
    return str(outcome.reason.message)
