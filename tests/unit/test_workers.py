"""Several workers, each with counters of its own: noticed, said once, and how to say that it is meant so."""

from __future__ import annotations

import logging
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from tests.behaviour.clients.drivers import scope_of

from doorward import Doorward, detect_bot, sliding_window
from doorward.stores.memory import MemoryStore
from doorward.workers import configured

RULES = [sliding_window(max=4, interval="1m")]
ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "http"}


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.delitem(sys.modules, "gunicorn.arbiter", raising=False)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "memory://" in record.getMessage()]


@pytest.mark.parametrize(
    ("environ", "command", "expected"),
    [
        ({}, ["app.py", "-w", "4"], 1),
        ({}, [], 1),
        ({"WEB_CONCURRENCY": "4"}, [], 4),
        ({"WEB_CONCURRENCY": "many"}, [], 1),
        ({"WEB_CONCURRENCY": "-3"}, [], 1),
        ({"WEB_CONCURRENCY": "0"}, [], 1),
        ({"GUNICORN_CMD_ARGS": "--bind=:80 --workers=3"}, [], 3),
        ({"GUNICORN_CMD_ARGS": "-w 5 it's"}, [], 5),
        ({}, ["/venv/bin/gunicorn", "-w", "4", "app:app"], 4),
        ({}, ["/venv/bin/gunicorn", "-w4", "app:app"], 4),
        ({}, ["/venv/bin/uvicorn", "app:app", "--workers", "2"], 2),
        ({}, ["/venv/site-packages/uvicorn/__main__.py", "app:app", "--workers=2"], 2),
        ({}, ["C:\\venv\\Scripts\\uvicorn.exe", "app:app", "--workers", "3"], 3),
        ({}, ["/venv/bin/uvicorn", "app:app", "--workers"], 1),
        ({"WEB_CONCURRENCY": "4"}, ["hypercorn", "-w", "2"], 4),
    ],
)
def test_how_many_workers_there_are(environ: dict[str, str], command: list[str], expected: int) -> None:
    """What servers are told by the environment and by their command line is read as they read it."""
    assert configured(environ, command)[0] == expected


def test_the_option_workers_is_what_the_server_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the application says it itself."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert Doorward(RULES).runtime.settings.workers == 4
    assert Doorward(RULES, workers=2).runtime.settings.workers == 2


def test_it_is_said_at_the_start_and_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Before the first request, with the reason and what to do."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    aj = Doorward(RULES)
    (said,) = warnings(caplog)
    assert "WEB_CONCURRENCY asks for 4 workers" in said
    assert "shared:///" in said
    aj.protect(dict(ENVIRON, **{"wsgi.multiprocess": True}))
    assert len(warnings(caplog)) == 1


def test_a_server_that_says_so_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    """PEP 3333: ``wsgi.multiprocess``; at the first request, not at the second."""
    aj = Doorward(RULES)
    aj.protect(dict(ENVIRON, SERVER_NAME="testserver", **{"wsgi.multiprocess": True}))  # Django's test client
    aj.protect(dict(ENVIRON, **{"wsgi.multiprocess": True}))
    assert warnings(caplog) == []
    Doorward(RULES).protect(dict(ENVIRON, **{"wsgi.multiprocess": True}))
    assert "wsgi.multiprocess" in warnings(caplog)[0]


def test_the_option_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    """``workers=4`` and ``memory://`` do not go together."""
    Doorward(RULES, workers=4)
    assert "the option workers is 4" in warnings(caplog)[0]


def test_siblings_under_gunicorn_are_seen(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Its configuration file may say how many there are: those before this one are known to it."""
    arbiter = SimpleNamespace(Arbiter=SimpleNamespace(WORKERS={4242: object()}))
    monkeypatch.setitem(sys.modules, "gunicorn.arbiter", arbiter)  # type: ignore[arg-type]
    Doorward(RULES)
    assert "gunicorn has started several workers" in warnings(caplog)[0]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # newer Pythons warn of forks with threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_client_that_was_made_before_forks_says_so_in_the_second_child(caplog: pytest.LogCaptureFixture) -> None:
    """One fork is how a process becomes a daemon; two are two workers."""
    aj = Doorward(RULES)
    assert [_said_in_child(aj, caplog) for _ in range(3)] == [0, 1, 1]
    assert _said_in_child(Doorward(RULES), caplog) == 0
    aj.protect(scope_of("/"))
    assert warnings(caplog) == []


def _said_in_child(aj: Doorward, caplog: pytest.LogCaptureFixture) -> int:
    child = os.fork()
    if not child:
        aj.protect(scope_of("/"))
        os._exit(len(warnings(caplog)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_where_nothing_counts_nothing_is_said(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Rules that look at one request only do not care how many workers there are."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    aj = Doorward([detect_bot(allow=[])])
    aj.protect(dict(ENVIRON))
    assert warnings(caplog) == []
    aj.with_rule(*RULES).protect(dict(ENVIRON))
    assert len(warnings(caplog)) == 1


def test_a_store_given_as_an_object_is_meant_so(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """That is how the warning is silenced; another store never causes it."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    caplog.set_level(logging.INFO)
    Doorward(RULES, store=MemoryStore()).protect(dict(ENVIRON))
    assert warnings(caplog) == []
