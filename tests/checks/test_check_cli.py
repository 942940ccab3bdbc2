"""``doorward check`` on the command line."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import main

APP = """
from doorward import Doorward, deny, fixed_window, sliding_window

print("a line that the application prints when it is imported")
good = Doorward([sliding_window(max=5, interval="10m")])
warned = Doorward([fixed_window(max=1, window="1d", name="day")])
noted = Doorward([sliding_window(max=5, interval="10m"), sliding_window(max=5, interval="1m", mode="DRY_RUN")])
wrong = Doorward([deny(paths=["/*"])])
labels = Doorward([deny(ip=["proxy"])])
"""
_numbers = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that has clients; the environment says nothing."""
    for variable in ("DOORWARD_SILENCE", "DOORWARD_MODE", "DOORWARD_SECRET", "WEB_CONCURRENCY"):
        monkeypatch.delenv(variable, raising=False)
    name = f"checked_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize(
    ("client", "options", "status", "found"),
    [
        ("good", [], 0, []),
        ("warned", [], 1, ["DW033"]),
        ("warned", ["--fail-on", "error"], 0, ["DW033"]),
        ("warned", ["--silence", "DW033"], 0, []),
        ("warned", ["--silence", "DW001,DW033:day"], 0, []),
        ("warned", ["--silence", "DW033:night"], 1, ["DW033"]),
        ("noted", [], 0, ["DW073"]),
        ("wrong", ["--fail-on", "error"], 1, ["DW021"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_statuses_and_json(
    module: str, client: str, options: list[str], status: int, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """0 for nothing to say and for notes, 1 for findings of the level that matters; JSON is a list of findings."""
    assert main(["check", f"{module}:{client}", "--json", *options]) == status
    document = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in document] == found
    assert all(set(finding) == {"code", "level", "rule", "message", "hint"} for finding in document)


def test_in_words(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, level and rule, what happens, what to write, and how many there are."""
    assert main(["check", f"{module}:warned"]) == 1
    first, message, hint, summary = capsys.readouterr().out.splitlines()
    assert first == "DW033 warning: day"
    assert message.startswith("  it admits 1 request in 1 day for all paths together")
    assert hint.startswith("  -> name the path that is meant")
    assert summary == "1 warning"
    assert main(["check", f"{module}:good"]) == 0
    assert capsys.readouterr().out == "nothing to say\n"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["{}:nothing"], "MODULE:NAME"),
        (["no_such_module:aj"], "MODULE:NAME"),
        (["{}"], "MODULE:NAME"),
        (["{}:good", "--silence", "DW999"], "--silence"),
        (["{}:good", "--data", "no-such-folder"], "--data"),
    ],
    ids=str,
)
def test_wrong_arguments(module: str, arguments: list[str], names: str, capsys: pytest.CaptureFixture[str]) -> None:
    """2, and the argument is named."""
    assert main(["check", *[text.format(module) for text in arguments]]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"doorward check: {names}: ")


def test_the_environment_counts(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is that of the process that is meant; DOORWARD_SILENCE silences here too."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    assert main(["check", f"{module}:good"]) == 1
    assert "DW041" in capsys.readouterr().out
    monkeypatch.setenv("DOORWARD_SILENCE", "DW041")
    assert main(["check", f"{module}:good"]) == 0


def test_another_folder_of_data(module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--data`` names where to look for it."""
    assert main(["check", f"{module}:labels", "--data", str(tmp_path)]) == 1
    assert "there is no data about proxy" in capsys.readouterr().out


def test_a_policy_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of rules is checked as a client with these rules."""
    pytest.importorskip("doorward.policy")
    file = tmp_path / "policy.toml"
    file.write_text('[[rules]]\nrule = "fixed_window"\nname = "day"\nmax = 1\nwindow = "1d"\n')
    assert main(["check", str(file), "--json"]) == 1
    assert [found["code"] for found in json.loads(capsys.readouterr().out)] == ["DW033"]


def test_the_policy_loader_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What ends in .toml, .yaml or .yml is a file of rules."""
    from types import SimpleNamespace

    from doorward import Doorward, fixed_window

    asked: list[str] = []

    def load(path: str) -> Any:
        asked.append(path)
        return SimpleNamespace(client=lambda: Doorward([fixed_window(max=1, window="1d")]))

    monkeypatch.setitem(sys.modules, "doorward.policy", SimpleNamespace(load=load))  # type: ignore[arg-type]
    for file in ("a.toml", "b.yaml", "c.yml"):
        assert main(["check", file]) == 1
    assert asked == ["a.toml", "b.yaml", "c.yml"]
    assert capsys.readouterr().out.count("DW033") == 3


def test_importing_doorward_brings_no_checks() -> None:
    """An application that never asks does not pay."""
    code = "import sys, doorward; print(sorted(m for m in sys.modules if m.startswith('doorward.check')))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
