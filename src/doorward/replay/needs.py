"""Which rules can be asked about a recording, and as what: no rule is to conclude from what nobody wrote down.

A rule says what it reads (``Rule.parts``). Three kinds can do with less than all they read, since what they find in
one part of a request is found whatever the others hold: bots by their names, attacks in the parts that there are, and
the expressions of a denying filter one by one.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from doorward.replay.records import EVERY_HEADER
from doorward.rules.access import AccessRule
from doorward.rules.bots import BotRule
from doorward.rules.filters import FilterRule
from doorward.rules.limits import DynamicLimit, Limit
from doorward.rules.shield import ShieldRule

if TYPE_CHECKING:
    from doorward.bound import Bound
    from doorward.fingerprint import Identity
    from doorward.rules.base import Rule

AnyRule = TypeVar("AnyRule", bound="Rule")

ALL = "*"
_LISTED = 6
_PARTS = {"query": "the query", "body": "bodies"}
_NO_HEADERS = frozenset({*_PARTS, ALL})
_HEAD = frozenset({"query", "cookie", "authorization", EVERY_HEADER})
_HIDEABLE = frozenset({"authorization", "cookie", "proxy-authorization"})
"""What servers leave out of a log of all headers, or black out: only where it is named was it recorded."""


class Askable(NamedTuple):
    """A rule as it can be asked.

    Attributes:
        rule: It, or one that looks at less; None where it cannot be asked.
        left_out: What it does without, or why it cannot be asked; empty where nothing is missing.
    """

    rule: Rule | None
    left_out: str = ""


def askable(rule: Rule, identity: Identity, known: frozenset[str]) -> Askable:
    """How a rule can be asked about requests of which ``known`` was recorded.

    Args:
        rule: The rule.
        identity: Who it counts by.
        known: As :attr:`doorward.replay.records.Recorded.known`.
    """
    if ALL in known:
        return Askable(rule)
    if isinstance(rule, BotRule):
        return _bots(rule, known)
    if isinstance(rule, ShieldRule):
        return _shield(rule, identity, known)
    if isinstance(rule, FilterRule) and rule.deny:
        return _filters(rule, known)
    parts = rule.parts() | (identity.parts() if isinstance(rule, Limit) else frozenset())
    missing = lacking(parts, known)
    if not missing or (isinstance(rule, DynamicLimit) and not lacking(_HEAD | identity.parts(), known)):
        return Askable(rule)
    return Askable(None, f"not asked: {_why(rule, missing)}")


def lacking(parts: frozenset[str], known: frozenset[str]) -> frozenset[str]:
    """What of ``parts`` was not recorded."""
    missing = parts - known
    if EVERY_HEADER in known:
        return missing & (_HIDEABLE | _NO_HEADERS)
    return missing


def inputs_of(bound: Bound) -> frozenset[str]:
    """What the application has to give before the rule can be asked."""
    own = bound.identity.own() if isinstance(bound.rule, Limit) or bound.rule.sums_up else frozenset()
    return own | bound.wants | ({bound.rule.needs} if bound.rule.needs else set())


def changed(rule: AnyRule, **attributes: object) -> AnyRule:
    """A copy of a rule, whatever its class takes as arguments, with other attributes."""
    other = copy.copy(rule)
    for name, value in attributes.items():
        object.__setattr__(other, name, value)  # rules are frozen
    return other


def rebound(bound: Bound, rule: Rule) -> Bound:
    """``bound`` with another rule: by the same name, and on the same counters."""
    if rule is bound.rule:
        return bound
    other = copy.copy(bound)
    other.rule = rule
    return other


def _bots(rule: BotRule, known: frozenset[str]) -> Askable:
    from doorward.automation.examiner import AgentExaminer

    if EVERY_HEADER in known:
        return Askable(rule)
    if "user-agent" not in known:
        return Askable(None, f"not asked: {_lacks({'user-agent'})}")
    alone = "asked by the User-Agent alone: the recording does not have all other headers, whose absence would count"
    return Askable(replace(rule, examiner=AgentExaminer()), alone)


def _shield(rule: ShieldRule, identity: Identity, known: frozenset[str]) -> Askable:
    asked, without = rule, _without(known)
    if rule.body and "body" not in known:
        asked = replace(asked, body=False)
        without.append("bodies")
    left_out = f"looks at what there is: the recording does not have {' and '.join(without)}" if without else ""
    missing = lacking(identity.parts(), known)
    if missing:
        asked = changed(asked, sums_up=False)
        left_out += f"; suspicion is not added up, since {_lacks(missing)}"
    return Askable(asked, left_out)


def _without(known: frozenset[str]) -> list[str]:
    """What the shield would look at beside the path, and cannot."""
    named = sorted(known - {*_PARTS})
    headers = [] if EVERY_HEADER in known else [f"headers but {' and '.join(named[:_LISTED])}" if named else "headers"]
    return [*([] if "query" in known else ["the query"]), *headers]


def _filters(rule: FilterRule, known: frozenset[str]) -> Askable:
    kept = tuple([expression for expression in rule.deny if not lacking(expression.parts, known)])
    if len(kept) == len(rule.deny):
        return Askable(rule)
    missing = lacking(rule.parts(), known)
    if not kept:
        return Askable(None, f"not asked: {_why(rule, missing)}")
    few = f"asked by {len(kept)} of its {len(rule.deny)} expressions: {_lacks(missing)}"
    return Askable(replace(rule, deny=kept), few)


def _why(rule: Rule, missing: frozenset[str]) -> str:
    if ALL in missing and isinstance(rule, DynamicLimit):
        return "its limit is chosen by a function, which may read what the recording does not have"
    if ALL in missing:
        return "it does not say what it reads (Rule.parts), and the recording does not have whole requests"
    lets_pass = isinstance(rule, AccessRule) and rule.action == "ALLOW"
    also = "; what it would let past other rules is not let past them here" if lets_pass else ""
    return f"it reads {_named(missing)}, and the recording does not have that{also}"


def _lacks(missing: set[str] | frozenset[str]) -> str:
    return f"the recording does not have {_named(missing)}"


def _named(parts: set[str] | frozenset[str]) -> str:
    names = [_PARTS.get(part) or f"the header {part}" for part in sorted(parts)]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return " and ".join(names[:_LISTED]) + more


__all__ = ["Askable", "askable", "changed", "inputs_of", "lacking", "rebound"]
