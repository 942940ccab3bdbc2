"""Texts built to be costly: short stretches that begin something, again and again, and never end it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from doorward.builders.rule_files import contents

GENERAL = (
    "'", '"', "`", "''", "\"'", "' ", "\\", "\\'", "\\\\", "(", ")", "()", "((", "[", "]", "[[", "{", "}", "{{",
    "{{{", "<", "<<", ">", "<>", "</", "<a", "<a ", "<a b=", '<a b="', "<a b='<", "<!--", "<!", "<![CDATA[", "<?",
    "<%", "<script", "<script>", "<svg/", "on=", " on", "onx=", "%", "%25", "%2525", "%3c", "%u003c", "%c0%bc", "&",
    "&#", "&#x3c;", "&#60", "&lt;", "&lt", "&amp;", "\\u003c", "\\x3c", "\\u", "\\74", "$", "${", "${${", "$(",
    "$((", "$a", "$a[", "$a->", "$[", "$[a]", "${a:-", "#{", "@{", "@", "@@", "/", "//", "/*", "/*!", "*/", "/**/",
    "*", "-", "--", "-- ", "#", ";", ";;", ";a", ":", "::", "://", "a:", "a://", "http://", "http://a", "//a",
    "a//", ".", "..", "../", "..\\", "....//", "./", ".a", "a.", "1.", "1.1", "1", "0x", "0x1", "a", "A", "z ",
    "a b ", "ab, ", "é", "日", "\u202e", "\u200b", "ſ", "ＡＢ", "=", "==", "a=", "a=1&", "=a", "a==", "!", "!!",
    "!a", "~", "^", "|", "||", "&&", "| a", ";a ", "`a`", ",", "a,", "a, ", "+", "+a", "a+", " + ", " ", "\t", "\n",
    "\r\n", "\n\n", "\na: ", "a\n", "\x00", "\x01", "\x1b[", "or ", "' or ", "' or 1", "and(", "1 or ", "select ",
    "select(", "union ", "union select ", "a(", "a()", "a(a", "eval(", "system(", "select a from ", "order by 1,",
    "case when ", "0or", "1e1", "char(1)+", "'||'", "'+'", "' '", "concat(", "sleep(", "cat ", "; cat ", "/bin/",
    "/etc/", "/e??/", "/?", "[a-z]", "{a,b}", "c''a", "c\\a", "c$@a", "$'\\", "$ifs$9", "$IFS", "%a%", "%a:~1,1%",
    "^c", "cmd /c ", "powershell -a ", "if a ", "for %a in ", "php", "php://", "<?php ", "<?=", "$_get[", "${@",
    "o:1:", 'o:1:"a":1:{', "a:1:{", "rO0AB", "rO0", "java.", "java.lang.", "__", "__class__", "__a__.",
    "constructor", "constructor.", "process.", "require(", "this.", "return ", "function(", "=>", "{{7*7}}", "{%",
    "{% a ", "<%=", "[$ne]", "$ne", '{"$ne":', '"$where":', "*)(", "(&(", "(a=", ")(a=", "*)(a=", "<!doctype ",
    "<!entity ", "<!entity a ", "<!doctype a [", "system ", "xi:include ", "<!--#", "<!--#exec ", "\r\nbcc: ",
    "\r\nset-cookie:", "%0d%0a", "document.", "document.cookie", "javascript:", "java\tscript:", "data:",
    "data:text/html,", "style=", "url(", "expression(", "@import ", "set-cookie: ", "phpsessid=", "file:///",
    "jar:", "gopher://", "localhost", "127.0.0.1", "[::1]", "0177.", "a@b", "a@", "http://a@", "0x7f", "PGE+",
    "AAAA", "QUFB", "QQ==", "eyJ", "H4sI", "6a6b", "\\+", "+ADw-", "AbC", "boundary=", "filename=", 'name="',
    "sqlmap", "nikto", "jndi:", "${jndi:", "${lower:", "${::-", "ldap://", "${env:a:-",
)  # fmt: skip
MOST_OF_A_BOOK = 40


def pumped(unit: str, length: int) -> str:
    """``unit`` again and again, and an end that fits nothing."""
    return (unit * (length // len(unit) + 1))[: length - 1] + "\x02"


@cache
def units_of(book: str) -> tuple[str, ...]:
    """What the rules of a file speak of: beginnings of their examples, their literals."""
    found: dict[str, None] = {}
    for rule in contents()[book].get("rule", ()):
        for literal in rule.get("literals", ()):
            found[literal] = found[f"{literal} "] = None
        for example in (*rule.get("match", ()), *rule.get("pass", ())):
            text = str(example)
            for part in (text, text[: len(text) // 2], text[: -len(text) // 4 or None], text[len(text) // 2 :]):
                if 0 < len(part) <= 200:
                    found[part] = None
    return tuple(found)


def sampled(units: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many of them, evenly."""
    return units[:: max(1, -(-len(units) // most))]


def calls(run: Callable[[], object]) -> int:
    """How many functions, written in Python or C, ``run`` calls: the same on every machine."""
    count = 0

    def note(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def grows_faster(small: int, large: int, slack: int) -> bool:
    """Whether twice the text costs more than two and a half times the work."""
    return large > 2.5 * small + slack


def shapes(book: str, most: int) -> Iterator[str]:
    """Units for the detectors of a file."""
    yield from GENERAL
    yield from sampled(units_of(book), most)
