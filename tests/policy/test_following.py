"""A policy file that changes under a running application: taken over beside the requests, or kept from them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward import AsyncDoorward, ConfigurationError, Decision, Doorward, RequestContext, deny, locks, sliding_window
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.policy import PolicyError
from doorward.routes import RoutePolicy
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware

LIMIT = '[[rules]]\nrule = "sliding_window"\nname = "limit"\nmax = {}\ninterval = "10m"\n'
DENY = '[[rules]]\nrule = "deny"\nname = "closed"\npaths = ["/closed"]\n'
LONG = 60.0


def request(path: str = "/", peer: str = "203.0.113.9") -> RequestContext:
    """A request of one client."""
    return RequestContext(method="GET", scheme="http", host="a.example", path=path, query="", headers=[], peer=peer)


def replaced(file: Path, text: str) -> None:
    """As editors do: another file takes its name."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


class Running:
    """A client that follows a file, and a clock."""

    def __init__(self, file: Path, rules: Any = (), kind: Any = Doorward, **options: Any) -> None:
        self.file = file
        self.clock = FakeClock()
        self.aj = kind(rules, policy=file, clock=self.clock, **options)

    def looks(self, times: int = 2) -> None:
        """Requests come, a second apart; what they set off is waited for."""
        for _ in range(times):
            self.clock.advance(1)
            self.aj.runtime.open(request(), self.aj.engine)
            self.aj.runtime.policy.wait(LONG)

    def health(self) -> dict[str, Any]:
        return self.aj.health()["policy"]

    def names(self) -> list[str]:
        return list(self.aj.health()["rules"])


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(LIMIT.format(5))
    return file


@pytest.fixture(name="running")
def _running(file: Path) -> Iterator[Running]:
    running = Running(file, [deny(ip="tor", name="code")])
    with running.aj:
        yield running


def test_rules_of_the_file_come_after_those_in_code(running: Running) -> None:
    """And are counted as if they stood there."""
    assert running.names() == ["code", "limit"]
    assert [running.aj.protect(request()).is_denied() for _ in range(6)] == [False] * 5 + [True]


