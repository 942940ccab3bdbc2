"""A gate that breaks must not look like one that held: what goes wrong around a replay ends with status 2 or 130."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.replay.player.recordings import generated

from doorward.cli import main

SHOP = "from doorward import Doorward, detect_bot\naj = Doorward([detect_bot(allow=[])])\n"
BROKEN = {
    "exits_well": "import sys\nsys.exit(0)\n",
    "exits": "import sys\nsys.exit('bye \\x1b[2J')\n",
    "of_its_own": "class Gone(BaseException): pass\nraise Gone\n",
    "property_raises": "class P:\n    aj = property(lambda self: 1 / 0)\naj = P()\n",
    "ends_in_a_rule": (
        "import sys\nfrom doorward import Doorward, fixed_window\n"
        "aj = Doorward([fixed_window(max=1, window=60, count_when=lambda response: sys.exit(0))])\n"
    ),
}
LOG = "".join(f"{line}\n" for line in generated(visitors=20, attacks=1, bots=3, flooders=0, limit=20, over=0).lines)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with applications and a log, from which the command is run."""
    for name, text in {"gate_shop": SHOP, **BROKEN}.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "access.log").write_text(LOG)
    (tmp_path / "a.html").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """What a line of bash comes to; ``doorward`` in it is the command."""
    line = f'set -o pipefail; doorward() {{ "{sys.executable}" -m doorward "$@"; }}; {line}'
    paths = os.pathsep.join([entry for entry in sys.path if entry])
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("target", [f"{name}:aj" for name in BROKEN if name != "property_raises"])
def test_an_application_that_ends_itself_passes_no_gate(
    folder: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "access.log", "--app", target, "--max-denied", "100%"]) == 2
    told = capsys.readouterr().err.strip()
    assert told.isprintable()
    assert target.partition(":")[0] in told or "has ended the command" in told


def test_a_property_of_somebodys_that_raises_is_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "access.log", "--app", "property_raises:aj.aj"]) == 2
    assert "aj cannot be had: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["access.log", "./access.log"], "./access.log is given twice, also as access.log"),
        (["access.log", "-o", "r.json", "-o", "./r.json"], "./r.json is given twice"),
        (["access.log", "-o", "a.html"], "a.html cannot be written: it is a folder"),
        (["log.txt", "-o", "./log.txt"], "./log.txt would overwrite log.txt, which is read"),
        (["access.log", "--must-deny", "log.txt", "-o", "log.txt"], "would overwrite log.txt"),
        (["access.log", "--since", "2025-02-01", "--until", "2025-01-01"], "must be later than --since"),
        (["access.log", "--against", ""], "--against: must be MODULE:NAME"),
    ],
    ids=["file-twice", "output-twice", "output-folder", "onto-log", "onto-cases", "span", "against-empty"],
)
def test_what_makes_no_sense_is_said_before_anything_is_read_or_written(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "log.txt").write_text(LOG)
    assert main(["replay", *arguments, "--app", "gate_shop:aj"]) == 2
    assert told in capsys.readouterr().err
    assert (folder / "log.txt").read_text() == LOG
    assert not (folder / "r.json").exists()


@pytest.mark.parametrize("text", ["2025", "20250630"])
def test_a_year_is_not_taken_for_seconds(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["replay", "access.log", "--app", "gate_shop:aj", "--since", text])
    assert "taken for seconds since 1970" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("case", "told"),
    [('{"path": "admin"}', "path must begin with '/'"), ('{"method": "post"}', "method must be one such as POST")],
    ids=["path", "method"],
)
def test_a_case_that_no_server_hands_on_passes_no_gate(
    folder: Path, case: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cases.jsonl").write_text(case)
    assert main(["replay", "--app", "gate_shop:aj", "--must-allow", "cases.jsonl"]) == 2
    assert f"cases.jsonl:1: {told}" in capsys.readouterr().err


def test_an_empty_line_of_curl_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--app", "gate_shop:aj", "--curl", ""]) == 2
    assert "--curl" in capsys.readouterr().err


def test_a_promotion_of_no_time_at_all_is_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promotion", "access.log", "--since", "1d", "--until", "7d"]) == 2
    assert "must be later than --since" in capsys.readouterr().err


def test_cases_are_read_before_gigabytes_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cases.jsonl").write_text('{"path": "/", "ip": "localhost"}\n')
    assert main(["replay", "nowhere.log", "--app", "gate_shop:aj", "--must-allow", "cases.jsonl"]) == 2
    assert "cases.jsonl:1: ip must be an IP address" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("doorward replay access.log --app gate_shop:aj --max-denied 0 --print json | true", 1),
        ("doorward replay access.log --app gate_shop:aj --max-denied 0 >&-", 1),
        ("doorward replay access.log --app gate_shop:aj --max-denied 0 > /dev/full", 2),
        ("doorward replay - --app gate_shop:aj <&-", 2),
        ("doorward explain --app gate_shop:aj --url / --header 'User-Agent: curl/8' | true", 1),
        ("doorward policy check access.log > /dev/full", 2),
    ],
    ids=["unread", "closed", "full", "no-input", "explain-unread", "policy-full"],
)
def test_the_status_is_right_where_output_or_input_fails(folder: Path, line: str, status: int) -> None:
    done = shell(folder, line)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_threads_of_the_application_do_not_keep_the_command(folder: Path) -> None:
    """An import that starts one would hold a CI job until its limit."""
    threads = "import threading\nthreading.Thread(target=threading.Event().wait, name='poller').start()\n"
    (folder / "gate_threads.py").write_text(threads + SHOP)
    done = shell(folder, "doorward replay access.log --app gate_threads:aj --max-denied 0")
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert done.stderr.strip() == "doorward: threads of the application still run, and are not waited for: poller"


def test_ctrl_c_is_no_traceback_wherever_it_comes(folder: Path) -> None:
    slow = "import os, sys\nprint('importing', flush=True)\nos.read(0, 1)\n"
    (folder / "gate_slow.py").write_text(slow + SHOP)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([entry for entry in sys.path if entry])}
    command = [sys.executable, "-m", "doorward", "check", "gate_slow:aj"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"doorward check: interrupted\n"
        assert process.wait() == 130
