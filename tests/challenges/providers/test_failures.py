"""Providers that fail, in every way there is: nobody gets in by that, but where the application said so."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.providers.speaking import PROTOCOLS, SECRET, SITE_KEY, TOKEN, Speaking, Told
from tests.chaos.http_server import CERTIFICATE, MODES, Chaos, Mode, closed_port, full_backlog, reply, saying

from doorward import RequestContext
from doorward.challenges.providers import TABLE, turnstile
from doorward.challenges.providers.answers import read
from doorward.challenges.providers.calls import Call
from doorward.challenges.providers.trouble import ProviderFailed
from doorward.challenges.providers.wire import FAILURES, Wire
from doorward.service.client.transport import Reply
from doorward.testing import FakeClock

GOOD = json.dumps({"success": True, "hostname": "app.example", "action": "doorward", "challenge_ts": "…"}).encode()

STATUSES = {
    f"status {status}": saying(reply(GOOD, status=f"{status} X"))
    for status in (201 + 100, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503, 504)
}
NONSENSE = {
    "empty": b"",
    "HTML": b"<!doctype html><title>success: true</title>",
    "a list": b'[{"success": true}]',
    "true": b"true",
    "a name twice": b'{"success": false, "success": true}',
    "NaN": b'{"success": true, "score": NaN}',
    "UTF-16": '{"success": true}'.encode("utf-16"),
    "a BOM": b'\xef\xbb\xbf{"success": true}',
    "two objects": b'{"success": true}{"success": true}',
    "success as text": b'{"success": "true"}',
    "success as a number": b'{"success": 1}',
    "success in an object": b'{"success": {"success": true}}',
    "a host that is a list": b'{"success": true, "hostname": ["app.example"]}',
    "an action that is a number": b'{"success": true, "hostname": "app.example", "action": 1}',
}
WAYS: dict[str, Mode | str] = {
    **{name: name for name in MODES if name not in ("no content type", "wrong content type")},
    **STATUSES,
    **{name: saying(reply(body)) for name, body in NONSENSE.items()},
}


def build(url: str, **options: Any) -> Any:
    return turnstile(site_key=SITE_KEY, secret=SECRET, verify_url=f"{url}/siteverify", **options)


def patience(way: str) -> float:
    """Seconds: little where no answer comes, and else as much as a busy computer may need."""
    return 0.3 if way in ("black hole", "slow", "dripping") else 20.0


@pytest.mark.parametrize("way", sorted(WAYS))
def test_no_failure_lets_anybody_in(way: str, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """By default nobody passes, and the failure is counted by its cause, and logged once for many."""
    with Chaos(WAYS[way]) as server:
        aj = client(build(server.url, timeout=patience(way)))
        found = ask(aj)
        assert not found
        assert (found.why, bool(found.failure)) == ("unavailable", True)
        assert not ask(aj, "another")
    counts = aj.runtime.journal.counts()
    assert counts["captcha.turnstile.unavailable"] == 2
    assert counts[f"captcha.turnstile.failed.{found.failure}"] >= 1
    assert SECRET not in str(found)


@pytest.mark.parametrize("way", ["black hole", "redirect", "status 500", "garbage", "HTML"])
def test_only_on_error_lets_in_and_it_says_so(way: str, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """``on_error="allow"`` lets in who brings a response at all, and the answer says that nobody has verified it."""
    with Chaos(WAYS[way]) as server:
        aj = client(build(server.url, on_error="allow", timeout=patience(way)))
        found = ask(aj)
        assert found
        assert found.why == "unverified"
        assert found.failure
        assert aj.runtime.journal.counts()["captcha.turnstile.unverified"] == 1
        for nothing in (None, "", {}, {"cf-turnstile-response": ""}, "a\r\nb", "ü", "x" * 2_049, ["x"], b"x", 1, True):
            assert not ask(aj, nothing)


def test_refused_connections(client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """Nobody listens."""
    found = ask(client(build(f"http://127.0.0.1:{closed_port()}")))
    assert not found
    assert found.failure == "no_answer"


def test_packets_that_vanish(client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """Nobody answers."""
    with full_backlog() as port:
        found = ask(client(build(f"http://127.0.0.1:{port}", timeout=0.3)))
    assert not found
    assert found.failure == "late"


def test_a_name_that_does_not_exist(client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """The name cannot be resolved."""
    found = ask(client(build("https://captcha.invalid", timeout=0.3)))
    assert not found
    assert found.failure in ("no_answer", "late")


def test_a_certificate_that_nobody_believes(
    clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is on the way with a certificate of their own is not asked; one that is believed is."""
    with Speaking("turnstile", Told(clock.now_ns() // 10**9), tls=True) as server:
        captcha = PROTOCOLS["turnstile"].build(server.url)
        found = ask(client(captcha))
        assert not found
        assert found.failure == "no_answer"
        assert server.asked == []
        assert "certificate is not believed" in caplog.text
        assert SECRET not in caplog.text
        assert ask(client(PROTOCOLS["turnstile"].build(server.url, verify=str(CERTIFICATE))))


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_secret_that_is_refused_is_a_failure_of_ours(
    name: str, clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong secret locks everybody out: the log says so, and it is no visitor's fault."""
    code = "auth_invalid" if name.startswith("friendly") else "invalid-input-secret"
    refusal = json.dumps(PROTOCOLS[name].refused(code)).encode()
    with Chaos(saying(reply(refusal))) as server:
        found = ask(client(PROTOCOLS[name].build(server.url)))
    assert not found
    assert (found.why, found.failure) == ("unavailable", "refused_us")
    assert f"{name} refuses us" in caplog.text


@pytest.mark.parametrize("status", [400, 405, 409, 410, 413, 414, 422, 431, 451])
def test_no_visitor_makes_a_provider_fail(status: int, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """Of these statuses a visitor may be the cause, by what they send: they are no way in, even under "allow"."""
    with Chaos(saying(reply(GOOD, status=f"{status} X"))) as server:
        captcha = build(server.url, on_error="allow")
        for n in range(FAILURES + 1):
            found = ask(client(captcha), f"r{n}")
            assert not found
            assert found.why == "wrong"
            assert found.error_codes == (f"status-{status}",)
        assert captcha.wire.breaker.closed


@pytest.mark.parametrize(
    "code", ["sitekey-secret-mismatch", "bad-request", "invalid-input-response", "timeout-or-duplicate"]
)
def test_codes_that_a_visitor_can_bring_about_are_no_failures(
    code: str, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """hCaptcha's "sitekey-secret-mismatch" is what a response of another site gives: no way in under "allow"."""
    with Chaos(saying(reply(json.dumps({"success": False, "error-codes": [code]}).encode()))) as server:
        assert not ask(client(build(server.url, on_error="allow")))


def test_a_dead_provider_is_left_alone_and_found_again(client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """After some failures nobody waits for it; when it is back, somebody finds out."""
    now = [0.0]
    with Chaos("status 500") as server:
        captcha = build(server.url)
        captcha.wire = Wire("turnstile", server.url, clock=lambda: now[0], chance=lambda: 1.0)
        aj = client(captcha)
        assert [ask(aj).failure for _ in range(FAILURES)] == ["status"] * FAILURES
        assert captcha.is_away
        assert ask(aj).failure == "away"
        assert server.arrived == FAILURES
        now[0] += 1.1
        assert not captcha.is_away
        assert ask(aj).failure == "status"
        assert ask(aj).failure == "away"
        server.mode = saying(reply(b'{"success": false, "error-codes": []}'))
        now[0] += 2.1
        assert ask(aj).why == "wrong"
        assert ask(aj).why == "wrong"
        assert captcha.wire.breaker.closed


def test_connections_are_used_again(clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """One after the other over one connection, where a process blocks; an event loop has its own."""
    with Speaking("turnstile", Told(clock.now_ns() // 10**9)) as server:
        aj = client(server.protocol.build(server.url))
        assert all([ask(aj, f"response.{n}") for n in range(5)])
        assert server.accepted == 1 or type(aj).__name__ == "AsyncDoorward"


def test_the_decision_s_deadline_stands_still_meanwhile() -> None:
    """A provider that takes longer than a decision may leaves the store as much time as it had."""
    from doorward.drivers import Deadline

    deadline = Deadline(1000.0)
    before = deadline.left()
    with deadline.apart():
        deadline._ends -= 900.0  # as if that had taken so long
        deadline._ends += 900.0
    assert 0 < before - deadline.left() < 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("policy", "passes"), [("local", [True, False]), ("deny", [False, False]), ("allow", [True, False])]
)
def test_single_use_while_the_store_fails(
    policy: str, passes: list[bool], clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """The process watches then, or nobody passes. What it has taken itself it never takes again."""
    from doorward.stores import MemoryStore

    class Dead(MemoryStore):
        def add_if_absent(self, key: str, ttl: float) -> bool:
            raise ConnectionError("no store")

    with Speaking("turnstile", Told(clock.now_ns() // 10**9)) as server:
        captcha = server.protocol.build(server.url)
        aj = client(captcha, store=Dead(clock=clock), challenges={"kinds": ["wait", captcha], "on_store_error": policy})
        found = []
        for _ in range(2):
            found.append(bool(ask(aj)))
            server.forget()
        assert found == passes


def test_one_of_many_at_once_uses_a_response(clock: FakeClock) -> None:
    """Eight at once with one response, which the provider would take from each: exactly one wins, in each of ten."""
    from concurrent.futures import ThreadPoolExecutor

    from doorward import Doorward

    with Speaking("altcha_sentinel", Told(clock.now_ns() // 10**9)) as server, ThreadPoolExecutor(8) as threads:
        server.changed = lambda answer: server.forget() or answer  # type: ignore[func-returns-value]
        aj = Doorward([], clock=clock, challenges={"kinds": [server.protocol.build(server.url)]})
        request = RequestContext(host="app.example", peer="203.0.113.9")
        for n in range(10):
            found = list(threads.map(lambda _, n=n: aj.verify_captcha(request, f"response.{n}"), range(8)))
            assert sum(map(bool, found)) == 1
            assert {each.why for each in found} <= {"", "spent", "expired"}


def test_workers_share_what_was_used(clock: FakeClock) -> None:
    """Two processes' captchas, one store: the response of one is spent for the other."""
    from doorward import Doorward
    from doorward.stores import MemoryStore

    store = MemoryStore(clock=clock)
    request = RequestContext(host="app.example", peer="203.0.113.9")
    with Speaking("turnstile", Told(clock.now_ns() // 10**9)) as server:
        for expected in ("", "spent"):
            captcha = server.protocol.build(server.url)
            aj = Doorward([], clock=clock, store=store, challenges={"kinds": [captcha]})
            assert aj.verify_captcha(request, TOKEN).why == expected
            server.forget()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["success", "hostname", "action", "score", "challenge_ts", "error-codes", "tokenProperties", "verified"]


@given(
    name=st.sampled_from(sorted(TABLE)),
    status=st.integers(100, 599),
    body=st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda found: json.dumps(found).encode()),
)
def test_no_reply_raises_and_none_passes_but_by_true(name: str, status: int, body: bytes) -> None:
    """Whatever comes back: an answer or a failure, and one that passes only where it says true with a good status."""
    with contextlib.suppress(ProviderFailed):
        found = read(TABLE[name], Reply(status, "application/json", body))
        assert not found.passed or (200 <= status < 300 and b"true" in body)


@given(
    st.none() | st.text() | st.binary() | st.integers() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
)
def test_no_response_raises(response: object) -> None:
    """Whatever a form brings."""
    from doorward import Doorward

    captcha = turnstile(site_key=SITE_KEY, secret=SECRET, verify_url="http://127.0.0.1:1/x")
    captcha.wire = _Nowhere()
    aj = Doorward([], secret="s" * 40, challenges={"kinds": [captcha]})
    assert not aj.verify_captcha(RequestContext(host="a.example"), response)


class _Nowhere:
    is_away = False

    def send(self, call: Call) -> Reply:
        raise ProviderFailed("no_answer", "nobody is there")


def test_a_call_says_nothing_of_its_secret() -> None:
    """Its text may be in a traceback."""
    assert SECRET not in repr(Call("POST", f"/x?k={SECRET}", {"K": SECRET}, SECRET.encode(), 1.0))
    assert TOKEN not in repr(Call("POST", "/", {}, TOKEN.encode(), 1.0))
