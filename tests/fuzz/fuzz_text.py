"""Whatever text comes, there is a value or a ConfigurationError, and accepted patterns keep their bound of steps.

An input is the setting's text; what follows the last line break is what patterns are tried on.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from tests.fuzz.backtracker import Machine, is_exact, pumped

    from doorward import duration, regex_cost, regex_safety, regex_syntax
    from doorward.client_ip import ClientIPPolicy
    from doorward.errors import ConfigurationError
    from doorward.fingerprint import normalized
    from doorward.limit_headers import parse_style
    from doorward.patterns import RouteMatcher, compile_path, compile_regex
    from doorward.rules.base import parse_mode
    from doorward.rules.limit_text import Rate, parse_limits
    from doorward.rules.limits import sliding_window

LONGEST_PUMPED = 4096
MOST_STEPS = 20_000  # of the slow machine that counts, for each pattern; re itself gets LONGEST_PUMPED characters

SETTINGS: dict[str, Callable[[str], object]] = {
    "mode": parse_mode,
    "rate_limit_headers": parse_style,
    "characteristics": lambda text: normalized([text]),
    "proxies": lambda text: ClientIPPolicy((text,)),
    "edge": ClientIPPolicy,
    "name": lambda text: sliding_window(max=1, interval=1, name=text),
    "methods": lambda text: sliding_window(max=1, interval=1, methods=[text]),
}


def accepted(build: Callable[[str], object], text: str) -> object:
    """What a setting makes of a text; None if it refuses it. Any other error is a bug."""
    try:
        return build(text)
    except ConfigurationError as error:
        refusal = error
    assert refusal.field
    assert refusal.problem
    return None


def check_times(text: str) -> None:
    nanoseconds = accepted(lambda value: duration.nanoseconds(value, "window"), text)
    seconds = accepted(lambda value: duration.seconds(value, "timeout"), text)
    if nanoseconds is not None:
        assert seconds is not None
        assert 10**6 <= int(str(nanoseconds)) <= duration.LONGEST * 10**9
    rates = accepted(parse_limits, text)
    for rate in rates if isinstance(rates, tuple) else ():
        assert isinstance(rate, Rate)
        # What text may say, numbers may say too: it is the same limit.
        assert sliding_window(max=rate.max, interval=rate.interval / 10**9).quota.max == rate.max


def check_patterns(text: str, subject: str) -> None:
    long = pumped(subject, LONGEST_PUMPED)
    predicates = [
        accepted(lambda value: compile_path(value).matches, text),
        accepted(lambda value: compile_path(f"re:{value}").matches, text),
        accepted(lambda value: compile_regex(value, field="deny"), text),
    ]
    for predicate in predicates:
        for tried in (subject, long) if callable(predicate) else ():
            assert predicate(tried) in (True, False)
    matcher = accepted(lambda value: RouteMatcher([value], field="exclude"), text)
    if isinstance(matcher, RouteMatcher):
        assert matcher.match("GET", subject) is None or matcher


def check_bounds(text: str, subject: str) -> None:
    """The bound holds on a machine that tries every way, and the machine matches what ``re`` does."""
    try:
        compiled = regex_safety._compile(text, "deny")
        tree = regex_syntax.parse(compiled)
    except (ConfigurationError, regex_syntax.UnsupportedSyntax):
        return
    for whole in (True, False):
        steps = steps_of(compiled, whole=whole)
        if steps is not None:
            tried = pumped(subject, max(8, min(LONGEST_PUMPED, MOST_STEPS // steps)))
            machine = Machine(tree)
            matched = machine.run(tried, whole=whole, most=steps * (len(tried) + 1))
            if is_exact(tree):
                assert matched is ((compiled.fullmatch if whole else compiled.search)(tried) is not None)


def steps_of(compiled: re.Pattern[str], *, whole: bool) -> int | None:
    try:
        return regex_cost.steps_per_character(compiled, whole=whole)
    except regex_syntax.UnsupportedSyntax:
        return None


def target(data: bytes) -> None:
    text, _, subject = text_of(data).rpartition("\n")
    for build in SETTINGS.values():
        accepted(build, text)
    check_times(text)
    # First the count: it tells an explosion from a slow machine, and ends.
    check_bounds(text, subject)
    check_patterns(text, subject)


if __name__ == "__main__":
    fuzz(target, "text")