def test_a_change_is_taken_over_and_said(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """After it has stood still for a second; one line of the log says what changed."""
    replaced(running.file, LIMIT.format(9) + DENY)
    running.looks(1)
    assert running.names() == ["code", "limit"]
    running.looks(1)
    assert running.names() == ["code", "limit", "closed"]
    assert running.aj.protect(request("/closed")).is_denied()
    said = [record.getMessage() for record in caplog.records if "taken over" in record.getMessage()]
    assert len(said) == 1
    assert "+ closed: deny(paths /closed) LIVE; ~ limit: max: 5 -> 9" in said[0]
    assert (running.health()["reloads"], running.health()["error"]) == (1, "")


def test_counters_of_unchanged_rules_go_on(running: Running) -> None:
    """Their ids are the same."""
    for _ in range(5):
        running.aj.protect(request())
    replaced(running.file, DENY + LIMIT.format(5))
    running.looks()
    assert running.names() == ["code", "closed", "limit"]
    assert running.aj.protect(request()).is_denied()


def test_rules_that_did_not_change_are_the_very_same(running: Running) -> None:
    """With what they have learnt."""
    before = running.aj.runtime.policy.policy.rules
    replaced(running.file, DENY + LIMIT.format(5))
    running.looks()
    assert running.aj.runtime.policy.policy.rules[1] is before[0]


def test_nothing_is_looked_at_more_than_once_a_second(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request takes a call of the clock."""
    stats: list[str] = []
    real = running.aj.runtime.policy._sighted
    monkeypatch.setattr(running.aj.runtime.policy, "_sighted", lambda: stats.append("stat") or real())
    for _ in range(50):
        running.clock.advance(0.1)
        running.aj.protect(request())
    assert len(stats) == 5


WRONG = {
    "syntax": "[[rules]",
    "a wrong rule": LIMIT.format(0),
    "empty": "",
    "a new key": "rulez = 1",
    "said in code too": '[options]\nmode = "DRY_RUN"\n',
    "binary": "\x00\x01",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_changes_nothing_and_is_said_once(file: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Counted, and seen in ``health``; the right one is taken over when it comes."""
    running = Running(file, mode="LIVE")
    replaced(file, text)
    running.looks(6)
    assert running.names() == ["limit"]
    assert str(file) in running.health()["error"]
    assert running.health()["failures"] == 1
    assert running.aj.health()["counts"]["change.policy.failed"] == 1
    assert sum("stays as it was" in record.getMessage() for record in caplog.records) == 1
    replaced(file, LIMIT.format(7))
    running.looks()
    assert (running.health()["error"], running.health()["reloads"]) == ("", 1)


def test_a_file_that_goes_away_and_comes_back(running: Running) -> None:
    """What was in force is, all the while."""
    text = running.file.read_text()
    running.file.unlink()
    running.looks(3)
    assert "No such file" in running.health()["error"]
    assert running.names() == ["code", "limit"]
    running.file.write_text(text)
    running.looks(3)
    assert running.health()["error"] == ""
    assert running.health()["reloads"] == 0


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_changes_nothing(running: Running) -> None:
    """Its new permissions are noticed."""
    running.file.chmod(0)
    running.looks()
    assert "Permission denied" in running.health()["error"]


def test_a_half_written_file_is_not_taken_over(running: Running) -> None:
    """Though each part of it would be a policy: it grows from one look to the next."""
    running.file.write_text("")
    running.looks(1)
    with running.file.open("a") as growing:
        for text in (LIMIT.format(8), DENY, DENY.replace("closed", "shut")):
            growing.write(text)
            growing.flush()
            running.looks(1)
            assert running.names() == ["code", "limit"]
    running.looks(1)
    assert running.names() == ["code", "limit", "closed", "shut"]
    assert running.health()["reloads"] == 1


def test_a_wrong_file_at_construction_raises(tmp_path: Path) -> None:
    """There is no old policy to keep."""
    (tmp_path / "wrong.toml").write_text(LIMIT.format(0))
    with pytest.raises(PolicyError, match=r"wrong.toml:4: rules\[0\].max"):
        Doorward(policy=tmp_path / "wrong.toml")
    with pytest.raises(ConfigurationError, match="storre"):
        Doorward(policy=tmp_path / "wrong.toml", storre="x")  # type: ignore[call-arg]


def test_options_of_the_file_are_taken_over(file: Path) -> None:
    """The mode of rules that name none, in code as in the file."""
    file.write_text('[options]\nmode = "DRY_RUN"\n' + LIMIT.format(1))
    running = Running(file, [deny(paths=["/closed"])])
    assert not running.aj.protect(request("/closed")).is_denied()
    replaced(file, '[options]\nmode = "LIVE"\nlimits = { "/few" = "1/hour" }\n' + LIMIT.format(99))
    running.looks()
    assert running.aj.protect(request("/closed")).is_denied()
    assert [running.aj.protect(request("/few")).is_denied() for _ in range(2)] == [False, True]


def test_reload_is_there_for_who_cannot_wait(running: Running) -> None:
    """It says what changed, and raises what is wrong."""
    assert running.aj.reload() == []
    running.file.write_text(LIMIT.format(6))
    assert running.aj.reload() == ["~ limit: max: 5 -> 6"]
    running.file.write_text("x")
    with pytest.raises(PolicyError):
        running.aj.reload()
    assert running.health()["failures"] == 1
    with pytest.raises(ConfigurationError, match="is not given"):
        Doorward().reload()


def test_all_facades_follow(running: Running) -> None:
    """Those that share the client, with their own rules after the policy's; also when names and rules are equal."""
    own = sliding_window(name="limit", max=5, interval="10m")
    more, awaiting = running.aj.with_rule(deny(paths=["/x"], name="x"), own), running.aj.as_async()
    later = awaiting.with_rule(deny(paths=["/y"], name="y"))
    replaced(running.file, DENY + LIMIT.format(5))
    running.looks()
    assert list(more.health()["rules"]) == ["code", "closed", "limit", "x", "limit-2"]
    assert list(awaiting.health()["rules"]) == ["code", "closed", "limit"]
    assert list(later.health()["rules"]) == ["code", "closed", "limit", "y"]
    assert list(more.as_async().health()["rules"]) == ["code", "closed", "limit", "x", "limit-2"]


def test_facades_may_be_made_while_a_policy_is_taken_over(running: Running) -> None:
    """By requests that add rules of their own, in other threads: none of it fails, and all follow."""
    made = [running.aj.as_async() for _ in range(500)]
    done, started = threading.Event(), threading.Event()

    def make() -> None:
        while not done.is_set():
            made[:100] = [running.aj.as_async() for _ in range(100)]
            started.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=make)
    thread.start()
    try:
        started.wait(30)
        for turn in range(30):
            running.file.write_text(LIMIT.format(10 + turn))
            assert running.aj.reload()
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert {facade.engine for facade in made} == {running.aj.engine}


def test_a_request_that_is_under_way_goes_on_with_what_it_began_with(running: Running) -> None:
    """Middleware and the handler decide by one policy, and a rule of ``with_rule`` is not charged twice."""
    own = sliding_window(name="own", max=5, interval="10m")
    more = running.aj.with_rule(own)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/closed", "SERVER_NAME": "a", "REMOTE_ADDR": "203.0.113.9"}
    first = more.protect(environ)
    replaced(running.file, DENY)
    running.looks()
    again = more.protect(environ)
    assert [result.rule for result in first.results] == [result.rule for result in again.results]
    assert again.is_allowed()
    assert more.peek("203.0.113.9").limits["own"].remaining == 4
    assert more.protect({key: value for key, value in environ.items() if key.isupper()}).is_denied()


def test_routes_have_their_rules_after_a_change(running: Running) -> None:
    """Bound anew, with their counters, and found by ``peek`` once."""
    route = RoutePolicy(None, rules=[sliding_window(name="route", max=3, interval="10m", scope="r")])
    runtime = running.aj.runtime
    for text in (DENY, LIMIT.format(8) + DENY):
        engine = runtime.engine_for(running.aj.engine, route)
        assert [bound.name for bound in engine.bound][-1] == "route"
        replaced(running.file, text)
        running.looks()
    runtime.engine_for(running.aj.engine, route)
    assert [bound.name for bound in runtime.routed] == ["route"]


def test_a_thousand_changes_leave_nothing_behind(running: Running) -> None:
    """No engine, no rule, no lock, no thread, no route's binding."""
    route = RoutePolicy(None, rules=[sliding_window(name="route", max=3, interval="10m", scope="r")])
    more = running.aj.with_rule(deny(paths=["/x"], name="x"))
    engines: list[weakref.ref[Any]] = []
    bots = '[[rules]]\nrule = "detect_bot"\nname = "b{}"\nallow = []\n'
    before = None
    for turn in range(1_000):
        running.file.write_text(LIMIT.format(turn + 1) + bots.format(turn) * (turn % 20 == 0))
        running.aj.reload()
        running.aj.runtime.engine_for(more.engine, route)
        more.protect({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "203.0.113.9"})
        engines.append(weakref.ref(running.aj.engine))
        if turn == 20:
            gc.collect()
            before = len(locks._known)
    gc.collect()
    assert sum(engine() is not None for engine in engines) == 1
    assert before is not None
    assert len(locks._known) <= before
    assert len(running.aj.runtime.routed) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "doorward-policy"]


