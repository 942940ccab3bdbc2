"""Command lines, taken apart: where in a text a command may begin, and what its words are once a shell has read them.

Not a parser of whole scripts. What is injected into one ends quotes and brackets that the text itself does not show, so
that a separator counts wherever it stands, and quotes only as what they leave of a word. Word forms are those of POSIX
("Shell Command Language", sections 2.2, 2.6 and 2.13) and bash (brace expansion, ``$'…'``, here-strings).
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SLICE = 240
"""Characters of a command that are looked at."""
_LONGEST_NAME = 64

# A run of what separates commands, and the word after it; but nothing for one that is called as a function, or that has
# more than a name in it (a=b, a:b). Always matches, so that no run is read twice.
_RUN = r"[\s;|&`(!'\"@)\x00]*+"
_FIRST = re.compile(
    rf"{_RUN}(?:\\[nr]{_RUN})*+"
    r"(?:(?=\w{1,32}+(?:\(|[=:,+][\w.=:,+~*-]{0,64}+(?:[\s;|&`()<>\x00]|\Z)))[^\s;|&`()<>\x00]++"
    rf"|([^\s;|&`()<>\x00]{{0,{_LONGEST_NAME}}}+))"
)
# That it begins with one class of characters lets re skip to them at once.
_BEHIND = re.compile(rf"[;|&`\n\r(\x00\\](?:(?<!\\)|[nr]){_FIRST.pattern}")
_END = re.compile(r"[;|`\n\r\x00)]|(?<![<>&])&(?!>)|\\n")
_SEPARATORS = frozenset(";|&\x00")
_SPECIAL = frozenset("'\"\\$*?[{")
_REWRITTEN = re.compile(r"[\\$]|\{[^{}'\",]{0,64}+(?:,|\Z)")
_MOST_BRACES = 8
_REDIRECTION = re.compile(r"[<>]{1,3}+")
_BRACES = re.compile(r"([^\s{}'\"]{0,16}+)(?<!\$)\{([^\s{};|&'\"]{1,200}+)\}([^\s{}'\"]{0,16}+)")
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.){0,120}+)'")
_ANSI_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{1,2})|u([0-9a-f]{4})|([0-7]{1,3})|(.))")
_EXPANSION = re.compile(
    r"(?P<space>\$\{ifs[^}\s]{0,16}\}(?:\$\d)?|\$ifs(?![a-z0-9_])(?:\$\d)?|\$\((?!\)))"
    r"|(?P<slash>\$\{(?:path|home|pwd|oldpwd|shell):0:1\})"
    r"|(?P<shell>\$shell\b|\$\{shell\}|\$0\b|\$\{0\}|\$bash\b|\$\{bash\})"
    r"|(?P<nothing>\$\{[^}\s]{0,40}\}|\$[@*#?!-]|\$[a-z_0-9]{1,32}|\$\(\)|``|\\\n)"
    r"|\\(?P<escaped>[^\n])"
    r"|(?P<quote>['\"])"
)
_REPLACED = {"space": " ", "slash": "/", "shell": "/bin/sh", "nothing": "", "quote": ""}
_SPLIT = re.compile(
    r"[a-z0-9/.-](?:''|\"\"|'[^'\s]{1,24}'|\"[^\"\s]{1,24}\"|\\(?=[a-z])|\$[@*!#]|\$\d|\$\{[^}\s]{0,24}\}){1,4}[a-z0-9/.-]"
    r"|(?:'[^'\s]{1,24}'|\"[^\"\s]{1,24}\"){2}|\$'\\"
)

_CMD_EXPANSION = re.compile(
    r"%(?:comspec|systemroot|windir)%|%[a-z]{1,16}:[^%\s]{1,24}%|[\^\"]|(?<![a-z0-9])@(?=[a-z])"
)
_CMD_VARIABLES = {"%comspec%": "cmd", "%systemroot%": "c:\\windows", "%windir%": "c:\\windows"}


class Opener(IntEnum):
    """What stands before a command."""

    START = 0
    SEPARATOR = 1
    LINE = 2
    SUBSTITUTION = 3
    BACKTICK = 4
    BRACKET = 5
    MARKUP = 6


class Dialect(NamedTuple):
    """How a kind of shell reads words.

    Attributes:
        special: Found in every word that means another one than is written.
        disguises: Whether there may be such words in a text; quickly.
        dropped: Those that are just dropped, as a table for ``str.translate``.
        rewritten: Found in words of which more than that has to be done to know what they mean.
        split: Found in a name that is spelled so that it does not show.
        read: What the shell makes of words.
    """

    special: re.Pattern[str]
    disguises: Callable[[str], bool]
    dropped: Mapping[int, None]
    rewritten: re.Pattern[str]
    split: re.Pattern[str]
    read: Callable[[str], str]


class Command(NamedTuple):
    """A simple command, as a shell would read it.

    Attributes:
        opener: What stands before it.
        words: Its words, quotes and expansions resolved; at least one.
        is_disguised: Whether its name is spelled so that it does not show.
        start: Where the separator before it begins.
        end: Where the command ends.
        after: What follows directly: one character, or nothing at the end of the text.
    """

    opener: Opener
    words: list[str]
    is_disguised: bool
    start: int
    end: int
    after: str


def positions(lower: str) -> Iterator[re.Match[str]]:
    """Every place in a lower-case text where a command may begin; group 1 is the first word as it is written there."""
    first = _FIRST.match(lower)
    if first is not None:
        yield first
        yield from _BEHIND.finditer(lower, first.end())


def first_words(lower: str) -> list[str]:
    """The words at all these places; empty where there is none that could be a name."""
    first = _FIRST.match(lower)
    return [first[1] or "", *_BEHIND.findall(lower, first.end())] if first is not None else []


def bare(word: str, dialect: Dialect) -> str | None:
    """A first word without what a shell drops of it; None if it has to be read for that."""
    if word == "$":
        return ""
    if not dialect.special.search(word):
        return word
    kept = word.translate(dialect.dropped)
    is_cut = len(word) == _LONGEST_NAME and kept != word
    return None if is_cut or dialect.rewritten.search(word) else kept.rstrip("{")


def command_at(lower: str, match: re.Match[str], dialect: Dialect) -> Command | None:
    """The command at a position; None if nothing is left of it once it is read."""
    if not match[1]:
        return None
    begin = match.start(1)
    raw = lower[begin : begin + SLICE]
    length = len(raw)
    if "{" in raw and "," in raw:
        raw = _BRACES.sub(_braces_expanded, raw)
    end = _END.search(raw, 1)
    stop = end.start() if end else len(raw)
    words = _REDIRECTION.sub(r" \g<0> ", dialect.read(raw[:stop]).rstrip("\\")).split()
    if not words:
        return None
    disguised = dialect.split.search(match[1]) is not None
    after = end[0] if end else ("" if begin + length >= len(lower) else " ")
    return Command(_opener(lower, match), words, disguised, match.start(), min(begin + stop, len(lower)), after)


def spelled(raw: str) -> str:
    """What a POSIX shell makes of words: quotes removed, variables that are not set gone, ``$IFS`` a space."""
    if "$'" in raw:
        raw = _ANSI_C.sub(lambda found: _ANSI_ESCAPE.sub(_unescaped, found[1]), raw)
    if _SPECIAL.isdisjoint(raw):
        return raw
    return _EXPANSION.sub(_expanded, raw)


def _expanded(found: re.Match[str]) -> str:
    return found["escaped"] or _REPLACED.get(found.lastgroup or "", "")


def _unescaped(found: re.Match[str]) -> str:
    if found[4]:
        return {"n": "\n", "t": "\t", "r": "\r"}.get(found[4], found[4])
    return chr(int(found[1] or found[2], 16)) if found[3] is None else chr(int(found[3], 8))


def _braces_expanded(found: re.Match[str]) -> str:
    """``{cat,/etc/passwd}`` as ``cat /etc/passwd``."""
    before, inner, after = found[1], found[2], found[3]
    if "," not in inner:
        return found[0]
    return " ".join([before + part + after for part in inner.split(",")[:_MOST_BRACES] if before + part + after])


def _opener(lower: str, match: re.Match[str]) -> Opener:
    run = lower[match.start() : match.start(1)]
    if "`" in run:
        return Opener.MARKUP if "``" in run else Opener.BACKTICK
    bracket = match.start() + run.rfind("(")
    if "(" in run and lower[max(bracket - 1, 0)] in "$<>":
        return Opener.SUBSTITUTION
    if "\n" in run or "\r" in run:
        return Opener.LINE
    if not _SEPARATORS.isdisjoint(run):
        return Opener.SEPARATOR
    if "\\" in run:
        return Opener.LINE
    return Opener.BRACKET if "(" in run else Opener.START


def spelled_for_cmd(raw: str) -> str:
    """What cmd.exe makes of words: carets and quotes removed, variables that everybody has resolved."""
    return _CMD_EXPANSION.sub(lambda found: _CMD_VARIABLES.get(found[0], ""), raw)


_APOSTROPHE = re.compile(r"'(?!(?:s|t|re|ve|ll|d|m)(?![\w'\"]))(?<=[a-z0-9/'\"]')[a-z0-9/'\"]")
_INNER_QUOTE = re.compile(r"\"(?<=[a-z0-9/'\"]\")[a-z0-9/'\"]")


def _disguises(lower: str) -> bool:
    """A quote has to stand inside a word, and not be the apostrophe of ``it's``."""
    return (
        "$" in lower
        or "\\" in lower
        or "{" in lower
        or ("'" in lower and _APOSTROPHE.search(lower) is not None)
        or ('"' in lower and _INNER_QUOTE.search(lower) is not None)
    )


def _disguises_for_cmd(lower: str) -> bool:
    return "^" in lower or "%" in lower or "\\" in lower or ('"' in lower and _INNER_QUOTE.search(lower) is not None)


POSIX = Dialect(re.compile(r"['\"\\${]"), _disguises, dict.fromkeys(map(ord, "'\"")), _REWRITTEN, _SPLIT, spelled)
CMD = Dialect(
    re.compile(r"[\"^%@\\]"),
    _disguises_for_cmd,
    dict.fromkeys(map(ord, '^"')),
    re.compile(r"%[a-z]{1,16}[%:]|(?<![a-z0-9])@(?=[a-z])"),
    re.compile(r"[a-z](?:\^|\"\"|%[a-z]{1,16}:[^%\s]{1,24}%)[a-z]|(?:%[a-z]{1,16}:[^%\s]{1,24}%){2}"),
    spelled_for_cmd,
)
