"""What docs/challenges/providers.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

from doorward.challenges.providers import TABLE, Verified

TEXT = (Path(__file__).parents[3] / "docs" / "challenges" / "providers.md").read_text()


def test_its_examples_run(capsys: object) -> None:
    """One after the other, as they stand."""
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, "providers.md", "exec"), names)


def test_its_table_is_the_table() -> None:
    """Each provider, with what is checked."""
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| `([\w-]+)` \|$", TEXT, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(TABLE)
    for name, checked, field in rows:
        row = TABLE[name]
        told = {
            "host": row.hostname,
            "age": row.solved_at,
            "action": row.action,
            "score": row.score,
            "key": row.site_key,
        }
        assert {each for each, path in told.items() if path} == set(checked.split(", ")) - {"none"}
        assert field == row.response_field


def test_its_codes_are_the_codes() -> None:
    """As the docstring of the result has them."""
    listed = set(re.findall(r"``([a-z_]+)``", (Verified.__doc__ or "").split("provider:")[0]))
    table = TEXT[TEXT.index("| `why`") : TEXT.index("Name your")]
    assert {
        code for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)[1:] for code in re.findall("`(.*?)`", row)
    } == (listed - {"passed", "on_error"})