def whole(decision: Decision) -> bool:
    """Whether a decision was come to by one policy: all of them have as many limits as the first says."""
    names = [result.rule for result in decision.results]
    return len(names) == int(names[0].partition("-")[2])


def numbered(turn: int) -> str:
    """A policy of which each part shows that another is missing."""
    count = 2 + turn % 5
    rules = [f'[[rules]]\nrule = "deny"\nname = "n{at}-{count}"\npaths = ["/never"]\n' for at in range(count)]
    return "".join(rules)


def test_threads_never_see_half_a_policy(tmp_path: Path) -> None:
    """No request fails, while the policy changes under them."""
    file = tmp_path / "policy.toml"
    file.write_text(numbered(0))
    aj = Doorward(policy=file)
    more = aj.with_rule()
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            for client in (aj, more):
                decision = client.protect(request())
                if not (decision.is_allowed() and not decision.is_errored() and whole(decision)):
                    wrong.append([result.rule for result in decision.results])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(1, 25):
        replaced(file, numbered(turn))
        aj.reload()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert aj.health()["policy"]["reloads"] == 24  # type: ignore[index]


def test_tasks_never_see_half_a_policy(tmp_path: Path) -> None:
    """Nor do those of an event loop, which goes on meanwhile."""
    file = tmp_path / "policy.toml"
    file.write_text(numbered(0))

    async def run() -> list[bool]:
        aj = AsyncDoorward(policy=file)
        done = asyncio.Event()
        seen: list[bool] = []

        async def ask() -> None:
            while not done.is_set():
                decision = await aj.protect(request())
                seen.append(decision.is_allowed() and not decision.is_errored() and whole(decision))
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(ask()) for _ in range(4)]
        for turn in range(1, 12):
            replaced(file, numbered(turn))
            await asyncio.to_thread(aj.reload)
        done.set()
        await asyncio.gather(*tasks)
        return seen

    seen = asyncio.run(run())
    assert seen
    assert all(seen)


