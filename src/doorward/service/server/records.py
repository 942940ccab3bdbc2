"""What is kept of a decision: enough to understand it, nothing of what the visitor sent but path and ``User-Agent``.

Never e-mail addresses, bodies, other headers, query strings, or values of the application's own (what Arcjet's SDKs
redact, and more). Of findings, the place and the family; texts are printable and bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.decision import ALLOWED, Conclusion, State
from doorward.printable import printable
from doorward.service.server import answers
from doorward.service.server.ports import LogRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.address_facts import AddressFacts
    from doorward.decision import RuleResult
    from doorward.reason import Reason
    from doorward.service.messages import DecideRequest, SingleReport
    from doorward.service.server.asked import Asked

_LONGEST_PATH, _LONGEST_AGENT, _LONGEST_HOST, _LONGEST_WHY = 1_000, 400, 200, 300
_ORDER = (Conclusion.DENY, Conclusion.CHALLENGE, Conclusion.ERROR)
_SDK_NAMES = (
    "UNSPECIFIED", "NODEJS", "NEXTJS", "PYTHON", "DJANGO", "BUN", "DENO", "SVELTEKIT", "HONO", "NUXT", "NESTJS",
    "REMIX", "ASTRO", "FASTIFY", "REACT_ROUTER", "GO",
)  # fmt: skip


class Verdict(NamedTuple):
    """What the rules of one request come to together, those of the client and those of the service.

    Attributes:
        conclusion: DENY over CHALLENGE over ERROR over ALLOW.
        reason: Why.
        rule: Who decided; empty for an ALLOW.
        dry_run: The dry-run rule that would have decided.
    """

    conclusion: Conclusion
    reason: Reason
    rule: str
    dry_run: str


def together(results: Sequence[RuleResult], told: Sequence[tuple[Conclusion, Reason | None]], dry_run: str) -> Verdict:
    """One verdict.

    Args:
        results: Of all rules, in the order in which they were asked, and of the service itself.
        told: What was concluded where, and why where that is known.
        dry_run: The dry-run rule that would have decided.
    """
    live = [result for result in results if result.decides]
    found = {result.conclusion for result in live} | {conclusion for conclusion, _ in told}
    worst = next((conclusion for conclusion in _ORDER if conclusion in found), Conclusion.ALLOW)
    reasons = [reason for conclusion, reason in told if conclusion is worst and reason is not None]
    deciding = [result for result in live if result.conclusion is worst]
    chosen = next((result for result in deciding if result.reason in reasons), deciding[0] if deciding else None)
    reason = reasons[0] if reasons else chosen.reason if chosen is not None else ALLOWED
    return Verdict(worst, reason, chosen.rule if chosen and worst is not Conclusion.ALLOW else "", dry_run)


def dry_run_of(results: Sequence[RuleResult]) -> str:
    """The first rule on trial that would have refused."""
    return next((result.rule for result in results if _would_refuse(result)), "")


def _would_refuse(result: RuleResult) -> bool:
    return result.state is State.DRY_RUN and result.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE)


def record(
    *,
    decision: str,
    at_ns: int,
    site: str,
    verdict: Verdict,
    results: Sequence[dict[str, Any]],
    request: Asked,
    facts: AddressFacts,
    client: str,
    took_us: int = 0,
    reported: bool = False,
) -> LogRecord:
    """The record of a decision."""
    return LogRecord(
        id=decision,
        at_ns=at_ns,
        site=site,
        conclusion=verdict.conclusion.value,
        reason="" if verdict.reason is ALLOWED else verdict.reason.type,
        why=printable(verdict.reason.explain(), _LONGEST_WHY),
        rule=verdict.rule,
        dry_run=printable(verdict.dry_run, 100),
        ip=request.client_ip.address,
        method=printable(request.method, 20),
        host=printable(request.host, _LONGEST_HOST),
        path=printable(request.path, _LONGEST_PATH),
        agent=printable(request.headers.get("user-agent"), _LONGEST_AGENT),
        country=facts.place.get("country", ""),
        reported=reported,
        client=client,
        took_us=took_us,
        results=tuple(results),
        ip_details=answers.ip_details(facts) or None,
    )


def client_name(request: DecideRequest | SingleReport) -> str:
    """Name and version of the SDK that asked."""
    if request.client:
        return printable(request.client, 100)
    stack = request.sdk_stack
    known = _SDK_NAMES[stack] if isinstance(stack, int) and 0 <= stack < len(_SDK_NAMES) else str(stack)
    return printable(f"{known.removeprefix('SDK_STACK_').lower()} {request.sdk_version}".strip(), 100)


__all__ = ["Verdict", "client_name", "dry_run_of", "record", "together"]
