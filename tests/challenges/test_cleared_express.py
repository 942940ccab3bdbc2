"""Who is let in by a clearance takes a straight way, which comes to what the whole walk comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.clearing import Site, asked
from tests.challenges.pages.quick import Typed

from doorward import challenge, deny, sliding_window, weigh
from doorward.levels import Level
from doorward.progress import NO_INPUTS

RULES: dict[str, Any] = {
    "challenge alone": [challenge("work")],
    "paths": [challenge("work", paths=["/x"]), challenge("human", paths=["/vote"]), deny(paths=["/no"])],
    "age": [challenge("wait", max_age="10m"), sliding_window(max=9, interval="1h")],
    "weights": [
        weigh(5, paths=["/x"]),
        weigh(30, paths=["/no"]),
        challenge("wait", methods=["POST"]),
        deny(ip="10.0.0.1"),
    ],
}
steps = st.tuples(
    st.sampled_from(["/", "/x", "/vote", "/no"]),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([None, *Level]),
    st.sampled_from(["203.0.113.5", "10.0.0.1"]),
    st.sampled_from([0, 2, 400]),
)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@settings(max_examples=20)
@given(trace=st.lists(steps, max_size=20))
def test_it_comes_to_what_the_walk_comes_to(rules: Any, trace: list[Any]) -> None:
    """Conclusion, reason, results, what is asked for, and by which clearance the client is let in."""
    options: Any = {
        "thresholds": {"CHALLENGE": 5, "DENY": 20},
        "challenges": {"bind": [], "kinds": ["wait", "work", Typed()]},
    }
    ways = [Site(rules, **options) for _ in range(2)]
    assert ways[0].aj.engine.express is not None
    ways[1].aj.engine.express = None
    tokens = {level: ways[0].token(level) for level in Level}
    for path, method, level, peer, wait in trace:
        said = []
        for site in ways:
            site.clock.advance(wait)
            request = asked(path=path, method=method, peer=peer, cookie=f"__Host-doorward={tokens.get(level)}")
            progress = site.aj.runtime.open(request, site.aj.engine)
            decision = site.aj.decide(progress, NO_INPUTS, deferring=True)
            again = site.aj.decide(progress, NO_INPUTS)
            said.append([decision.conclusion, decision.reason, decision.results, decision.challenge, decision.status,
                         decision.clearance if decision.is_allowed() else None, again.conclusion])  # fmt: skip
        assert said[0] == said[1]


def test_it_is_taken() -> None:
    """Else nothing of this is about it; not while the store is to be asked about revocations."""
    site = Site([challenge("work")])
    cookie = f"__Host-doorward={site.token()}"
    taken = []
    express = site.aj.engine.express
    assert express is not None
    for _ in range(3):
        progress = site.aj.runtime.open(asked(cookie=cookie), site.aj.engine)
        taken.append(express.decide(progress, deferring=True) is not None)
        site.get("/x", cookie)
    assert taken == [False, True, True]
