"""What the fuzzers found, one test each, with the smallest input."""

from __future__ import annotations

import re
import sys

import pytest

from doorward.errors import ConfigurationError
from doorward.patterns import compile_path, compile_regex
from doorward.regex_syntax import parse


def test_group_with_the_ascii_flag_is_no_error() -> None:
    r"""``(?a:\w)`` raised a ValueError of ``re`` about incompatible flags; it is accepted and matches ASCII only."""
    matches = compile_regex(r"(?a:\w)", field="deny")
    assert matches("x")
    assert not matches("é")
    assert parse(re.compile(r"(?a:\w)\w")) == parse(re.compile(r"[A-Za-z0-9_]\w"))


def test_pattern_with_a_lone_surrogate_is_refused() -> None:
    """A pattern that only re2 could run, and cannot encode, raised a UnicodeEncodeError of re2."""
    with pytest.raises(ConfigurationError, match="refused"):
        compile_regex("(?:a+)+\ud800", field="deny")


@pytest.mark.parametrize("repeat", ["{\u0660}", "{\u0660,}", "{,\u0660}"])
def test_foreign_digits_make_no_repeat(monkeypatch: pytest.MonkeyPatch, repeat: str) -> None:
    """``{٠}`` is literal text to ``re``; read as "zero times" it hid ``(a+)+`` from the analysis."""
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ConfigurationError, match="refused"):
        compile_path(f"re:(?:(?:a+)+){repeat}b")
