"""What is open about a request, and what was decided about it here, as messages to the service.

As little as will do: who a client is goes as fingerprints, so that no header but ``User-Agent``, no cookie, no query,
no body and nothing of the application's own is sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import doorward
from doorward.rules.bots import BotRule
from doorward.rules.email import EmailRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.bound import Bound
    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.question import OpenLimit, Question

CLIENT = f"doorward/{doorward.__version__}"
PROBE = json.dumps({"client": CLIENT}).encode()
"""A question about nobody, which the service answers and does not keep."""

_LONGEST_PATH = 2_048
_LONGEST_AGENT = 2_048
_LONGEST_HOST = 300
_LONGEST_METHOD = 40
_LONGEST_EMAIL = 1_024


def question_body(question: Question) -> bytes:
    """``DecideRequest`` as JSON."""
    limits, rules = question.limits, question.rules
    message = {
        "client": CLIENT,
        "details": _details(question.request, question.ip) | _inputs(question),
        "rules": [*map(_limit, limits), *map(_rule, rules)],
        "localResults": [result_of(result) for result in question.found],
        "localConclusion": f"CONCLUSION_{question.conclusion}",
    }
    return _encoded(message)


def report_of(request: RequestContext, decision: Decision) -> dict[str, Any]:
    """One decision that was made here, for a ``ReportRequest``."""
    told = decision.to_dict()
    return {
        "client": CLIENT,
        "details": _details(request, decision.ip.address),
        "decision": {**told, "ruleResults": [result_of(result) for result in decision.results]},
    }


def result_of(result: RuleResult) -> dict[str, Any]:
    """A ``RuleResult``."""
    return result.to_dict()


def _encoded(message: Mapping[str, Any]) -> bytes:
    return _as_json(message).encode()


_as_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for each question


def _details(request: RequestContext, ip: str) -> dict[str, Any]:
    agents = request.header_values("user-agent")
    return {
        "ip": ip,
        "method": _clean(request.method, _LONGEST_METHOD),
        "protocol": request.scheme,
        "host": _clean(request.host, _LONGEST_HOST),
        "path": _clean(request.path, _LONGEST_PATH),
        "headers": {"user-agent": _clean(agents[0], _LONGEST_AGENT)} if agents else {},
    }


def _inputs(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {
        "fingerprints": {
            ",".join(limit.bound.identity.names): {"values": [str(fingerprint) for fingerprint in limit.fingerprints]}
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
        "characteristics": list(bound.identity.names),
        "algorithm": f"RATE_LIMIT_ALGORITHM_{hit.algorithm}",
        "units": str(hit.max),
        "nanoseconds": str(hit.interval),
    }
    if bound.cost is not None:
        rule["cost"] = str(bound.cost)
    return {"rateLimit": rule, "name": bound.name}


def _rule(bound: Bound) -> dict[str, Any]:
    rule = bound.rule
    if isinstance(rule, EmailRule):
        return {"email": {"mode": _mode(bound), **_email(rule)}, "name": bound.name}
    assert isinstance(rule, BotRule)
    return {"botV2": {"mode": _mode(bound), **_bots(rule)}, "name": bound.name}


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


__all__ = ["CLIENT", "PROBE", "question_body", "report_of"]
