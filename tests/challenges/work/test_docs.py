"""docs/challenges/proof-of-work.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.challenges.work.asking import payload_of, visitor

from doorward.challenges.work.derivation import PAGE_PROFILES
from doorward.challenges.work.difficulty import Load, counters
from doorward.context import RequestContext

TEXT = (Path(__file__).parents[3] / "docs" / "challenges" / "proof-of-work.md").read_text()


def examples() -> dict[str, Any]:
    """The names that its Python blocks make, run one after the other."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(block, "proof-of-work.md", "exec"), names)
    return names


def test_the_examples_run() -> None:
    """Each client poses what its text says."""
    names = examples()
    assert visitor(names["aj"])("/search/x").told["challenge"]["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    assert visitor(names["memory_hard"])("/").told["challenge"]["parameters"]["algorithm"] == "SCRYPT"
    assert visitor(names["forms"])("/.doorward/altcha").json["parameters"]["algorithm"] == "PBKDF2/SHA-512"


def test_the_form_of_the_example_is_checked() -> None:
    """With the work, and without it."""
    from altcha import v2

    names = examples()
    challenge = visitor(names["aj"])("/.doorward/altcha").json
    solution = v2.solve_challenge(v2.Challenge.from_dict(challenge)).to_dict()
    form = {"altcha": payload_of({"challenge": challenge, "solution": solution})}
    request = RequestContext(method="POST", path="/sign-up", peer="203.0.113.5")
    assert names["sign_up"](request, form) == "welcome"
    assert names["sign_up"](request, form) == "please try again: spent"
    assert names["sign_up"](request, {}) == "please try again: missing"


def test_the_table_of_difficulties() -> None:
    """Its counters are what the function says, for the default algorithm."""
    profile = PAGE_PROFILES["PBKDF2/SHA-256"]
    rows = re.findall(r"^\| (\d+)(?: and more)? \| (?:up to )?(\w+) \| ([\d,]+) \|", TEXT, re.MULTILINE)
    assert len(rows) == 4
    for weight, passed, most in rows:
        load = Load(passed=float(passed) if passed.isdecimal() else 0.0)
        assert counters(float(weight), load, profile.least, profile.most) == int(most.replace(",", ""))
