"""The commands of docs/replay.md run as they stand there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from tests.replay.player.recordings import generated

from doorward.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
CUSTOMER, ATTACK = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()  # type: ignore[index]
APP = """
from doorward import Doorward, detect_bot, rate_limit, shield
aj = Doorward([shield(), *rate_limit("5/minute", paths=["/login"], mode="DRY_RUN")])
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("doorward.replay.readers", "doorward.replay.writers", "doorward.policy"):
        pytest.importorskip(module)
    known = generated(visitors=900, attacks=4, bots=4, flooders=1, limit=5, over=2)
    (tmp_path / "access.log").write_text("".join(f"{line}\n" for line in known.lines))
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "policy.toml").write_text('[[rules]]\nrule = "sliding_window"\nmax = 5\ninterval = "1m"\n')
    (tmp_path / "main.toml").write_text('[[rules]]\nrule = "sliding_window"\nmax = 9\ninterval = "1m"\n')
    (tmp_path / "customers.jsonl").write_text(CUSTOMER)
    (tmp_path / "attacks.jsonl").write_text(ATTACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    program, *arguments = shlex.split(command)
    assert program == "doorward"
    assert main(arguments) == 0
    assert all((tmp_path / name).exists() for name in arguments if name.startswith("report."))


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 4
