"""What a piece of JavaScript does, as far as its words and its shape tell.

Nothing is parsed: what matters is whether a text is code at all, and whether it uses what attacks use: dialogues that
prove a point, what evaluates text, what reads cookies or sends data elsewhere, and the ways around writing their names.
"""

from __future__ import annotations

import re

from doorward.attacks.detectors.javascript_uses import Strength, Use, uses

__all__ = ["LONGEST", "Strength", "Use", "compact", "is_only_code", "is_passed_on", "is_symbols", "strength", "uses"]

LONGEST = 4_608
"""Characters of a piece that are looked at."""

_CHAIN = re.compile(r"""\[["'`][^"'`\[\]]{0,24}+["'`]\]\[""")
_ITSELF = r"(?:\w{3,13}\.)?(?:alert|prompt|confirm|eval)"
_PASSED_ON = re.compile(rf"[=,]{_ITSELF}[,;)}}\]]|[\w$\])]\({_ITSELF}[,)]", re.ASCII)
_SYMBOLS = re.compile(r"(?<![\[\]()!+{} ])[\[\]()!+{} ]{10,}+")
_SYMBOLS_OF_CODE = re.compile(r"!\[\]|\+\[\]|\[\]\+|\(\[\]\[|\+!\+|!!\[\]|\+\{\}|\{\}\+")
_CODE = re.compile(r"[(=`;\[{]|[a-z_$]\.[a-z_$]")
_MAY_BE_CODE = re.compile(r"[(=`;\[{.:,]|(?:alert|prompt|confirm|throw)", re.IGNORECASE)
_SPACE = re.compile(r"[\x00-\x20\x7f\xa0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u3000\ufeff]++")
_BESIDE_OPERATOR = re.compile(r" (?:(?=[^\w$])|(?<=[^\w$] ))")
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*+|<!--[^\n]*+)|(?P<operand>[^\W\d]\w*+|\$[\w$]*+|\d[\w.]*+"""
    r"""|"(?:[^"\\\n]++|\\.)*+"?|'(?:[^'\\\n]++|\\.)*+'?)"""
    r"|(?P<template>`(?:[^`\\]++|\\.)*+`?)|(?P<line>\n)|(?P<space>[^\S\n]++)|(?P<closer>[)\]}])|(?P<operator>.)",
    re.DOTALL,
)
_KEYWORDS = frozenset(
    {
        *("async", "await", "case", "catch", "class", "const", "default", "delete", "do", "else", "export", "extends"),
        *("finally", "for", "function", "get", "if", "import", "in", "instanceof", "let", "new", "of", "return", "set"),
        *("static", "switch", "throw", "try", "typeof", "var", "void", "while", "with", "yield"),
    }
)


def compact(code: str) -> str:
    """Code in lower case without comments, and without white space around operators; at most ``LONGEST`` characters."""
    code = _SPACE.sub(" ", _without_comments(code[:LONGEST].lower())).strip(" ")
    return _BESIDE_OPERATOR.sub("", code) if " " in code else code


def _without_comments(code: str) -> str:
    if "/*" not in code:
        return code
    parts: list[str] = []
    position = 0
    while (start := code.find("/*", position)) >= 0:
        end = code.find("*/", start + 2)
        if end < 0:
            break
        parts.append(code[position:start])
        position = end + 2
    parts.append(code[position:])
    return " ".join(parts)


def strength(code: str) -> Strength:
    """How much a piece of code looks like an attack's, given that it stands where code is run."""
    if not _MAY_BE_CODE.search(code):
        return Strength.NOTHING
    short = compact(code)
    found = max([use.strength for use in uses(short)], default=Strength.NOTHING)
    if found is Strength.NOTHING and (is_symbols(short) or has_chain(short)):
        return Strength.SINK
    if found is Strength.NOTHING and _CODE.search(short):
        return Strength.CODE
    return found


def has_chain(short: str) -> bool:
    """Whether compacted code reaches for something by texts only: ``["sort"]["constructor"]``."""
    return _CHAIN.search(short) is not None


def is_passed_on(short: str) -> bool:
    """Whether compacted code hands a dialogue or ``eval`` to something else to call it: ``onerror=alert;throw 1``."""
    return ("(" in short or "=" in short) and _PASSED_ON.search(short) is not None


def is_symbols(text: str) -> bool:
    """Whether a part of the text is code written in brackets and operators alone (JSFuck)."""
    return any(_SYMBOLS_OF_CODE.search(text, run.start(), run.end()) for run in _SYMBOLS.finditer(text))


def is_only_code(text: str) -> bool:
    """Whether operands are all joined by operators, as in code; two words in a row are what makes text of it."""
    before = ""
    for token in _TOKEN.finditer(_without_comments(text[:LONGEST])):
        kind = token.lastgroup or ""
        if kind == "operand":
            if token[0].lower() in _KEYWORDS:
                before = "operator"
                continue
            if before in ("operand", "closer then space"):
                return False
            before = kind
        elif kind == "template":  # after an operand it is a call of it
            before = "operand"
        elif kind != "space":
            before = kind
        elif before == "closer":
            before = "closer then space"
    return True
