"""What is claimed about rules is true of the engine: random clients, asked about every request of a small world."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward import Doorward, RequestContext, State, allow, deny, fixed_window, sliding_window
from doorward.checks import findings_of
from doorward.checks.subject import subject_of
from doorward.testing import FakeClock

PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/b/a", "/ab", "/admin"]
METHODS = ["GET", "HEAD", "POST", "OPTIONS"]
PEERS = ["192.0.2.1", "192.0.2.2", "198.51.100.1"]
WORLD = [RequestContext(method=m, path=p, peer=i) for m, p, i in product(METHODS, PATHS, PEERS)]

paths = st.lists(
    st.sampled_from(["/a", "/a/*", "/*", "**", "/a*", "GET /a", "POST /b*", "re:/a/.*", "/?", "*/b", "/a/b*"]),
    max_size=2,
)
methods = st.lists(st.sampled_from(["GET", "POST", "OPTIONS"]), max_size=2)
addresses = st.sampled_from([None, "192.0.2.1", "192.0.2.0/24", ["192.0.2.1", "192.0.2.2"], "198.51.100.1"])
ends = st.sampled_from([None, ["RULE"], ["RATE_LIMIT"], ["RULE", "RATE_LIMIT"]])
modes = st.sampled_from(["LIVE", "LIVE", "LIVE", "DRY_RUN"])


@st.composite
def access(draw: Any) -> Any:
    options: dict[str, Any] = {"paths": draw(paths), "methods": draw(methods), "mode": draw(modes)}
    address = draw(addresses)
    if address is not None:
        options["ip"] = address
    elif not options["paths"] and not options["methods"]:
        options["paths"] = ["/a"]
    ended = draw(ends)
    if draw(st.booleans()):
        return deny(**options)
    return allow(**options) if ended is None else allow(ends=ended, **options)


@st.composite
def limits(draw: Any) -> Any:
    options: dict[str, Any] = {"paths": draw(paths), "methods": draw(methods), "mode": draw(modes)}
    options["characteristics"] = draw(st.sampled_from([["ip.src"], ["http.host"], ["ip.src", "http.request.method"]]))
    seconds, most = draw(st.sampled_from([1, 2, 4, 8])), draw(st.integers(1, 4))
    options["cost"] = draw(st.sampled_from([None, None, 1]))
    if draw(st.booleans()):
        return sliding_window(max=most, interval=seconds, **options)
    return fixed_window(max=most, window=seconds, **options)


NEVER_ASKED = {"DW004", "DW005", "DW006"}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(access() | limits(), min_size=2, max_size=5),
    st.dictionaries(st.sampled_from(["/a/*", "/**", "POST /b"]), st.just("9/minute"), max_size=1),
)
def test_rules_that_are_never_asked_never_run(rules: list[Any], of_paths: dict[str, str]) -> None:
    """DW004 to DW006: the rule is NOT_RUN, or does not match. DW011: whom an allow is for is refused."""
    aj = Doorward(rules, limits=of_paths)
    found = [finding for finding in findings_of(subject_of(aj, {}, ())) if finding.rule]
    never = {finding.rule for finding in found if finding.code in NEVER_ASKED}
    overruled = {finding.rule for finding in found if finding.code == "DW011"}
    if not never | overruled:
        return
    by_name = {bound.name: bound.rule for bound in aj.engine.bound}
    for request in WORLD:
        decision = aj.protect(request)
        for result in decision.results:
            idle = result.state is State.NOT_RUN or getattr(result.reason, "message", "") == "does not match"
            assert result.rule not in never or idle, (result, request)
        for name in overruled:
            rule = by_name[name]
            if rule.applies_to(request) and _is_for(rule, request):
                assert decision.is_denied(), (name, request)


def _is_for(rule: Any, request: RequestContext) -> bool:
    from doorward.rules.base import View

    return all(matcher.find(View(request, request.peer, {}, {})).holds for matcher in rule.matchers)


@settings(max_examples=40, deadline=None)
@given(st.lists(access(), min_size=2, max_size=5))
def test_a_rule_that_makes_no_difference_can_be_left_out(rules: list[Any]) -> None:
    """DW007: without it every request is decided as with it."""
    aj = Doorward(rules)
    covered = [finding.rule for finding in findings_of(subject_of(aj, {}, ())) if finding.code == "DW007"]
    for name in covered:
        kept = [bound.rule for bound in aj.engine.bound if bound.name != name]
        without = Doorward(kept)
        for request in WORLD:
            assert aj.protect(request).conclusion is without.protect(request).conclusion, request


@settings(max_examples=50, deadline=None)
@given(
    st.lists(limits(), min_size=2, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(WORLD), st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0, 3.0])), min_size=60, max_size=90
    ),
)
def test_a_limit_that_no_one_reaches_refuses_nobody(rules: list[Any], traffic: list[Any]) -> None:
    """DW031: over random traffic, the limit is never among those that refuse by themselves."""
    clock = FakeClock()
    aj = Doorward(rules, clock=clock)
    idle = {finding.rule for finding in findings_of(subject_of(aj, {}, ())) if finding.code == "DW031"}
    if not idle:
        return
    without = Doorward([b.rule for b in aj.engine.bound if b.name not in idle], clock=clock)
    for request, wait in traffic:
        clock.advance(wait)
        assert aj.protect(request).conclusion is without.protect(request).conclusion, request