def test_several_reloads_at_once_end_with_the_newest(tmp_path: Path) -> None:
    """However they overtake each other."""
    file = tmp_path / "policy.toml"
    file.write_text(numbered(0))
    aj = Doorward(policy=file)
    for turn in range(1, 20):
        replaced(file, numbered(turn))
        threads = [threading.Thread(target=aj.reload) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        aj.reload()
        assert len(aj.engine.bound) == 2 + turn % 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_worker_follows_by_itself(running: Running) -> None:
    """A change that its parent had seen, and not yet taken over."""
    replaced(running.file, LIMIT.format(7) + DENY)
    running.looks(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            logging.disable()
            running.looks(3)
            status = 0 if running.names() == ["code", "limit", "closed"] else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert running.names() == ["code", "limit"]


def test_middleware_follows(running: Running) -> None:
    """WSGI and ASGI, each with the facade that it made for itself."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"ok"]

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    wsgi, asgi = WsgiMiddleware(app, running.aj), AsgiMiddleware(asgi_app, running.aj)

    def statuses() -> tuple[int, int]:
        got: list[int] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/closed", "REMOTE_ADDR": "203.0.113.9"}
        wsgi(environ, lambda status, *_: got.append(int(status[:3])))

        async def send(message: Any) -> None:
            got.extend([message["status"]] if "status" in message else [])

        scope = {"type": "http", "method": "GET", "path": "/closed", "query_string": b"", "headers": [],
                 "client": ("203.0.113.9", 1), "scheme": "http"}  # fmt: skip
        asyncio.run(asgi(scope, None, send))  # type: ignore[arg-type]
        return got[0], got[1]

    assert statuses() == (200, 200)
    replaced(running.file, DENY)
    for _ in range(2):
        running.clock.advance(1)
        statuses()
        running.aj.runtime.policy.wait(LONG)
    assert statuses() == (403, 403)


@pytest.mark.swallows_errors
def test_a_clock_that_fails_fails_no_request(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the application's; rules that need none go on."""
    monkeypatch.setattr(running.aj.runtime.policy, "_clock", object())
    assert running.aj.protect(request()).is_allowed()


def test_a_client_without_a_policy_has_nothing_of_it() -> None:
    """Not the module, not an entry in ``health``."""
    import subprocess
    import sys

    code = (
        "import sys, doorward; doorward.Doorward(); print([m for m in sys.modules if m.startswith('doorward.policy')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    assert "policy" not in Doorward().health()
