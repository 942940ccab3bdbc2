"""``doorward tail``: against a real server that goes and comes back, and against one that lies."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.log.records import record, until

from doorward import tail_cli
from doorward.cli import main
from doorward.errors import ConfigurationError, ServiceError
from doorward.service.client import log_client
from doorward.service.client.log_client import LogClient
from doorward.service.server.folder import KEYS, LOG
from doorward.service.server.keys import Keys
from doorward.service.server.log_file import LogFile
from doorward.service.server.log_json import document
from doorward.tail_lines import as_json, in_full, line

ROOT = Path(__file__).parents[3]
ESCAPES = re.compile(r"\x1b\[(\d\d|0)m")


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Of a child process."""
    path = os.pathsep.join(map(str, (ROOT / "src", ROOT / "adapters", ROOT)))
    return {**os.environ, "PYTHONPATH": path, "DOORWARD_FOLDER": str(folder), "PYTHONUNBUFFERED": "1", **more}


class Service:
    """The routes under uvicorn, on one port; may be ended and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, "-B", "-m", "uvicorn", "tests.service.log.tail_app:app", "--port", str(self.port),
                   "--log-level", "warning"]  # fmt: skip
        self._process = subprocess.Popen(command, env=environ(self.folder), cwd=ROOT)
        until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Kill it, as a machine would go."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Tail:
    """``doorward tail`` as a child, its output in files."""

    def __init__(self, folder: Path, *arguments: str, **more: str) -> None:
        self._out, self._err = folder / "tail.out", folder / "tail.err"
        command = [sys.executable, "-B", "-m", "doorward", "tail", *arguments]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(command, env=environ(folder, **more), stdout=out, stderr=err, cwd=folder)

    @property
    def out(self) -> str:
        """What it has printed."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it has said."""
        return self._err.read_text()

    def interrupt(self) -> int:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a service."""
    return tmp_path


@pytest.fixture
def log(folder: Path, make_log: Callable[..., LogFile]) -> LogFile:
    """Its log."""
    return make_log(folder / LOG)


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """Running."""
    service = Service(folder)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def key(folder: Path) -> str:
    """Of the site shop."""
    return Keys(folder / KEYS).add("shop").token


def put(log: LogFile, *numbers: int, **fields: Any) -> None:
    """Log decisions."""
    for number in numbers:
        log.append(record(number, **fields))
    assert log.flush(20)


def test_it_follows_a_service_that_goes_and_comes_back(folder: Path, log: LogFile, key: str, service: Service) -> None:
    """Each decision of the site once; the absence and the return once each; Ctrl-C ends with 0."""
    put(log, 1, path="/first")
    put(log, 2, path="/of-another", site="blog")
    with Tail(folder, DOORWARD_SERVICE=service.url, DOORWARD_KEY=key) as tail:
        until(lambda: "/first" in tail.out)
        put(log, 3, path="/second")
        until(lambda: "/second" in tail.out)
        service.stop()
        until(lambda: "trying again" in tail.err)
        put(log, 4, path="/third")
        service.start()
        until(lambda: "/third" in tail.out)
        assert tail.interrupt() == 0
        assert re.findall(r"/\w[\w-]*", tail.out) == ["/first", "/second", "/third"]
        assert tail.err.count("\n") == 2
        assert "it answers again" in tail.err
        assert "\x1b" not in tail.out  # a file is no terminal


def test_it_follows_a_log_on_this_host(folder: Path, log: LogFile) -> None:
    """Of all sites, without a service or a key."""
    put(log, 1, site="blog", path="/before")
    with Tail(folder, "--folder", str(folder), "--json") as tail:
        until(lambda: tail.out.count("\n") == 1)
        put(log, 2, site="shop", path="/after")
        until(lambda: tail.out.count("\n") == 2)
        assert tail.interrupt() == 0
        lines = [json.loads(text) for text in tail.out.splitlines()]
        assert [(each["site"], each["path"]) for each in lines] == [("blog", "/before"), ("shop", "/after")]


def test_once_with_filters(folder: Path, log: LogFile, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: the last ones that match, then the end."""
    put(log, 1, 2, 3, ip="203.0.113.1", dry_run="trial")
    put(log, 4, ip="203.0.113.2", conclusion="ALLOW", rule="")
    base = ["tail", "--folder", str(folder), "--once"]
    assert main([*base, "--ip", "203.0.113.1", "-n", "2", "--json"]) == 0
    assert [json.loads(text)["id"] for text in capsys.readouterr().out.splitlines()] == [record(2).id, record(3).id]
    assert main([*base, "--conclusion", "allow"]) == 0
    assert capsys.readouterr().out == "08:00:04  ALLOW      203.0.113.2      POST /signup\n"
    assert main([*base, "--dry-run", "trial", "--rule", "signup", "--path", "/sign", "-n", "1"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "08:00:03  DENY       203.0.113.1      POST /signup"
        "  signup: 5 of 5 requests are used, 12 s left  [dry run: trial]\n"
    )
    assert main([*base, "-n", "0"]) == 0
    assert capsys.readouterr().out == ""


def test_one_decision_in_full(folder: Path, log: LogFile, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule, why, what it cost, the address."""
    put(log, 1, dry_run="trial")
    assert main(["tail", "--folder", str(folder), "--id", record(1).id]) == 0
    out = capsys.readouterr().out
    for part in (record(1).id, "DENY RATE_LIMIT by signup", "5 of 5 requests", "trial would have decided", "40 us",
                 "120 us", "203.0.113.9 FR", "isVpn: false", "POST shop.example/signup", "PYTHON 1.4.0"):  # fmt: skip
        assert part in out
    assert main(["tail", "--folder", str(folder), "--id", record(1).id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == document(record(1, dry_run="trial"))
    assert main(["tail", "--folder", str(folder), "--id", "req_none"]) == 1


def test_a_service_is_asked_for_one_decision(
    folder: Path, log: LogFile, key: str, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the key of its site; another site's is not there, and a wrong key is refused at once."""
    put(log, 1)
    put(log, 2, site="blog")
    asked = ["tail", "--service", service.url, "--key", key]
    assert main([*asked, "--id", record(1).id]) == 0
    assert "DENY RATE_LIMIT" in capsys.readouterr().out
    assert main([*asked, "--id", record(2).id]) == 1
    assert main(["tail", "--service", service.url, "--key", "dwk_wrong"]) == 3
    assert "site key" in capsys.readouterr().err
    assert main([*asked, "--conclusion", "PERHAPS"]) == 3
    assert "conclusion: must be one of" in capsys.readouterr().err
    service.stop()
    assert main([*asked, "--once"]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["--service", "ftp://x", "--key", "k"],
        ["--service", "http://127.0.0.1:1"],
        ["--service", "http://127.0.0.1:1", "--key", "k\nx"],
        ["--service", "http://127.0.0.1:1", "--key", "k", "--folder", "."],
        ["--folder", "nowhere"],
        [],
        ["-n", "501"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And say what is accepted."""
    monkeypatch.chdir(tmp_path)
    assert main(["tail", *arguments]) == 2
    assert "doorward tail: " in capsys.readouterr().err


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR (no-color.org) turns them off."""
    shown = document(record(1))
    assert "\x1b[31mDENY     \x1b[0m" in line(shown, coloured=True)
    assert "\x1b" not in line(shown, coloured=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert tail_cli._coloured()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not tail_cli._coloured()


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*document(record()), "state", "reason", "ruleId"])


@given(decision=st.dictionaries(FIELDS, VALUE), results=st.lists(st.dictionaries(FIELDS, VALUE), max_size=2))
def test_nothing_is_printed_raw(decision: dict[str, Any], results: list[Any]) -> None:
    """Whatever a service answers: lines of printable ASCII, and never an error."""
    for each in (decision, {**decision, "results": results}):
        shown = [line(each, coloured=True), line(each, coloured=False), as_json(each), *in_full(each, coloured=True)]
        for text in shown:
            assert all(" " <= character <= "~" for character in ESCAPES.sub("", text))
            assert len(text) < 2_000 or text == as_json(each)


LIES = {
    "no-json": (200, b"<html>"),
    "list": (200, b"[]"),
    "deep": (200, b"[" * 100_000),
    "no-list": (200, b'{"decisions": 5, "cursor": "1"}'),
    "no-objects": (200, b'{"decisions": [5], "cursor": "1"}'),
    "no-cursor": (200, b'{"decisions": []}'),
    "cursor-number": (200, b'{"decisions": [], "cursor": 5}'),
    "cursor-digits": (200, '{"decisions": [], "cursor": "٣"}'.encode()),
    "cursor-long": (200, b'{"decisions": [], "cursor": "' + b"9" * 5_000 + b'"}'),
    "redirect": (302, b"{}"),
    "error": (500, b'{"code": 5, "message": ["\\u001b[31m"]}'),
    "bytes": (200, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize(("status", "body"), LIES.values(), ids=LIES)
def test_a_service_that_lies_is_one_that_does_not_answer(status: int, body: bytes) -> None:
    """One kind of error, in printable words."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=iter([body]), headers={"location": "http://192.0.2.1/"})
    )
    with LogClient("http://service.example", "k", transport) as client, pytest.raises(ServiceError) as caught:
        client.after({}, 0, 5)
    assert str(caught.value).isprintable()


def test_an_answer_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not end is not read to its end."""
    monkeypatch.setattr(log_client, "MOST_BYTES", 1_000)
    sent = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b" " * 100

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))
    with LogClient("http://service.example", "k", transport) as client, pytest.raises(ServiceError, match="longer"):
        client.find("req_1")
    assert len(sent) < 20


def test_a_url_has_to_be_one() -> None:
    """Of HTTP."""
    for url in ("", "service", "file:///etc/passwd", "http://"):
        with pytest.raises(ConfigurationError, match="service"):
            LogClient(url, "k")


def test_a_refusal_without_a_rule_has_no_colon_for_one() -> None:
    """What an SDK of Arcjet refused by itself names no rule."""
    shown = line({"conclusion": "DENY", "rule": "", "why": "evaluated by the client"}, coloured=False)
    assert shown.endswith("  evaluated by the client")
