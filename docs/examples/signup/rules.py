"""The rules of the sign-up examples, and what a person is told. The same in every framework."""

from __future__ import annotations

from doorward import Decision, EmailReason, protect_signup

RULES = protect_signup(
    rate_limit={"interval": "10m", "max": 5, "paths": ["/signup"], "methods": ["POST"]},
    bots={"allow": [], "paths": ["/signup"], "methods": ["POST"]},
    email={"deny": ["DISPOSABLE", "INVALID", "NO_MX_RECORDS"]},
)

ADVICE = {
    "INVALID": "That is not an e-mail address. Please check it.",
    "DISPOSABLE": "Please use an address that you will keep.",
    "NO_MX_RECORDS": "Mail cannot be delivered to that domain. Is it spelled right?",
}


def advice(decision: Decision) -> str:
    """What a person can correct. Bots and floods learn nothing from it."""
    reason = decision.reason
    if isinstance(reason, EmailReason):
        return next((ADVICE[name] for name in reason.email_types if name in ADVICE), ADVICE["INVALID"])
    return "You cannot sign up at the moment."


def needs_review(decision: Decision) -> bool:
    """Whether somebody should look at an allowed sign-up first. Unknown is None, and None is no reason to doubt."""
    free = any(isinstance(r.reason, EmailReason) and "FREE" in r.reason.email_types for r in decision.results)
    return bool(free or decision.ip.is_vpn() or decision.ip.is_tor())
