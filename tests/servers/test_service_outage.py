"""The decision service goes away under load, and comes back: nobody's sign-up fails, and nobody overlooks it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from demo.made_up_name_server import NameServer
from tests.servers.outage_plan import MOST, Answer, Load, Service, new_client, shown, sign_up
from tests.servers.wire import Kind, Server, until

ENOUGH = 40
"""Sign-ups of each kind that a short test waits for."""
APPS = "tests.servers.outage_apps"
KINDS = [
    Kind("uvicorn", ["uvicorn", f"{APPS}:asgi", "--port", "{port}", "--no-access-log", "--log-level", "warning"]),
    Kind("flask-gunicorn", ["gunicorn", f"{APPS}:wsgi", "-b", "127.0.0.1:{port}", "-k", "gthread", "--threads", "16"]),
]
PATIENT = 3.0
"""Seconds: the client's ``timeout`` in short tests, so that a busy computer is not taken for an outage."""
DEADLINE, TWICE, BACK = 0.5, 1.0, 2.0
"""Seconds: the default of it; what no sign-up may take; from the service's return to its decisions."""
CONNECTIONS, PAUSE = 8, 0.08
PART = 20.0
"""Seconds: of a measurement before, during and after the outage."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that has not been started."""
    with NameServer() as names, Service(tmp_path, names.address) as made:
        yield made


@pytest.fixture(params=KINDS, ids=[kind.name for kind in KINDS])
def start(
    request: pytest.FixtureRequest, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Server]]:
    """Starts the application."""
    monkeypatch.setenv("SERVICE_URL", service.url)
    monkeypatch.setenv("SERVICE_KEY", service.key)
    soak = request.node.get_closest_marker("soak") is not None
    monkeypatch.setenv("SERVICE_TIMEOUT", str(DEADLINE if soak else PATIENT))
    running: list[Server] = []

    def starting() -> Server:
        running.append(Server(request.param, tmp_path / "log").__enter__())
        return running[0]

    yield starting
    for server in running:
        server.__exit__()


def health(server: Server) -> Any:
    return server.get("/health").json()


def by_service(answer: Answer) -> bool:
    return answer.by_service


def locally(answer: Answer) -> bool:
    return answer.local


def wait_for(load: Load, kind: Callable[[Answer], bool], count: int = ENOUGH) -> None:
    """Until so many more sign-ups were decided so."""
    before = len(load.answers)
    until(lambda: sum(map(kind, load.since(before))) >= count, f"no {kind.__name__} decisions: {load.answers[-1:]}")


def check(server: Server, load: Load) -> None:
    """Every sign-up was answered, and the log says what there is to know, once."""
    assert [answer for answer in load.answers if answer.status != 200] == []
    log = server.log.read_text()
    assert (log.count("service lost"), log.count(": service back after")) == (1, 1), log
    assert "failed, the request goes on" not in log
    now = health(server)
    assert (now["failing_open"], now["outages"]) == (False, 1)
    assert now["decided_without"] > 0


def said(server: Server) -> str:
    """What the log has of the service, and health()."""
    log = [line for line in server.log.read_text().splitlines() if line.startswith("doorward default:")]
    return "\n".join([*log, str(health(server))])


def goes_on_locally(server: Server, known: str, already: int) -> None:
    """The limit holds: for who has come before, and for who comes now."""
    told = health(server)
    assert told["failing_open"] is True
    assert told["failing_open_seconds"] > 0
    fresh = sign_up(server.port, new_client(), MOST + 2)
    assert [answer.status for answer in fresh] == [200] * MOST + [429] * 2
    assert not any(answer.by_service for answer in fresh)
    assert [answer.status for answer in sign_up(server.port, known, MOST)] == [200] * (MOST - already) + [429] * already


def leave(service: Service, how: int) -> None:
    service.send(how)


def come_back(service: Service, how: int) -> float:
    """When it was ready."""
    if how == signal.SIGKILL:
        return service.start()
    service.send(signal.SIGCONT)
    return time.monotonic()


HOWS = pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])


@HOWS
def test_no_signup_fails_while_the_service_is_away(service: Service, start: Callable[[], Server], how: int) -> None:
    """Killed, or a black hole; then back."""
    service.start()
    server, known = start(), new_client()
    with Load(server.port, 8, 0.04) as load:
        wait_for(load, by_service)
        assert all(answer.by_service for answer in sign_up(server.port, known, 3))
        leave(service, how)
        wait_for(load, locally)
        goes_on_locally(server, known, 3)
        come_back(service, how)
        wait_for(load, by_service)
    check(server, load)


def test_no_signup_fails_where_the_service_has_never_been_there(service: Service, start: Callable[[], Server]) -> None:
    """Its port refuses connections; then it is started."""
    server = start()
    with Load(server.port, 8, 0.04) as load:
        wait_for(load, locally)
        goes_on_locally(server, new_client(), 0)
        service.start()
        wait_for(load, by_service)
    check(server, load)


@pytest.mark.soak
@HOWS
def test_what_an_outage_costs(
    service: Service, start: Callable[[], Server], how: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute of load, a third of it without the service. The figures are printed with ``pytest -s``."""
    service.start()
    server = start()
    with Load(server.port, CONNECTIONS, PAUSE) as load:
        wait_for(load, by_service, 200)  # what is done once is not measured
        marks = [len(load.answers)]
        time.sleep(PART)
        marks.append(len(load.answers))
        leave(service, how)
        time.sleep(PART)
        marks.append(len(load.answers))
        back = come_back(service, how)
        time.sleep(PART)
    marks.append(len(load.answers))
    before, during, after = (load.answers[a:b] for a, b in pairwise(marks))
    # In their order of ending: one that began before the service was back may be the first that it decides.
    again = next(answer.at + answer.seconds for answer in after if answer.by_service) - back
    parts = {"before": before, "during": during, "after": after}
    lines = [f"{server.kind.name}, {signal.Signals(how).name}:", *[shown(*part) for part in parts.items()]]
    with capsys.disabled():
        lines += [f"the service decides again {again:.2f} s after it is ready", said(server)]
        sys.stdout.write("\n".join(["", *lines, ""]))
    assert [answer for answer in load.answers if answer.status != 200] == []
    times = sorted(answer.seconds for answer in during)
    assert times[int(0.999 * len(times))] <= DEADLINE + 0.05
    assert max(answer.seconds for answer in load.answers) <= TWICE
    assert again <= BACK
