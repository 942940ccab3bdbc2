"""``doorward client``: one client's standing and bans from the command line, on a store that outlives a process."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import main

PEER, OTHER = "203.0.113.9", "198.51.100.7"
_numbers = itertools.count()

APP = '''
from doorward import AsyncDoorward, Doorward, RequestContext, shield, sliding_window
from doorward.stores.memory import MemoryStore

print("a line that the application prints when it is imported")


class Shared(MemoryStore):
    """Stays open, and counts as a store that several processes share."""

    def close(self):
        pass


class Down(Shared):
    def peek(self, *_):
        raise ConnectionError("connection refused")

    bans = reset = ban = unban = peek


KEPT = Shared()
RULES = [
    sliding_window(max=2, interval="1h", name="all"),
    sliding_window(max=5, interval="1h", name="users", characteristics=["userId"]),
]
aj = Doorward([shield(), *RULES], store=KEPT)
waiting = AsyncDoorward(RULES, store=KEPT)
memory = Doorward(RULES)
down = Doorward(RULES, store=Down())
number = 5


class Extension:
    client = aj


def use(times):
    for _ in range(times):
        aj.protect(RequestContext(peer="203.0.113.9"), characteristics={"userId": 42})
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with an application, in the working directory."""
    name = f"client_cli_app_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(APP)
    (tmp_path / f"{name}_broken.py").write_text("raise RuntimeError('no database')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``doorward client``: status, output, errors."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(["client", *arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        return (status, *capsys.readouterr())

    return ran


def use(app: str, times: int) -> None:
    sys.modules[app].use(times)


def test_show_says_how_a_client_stands(app: str, run: Any) -> None:
    """With each limit that counts by this kind of client; what the application prints is kept out of the answer."""
    status, out, err = run("show", f"ip.src={PEER}", "--app", f"{app}:aj")
    assert (status, out.splitlines()) == (0, ["not banned", "all: 2 of 2 left in 3600 s, reset in 0 s"])
    assert "the application prints" in err
    use(app, 2)
    status, out, _ = run("show", PEER, "--app", f"{app}:aj")
    assert status == 1
    assert out.splitlines()[1].startswith("all: 0 of 2 left")


def test_show_for_programs(app: str, run: Any) -> None:
    """One JSON object, seconds as numbers."""
    run("ban", PEER, "--app", f"{app}:aj", "--for", "2h")
    status, out, _ = run("show", PEER, "--app", f"{app}:aj", "--json")
    told = json.loads(out)
    assert status == 1
    assert 7100 < told["banned_seconds"] <= 7200
    assert told["limits"]["all"] == {"max": 2, "remaining": 2, "reset_seconds": 0.0, "window_seconds": 3600.0}


def test_clients_are_named_by_your_own_characteristics(app: str, run: Any) -> None:
    """As NAME=VALUE, or by the value alone."""
    run("bans", "--app", f"{app}:aj")
    use(app, 2)
    for value in ("userId=42", "42"):
        assert "users: 3 of 5 left" in run("show", value, "--app", f"{app}:aj")[1]
    assert run("reset", "userId=42", "--app", f"{app}:aj")[:2] == (0, "1 counter forgotten\n")
    assert "users: 5 of 5 left" in run("show", "42", "--app", f"{app}:aj")[1]
    assert "all: 0 of 2 left" in run("show", PEER, "--app", f"{app}:aj")[1]


def test_reset_says_whether_there_was_anything(app: str, run: Any) -> None:
    """Status 1 where there was not."""
    run("bans", "--app", f"{app}:aj")
    use(app, 2)
    assert json.loads(run("reset", PEER, "--app", f"{app}:aj", "--json")[1]) == {"forgotten": 1}
    assert run("reset", PEER, "--app", f"{app}:aj")[:2] == (1, "there was nothing to forget\n")


@pytest.mark.parametrize("name", ["aj", "waiting", "Extension", "Extension.client"])
def test_bans_come_and_go(app: str, run: Any, name: str) -> None:
    """Through every kind of object; unban says whether there was one."""
    where = ("--app", f"{app}:{name}")
    assert run("bans", *where)[:2] == (0, "nobody is banned\n")
    assert run("ban", PEER, *where, "--for", "90s")[:2] == (0, "banned for 90s\n")
    status, out, _ = run("show", PEER, *where)
    assert (status, out.splitlines()[0][:11]) == (1, "banned for ")
    listed = json.loads(run("bans", *where, "--json")[1])
    assert [0 < left <= 90 for left in listed.values()] == [True]
    assert "s left" in run("bans", *where)[1]
    assert run("unban", OTHER, *where)[:2] == (1, "it was not banned\n")
    assert run("unban", PEER, *where)[:2] == (0, "the ban is lifted\n")
    assert run("unban", PEER, *where, "--json")[:2] == (1, '{\n "lifted": false\n}\n')


def test_a_store_that_cannot_answer_is_status_3(app: str, run: Any) -> None:
    """Said in plain words, on stderr."""
    for action in (["show", PEER], ["reset", PEER], ["ban", PEER], ["unban", PEER], ["bans"]):
        status, out, err = run(*action, "--app", f"{app}:down")
        assert (status, out) == (3, "")
        assert err.splitlines()[-1] == "doorward client: the store cannot answer: ConnectionError: connection refused"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", PEER], "--app"),
        (["show", PEER, "--app", "{app}"], "must be MODULE:NAME"),
        (["show", PEER, "--app", "{app}:"], "must be MODULE:NAME"),
        (["show", PEER, "--app", "{app}:number"], "there is no client in"),
        (["show", PEER, "--app", "{app}:nothing.there"], "there is no nothing in"),
        (["show", PEER, "--app", "{app}_missing:aj"], "cannot be imported: ModuleNotFoundError"),
        (["show", PEER, "--app", "{app}_broken:aj"], "cannot be imported: RuntimeError: no database"),
        (["show", PEER, "--app", "{app}:memory"], "memory:// belongs to the process"),
        (["show", PEER, "--store", "redis://h"], "--app"),
        (["bans", "--store", "memory://"], "memory:// belongs to the process"),
        (["bans", "--store", "redsi://user:secret@h"], "scheme 'redsi'"),
        (["ban", PEER, "--app", "{app}:aj", "--for", "soon"], "duration"),
        (["ban", PEER, "--app", "{app}:aj", "--for", "0s"], "duration"),
        (["ban", "somebody", "--app", "{app}:aj"], "must be a value of ip.src"),
        (["ban", "userId=4", "ip.src", "--app", "{app}:aj"], "each be NAME=VALUE"),
    ],
)
def test_wrong_arguments_are_status_2(app: str, run: Any, arguments: list[str], said: str) -> None:
    """With what is wrong and what is accepted; never a traceback, never a password."""
    status, out, err = run(*[argument.replace("{app}", app) for argument in arguments])
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert "secret" not in err
