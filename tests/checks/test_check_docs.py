"""docs/check.md has a section for each code, and says of it what the registry does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doorward.checks import CODES, Code

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text()
SECTIONS = dict(re.findall(r"^### (DW\d{3}): [^\n]+\n\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_codes_and_titles_are_those_of_the_registry() -> None:
    """Each code once, in order, with its title."""
    assert re.findall(r"^### (DW\d{3}): (.+)$", PAGE, re.MULTILINE) == [
        (code.code, code.title) for _, code in sorted(CODES.items())
    ]


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_each_section_says_what_to_do(code: Code) -> None:
    """It begins with the level, says how to mend it, and how to silence it."""
    section = SECTIONS[code.code]
    assert section.startswith(code.level)
    assert section.index("**Mend:**") < section.index("**Silence:**")
    assert f"`{code.code}" in section.split("**Silence:**")[1]


def test_no_other_codes_are_named() -> None:
    """What the page names exists."""
    assert set(re.findall(r"DW\d{3}", PAGE)) == set(CODES)
