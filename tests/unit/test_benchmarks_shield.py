"""The benchmark of attack detection: what is sent, that it is looked at, and how budgets are judged."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl

import pytest
from benchmarks import apps, long_bodies, scans, shield, submissions
from benchmarks.common import NotMeasured
from benchmarks.long_bodies import BUILT, TYPICAL, LongBody, long_body
from benchmarks.submissions import SUBMISSIONS, Submission, asgi_submissions, wsgi_submissions
from benchmarks.traffic import HEADERS

from doorward import RequestContext
from doorward import shield as shield_rule
from doorward.requests import from_environ, from_scope

ATTACK = Submission("11.0.0.1", HEADERS, "q=1%27%20UNION%20SELECT%20a,b%20FROM%20users--")
POSTED_ATTACK = Submission("11.0.0.1", HEADERS, "", "application/json", b'{"q": "<script>alert(1)</script>"}')


def once(call):
    return asyncio.run(call(1))


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_ordinary_requests_pass_every_application(kind):
    """A refusal would be measured for what it is not."""
    asgi = [asgi_submissions(apps.asgi_app(name, "starlette", limit=9), kind) for name in apps.ASGI_SHIELD[:3]]
    wsgi = [wsgi_submissions(apps.wsgi_app(name, limit=9), kind) for name in apps.WSGI_SHIELD]
    assert all(once(call) > 0 for call in [*asgi, *wsgi])


@pytest.mark.parametrize("sent", [ATTACK, POSTED_ATTACK], ids=["query", "body"])
@pytest.mark.parametrize("name", [apps.SHIELD_ALONE, apps.SHIELD])
def test_attacks_are_looked_for_in_what_is_measured(name, sent, monkeypatch):
    """An attack in place of the ordinary request is refused: query and body are read."""
    monkeypatch.setattr(submissions, "SUBMISSIONS", {"attack": lambda _: sent})
    with pytest.raises(ValueError, match="403"):
        once(asgi_submissions(apps.asgi_app(name, "raw", limit=9), "attack"))
    with pytest.raises(ValueError, match="403"):
        once(wsgi_submissions(apps.wsgi_app(name, limit=9), "attack"))


def test_what_is_all_new_shares_nothing_that_could_be_remembered():
    """Client, query and three headers are others in each request; those seen before are the same."""
    new, seen = SUBMISSIONS[shield.NEW], SUBMISSIONS[shield.SEEN]
    requests = [new(number) for number in range(200)]
    assert len({request.client for request in requests}) == len({request.query for request in requests}) == 200
    for name in ("user-agent", "cookie", "referer"):
        assert len({dict(request.headers)[name] for request in requests}) == 200
    assert seen(1).headers == seen(2).headers


def test_bodies_are_as_the_tables_say():
    """About a kilobyte of JSON, ten fields, and another body each time."""
    body, form = SUBMISSIONS[shield.JSON], SUBMISSIONS[shield.FORM]
    sizes = [len(json.dumps(json.loads(body(number).body))) for number in range(100)]
    assert 900 <= sum(sizes) / len(sizes) <= 1100
    assert len(parse_qsl(form(3).body.decode())) == 10
    assert len({body(number).body for number in range(50)}) == len({form(number).body for number in range(50)}) == 50


def test_servers_would_hand_a_submission_over_like_that():
    """Method, query, content type and length arrive, by either protocol."""
    sent = SUBMISSIONS[shield.JSON](7)
    for request in (from_scope(sent.asgi()), from_environ(sent.wsgi())):
        assert (request.method, request.query, request.path) == ("POST", "", "/items")
        assert request.headers.get("content-type") == "application/json"
        assert request.headers.get("content-length") == str(len(sent.body))


@pytest.mark.parametrize("name", [*TYPICAL, *BUILT])
def test_long_bodies_are_as_long_as_they_say_and_no_longer(name):
    """One byte more than the limit, and the body would count as not scanned."""
    for size in (20_000, 64_000):
        assert 0.95 * size <= len(long_body(name, size).data) <= size


@pytest.mark.parametrize("name", [*TYPICAL, *BUILT])
def test_long_bodies_are_what_their_content_type_says(name):
    """What cannot be taken apart would be dismissed at once."""
    body = long_body(name, 20_000)
    if body.kind == long_bodies.JSON:
        assert json.loads(body.data)
    found = shield_rule().scanner.scan_now(_posted(body), body=True).findings
    assert not [finding for finding in found if finding.rule.startswith("unscanned") and "work" not in finding.rule]


def _posted(body):
    return RequestContext(method="POST", headers=[("content-type", body.kind)], body=body.data)


def test_the_texts_of_people_are_long_enough_and_each_comes_once():
    """A text of repeated names would be no prose."""
    texts = long_bodies._written(kind="ordinary")
    assert len(texts) > 20_000
    assert len(long_bodies._written(source="suite:markdown")) > 1_000


class Hog:
    """An application that reads the body and then keeps the loop for a while, by a clock that is moved by hand."""

    def __init__(self):
        self.now = 0.0
        self.received = b""

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.received += message["body"]
            more = message["more_body"]
        self.now += 0.25
        await asyncio.sleep(0)


def test_the_longest_gap_of_the_event_loop_is_found(monkeypatch):
    """A task that is always ready notices for how long it had to wait, and the whole body arrives."""
    hog, body = Hog(), LongBody("text/plain", bytes(200_000))
    monkeypatch.setattr(scans.time, "perf_counter", lambda: hog.now)
    monkeypatch.setattr(scans.time, "thread_time", lambda: hog.now / 2)
    assert asyncio.run(scans.longest_gaps(hog, body)) == (250, 125)
    assert hog.received == body.data


def test_a_body_is_measured_in_both_sizes_and_on_the_loop(monkeypatch):
    """What the rows need is there; sizes are small here."""
    monkeypatch.setattr(scans, "SIZES", (2, 4))
    found = scans.measure_body("JSON of an API", runs=1)
    assert found["2"]["bytes"] < found["4"]["bytes"] <= 4096
    assert found["4"]["weight"] == 0
    assert {"2", "4", "gap_ms", "busy_ms", "stretch_ms"} == set(found)


FOUND = {
    "64": {"bytes": 65_536, "ms": 4.0, "weight": 0.0},
    "1024": {"bytes": 1_048_576, "ms": 130.0, "weight": 1.0},
    "gap_ms": 5.5,
    "busy_ms": 2.5,
    "stretch_ms": 2.0,
}


def test_rows_of_bodies_judge_each_size():
    """One budget that is missed is enough; json.loads has none."""
    assert not scans._body_row("x", FOUND, (5, 120)).met
    row = scans._body_row("x", FOUND, (5, 140))
    assert row.met
    assert row.cells == ["x", "4.0", "61", "130.0", "124", "0 / 1"]
    assert scans._body_row("x", FOUND, None).met is None
    assert not scans._gap_row("x", FOUND).met
    assert scans._gap_row("x", {**FOUND, "gap_ms": 4.9}).met


def test_what_could_not_be_measured_does_not_hide_the_rest():
    """Its row says why."""
    rows = scans._rows(["a", "b"], {"a": NotMeasured("broken"), "b": FOUND}, scans._gap_row)
    assert "broken" in rows[0].cells[1]
    assert rows[1].cells[0] == "b"


@pytest.mark.parametrize("rules", [rules for _, rules in shield.RULES.values()])
def test_starting_runs_every_statement(rules):
    """Import, build, a GET and a POST that are allowed, memory."""
    assert len(shield.start(rules)) == 5
