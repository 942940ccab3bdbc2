"""Command lines, taken apart as shells read them; the standard library's readers are the oracle."""

from __future__ import annotations

import fnmatch
import shlex

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doorward.attacks.detectors.shell_globs import matches
from doorward.attacks.detectors.shell_words import CMD, POSIX, Command, Opener, command_at, positions, spelled

LETTERS = st.text("abcdxyz0159/.-", min_size=1, max_size=8)
QUOTED = st.one_of(
    LETTERS,
    LETTERS.map(lambda word: f"'{word}'"),
    LETTERS.map(lambda word: f'"{word}"'),
    LETTERS.map(lambda word: "".join(f"\\{letter}" for letter in word)),
    st.sampled_from(["''", '""']),
)
WORD = st.lists(QUOTED, min_size=1, max_size=5).map("".join)


def commands(text: str) -> list[Command]:
    found = [command_at(text, match, POSIX) for match in positions(text) if match[1]]
    return [command for command in found if command is not None]


@given(st.lists(WORD, min_size=1, max_size=4))
def test_quotes_are_removed_as_a_shell_removes_them(words: list[str]) -> None:
    """Single, double, backslash, empty, and all of them within one word."""
    expected = [word for word in shlex.split(" ".join(words)) if word]
    assert spelled(" ".join(words)).split() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cat$ifs/etc", ["cat", "/etc"]),
        ("cat${ifs}a${ifs}b", ["cat", "a", "b"]),
        ("ls$ifs$9-la", ["ls", "-la"]),
        ("c$@at x", ["cat", "x"]),
        ("c${x}at", ["cat"]),
        ("$x id", ["id"]),
        ("{ls,-la,/tmp}", ["ls", "-la", "/tmp"]),
        ("{l,-lh}s", ["ls", "-lhs"]),
        ("$'\\x63\\x61\\164' x", ["cat", "x"]),
        ("${path:0:1}bin${path:0:1}id", ["/bin/id"]),
        ("$0 -c id", ["/bin/sh", "-c", "id"]),
        ("cat<a>b", ["cat", "<", "a", ">", "b"]),
        ("sort 2>&1", ["sort", "2", ">", "&1"]),
    ],
    ids=range(13),
)
def test_expansions_are_resolved(text: str, words: list[str]) -> None:
    """What POSIX and bash make of them, where that is known without running anything."""
    assert commands(text)[0].words == words


@pytest.mark.parametrize(
    ("text", "opener"),
    [
        ("id", Opener.START),
        ("x;id", Opener.SEPARATOR),
        ("x || id", Opener.SEPARATOR),
        ("x\nid", Opener.LINE),
        ("x;\n  id", Opener.LINE),
        ("x$(id)", Opener.SUBSTITUTION),
        ("<(id)", Opener.SUBSTITUTION),
        ("x`id`", Opener.BACKTICK),
        ("(id)", Opener.BRACKET),
        ("```id", Opener.MARKUP),
        ("\\nid", Opener.LINE),
        ("x\0id", Opener.SEPARATOR),
    ],
    ids=range(12),
)
def test_openers_are_told_apart(text: str, opener: Opener) -> None:
    """What stands before a command decides how much it may be one."""
    assert commands(text)[-1].words == ["id"]
    assert commands(text)[-1].opener is opener


@pytest.mark.parametrize(
    ("text", "end", "after"), [("id;x", 2, ";"), ("id", 2, ""), ("id | x", 3, "|"), ("id\n", 2, "\n")], ids=range(4)
)
def test_a_command_ends_at_the_next_separator(text: str, end: int, after: str) -> None:
    """Its offsets are those of the text."""
    command = commands(text)[0]
    assert (command.start, command.end, command.after) == (0, end, after)


@pytest.mark.parametrize("name", ["c'a't", 'c"a"t', "c''at", "c\\at", "c$@at", "c${x}at", "'c''at'"])
def test_disguised_names_are_told(name: str) -> None:
    """Not so names in quotes as a whole."""
    assert commands(f"{name} x")[0].is_disguised
    assert commands(f"{name} x")[0].words[0] == "cat"
    assert not commands("'cat' x")[0].is_disguised


def test_carets_and_variables_of_windows_are_removed() -> None:
    """``cmd.exe`` takes a caret for an escape, and a backslash for itself."""
    assert CMD.read("w^h^o\\a").split() == ["who\\a"]
    assert CMD.read("%comspec% /c dir").split() == ["cmd", "/c", "dir"]
    assert CMD.read('"net" user').split() == ["net", "user"]


@given(st.text(";|&`$({})'\"\\ \nab/*?[]<>=,0", max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    """Offsets stay within the text, and there is always a first word."""
    for command in commands(text):
        assert 0 <= command.start <= command.end <= len(text)
        assert command.words


@given(st.text("ab/?*", max_size=8), st.text("ab/", max_size=8))
def test_wildcards_match_as_in_file_names(pattern: str, text: str) -> None:
    """As ``fnmatch`` has it, segment by segment."""
    assume("**" not in pattern)
    ours, theirs = pattern.split("/"), text.split("/")
    expected = len(ours) == len(theirs) and all(map(fnmatch.fnmatchcase, theirs, ours))
    assert matches(pattern, text) is expected
