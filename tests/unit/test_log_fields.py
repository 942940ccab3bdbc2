"""Fields of log records: read as they were written, whatever they hold, and whoever wrote the rest of the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.log_fields import as_text, fields_of
from doorward.printable import printable

NAMES = st.sampled_from(["id", "path", "would_deny", "_x", "decision.DENY"]) | st.text(max_size=20).map(
    lambda name: f"rule.{printable(name, 100)}.asked"
)


@given(st.dictionaries(NAMES, st.integers() | st.text(max_size=40).map(printable), max_size=6))
def test_what_is_written_is_read(fields: dict[str, object]) -> None:
    """Names of rules may hold blanks, quotes and equals signs; of these only the last ends the name."""
    numbers = {name: value if "." not in name else 7 for name, value in fields.items()}
    assert fields_of(as_text(numbers)) == {name: str(value) for name, value in numbers.items()}


def test_what_stands_around_fields_is_passed_over() -> None:
    """As formatters write it."""
    found = fields_of('[worker 3] conclusion=DENY x y" path="/a b" {"trace=1"} id=lreq_1\n')
    assert found == {"conclusion": "DENY", "path": "/a b", "id": "lreq_1"}


@pytest.mark.parametrize("piece", ["a", "rule.", "rule.a=", "=", '\\"', '"\\', '" ', 'a="', "\\ ", 'a="\\" '])
def test_hostile_lines_take_a_time_that_grows_with_their_length(piece: str) -> None:
    """One whose square were taken would not end before the test is ended."""
    for begin in ("", '"', 'a="', "rule."):
        for end in ("", '"', "=\\"):
            fields_of(begin + piece * (200_000 // len(piece)) + end)
