"""The page about clearance is true: its examples run, and it names every option."""

from __future__ import annotations

import re
from pathlib import Path

from doorward.challenges.options import ChallengeOptions, ClientOptions
from doorward.challenges.tokens import LONGEST_TOKEN

PAGE = Path(__file__).parents[2] / "docs" / "challenges" / "clearance.md"


def test_the_examples_run() -> None:
    """In their order, each after the others."""
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)


def test_the_page_names_options_and_figures() -> None:
    """What is not said there does not exist for readers."""
    text = PAGE.read_text(encoding="utf-8")
    own = (
        "lifetime",
        "renew_for",
        "bind",
        "quota",
        "not_before",
        "secure",
        "domain",
        "clients",
        "on_store_error",
        "prefix",
    )
    for name in (*own, *ClientOptions.__annotations__):
        assert f"`{name}`" in text
    assert f"{LONGEST_TOKEN:,} characters" in text


def test_every_option_of_challenges_is_on_some_page() -> None:
    """Those of looks as they stand in the example."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGE.parent.glob("*.md"))
    assert [name for name in ChallengeOptions.__annotations__ if not re.search(f'[`"]{name}[`"]', pages)] == []
