"""What tests assert about responses, with failures that say what every rule came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.decision import Conclusion, Decision, State
from doorward.errors import ConfigurationError
from doorward.printable import printable
from doorward.testing.exchanges import sent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.decision import RuleResult
    from doorward.testing.harness import Harness
    from doorward.testing.recorder import Recorded

REASONS = (
    "RATE_LIMIT", "BOT", "SHIELD", "EMAIL", "FILTER", "SENSITIVE_INFO", "PROMPT_INJECTION", "CHALLENGE", "RULE",
    "ERROR",
)  # fmt: skip

active: list[Harness] = []
"""The harnesses in use, the innermost last."""


def assert_denied(response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
    """Assert that the request was denied, and that the response says so.

    Args:
        response: What a test client has received; or a decision.
        by: The reason's type, such as ``"RATE_LIMIT"``.
        rule: The name of the rule.
        status: The response's status; when None, anything but success.

    Returns:
        The decision.

    Raises:
        AssertionError: It was not; the message says what every rule came to.
        ConfigurationError: ``by`` is no type of reason.
    """
    __tracebackhide__ = True
    return _check(response, _Expected("denied", Conclusion.DENY, _type(by), rule, status))


def assert_challenged(response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
    """Assert that the client has to pass a challenge first; arguments as of :func:`assert_denied`."""
    __tracebackhide__ = True
    return _check(response, _Expected("challenged", Conclusion.CHALLENGE, _type(by), rule, status))


def assert_allowed(response: Any, *, status: int | None = None) -> Decision:
    """Assert that no rule objected to the request, or that it is exempt.

    Args:
        response: What a test client has received; or a decision.
        status: The response's status; any when None.

    Returns:
        The decision.

    Raises:
        AssertionError: One did; the message says what every rule came to.
    """
    __tracebackhide__ = True
    return _check(response, _Expected("allowed", Conclusion.ALLOW, "", "", status))


def assert_would_deny(response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
    """Assert that the request was let through, and that a rule in dry run would have denied it.

    Arguments as of :func:`assert_denied`. The finding counts as expected at the end of the run.
    """
    __tracebackhide__ = True
    decision = _check(response, _Expected("denied, if that were no dry run,", None, _type(by), rule, status))
    for harness in active:
        harness.expected.add(id(decision))
    return decision


class _Expected(NamedTuple):
    """What a test expects.

    Attributes:
        what: In words.
        conclusion: The decision's; None where a dry run is to deny.
        by: Type of the reason; empty for any.
        rule: Name of the rule; empty for any.
        status: Of the response; None for any that fits.
    """

    what: str
    conclusion: Conclusion | None
    by: str
    rule: str
    status: int | None

    def __str__(self) -> str:
        parts = [self.what, *([f"by {self.by}"] if self.by else []), *([f"by rule {self.rule!r}"] if self.rule else [])]
        return " ".join([*parts, *([f"with status {self.status}"] if self.status is not None else [])])

    def met_by(self, decision: Decision) -> bool:
        """Whether a decision is what is expected."""
        if self.conclusion is None:
            return decision.is_allowed() and any(self._is_it(result) for result in dry_denials(decision))
        if self.conclusion is Conclusion.ALLOW:
            return decision.is_allowed()
        if decision.conclusion is not self.conclusion:
            return False
        objecting = [result for result in decision.results if result.decides and not result.is_allowed()]
        own = not self.rule and decision.reason.type == self.by
        return not (self.by or self.rule) or own or any(self._is_it(result) for result in objecting)

    def _is_it(self, result: RuleResult) -> bool:
        return (not self.by or result.reason.type == self.by) and (not self.rule or result.rule == self.rule)

    def answered(self, status: int | None) -> bool:
        """Whether the response's status is what it should be."""
        if self.status is not None:
            return status == self.status
        refused = self.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE)
        return not refused or status is None or not 200 <= status < 300


def dry_denials(decision: Decision) -> list[RuleResult]:
    """The results of rules in dry run that would have denied, or challenged."""
    objecting = (Conclusion.DENY, Conclusion.CHALLENGE)
    return [r for r in decision.results if r.state is State.DRY_RUN and r.conclusion in objecting]


def _type(by: str) -> str:
    kind = by.upper()
    if kind and kind not in REASONS:
        raise ConfigurationError("by", f"must be one of {', '.join(REASONS)}, not {by!r}")
    return kind


def _check(response: Any, expected: _Expected) -> Decision:
    __tracebackhide__ = True
    status = status_of(response)
    decisions = [response] if isinstance(response, Decision) else [record.decision for record in _recorded(response)]
    wanted = any if expected.conclusion is not Conclusion.ALLOW else all
    if decisions and wanted([expected.met_by(decision) for decision in decisions]) and expected.answered(status):
        return next(decision for decision in decisions if expected.met_by(decision))
    raise AssertionError("\n".join(_told(response, status, decisions, expected)))


def _recorded(response: Any) -> list[Recorded]:
    if not active:
        raise AssertionError(
            "decisions are recorded only while a client is under test: use the fixture `doorward` and its "
            "`doorward.use(aj)`, or `with doorward.testing.Harness(aj):`"
        )
    return active[-1].decisions.about(response)


def status_of(response: Any) -> int | None:
    """The status of a response of any test client; None where it has none."""
    for name in ("status_code", "status"):
        status = getattr(response, name, None)
        if isinstance(status, int) and not isinstance(response, Decision):
            return int(status)
    return None


# --- what a failure says


def _told(response: Any, status: int | None, decisions: Sequence[Decision], expected: _Expected) -> list[str]:
    request = printable(str(sent_of(response)).strip(), 300) or "the request"
    answered = "" if status is None else f" and answered {status}"
    was = ", ".join(_was(decision) for decision in decisions) or "not decided about"
    lines = [f"expected {request} to be {expected},", f"but it was {was}{answered}"]
    for decision in decisions:
        lines += [f"  {line}" for line in decision.explain().splitlines()]
    return [*lines, *[f"note: {hint}" for hint in _hints(status, decisions, expected)]]


def _was(decision: Decision) -> str:
    words = {Conclusion.ALLOW: "allowed", Conclusion.DENY: "denied", Conclusion.CHALLENGE: "challenged"}
    word = words.get(decision.conclusion, "allowed, although a rule could not be evaluated,")
    return f"{word} by {decision.reason.type}" if not decision.is_allowed() else word


def _hints(status: int | None, decisions: Sequence[Decision], expected: _Expected) -> list[str]:
    hints = active[-1].hints() if active else []
    if not decisions:
        return [*hints, *_hints_of_silence()]
    dry = [result.rule for decision in decisions for result in dry_denials(decision)]
    if dry and expected.conclusion is not None:
        hints.append(f"it would have been refused by {', '.join(dry)}, in dry run: assert_would_deny asserts that")
    if any(expected.met_by(decision) for decision in decisions) and not expected.answered(status):
        hints.append(
            "the decision is as expected, and the response is not: enforce=False, or a handler that goes on whatever "
            f"protect says? status={status} says that it is meant so"
        )
    return hints


def _hints_of_silence() -> list[str]:
    if not active or not active[-1].clients:
        return ["no client is under test: call doorward.use(aj) before the request"]
    recorded = active[-1].decisions.records[-5:]
    others = "; ".join(f"{printable(str(r.sent), 100)}: {r.decision.conclusion}" for r in recorded)
    return [f"no rule was asked about this request. Decisions so far: {others or 'none'}"]


__all__ = ["assert_allowed", "assert_challenged", "assert_denied", "assert_would_deny"]
