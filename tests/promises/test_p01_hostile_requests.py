"""P1: whatever bytes come, a decision is returned, and nothing is raised."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.behaviour.clients.base import AppUnderTest, Setup
from tests.behaviour.clients.every import EVERY
from tests.behaviour.doubles import BodySpy, EmailSpy, Refuser, Spy
from tests.promises.hostile import hostile

from doorward import Decision, Doorward, RequestContext, Response, rate_limit, shield, sliding_window, token_bucket

SCALE = 50 if os.environ.get("DOORWARD_SOAK") == "1" else 1
CORE, EACH = 8_000 * SCALE, 1_800 * SCALE


def never(response: Response) -> bool:
    return response.status == 401


def rules() -> list[Any]:
    """Rules that read every part of a request."""
    return [
        Spy(paths=["/anything/*", "re:/[a-z]+/.*%.*"]),
        Refuser(marker="%00"),
        EmailSpy(),
        BodySpy(),
        shield(mode="DRY_RUN", paranoia=3, threshold=10**6),  # looks at all of it, and refuses none of it
        sliding_window(max=9, interval="1s", characteristics=["http.host", 'http.request.headers["x-key"]']),
        token_bucket(capacity=9, refill_rate=9, interval="1s", characteristics=['http.request.cookie["a"]', "userId"]),
        sliding_window(max=9, interval="1s", characteristics=['http.request.uri.args["q"]', "http.request.uri.path"]),
        sliding_window(max=10**6, interval="1s", methods=["GET"], count_when=never),
        *rate_limit(lambda request: "5/second" if len(request.path) % 2 else None),
    ]


@pytest.fixture(params=EVERY, ids=[kind.name for kind in EVERY])
def guarded(request: pytest.FixtureRequest) -> Iterator[AppUnderTest]:
    layer = {"rate_limit_headers": True, "include": ["*"], "exclude": ["/nothing/*"]}
    with request.param(Setup(rules=rules(), layer=layer)) as app:
        yield app


@pytest.fixture
def bare(guarded: AppUnderTest) -> Iterator[AppUnderTest]:
    with type(guarded)(Setup(protected=False)) as app:
        yield app


def test_p1_the_core_decides_about_anything() -> None:
    """P1: the core returns a decision that can be shown, logged and sent, for every request."""
    aj = Doorward(rules(), thresholds={"DENY": 5}, proxies="private")
    source = random.Random(20_261)
    for _ in range(CORE):
        given = hostile(source)
        path, _, query = given.target.partition("?")
        request = RequestContext(
            method=given.method, path=path, query=query, headers=given.headers, peer=given.peer, body=given.body
        )
        decision = aj.protect(request, email=given.target[:50], characteristics={"userId": given.target[:20]})
        assert isinstance(decision, Decision)
        assert decision.explain()
        assert decision.to_json()
        assert decision.status in (200, 403, 429)
    assert "decision.ERROR" not in aj.health()["counts"]  # type: ignore[operator]


def test_p1_applications_answer_as_they_would_without_us(guarded: AppUnderTest, bare: AppUnderTest) -> None:
    """P1: no hostile request makes an error of an application that was none before."""
    source = random.Random(guarded.name)
    failed = []
    for _ in range(EACH):
        given = hostile(source)
        reply = guarded.request(
            given.target, method=given.method, headers=given.headers, body=given.body, peer=given.peer
        )
        if reply.error is not None or reply.status >= 500 or reply.status == 0:
            failed.append((given, reply))
    for given, reply in failed:
        own = bare.request(given.target, method=given.method, headers=given.headers, body=given.body, peer=given.peer)
        assert (own.status, type(own.error)) == (reply.status, type(reply.error)), given


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_p1_split_bodies_are_the_same_to_rules(guarded: AppUnderTest, size: int) -> None:
    """P1: the same bytes in pieces of any size are seen alike."""
    body = random.Random(3).randbytes(3000)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    assert guarded.request("/anything/x", method="POST", body=pieces).status == 200
    if guarded.chunked:
        assert guarded.setup.rules[3].bodies[-1] == (body, True)  # type: ignore[attr-defined]
