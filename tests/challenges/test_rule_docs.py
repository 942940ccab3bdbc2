"""The pages about rules and presets: their code runs, their policies load, and every preset is named."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from doorward.builders.conditions import CONDITIONS
from doorward.policy import load
from doorward.presets import names

DOCS = Path(__file__).parents[2] / "docs" / "challenges"
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("rules", "presets")}
BLOCK = re.compile(r"^```(python|toml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_code_of_the_page_runs_and_prints_what_it_says(page: str) -> None:
    """Each block by itself; what follows it as text is its output."""
    blocks = BLOCK.findall(PAGES[page])
    for (kind, source), (next_kind, expected) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(source, page, "exec"), {})
            assert printed.getvalue() == (expected if next_kind == "text" else "")


@pytest.mark.parametrize("page", PAGES)
def test_policies_of_the_page_load(page: str, tmp_path: Path) -> None:
    """As they stand there."""
    for number, (kind, source) in enumerate(BLOCK.findall(PAGES[page])):
        if kind == "toml":
            file = tmp_path / f"{number}.toml"
            file.write_text(source, encoding="utf-8")
            assert load(file).rules


def test_every_preset_and_condition_is_named() -> None:
    """So that one that is added is found there."""
    assert [name for name in names() if f"`{name}`" not in PAGES["presets"]] == []
    assert [name for name in CONDITIONS if f"`{name}`" not in PAGES["rules"]] == []
