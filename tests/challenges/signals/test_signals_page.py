"""``docs/challenges/signals.md`` says what is so: the table of weights, and an example that runs."""

from __future__ import annotations

import re
from pathlib import Path

from doorward.challenges.signals.weights import DOUBTFUL, MOST, WEIGHTS

TEXT = (Path(__file__).parents[3] / "docs/challenges/signals.md").read_text()


def test_the_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert rows == [(code, f"{weight.points:g}", weight.says) for code, weight in WEIGHTS.items()]
    assert (DOUBTFUL, MOST) == (10, 40)


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL)
    told: dict[str, object] = {}
    exec(compile(example, "signals.md", "exec"), told)
    assert "sign-up" in repr(told["aj"])
