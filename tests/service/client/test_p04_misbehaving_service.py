"""P4: whatever the service does, a call ends in an answer or a ServiceError, in time, and leaves nothing behind."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpcore
import pytest
from tests.chaos.http_server import MODES, Chaos, closed_port, elsewhere, full_backlog
from tests.chaos.left_over import descriptors, peak_growth, until
from tests.conftest import SOAK
from tests.service.client.ways import KEY, Way

from doorward.errors import ServiceError
from doorward.service.client.answers import body_of, check_json
from doorward.service.client.caller import Caller
from doorward.service.client.exchange import Exchange
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.trouble import TooLate

GROWTH = 10 * 1024 * 1024
WAITS = {"black hole", "slow", "dripping", "full backlog", "TLS to a plain port", "a resolver that hangs"}
"""Modes that last as long as the deadline."""
TRANSPORT_PASSES = {
    "truncated JSON",
    "status 500",
    "status 429",
    "redirect",
    "wrong schema",
    "wrong content type",
    "no content type",
    "deep JSON",
    "no UTF-8",
}
"""Replies in good HTTP: what they say is judged by the caller."""


class Trouble:
    """A service that misbehaves, and its URL."""

    def __init__(self, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stack = stack
        self._patch = monkeypatch
        self._apart = False

    def begin(self, mode: str, *, apart: bool = False) -> str:
        self._apart = apart
        special: dict[str, Callable[[], str]] = {
            "refused": lambda: f"http://127.0.0.1:{closed_port()}",
            "full backlog": lambda: f"http://127.0.0.1:{self._stack.enter_context(full_backlog())}",
            "TLS of nobody known": lambda: self._server("slow", tls=True),
            "TLS to a plain port": lambda: self._server("garbage").replace("http:", "https:"),
            "plain to a TLS port": lambda: self._server("slow", tls=True).replace("https:", "http:"),
            "a name that is not there": lambda: "http://nowhere.invalid",
            "a resolver that hangs": self._hanging_resolver,
        }
        return special[mode]() if mode in special else self._server(mode)

    def _server(self, mode: str, *, tls: bool = False) -> str:
        if self._apart:
            return self._stack.enter_context(elsewhere(mode, tls=tls))
        return self._stack.enter_context(Chaos(mode, tls=tls)).url

    def _hanging_resolver(self) -> str:
        # The one mode that is not played by a real server: which resolver a process asks is the host's business.
        answer = threading.Event()
        self._stack.callback(answer.set)

        def hang(*_: object, **__: object) -> None:
            answer.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "late")

        self._patch.setattr(socket, "getaddrinfo", hang)
        return "http://service.example"


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trouble]:
    with ExitStack() as stack:
        yield Trouble(stack, monkeypatch)


ALL = [
    *MODES,
    "refused",
    "full backlog",
    "TLS of nobody known",
    "TLS to a plain port",
    "plain to a TLS port",
    "a name that is not there",
    "a resolver that hangs",
]
every = pytest.mark.parametrize("mode", ALL, ids=[mode.replace(" ", "-") for mode in ALL])


def judged(answer: object) -> object:
    """What a caller makes of what a transport lets through."""
    if isinstance(answer, ServiceError):
        return answer
    try:
        return check_json(body_of(answer))
    except ServiceError as error:
        return error


@every
def test_p4_every_call_ends_in_a_service_error(mode: str, ask: Way, trouble: Trouble) -> None:
    """None is answered, none hangs, nothing but ServiceError is raised, in one short line; and nothing is left behind.

    Neither descriptors nor threads; tasks are looked for wherever something awaits.
    """
    url = trouble.begin(mode)
    before, running = descriptors(), threading.active_count()
    transport = HttpTransport(url, KEY)
    answers = ask(transport, 6, at_once=3, seconds=0.15 if mode in WAITS else 5.0)
    transport.close()
    assert len(answers) == 6
    assert all(isinstance(answer, ServiceError) for answer in answers) == (mode not in TRANSPORT_PASSES)
    for error in map(judged, answers):
        assert isinstance(error, ServiceError), error
        assert str(error).isprintable()
        assert len(str(error)) < 400
        assert KEY not in str(error)
    # The server's side of a connection goes when the server has noticed; one that waits for ever never does.
    ends = 6 if mode in WAITS else 0
    lookups = 1 if mode == "a resolver that hangs" else 0
    until(lambda: descriptors() <= before + ends, "descriptors are left open")
    until(lambda: threading.active_count() <= running + lookups + ends, "threads are left behind")


@pytest.mark.parametrize("mode", ["huge", "huge in chunks", "gzip bomb", "endless head", "tiny chunks"])
def test_p4_replies_without_an_end_take_no_memory(mode: str, ask: Way) -> None:
    """200 MB, whichever way they come, to 32 who ask at once: the process grows by 10 MiB at most."""
    with elsewhere(mode) as url:
        transport = HttpTransport(url, KEY)
        ask(transport, 1, seconds=20.0)
        found: list[object] = []
        assert peak_growth(lambda: found.extend(ask(transport, 32, at_once=32, seconds=20.0))) <= GROWTH
        assert not any(isinstance(error, TooLate) for error in found)
        transport.close()


def test_p4_a_service_that_drips_is_left_before_it_has_finished(ask: Way) -> None:
    """Each byte comes in time, all of them do not: the deadline is for all of a call."""
    with Chaos("dripping") as server:
        transport = HttpTransport(server.url, KEY)
        assert all(isinstance(answer, ServiceError) for answer in ask(transport, 2, at_once=2, seconds=0.5))
        transport.close()
    assert server.finished == 0


def test_p4_a_redirect_is_not_followed(ask: Way) -> None:
    """One request is one request, and the key goes nowhere else."""
    with Chaos("redirect") as server:
        transport = HttpTransport(server.url, KEY)
        assert [reply.status for reply in ask(transport, 3)] == [307] * 3
        transport.close()
        assert server.arrived == 3


def test_p4_a_name_server_that_is_silent_takes_one_thread(ask: Way, trouble: Trouble) -> None:
    """However many wait for it."""
    transport = HttpTransport(trouble.begin("a resolver that hangs"), KEY)
    ask(transport, 40, at_once=20, seconds=0.1)
    assert sum(thread.name == "doorward-names" for thread in threading.enumerate()) == 1
    transport.close()


@pytest.mark.soak
@every
def test_p4_soak(mode: str, ask: Way, trouble: Trouble) -> None:
    """10,000 requests in every mode, through the caller with a breaker that never opens: all end, memory stays."""
    assert SOAK
    transport = HttpTransport(trouble.begin(mode, apart=True), KEY)
    caller = Caller(transport, failures=1_000_000)
    seconds = 0.05 if mode in WAITS else 5.0
    failed = 0

    def storm() -> None:
        nonlocal failed
        for _ in range(20):
            failed += sum(isinstance(answer, ServiceError) for answer in ask(caller, 500, at_once=32, seconds=seconds))

    ask(caller, 500, at_once=32, seconds=seconds)
    assert peak_growth(storm) <= GROWTH
    transport.close()
    assert failed == 10_000
    assert caller.figures()["in_flight"] == 0


def test_p4_an_error_that_is_kept_keeps_nothing_of_what_was_read(ask: Way) -> None:
    """Neither by its traceback nor in a circle that waits for the collector of garbage."""
    with Chaos("huge in chunks") as server:
        transport = HttpTransport(server.url, KEY)
        gc.collect()
        gc.disable()
        try:
            (kept,) = ask(Caller(transport), seconds=5.0)
            assert isinstance(kept, ServiceError)
            assert not [each for each in gc.get_objects() if type(each) in (Exchange, httpcore.Response)]
        finally:
            gc.enable()
        transport.close()
