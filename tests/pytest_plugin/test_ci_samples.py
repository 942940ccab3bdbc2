"""The sample jobs of docs/ci: each is well-formed, and its commands are ones that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pytest_plugin.conftest import Run

from doorward.cli import _parser

pytest_plugins = ["pytester"]

FOLDER = Path(__file__).parents[2] / "docs" / "ci"
SAMPLES = sorted(FOLDER.iterdir())
COMMANDS = ("doorward policy check ", "doorward check ", "pytest ", "doorward replay ")
REPLAY = {"--rules", "--against", "--max-denied", "--max-newly-denied", "--must-allow", "--must-deny", "-o", "--print",
          "--no-progress"}  # fmt: skip
_SHELL_KEYS = ("run", "script", "command", "before_script")


def shell_of(sample: Path) -> list[str]:
    """Every piece of shell in a sample."""
    text = sample.read_text()
    if sample.suffix == ".yml":
        return list(_shell_in(yaml.safe_load(text)))
    return [long or short for long, short in re.findall(r"sh '''(.*?)'''|sh '([^']*)'", text, re.DOTALL)]


def _shell_in(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _shell_in(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _SHELL_KEYS and isinstance(value, str):
                yield value
            elif key in _SHELL_KEYS and isinstance(value, list):
                yield "\n".join(value)
            else:
                yield from _shell_in(value)


def commands_of(sample: Path) -> list[str]:
    """Its commands, a line each."""
    return [
        line.strip() for shell in shell_of(sample) for line in shell.replace("\\\n", " ").splitlines() if line.strip()
    ]


def test_there_is_one_for_each_of_the_common_systems() -> None:
    """The page names each, and links to it."""
    page = (FOLDER.parent / "testing.md").read_text()
    assert len(SAMPLES) == 5
    assert all(f"(ci/{sample.name})" in page for sample in SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_is_well_formed_and_does_the_same(sample: Path) -> None:
    """Valid shell throughout; policy check, check, tests and replay, in this order."""
    for shell in shell_of(sample):
        done = subprocess.run(["sh", "-n"], input=shell, capture_output=True, text=True, check=False, timeout=20)
        assert done.returncode == 0, done.stderr
    started = [next((i for i, c in enumerate(COMMANDS) if line.startswith(c)), None) for line in commands_of(sample)]
    assert [number for number in started if number is not None] == [0, 1, 2, 3]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_commands_are_what_the_command_line_takes(sample: Path) -> None:
    """The parser itself reads those that it knows."""
    parser = _parser()
    known = next(action.choices for action in parser._actions if action.choices and "eval" in action.choices)
    for line in commands_of(sample):
        words = shlex.split(line)
        if words[0] == "doorward" and words[1] in known:
            assert parser.parse_args(words[1:]) is not None
        if words[:2] == ["doorward", "replay"]:
            assert {word for word in words if word.startswith("-")} <= REPLAY


def test_the_jenkinsfile_is_balanced() -> None:
    """There is no Groovy here to parse it: brackets close what they open, outside of text."""
    text = re.sub(
        r"'''.*?'''|'[^'\n]*'|\"[^\"\n]*\"|//[^\n]*", "", (FOLDER / "Jenkinsfile").read_text(), flags=re.DOTALL
    )
    opened: list[str] = []
    for bracket in re.findall(r"[{}()\[\]]", text):
        if bracket in "{([":
            opened.append(bracket)
        else:
            assert opened.pop() + bracket in ("{}", "()", "[]")
    assert opened == []
    assert "'" not in text
    assert '"' not in text


def test_the_example_of_the_page_passes(run: Run) -> None:
    """As it stands, as a file of tests."""
    page = (FOLDER.parent / "testing.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example is not None
    run("-W", "error", "--doorward-fail-on-dry-run", test_example=example[1]).assert_outcomes(passed=2)
