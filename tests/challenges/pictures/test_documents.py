"""What docs/challenges/pictures.md says is so."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from doorward.challenges.pictures import NAMES, letters, luck, media, odd, shapes, sound
from doorward.challenges.pictures.forms import Grade

TEXT = (Path(__file__).parents[3] / "docs" / "challenges" / "pictures.md").read_text(encoding="utf-8")


def test_the_example_prints_what_is_written() -> None:
    """The block of Python, and the one behind it."""
    ((source, printed),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(source, "pictures.md", "exec"), {})
    assert out.getvalue() == printed


def rows(start: str) -> list[list[str]]:
    """Cells of all lines of tables that start with ``start``."""
    found = [line.strip("| ").split("|") for line in TEXT.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line[1:]] for line in found]


@pytest.mark.parametrize(
    ("start", "table", "unit"),
    [
        ("letters |", letters.LENGTHS, ""),
        ("turned by", letters.TURNS, "°"),
        ("lines across", letters.LINES, ""),
        ("least difference", {at: least for at, (least, _) in odd.DIFFERENCES.items()}, "°"),
        ("rows of 5", odd.ROWS, ""),
        ("digits of sounds", sound.LENGTHS, ""),
        ("noise", sound.NOISE, ""),
        ("tiles of", {at: rows * 4 for at, rows in shapes.ROWS.items()}, ""),
    ],
)
def test_the_table_of_hardness(start: str, table: dict, unit: str) -> None:
    """Cell by cell."""
    assert rows(start)[0][:5] == [f"{table[hardness]}{unit}" for hardness in range(1, 6)]


def test_the_chances() -> None:
    """As the forms say."""
    forms = [letters.Letters(), shapes.Shapes(), odd.Odd(), sound.Sound()]
    for form, cells in zip(forms, rows("chance"), strict=True):
        expected = [f"{form.chance(Grade(hardness)):.1e}".replace("e-0", "e-") for hardness in range(1, 6)]
        assert cells[:5] == expected
        if form.typed:
            assert cells[5] == f"{form.chance(Grade(1, long=True)):.1e}".replace("e-0", "e-")


def test_the_figures() -> None:
    """Limits and names."""
    for name in NAMES:
        assert f"| `{name}` |" in TEXT
    assert f"{luck.ALLOWANCE:.1%} at most" in TEXT.replace("0.8 %", "0.8%")
    assert f"{media.MOST_OF_NETWORK} drawings" in TEXT
    assert f"{media.MOST_OF_ONE} for one challenge" in TEXT
    assert f"{media.MOST_IN_A_MINUTE:,} for everybody" in TEXT
    assert f"{sound.LONG} digits" in TEXT
