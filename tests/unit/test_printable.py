"""Text that is safe to log."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from doorward.printable import describe, printable


@given(st.text())
@example("\ud800\u202e\x1b[31m\r\n\\")
def test_whatever_came_is_one_bounded_line_of_ascii(text: str) -> None:
    """No line break, escape, bidirectional mark or surrogate gets through."""
    line = printable(text, 50)
    assert len(line) <= 50
    assert all(" " <= character <= "~" for character in line)


def test_escapes_say_what_was_there() -> None:
    """Every kind of character has one form, and a backslash cannot imitate one."""
    assert printable('a\n\x1b\xe9\u202e\U0001f600\\n"') == 'a\\x0a\\x1b\\xe9\\u202e\\U0001f600\\\\n"'


def test_long_text_is_cut_and_says_so() -> None:
    """What was cut ends in dots; what just fits does not."""
    assert printable("a" * 20, 20) == "a" * 20
    assert printable("a" * 21, 20) == "a" * 17 + "..."
    assert printable("\n" * 10, 20) == "\\x0a\\x0a\\x0a\\x0a\\..."


def test_an_exception_is_described_by_type_and_message() -> None:
    """With its message where it has one."""
    assert describe(ValueError("bad\nline")) == "ValueError: bad\\x0aline"
    assert describe(TimeoutError()) == "TimeoutError"


def test_an_exception_that_cannot_be_printed_is_described_all_the_same() -> None:
    """An application's exception may have a broken ``__str__``."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert describe(Mute()) == "Mute: its text cannot be had: RuntimeError"
