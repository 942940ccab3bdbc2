"""The names of JavaScript that attacks use, each with what has to stand around it for that use.

A text is taken apart into words once; only at those in the table a pattern is tried. Patterns expect code as
:func:`doorward.attacks.detectors.javascript.compact` gives it: in lower case, without white space around operators.

Sources: ECMAScript 2024 for ``eval``, ``Function``, ``import()``, ``Reflect`` and tagged templates; WHATWG HTML for the
properties of ``Window``, ``Document`` and ``Location``.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Strength(IntEnum):
    """How much a piece of code looks like an attack's.

    Attributes:
        NOTHING: It is no code.
        CODE: It is some code, as it is on ordinary pages.
        SINK: It uses what attacks use, and ordinary pages as well.
        ATTACK: It proves a point as only attacks do, or evaluates text, or reads the page's secrets.
    """

    NOTHING = 0
    CODE = 1
    SINK = 2
    ATTACK = 3


class Use(NamedTuple):
    """A name in code, used as attacks use it.

    Attributes:
        strength: How much that says.
        is_call: Whether it calls what shows something or evaluates a text, which says more where nothing else stands.
        start: Where in the compacted code the name begins.
        end: Where what makes the use ends.
    """

    strength: Strength
    is_call: bool
    start: int
    end: int


class _Shape(NamedTuple):
    before: re.Pattern[str] | None
    after: re.Pattern[str]
    strength: Strength
    is_call: bool = False


GLOBALS = ("window", "self", "top", "parent", "frames", "globalthis", "this", "opener", "contentwindow", "defaultview")
"""Names by which code comes to the properties of ``Window``."""
METHODS = frozenset(
    {
        *(
            "apply",
            "bind",
            "call",
            "concat",
            "every",
            "filter",
            "find",
            "findindex",
            "flatmap",
            "foreach",
            "from",
            "join",
        ),
        *("map", "of", "reduce", "replace", "some", "sort"),
    }
)
"""Of lists and functions: calls of them tell something only with a template, or with one of the other names."""

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_")
_DIGITS = "0123456789"
_OF_WORDS = _LETTERS.union(_DIGITS)
_LONGEST_NUMBER = 64
_OF_GLOBAL = "|".join([rf"(?<={name}\.)|(?<={name}\?\.)" for name in (*GLOBALS, "document", "view")])
_FREE = re.compile(rf"(?<![\w$.@])(?<![\w$]-)|{_OF_GLOBAL}")
"""Before a name that is not a property, but for one of the window."""
_ALONE = re.compile(r"(?<![\w$-])")
_PROPERTY = re.compile(r"(?<=[\])\w$'\"`]\.)")
_ANYTHING = re.compile("")

_INVOKED = r"""(?:["'`]\])?[)\]]{0,4}(?:\?\.)?(?:\(|`|\[|(?:\?\.|\.)(?:call|apply|bind)\b)"""
_PROOF = (
    r"""[(\[{]{0,4}+(?:[`)/\]!+~]|-?\d|(?:document|window|location|self|origin|name|this|navigator|cookie|null|top|parent|"""
    r"localstorage|sessionstorage|string|atob|unescape|reflect|url|domain|undefined|event)\b"
    r"""|["'](?:\d|xss|x["']|poc|pwn|hack|own|["']))"""
)
_TEXT = (
    r"""[(\[]{0,4}+(?:["'`/\\]|"""
    r"(?:alert|prompt|confirm|eval|atob|string|name|location|window|document|unescape|self|top)\b)"
)
_OF_TEXT = r"""(?:["'`]\])?(?:\?\.)?\.?(?:\(["'`]|`|\[["'`]|constructor\b)"""
_PART_OF_PAGE = r"(?:\?\.|\.)(?:write|writeln|location|body|documentelement|createelement|head|forms|scripts)\b|\["
_ELEMENT_OF_GLOBAL = r"""\)?(?:\?\.)?\[(?:["'`/(\\!+]|\d)[^\[\]]{0,80}+\]{1,2}+[)\]]{0,3}(?:\?\.)?"""


def _shape(after: str, strength: Strength, *, call: bool = False, before: re.Pattern[str] | None = _FREE) -> _Shape:
    return _Shape(before, re.compile(after) if after else _ANYTHING, strength, call)


_DIALOG = (
    _shape(_INVOKED + _PROOF, Strength.ATTACK, call=True),
    _shape(_INVOKED, Strength.SINK, call=True),
    _shape(r"(?![\w$:-])", Strength.SINK),
)
_EVALUATOR = (_shape(_INVOKED, Strength.ATTACK, call=True), _shape(r"(?=[,;)}\]])", Strength.SINK))
_TIMER = (_shape("`", Strength.ATTACK, call=True), _shape(_INVOKED + _TEXT, Strength.SINK, call=True))
_GLOBAL = (
    _shape(_ELEMENT_OF_GLOBAL + r"[(`]", Strength.SINK, call=True),
    _shape(r"\[", Strength.SINK, before=_ALONE),
)
_FRAME = (_shape(_ELEMENT_OF_GLOBAL + r"(?:[(`]|=[^=])", Strength.SINK, call=True), *_GLOBAL)
_CALLED = (_shape(r"[(`]", Strength.SINK),)
_ANYWHERE = (_shape("", Strength.SINK, before=None),)
_METHOD = (
    _shape(r"\((?:\w{4,10}\.)?(?:alert|prompt|confirm|eval)\b", Strength.ATTACK, call=True, before=_PROPERTY),
    _shape("`", Strength.SINK, call=True, before=_PROPERTY),
)
_SHAPES: dict[str, tuple[_Shape, ...]] = {
    **dict.fromkeys(METHODS, _METHOD),
    **dict.fromkeys(GLOBALS, _GLOBAL),
    **dict.fromkeys(("window", "top", "parent", "frames", "globalthis"), _FRAME),
    **dict.fromkeys(("alert", "prompt", "confirm"), _DIALOG),
    **dict.fromkeys(("eval", "execscript", "importscripts"), _EVALUATOR),
    **dict.fromkeys(("settimeout", "setinterval", "setimmediate"), _TIMER),
    **dict.fromkeys(("unescape", "fetch", "open", "require", "print", "postmessage", "with"), _CALLED),
    **dict.fromkeys(
        (
            *("localstorage", "sessionstorage", "xmlhttprequest", "sendbeacon", "innerhtml", "outerhtml"),
            *("insertadjacenthtml", "srcdoc", "createelement", "createobjecturl", "msgbox", "activexobject"),
        ),
        _ANYWHERE,
    ),
    "fromcharcode": (_shape("", Strength.ATTACK, before=None),),
    "fromcodepoint": (_shape("", Strength.ATTACK, before=None),),
    "atob": (_shape(r"[(`]", Strength.ATTACK),),
    "getscript": (_shape(r"[(`]", Strength.ATTACK, call=True, before=None),),
    "function": (_shape(r"""\)?(?:\(["'`/]|`)""", Strength.ATTACK, call=True),),
    "import": (
        _shape(r"""\(["'`](?:(?:https?:)?//|data:)""", Strength.ATTACK, call=True),
        _shape(r"""\(["'`/]|`""", Strength.SINK, call=True),
    ),
    "reflect": (_shape(r"\.[a-z]{1,16}(?:\.(?:call|apply|bind))?[(`]", Strength.SINK, call=True),),
    "constructor": (
        _shape(
            r"""(?:["'`]\])?(?:\?\.)?\.?(?:\(["'`]|`|\[["'`]|constructor\b)""", Strength.ATTACK, call=True, before=None
        ),
        _shape(r"(?<=\.constructor)\(", Strength.SINK, call=True, before=None),
    ),
    "document": (
        _shape(r"""\)?(?:(?:\?\.|\.)(?:cookie|domain)\b|\[["'`](?:cookie|domain))""", Strength.ATTACK),
        _FRAME[0],
        _shape(
            r"(?:\?\.|\.)(?:write|writeln|location|body|documentelement|createelement|head|forms|scripts)\b|\[",
            Strength.SINK,
        ),
    ),
    "location": (
        _shape(r"""(?:\.href|\.pathname)?=["'`]?(?:(?:https?:)?//|javascript|name\b|location)""", Strength.ATTACK),
        _shape(r"(?:\.href)?=[^=]|\.(?:assign|replace)[(`]|\[|\.(?:hash|search)\b", Strength.SINK),
    ),
    "src": (_shape(r"""(?<=\.src)=["'`](?:https?:)?//""", Strength.ATTACK, before=None),),
    "image": (_shape(r"(?<=new image)", Strength.SINK, before=None),),
    "name": (_shape(r"(?<=window\.name)", Strength.SINK, before=None),),
    "throw": (_shape(r"""[ /`'"\[({+!]""", Strength.SINK, before=_ALONE),),
    "websocket": (_shape(r"\(", Strength.SINK),),
    "javascript": (_shape(":", Strength.SINK, before=None),),
    "onerror": (_shape(r"=(?!null\b)[^=]", Strength.SINK),),
}
_NAMES = frozenset(_SHAPES)


def uses(short: str) -> Iterator[Use]:
    """What compacted code uses, in its order; for each name the strongest."""
    places = [(at, known) for known in _NAMES & words_of(short) for at in _occurrences(known, short)]
    for start, name in sorted(places):
        for before, after, strength, is_call in _SHAPES[name]:
            if (found := after.match(short, start + len(name))) and (before is None or before.match(short, start)):
                yield Use(strength, is_call, start, found.end())
                break


def _occurrences(name: str, short: str) -> Iterator[int]:
    """Where a name stands as a word: of programs, nearly all words are others."""
    at = short.find(name)
    while at >= 0:
        end = at + len(name)
        if short[end : end + 1] not in _OF_WORDS and _begins_word(short, at):
            yield at
        at = short.find(name, end)


def _begins_word(short: str, at: int) -> bool:
    """Whether no word goes on there; digits before it are none, unless they belong to one."""
    if not at or short[at - 1] not in _OF_WORDS:
        return True
    return short[max(0, at - _LONGEST_NUMBER) : at].rstrip(_DIGITS)[-1:] not in _LETTERS
