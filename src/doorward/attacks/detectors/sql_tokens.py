"""SQL as tokens: each a kind, one character, so that shapes of injections are regular expressions over kinds.

Nobody knows in which state the query is when a value comes to it: in a number, or in a string of one of two quotes. So
quotes are tokens by themselves, and strings are found by the shapes, which read ``' or 'a'='a`` both as what follows
the end of a string and as two strings with something between. One pass serves all readings.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.attacks.rulebook import Rulebook

_TOKEN = re.compile(
    r"""
    [\s\\\x01-\x08\x0e-\x1f]*+ (
    (?=[bceghimnopuwx]) (?:   # of the first letters of all these, so that other words are tried once
        (?:order|group)\s++by\b | into\s++(?:out|dump)file\b | waitfor\s++(?:delay|time)\b | procedure\s++analyse\b
        | handler\s++[\w.`]{1,64}+\s++(?:open|read)\b | mysql\.(?:user|db)\b | [nxbeu]'(?<![\w'"].')
    )
    | [^\W\d][\w$]*+ (?:'(?:s|t|re|ve|ll|d|m)\b(?!'))?+   # don't, it's: no quotes
    | 0x[0-9a-f]*+ | \d++ (?:\.e(?=\s{0,8}[.(]) | (?:\.\d*+)?+(?:e[+-]?+\d++)?+) | \.\d++(?:e\d++)?+
    | '{3,}+ | "{3,}+ | \(++ | \)++ | ;++ | [,'"`]
    | <=> | [<>!=^]=++ | <> | <@ | [!=]~\*?+ | [<>=] | ~\*?+
    | --(?!-) | -{3,}+ | ->>?+ | \#-(?!-) | \#>>?+ | \#++
    | @> | @[.:]?+=?+ (?:@?\w[\w.]*+ | `[^`'"\s]{1,64}`)?+ (?<!\w@)
    | \|\|?+ | &&?+ | \?[|&](?!\w)
    | ::\s{0,4}(?:int(?:eger|\d)?|bigint|smallint|bool(?:ean)?|numeric|bytea|varchar|regclass|jsonb)\b
    | ::\s{0,4}(?:text|json|date|float\d?|double|real|xml|uuid|money|inet|char|timestamp\w{0,2})\b
    | :: | := | /\* | \*/
    | . | \Z )   # \Z: what is skipped at the end is looked at once, not from each of its characters
    """,
    re.VERBOSE | re.DOTALL,
)
_CONDITIONAL = re.compile(r"/\*!\d{0,6}")
KINDS: Mapping[str, str] = {
    "q": "'",
    "Q": '"',
    "B": "`",
    "1": "number",
    "l": "constant",
    "@": "variable",
    "o": "and, or",
    "!": "not",
    "=": "= < >",
    "~": "like, regexp",
    "e": "is, in, between",
    "+": "arithmetic",
    "*": "*",
    "j": "operator on JSON",
    ":": "cast to what other languages have names for too",
    "T": "cast to what only databases call so",
    "(": "parentheses",
    ")": "parentheses",
    "{": "{",
    "}": "}",
    "?": "?",
    ",": ",",
    ".": ".",
    ";": ";",
    "c": "comment to the end, or the end itself",
    "u": "union, intersect",
    "a": "all, distinct",
    "s": "select",
    "f": "from",
    "i": "into",
    "v": "values",
    "w": "where, having",
    "g": "order by, group by",
    "d": "verb of a statement",
    "D": "drop, alter, truncate",
    "E": "exec",
    "O": "kind of object",
    "U": "user, database: kind of object, and function of the session",
    "k": "case",
    "K": "when",
    "n": "then",
    "p": "other keyword",
    "m": "function",
    "F": "function of databases only",
    "X": "stored procedure",
    "W": "waitfor delay, handler t open",
    "I": "into outfile",
    "P": "procedure analyse",
    "t": "name of a catalogue",
    "x": "other word",
    "z": "other sign",
}
"""What each kind of token stands for."""

_QUOTES = {"'": "q", "\uff07": "q", "\u02bc": "q", "\u02b9": "q", "\u2032": "q", '"': "Q", "\uff02": "Q", "`": "B"}
_OPERATORS = {
    **dict.fromkeys(("||", "&&"), "o"),
    **dict.fromkeys(("!", "~"), "!"),
    **dict.fromkeys(("+", "-", "/", "%", "^", "|", "&"), "+"),
    **dict.fromkeys(("->", "->>", "#>", "#>>", "#-", "@>", "<@", "?|", "?&"), "j"),
    **dict.fromkeys(("--", "/*", "\x00", "\u2013"), "c"),
    **dict.fromkeys(("mysql.user", "mysql.db"), "t"),
    ":=": "=",
    "~*": "~",
}
_THEMSELVES = {kind: kind for kind in "*,.{}?@"}
_BY_FIRST = dict(zip("();#=<>!^'\"", "();c=====qQ", strict=True))
_PHRASES = {"order": "g", "group": "g", "into": "I", "waitfor": "W", "handler": "W", "procedure": "P"}
_WORDS = {
    # Of a word in several lists the last one counts.
    "functions": "m",
    "everyday_functions": "m",
    "objects": "O",
    "telling": "F",
    "procedures": "X",
    "catalogues": "t",
    "joints": "p",
    "constants": "l",
    "verbs": "d",
    "everyday_verbs": "d",
    "destroyers": "D",
    "executors": "E",
    "cases": "k",
    "whens": "K",
    "thens": "n",
    "sessions": "U",
    "arithmetic": "+",
    "relations": "e",
    "comparisons": "~",
    "negations": "!",
    "logical": "o",
    "unions": "u",
    "quantifiers": "a",
    "select": "s",
    "from": "f",
    "into": "i",
    "values": "v",
    "where": "w",
}
_TYPES_OF_DATABASES = frozenset((
    "int", "integer", "int2", "int4", "int8", "bigint", "smallint", "bool", "boolean", "numeric", "bytea", "varchar",
    "regclass", "jsonb",
))  # fmt: skip
MOST_KEPT = 4_096
"""Tokens whose kinds are kept; of 16 characters at most, they take half a megabyte."""
_LONGEST_KEPT = 16


class Tokens(NamedTuple):
    """A text's tokens.

    Attributes:
        kinds: One character of :data:`KINDS` for each.
        texts: What they are written as, in lower case.
        source: The text that they are of.
    """

    kinds: str
    texts: list[str]
    source: str

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where in the text the tokens from ``first`` to before ``last`` stand."""
        found = list(islice(_TOKEN.finditer(self.source), first, max(last, first + 1)))
        return (found[0].start(1), found[-1].end(1)) if found else (0, 0)


class Lexicon:
    """Knows words and signs.

    Args:
        book: The rules; their vocabularies say what words are for.
    """

    def __init__(self, book: Rulebook) -> None:
        self._kinds = _Kinds(book)

    def tokens(self, text: str) -> Tokens:
        """The tokens of a text in lower case, in which comments are blank already."""
        texts: list[str] = _TOKEN.findall(text)
        while texts and not texts[-1]:
            texts.pop()
        return Tokens("".join(map(self._kinds.__getitem__, texts)), texts, text)


class _Kinds(dict[str, str]):
    """Kinds of tokens by how they are written. Thread safe.

    Most words of a text are in most texts, so that those that were seen lately need not be told again. When there are
    too many all are forgotten: what a client makes up takes no room.

    Args:
        book: The rules.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__()
        self._known = _QUOTES | _OPERATORS | _THEMSELVES
        for name, kind in _WORDS.items():
            self._known.update(dict.fromkeys(book.words(name), kind))
        self._prefixes = tuple(book.words("telling_prefixes"))

    def __missing__(self, token: str) -> str:
        # Most tokens are words and numbers that mean nothing here.
        kind = self._known.get(token) or ("x" if token.isalpha() else "1" if token.isdecimal() else self._kind(token))
        if len(token) <= _LONGEST_KEPT:
            if len(self) >= MOST_KEPT:
                self.clear()
            self[token] = kind
        return kind

    def _kind(self, token: str) -> str:
        first = token[0]
        if first.isalpha() or first == "_":
            return self._kind_of_word(token)
        if first.isdigit() or (first == "." and len(token) > 1):
            return "F" if token.endswith(".e") else "1"
        if len(token) > 2 and first == ":":
            return "T" if token[2:].lstrip() in _TYPES_OF_DATABASES else ":"
        if len(token) > 1 and first == "@":
            return "t" if token.startswith("@@") else "@"
        return _BY_FIRST.get(first, "z")

    def _kind_of_word(self, token: str) -> str:
        if token[-1] == "'":
            return "q"
        if token.startswith(self._prefixes):
            return "F"
        words = token.split(maxsplit=1)
        return _PHRASES[words[0]] if len(words) > 1 else "x"


def end_of_tokens(text: str, count: int) -> int:
    """Where the first so many tokens of a text in lower case end."""
    found = [token for token in islice(_TOKEN.finditer(text), count) if token[1]]
    return found[-1].end(1) if found else 0


def without_comments(text: str) -> str:
    """The text with spaces for comments, of the same length; of MySQL's conditional ones what they carry out stays.

    Comments that are not closed are left: they may end a query.
    """
    if "*/" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (start := text.find("/*", at)) >= 0:
        end = _end_of_comment(text, start)
        if end < 0:
            break
        parts += (text[at:start], " " * (end - start))
        at = end
    parts.append(text[at:])
    return "".join(parts).replace("*/", "  ")


def _end_of_comment(text: str, start: int) -> int:
    conditional = _CONDITIONAL.match(text, start)
    if conditional is not None:
        return conditional.end()
    end = text.find("*/", start + 2)
    return end + 2 if end >= 0 else -1
