"""What is open about a request, and what was decided about it here, as messages to the service.

As little as will do: who a client is goes as fingerprints, so that no header but ``User-Agent`` and
``Sec-Fetch-Site``, no cookie, no query, no body and no value of the application's own is sent; of what was found in
them, what kind of thing it was. What a rule of the application's own gives as its reason is sent as it is.

Whatever the request and the rules are, the message is one that the service takes: a question that it refuses would be
one that a visitor could have refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import doorward
from doorward import errors
from doorward.context import RequestContext
from doorward.reason import ErrorReason, ShieldReason
from doorward.rules.bots import BotRule, CouldNotCheck
from doorward.rules.email import EmailRule
from doorward.service.messages import LONGEST_NAME, MOST_RULES, UINT32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.bound import Bound
    from doorward.decision import Decision, RuleResult
    from doorward.question import OpenLimit, Question
    from doorward.reason import Reason

CLIENT = f"doorward/{doorward.__version__}"
PROBE = json.dumps({"client": CLIENT}).encode()
"""A question about nobody, which the service answers and does not keep."""

_LONGEST_PATH = 2_048
_TOLD = ("user-agent", "sec-fetch-site")
"""The latter tells what another web site made a visitor's browser send, which is not to be held against the visitor."""
_LONGEST_AGENT = 2_048
_LONGEST_HOST = 300
_LONGEST_METHOD = 40
_LONGEST_EMAIL = 1_024
_LONGEST_TEXT = 200
"""Of what was found; the service keeps no more."""
_MOST_ITEMS = 100
_MOST_RESULTS = 2 * MOST_RULES
_LONGEST_RULE_NAME = 100
_OWN_ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {CouldNotCheck.__name__}
"""Their texts are doorward's; any other may quote what it could not make sense of."""


def question_body(question: Question) -> bytes:
    """``DecideRequest`` as JSON."""
    limits, rules = question.limits, question.rules
    message = {
        "client": CLIENT,
        "details": _details(question.request, question.ip) | _inputs(question),
        "rules": [*map(_limit, limits), *map(_rule, rules)],
        "localResults": [*map(result_of, question.found[:_MOST_RESULTS])],
        "localConclusion": f"CONCLUSION_{question.conclusion}",
    }
    return _encoded(message)


def report_of(request: RequestContext, decision: Decision) -> dict[str, Any]:
    """One decision that was made here, for a ``ReportRequest``."""
    told: dict[str, Any] = {
        "id": decision.id,
        "conclusion": f"CONCLUSION_{decision.conclusion}",
        "reason": _reason(decision.reason),
        "ruleResults": [*map(result_of, decision.results[:_MOST_RESULTS])],
        "ttl": _whole(decision.ttl),
    }
    if decision.dry_run:
        told["dryRun"] = decision.dry_run
    return {"client": CLIENT, "details": _details(request, decision.ip.address), "decision": told}


def without_body(request: RequestContext) -> RequestContext:
    """What a report says of a request, to be kept until it is sent: a thousand bodies would take the memory."""
    lines = [(name, value[:_LONGEST_AGENT]) for name, value in _told_headers(request)]
    return RequestContext(
        method=request.method,
        scheme=request.scheme,
        host=request.host[:_LONGEST_HOST],
        path=request.path[:_LONGEST_PATH],
        headers=lines,
    )


def result_of(result: RuleResult) -> dict[str, Any]:
    """A ``RuleResult``."""
    told = {**result.to_dict(), "reason": _reason(result.reason), "ttl": _whole(result.ttl)}
    return {name: value if name == "reason" else _bounded(value) for name, value in told.items()}


def _reason(reason: Reason) -> dict[str, Any]:
    fields: Mapping[str, object] = reason.to_wire()
    if isinstance(reason, ShieldReason):
        shown = ("family", "place", "reason", "weight")
        found = [{name: getattr(finding, name) for name in shown} for finding in reason.findings]
        fields = {**fields, "findings": found} if found else fields
    elif isinstance(reason, ErrorReason):
        kind, _, _ = reason.message.partition(":")
        fields = fields if kind in _OWN_ERRORS else {"message": kind}
    return {reason.wire: _bounded(fields)} if reason.wire else {}


