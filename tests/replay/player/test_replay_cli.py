"""``doorward replay`` from the command line."""

from __future__ import annotations

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.replay.player.recordings import ATTACK, BEGAN, BOT, SECOND, Known, generated, stamp

from doorward.cli import main
from doorward.replay.watching import Bar, Line, watcher

pytest.importorskip("doorward.replay.readers")
pytest.importorskip("doorward.replay.writers")

APP = """
from doorward import Doorward, AsyncDoorward, deny, detect_bot, rate_limit, shield, sliding_window

print("this is no report")
aj = Doorward(
    [shield(), detect_bot(allow=[]), sliding_window(max=20, interval="1m")],
    store="redis://127.0.0.1:1/0", on_decision=lambda *_: 1 / 0,
)
dry = Doorward([deny(paths=["/search"], mode="DRY_RUN")])
nothing = AsyncDoorward([])
"""
KNOWN = generated(visitors=200, attacks=7, bots=11, flooders=2, limit=20, over=4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application and a log, from which the command is run."""
    (tmp_path / "replayed_shop.py").write_text(APP)
    (tmp_path / "access.log").write_text("".join(f"{line}\n" for line in KNOWN.lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "replayed_shop", raising=False)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["replay", *arguments])


def report_of(folder: Path, *arguments: str, status: int = 0) -> dict[str, object]:
    assert run(*arguments, "--print", "none", "-o", str(folder / "r.json")) == status
    document: dict[str, object] = json.loads((folder / "r.json").read_text())
    return document


def denied(known: Known) -> int:
    return known.attacks + known.bots + known.over_limit


def test_a_log_is_replayed_by_the_rules_of_an_application(folder: Path) -> None:
    report = report_of(folder, "access.log", "--app", "replayed_shop:aj")
    assert report["policy"] == "replayed_shop:aj"
    assert report["files"] == ["access.log"]
    assert report["requests"] == report["lines"] == len(KNOWN.lines)
    assert report["denied"] == denied(KNOWN) == 26
    assert {rule["name"]: rule["denied"] for rule in report["rules"]} == {"shield": 7, "bot": 11, "sliding_window": 8}  # type: ignore[attr-defined]


def test_compressed_logs_and_several(folder: Path) -> None:
    half = len(KNOWN.lines) // 2
    for name, lines in (("a.log.gz", KNOWN.lines[:half]), ("b.log.gz", KNOWN.lines[half:])):
        (folder / name).write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    report = report_of(folder, "b.log.gz", "a.log.gz", "--app", "replayed_shop:aj", "--format", "combined")
    assert (report["requests"], report["denied"]) == (len(KNOWN.lines), 26)


def test_reports_of_every_kind_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"r{suffix}" for suffix in (".json", ".html", ".md", ".sarif", ".xml", ".txt")]
    written = [argument for file in files for argument in ("-o", file)]
    assert run("access.log", "--app", "replayed_shop:aj", *written) == 0
    assert all((folder / file).stat().st_size > 100 for file in files)
    printed = capsys.readouterr()
    assert "26" in printed.out
    assert "this is no report" not in printed.out
    assert "\x1b" not in printed.out
    assert run("access.log", "--app", "replayed_shop:aj", "--print", "json") == 0
    assert json.loads(capsys.readouterr().out)["denied"] == 26
    assert run("access.log", "--app", "replayed_shop:aj", "--print", "markdown") == 0
    assert "|" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--app", "replayed_shop:aj", "--max-denied", "26"], 0),
        (["--app", "replayed_shop:aj", "--max-denied", "25"], 1),
        (["--app", "replayed_shop:aj", "--max-denied", "20%"], 0),
        (["--app", "replayed_shop:aj", "--max-denied", "0.1%"], 1),
        (["--app", "replayed_shop:dry", "--max-denied", "0"], 0),
        (["--app", "replayed_shop:dry", "--max-denied", "0", "--as-live"], 1),
        (["--app", "replayed_shop:aj", "--against", "replayed_shop:nothing", "--max-newly-denied", "26"], 0),
        (["--app", "replayed_shop:aj", "--against", "replayed_shop:nothing", "--max-newly-denied", "25"], 1),
        (["--app", "replayed_shop:nothing", "--against", "replayed_shop:aj", "--max-newly-denied", "0"], 0),
    ],
    ids=lambda value: value if isinstance(value, int) else " ".join(value).replace("replayed_shop:", ""),
)
def test_the_exit_status_says_whether_thresholds_are_met(folder: Path, arguments: list[str], status: int) -> None:
    report = report_of(folder, "access.log", *arguments, status=status)
    (threshold,) = report["thresholds"]  # type: ignore[misc]
    assert threshold["met"] is (status == 0)  # type: ignore[has-type]
    assert bool(threshold["samples"]) is (status == 1)  # type: ignore[has-type]


def test_cases_are_judged_without_any_log(folder: Path) -> None:
    path, _, query = ATTACK.partition("?")
    (folder / "attacks.jsonl").write_text(json.dumps({"path": path, "query": query}))
    (folder / "customers.jsonl").write_text(json.dumps({"path": "/login", "ip": "203.0.113.9", "times": 21}))
    assert run("--app", "replayed_shop:aj", "--must-deny", "attacks.jsonl", "--print", "none") == 0
    both = ["--must-deny", "attacks.jsonl", "--must-allow", "customers.jsonl"]
    report = report_of(folder, "--app", "replayed_shop:aj", *both, status=1)
    assert [threshold["met"] for threshold in report["thresholds"]] == [False, True]  # type: ignore[attr-defined]


def test_a_stretch_of_time(folder: Path) -> None:
    whole = report_of(folder, "access.log", "--app", "replayed_shop:nothing")
    half = ["--since", stamp_iso(43_200)]
    late = report_of(folder, "access.log", "--app", "replayed_shop:nothing", *half)
    early = report_of(folder, "access.log", "--app", "replayed_shop:nothing", "--until", stamp_iso(43_199))
    assert 0 < int(str(late["requests"])) < int(str(whole["requests"]))
    assert int(str(late["requests"])) + int(str(early["requests"])) == whole["requests"]


def stamp_iso(at: float) -> str:
    return datetime.fromtimestamp(BEGAN // SECOND + int(at), UTC).isoformat()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--app", "replayed_shop:aj"], "FILES: must be given"),
        (["missing.log", "--app", "replayed_shop:aj"], "missing.log"),
        (["access.log", "--app", "nowhere:aj"], "--app: nowhere cannot be imported"),
        (["access.log", "--app", "replayed_shop:aj", "--against", "nowhere:aj"], "--against: nowhere cannot be"),
        (["access.log", "--app", "replayed_shop:aj", "--max-newly-denied", "1"], "give --against"),
        (["access.log", "--app", "replayed_shop:aj", "-o", "no/where.json"], "-o: there is no folder 'no'"),
        (["access.log", "--app", "replayed_shop:aj", "--must-deny", "none.jsonl"], "--must-deny: none.jsonl cannot"),
        (["access.log", "--rules", "missing.toml"], "missing.toml"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else " ".join(value)[-30:],
)
def test_a_wrong_argument_or_file_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert run(*arguments) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--max-denied", "lots"], ["-o", "r.pdf"], ["--since", "soon"], ["--samples", "-1"], ["--print", "html"]],
    ids=lambda arguments: arguments[0],
)
def test_a_wrong_value_is_said_by_the_parser(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("access.log", "--app", "replayed_shop:aj", *arguments)
    assert ended.value.code == 2


def test_a_gate_through_which_nothing_went_has_not_held(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "junk.log").write_bytes(b"\x00\xff\x1b[2Jjunk\n" * 5)
    arguments = ["junk.log", "--app", "replayed_shop:aj", "--format", "combined", "--max-denied", "0"]
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert "hold no request; lines that are none: 5" in printed.err
    assert "\x1b" not in printed.out + printed.err


def test_what_clients_sent_never_reaches_the_terminal_raw(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = f'203.0.113.9 - - [{stamp(0)}] "GET /%1b[2J\x1b]0;x\x07 HTTP/1.1" 200 5 "-" "{BOT} \x1b[31m"\n'
    (folder / "hostile.log").write_text(line * 3)
    run("hostile.log", "--app", "replayed_shop:aj")
    printed = capsys.readouterr()
    assert all(character.isprintable() or character == "\n" for character in printed.out + printed.err)


def test_a_policy_file_decides_and_is_held_against_another(folder: Path) -> None:
    pytest.importorskip("doorward.policy")
    (folder / "main.toml").write_text('[[rules]]\nrule = "deny"\npaths = ["/search"]\n')
    (folder / "new.toml").write_text('[[rules]]\nrule = "deny"\npaths = ["/search", "/login"]\n')
    report = report_of(folder, "access.log", "--rules", "new.toml", "--against", "main.toml")
    assert report["policy"] == "new.toml"
    assert (report["denied"], report["against"]["newly_denied"]) == (7 + 48, 48)  # type: ignore[index]


# --- a real terminal, and a real Ctrl-C


def started(folder: Path, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "TERM": "xterm"}
    command = [sys.executable, "-m", "doorward", "replay", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, **options)  # type: ignore[call-overload, no-any-return]


def test_ctrl_c_ends_with_what_there_is(folder: Path) -> None:
    known = [line.encode() + b"\n" for line in KNOWN.lines]
    arguments = ["-", "--app", "replayed_shop:nothing", "--format", "combined", "-o", "r.json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(folder, *arguments, **pipes) as process:
        assert process.stdin is not None
        for _ in range(100):  # so much that a part of it is surely read when the pipe takes the rest
            process.stdin.writelines(known)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert b"interrupted" in err
    assert b"Traceback" not in err
    assert out
    report = json.loads((folder / "r.json").read_text())
    assert 0 < report["requests"] <= 100 * len(known)
    assert any("interrupted" in note for note in report["notes"])


def test_a_bar_is_shown_on_a_terminal_only(folder: Path) -> None:
    (folder / "long.log").write_text("".join(f"{line}\n" for line in KNOWN.lines * 9))
    arguments = ["long.log", "--app", "replayed_shop:nothing", "--print", "none"]
    controller, terminal = pty.openpty()
    with started(folder, *arguments, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        shown = b"".join(iter(lambda: _read(controller), b""))
        assert process.wait() == 0
    os.close(controller)
    assert b"requests" in shown
    with started(folder, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as quiet:
        _, err = quiet.communicate()
    assert b"requests" not in err


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 4096)
    except OSError:  # as Linux says that the other end is closed
        return b""


def test_a_line_does_where_rich_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from doorward.replay.reading import Reading

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    reading, stream = Reading(bytes=50, total=200), Terminal()
    assert watcher(reading, io.StringIO()) is None
    assert isinstance(watcher(reading, Terminal()), Bar)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    line = watcher(reading, stream)
    assert isinstance(line, Line)
    line._shown = 0.0
    line(5_000)
    line.close()
    assert "25% 5,000 requests" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")
