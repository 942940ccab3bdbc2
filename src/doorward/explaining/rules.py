"""What each kind of rule looked at in a request, by name and value: the lines under a rule of ``doorward explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.decision import State
from doorward.filters import Filter, compile_filters
from doorward.printable import describe
from doorward.reason import BotReason, EmailReason, RateLimitReason, ShieldReason
from doorward.rules.access import AccessRule, ChallengeRule
from doorward.rules.bots import BotRule
from doorward.rules.email import EmailRule
from doorward.rules.filters import FilterRule
from doorward.rules.forms import FormTrapRule
from doorward.rules.honeypots import HoneypotRule, WeighingHoneypot
from doorward.rules.limits import Limit
from doorward.rules.shield import ShieldRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from doorward.attacks.evidence import Finding
    from doorward.bound import Bound
    from doorward.decision import RuleResult
    from doorward.rules.base import View

MOST_FINDINGS = 10
LONGEST_VALUE = 200
_HOLDS = {True: "holds", False: "does not hold", None: "cannot be told"}


class Detail(NamedTuple):
    """Something that a rule looked at, or came to.

    Attributes:
        label: What it is.
        value: Text as it came, cut; to be made printable by whoever prints it.
    """

    label: str
    value: str


def details(bound: Bound, result: RuleResult, view: View) -> list[Detail]:
    """What a rule looked at. An own rule that fails here says so in a detail: nothing is raised."""
    found = [*_restrictions(bound)]
    tell = next((tell for kind, tell in _KINDS.items() if isinstance(bound.rule, kind)), _nothing)
    try:
        found += tell(bound, result, view)
    except Exception as error:
        found.append(Detail("details", f"cannot be told: {describe(error)}"))
    return [Detail(label, value[:LONGEST_VALUE]) for label, value in found]


def _restrictions(bound: Bound) -> Iterator[Detail]:
    rule = bound.rule
    if rule.paths:
        yield Detail(
            "paths", ", ".join([path if isinstance(path, str) else f"re:{path.pattern}" for path in rule.paths])
        )
    if rule.methods:
        yield Detail("methods", ", ".join(rule.methods))
    if bound.on_error == "deny":
        yield Detail("on error", "denies")


def _nothing(*_: object) -> Iterator[Detail]:
    return iter(())


# --- limits


def _of_limit(bound: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    rule: Any = bound.rule
    asked = result.state is not State.NOT_RUN
    for quota in rule.quotas(view) if asked else bound.quotas or ():
        length = f"{quota.interval / NANOSECONDS:g} s"
        yield Detail("limit", f"{quota.algorithm.value.lower()}, max {quota.max} in {length}")
    if not asked:
        return
    yield from _counted_by(bound, view)
    if bound.cost is not None:
        yield Detail("cost", str(bound.cost))
    if bound.count_when is not None:
        yield Detail("charged", "taken back unless count_when says that the response counts")
    reason = result.reason
    if isinstance(reason, RateLimitReason):
        yield Detail("remaining", f"{reason.remaining} of {reason.max}")
        yield Detail("reset", f"in {reason.reset_seconds:g} s")


def _counted_by(bound: Bound, view: View) -> Iterator[Detail]:
    """Who the request is counted as."""
    for name, (read, *values) in zip(
        bound.identity.names, bound.identity.read(view.request, view.ip, view.given), strict=True
    ):
        stands_in = " (not given: counted by address)" if read != name else ""
        said = ", ".join([_cut(value) for value in values]) if values else "nothing"
        several = " (sent several times: counted as each)" if len(values) > 1 else ""
        yield Detail("counted by", f"{name} = {said or '(empty)'}{stands_in}{several}")


# --- expressions


def _of_filter(bound: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    rule: Any = bound.rule
    asked = result.state is not State.NOT_RUN
    for verb, expressions in (("allow", rule.allow), ("deny", rule.deny)):
        for expression in expressions:
            yield from _expression(verb, expression, view, certain=verb == "allow", asked=asked)


def _of_access(bound: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    rule: Any = bound.rule
    asked = result.state is not State.NOT_RUN
    for matcher in rule.matchers:
        name, value = matcher.parameter
        if name == "where":
            for expression in compile_filters(list(value), "where"):
                yield from _expression(name, expression, view, certain=rule.action == "ALLOW", asked=asked)
        else:
            yield Detail(name, " ".join([_cut(item) for item in value]) + _verdict(matcher, view, asked=asked))
    if isinstance(rule, ChallengeRule):
        yield Detail("level", rule.level.word + (f", at most {rule.max_age:g} s ago" if rule.max_age else ""))
    if rule.weight:
        yield Detail("weight", f"{rule.weight:g}")
    if rule.ends:
        yield Detail("ends", ", ".join(sorted(rule.ends)))


def _verdict(matcher: Any, view: View, *, asked: bool) -> str:
    if not asked:
        return ""
    holds = matcher.test(view) if matcher.test is not None else bool(matcher.find(view).holds)
    return f"  ({_HOLDS[holds]})"


def _expression(label: str, expression: Filter, view: View, *, certain: bool, asked: bool) -> Iterator[Detail]:
    verdict = f"  ({_HOLDS[expression.holds(view, certain=certain)]})" if asked else ""
    yield Detail(label, _cut(expression.source) + verdict)
    if asked:
        for name, read in expression.operands.items():
            values = read(view)
            said = " | ".join([_cut(str(value).lower() if isinstance(value, bool) else str(value)) for value in values])
            yield Detail("reads", f"{name} = {said or ('(empty)' if values else 'nothing: it is not there')}")


# --- bots, attacks, e-mail


def _of_bots(_: Bound, result: RuleResult, __: View) -> Iterator[Detail]:
    reason = result.reason
    if not isinstance(reason, BotReason):
        return
    for label, names in (("denied", reason.denied), ("allowed", reason.allowed), ("evidence", reason.evidence)):
        for name in names:
            yield Detail(label, name)
    if reason.verified or reason.spoofed:
        yield Detail("claim", "verified" if reason.verified else "spoofed")


def _of_shield(bound: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    reason, rule = result.reason, bound.rule
    if not isinstance(reason, ShieldReason) or not isinstance(rule, ShieldRule):
        return
    for finding in reason.findings[:MOST_FINDINGS]:
        via = f", read via {', '.join(finding.via)}" if finding.via else ""
        name = f" {finding.name}" if finding.name else ""
        what = f"{finding.weight:g} {finding.rule} in {finding.place}{name}{via}: {finding.reason}"
        yield Detail("finding", what)
        yield Detail("value", _value(finding, view))
    if len(reason.findings) > MOST_FINDINGS:
        yield Detail("finding", f"and {len(reason.findings) - MOST_FINDINGS} more")
    if reason.findings:
        yield Detail("weight", f"{reason.weight:g}; 1 denies")
    if reason.suspicious:
        yield Detail("adds up", f"to {rule.threshold:g} a client in {rule.window:g} s, which denies")


def _value(finding: Finding, view: View) -> str:
    """The value as it was sent, where it can be found by its name; else the excerpt, in which letters are masked."""
    request, name = view.request, finding.name
    places: Mapping[str, Callable[[], Sequence[str]]] = {
        "path": lambda: [request.path],
        "query": lambda: request.query_values(name),
        "header": lambda: request.header_values(name),
        "cookie": lambda: request.cookies(name),
    }
    values = places.get(finding.place, list)()
    return " | ".join([_cut(value) for value in values]) if values else f"{finding.excerpt} (masked)"


def _of_honeypot(bound: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    rule: Any = bound.rule
    verdict = "" if result.state is State.NOT_RUN else f"  ({_HOLDS[rule.is_trap(view.request)]})"
    yield Detail("traps", _cut(" ".join(rule.traps)) + verdict)
    after = f"after {rule.hits} hits " if rule.hits > 1 else ""
    if isinstance(rule, WeighingHoneypot):
        yield Detail("weight", f"{after}{rule.weight:g} for {rule.lasts:g} s; of its network {rule.network_weight:g}")
    else:
        yield Detail("refuses", f"{after}the client for {rule.lasts:g} s")


def _of_form(bound: Bound, _: RuleResult, __: View) -> Iterator[Detail]:
    rule: Any = bound.rule
    yield Detail("least time", f"{rule.min_seconds:g} s")
    yield Detail("action", f"{rule.action} {rule.weight:g}" if rule.weight else rule.action)


def _of_email(_: Bound, result: RuleResult, view: View) -> Iterator[Detail]:
    if result.state is State.NOT_RUN:
        return
    yield Detail("address", _cut(str(view.inputs.get("email", "(not given)"))))
    if isinstance(result.reason, EmailReason) and result.reason.email_types:
        yield Detail("found", ", ".join(result.reason.email_types))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE // 2 else text[: LONGEST_VALUE // 2] + "..."


_KINDS: Mapping[type, Callable[[Bound, RuleResult, View], Iterator[Detail]]] = {
    Limit: _of_limit,
    FilterRule: _of_filter,
    AccessRule: _of_access,
    BotRule: _of_bots,
    ShieldRule: _of_shield,
    EmailRule: _of_email,
    HoneypotRule: _of_honeypot,
    FormTrapRule: _of_form,
}

__all__ = ["Detail", "details"]