def _bounded(value: object, depth: int = 5) -> Any:
    """What JSON can hold, and not too much of it: reasons may be of the application's own making."""
    if isinstance(value, str):
        return _clean(value, _LONGEST_TEXT)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if -UINT32 <= value <= UINT32 else 0  # what is no number is neither
    if isinstance(value, Mapping) and depth:
        return {_clean(str(name), 100): _bounded(item, depth - 1) for name, item in islice(value.items(), _MOST_ITEMS)}
    if isinstance(value, list | tuple) and depth:
        return [_bounded(item, depth - 1) for item in value[:_MOST_ITEMS]]
    return None


def _whole(seconds: int) -> int:
    return min(max(0, seconds), UINT32)


def _encoded(message: Mapping[str, Any]) -> bytes:
    return _as_json(message).encode()


_as_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for each question


def _details(request: RequestContext, ip: str) -> dict[str, Any]:
    return {
        "ip": ip,
        "method": _clean(request.method, _LONGEST_METHOD),
        "protocol": _clean(request.scheme, _LONGEST_METHOD),
        "host": _clean(request.host, _LONGEST_HOST),
        "path": _clean(request.path, _LONGEST_PATH),
        "headers": {name: _clean(value, _LONGEST_AGENT) for name, value in _told_headers(request)},
    }


def _told_headers(request: RequestContext) -> list[tuple[str, str]]:
    """Of each that is told, the first line."""
    return [(name, values[0]) for name in _TOLD if (values := request.header_values(name))]


def _inputs(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {
        "fingerprints": {
            ",".join(_names(limit)): {"values": [str(fingerprint) for fingerprint in limit.fingerprints]}
            for limit in question.limits
        }
    }
    if any([isinstance(bound.rule, EmailRule) for bound in question.rules]):
        found["email"] = _clean(str(question.inputs.values.get("email", "")), _LONGEST_EMAIL)
    asked = question.inputs.requested
    costs = [limit.hit.cost for limit in question.limits if limit.bound.cost is None]
    if asked is not None and costs:
        found["extra"] = {"requested": str(costs[0])}
    return found


def _limit(limit: OpenLimit) -> dict[str, Any]:
    bound, hit, _ = limit
    rule: dict[str, Any] = {
        "mode": _mode(bound),
        "match": bound.prefix,  # this client's, this scope's, this rule's: what its own counters are called
        "characteristics": _names(limit),
        "algorithm": f"RATE_LIMIT_ALGORITHM_{hit.algorithm}",
        "units": str(hit.max),
        "nanoseconds": str(hit.interval),
    }
    if bound.cost is not None:
        rule["cost"] = str(bound.cost)
    return {"rateLimit": rule, "name": bound.name[:_LONGEST_RULE_NAME]}


def _names(limit: OpenLimit) -> Sequence[str]:
    """The characteristics; one name that stands for all where they are too long: their values go by themselves."""
    names = limit.bound.identity.names
    together = ",".join(names)
    if len(together) <= LONGEST_NAME:
        return names
    return (f'http.request.headers["{hashlib.sha256(together.encode()).hexdigest()}"]',)


def _rule(bound: Bound) -> dict[str, Any]:
    rule = bound.rule
    if isinstance(rule, EmailRule):
        return {"email": {"mode": _mode(bound), **_email(rule)}, "name": bound.name[:_LONGEST_RULE_NAME]}
    assert isinstance(rule, BotRule)
    return {"botV2": {"mode": _mode(bound), **_bots(rule)}, "name": bound.name[:_LONGEST_RULE_NAME]}


def _email(rule: EmailRule) -> dict[str, Any]:
    refused = "deny" if rule.allow is None else "allow"
    types = rule.deny if rule.allow is None else rule.allow
    return {
        "requireTopLevelDomain": rule.require_top_level_domain,
        "allowDomainLiteral": rule.allow_domain_literal,
        refused: [f"EMAIL_TYPE_{name}" for name in sorted(types or ())],
    }


def _bots(rule: BotRule) -> dict[str, Any]:
    refused = "deny" if rule.allow is None else "allow"
    return {
        refused: list((rule.deny if rule.allow is None else rule.allow) or ()),
        "verifiedOnly": rule.verified_only,
        "withoutLists": rule.bots is None,
    }


def _mode(bound: Bound) -> str:
    return "MODE_DRY_RUN" if bound.dry else "MODE_LIVE"


def _clean(text: str, longest: int) -> str:
    """Text that is Unicode and of bounded length: a lone surrogate is nothing that JSON may hold (RFC 8259)."""
    cut = text[:longest]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


__all__ = ["CLIENT", "PROBE", "question_body", "report_of", "without_body"]
