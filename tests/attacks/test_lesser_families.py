"""What holds for each of the smaller families: the screen, the cost, and texts that are not about them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attacks.asking import detectors, subject, units, weight

from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents

BOOKS = ("xxe", "ssi", "ldap", "nosql", "mail", "crlf", "ssrf", "scanner", "cookies", "parts")
LONGEST = 4_608
SEEDS = [
    "<",
    "<!",
    "<!entity ",
    "<!doctype a [",
    "<!--#",
    "(",
    ")",
    "*)",
    ")(",
    "(&(",
    "a=",
    "$",
    "{$ne:",
    "' || ",
    "';return ",
    "\r\n",
    "\n",
    "\na:",
    "\r\nset-cookie:",
    " http/1.1\r\n",
    "http://",
    "//",
    "[::",
    "http://[",
    "http://@",
    "#@",
    "127.",
    "\nbcc:",
    "\r\n*1\r\n$4",
    "match (",
    "document.cookie='",
    ".cookie",
    ".oast.me",
    "a.",
    "\x00",
    "%",
    "\\2a",
    "嘊",
    "\\@",
    "0x7f.",
    "http:/\\",
    "x:",
    "&",
    "\n.\n",
    "do{a=new date",
    "include ",
    "jar:",
    "unix:",
    "|",
    "include href 2001/xinclude",
]
"""Parts of what the detectors look for; repeated, they are what costs most."""
ORDINARY = [
    "O'Brien & Sons",
    "f(x)(y=1) is currying",
    "Great :) (see uid=5)",
    "regex: ^(a|b)*$",
    "price >= 5 (net)",
    "Name: Bob\nDate: today",
    "Meeting\nLocation: Berlin",
    "To: Bob\nCc: Anna\nSubject: lunch",
    "x\ny: z",
    "127.0.0.1 is home",
    "http://localhost:3000/ is my dev server",
    "see http://127.0.0.1:8080/admin for details please",
    "version 1.2.3.4",
    "https://example.com/?u=http://127.0.0.1/",
    "https://user:pass@example.com/",
    "https://example.com/@user",
    "const a = b || c == d",
    "if (a == 'b' || c == 'd') return 'x';",
    "$5 or $10: choose",
    "{$name} and ${name}",
    "how do I use $ne in MongoDB?",
    "<!DOCTYPE html><html></html>",
    "<!-- #1 issue -->",
    "sqlmap and nikto for audits",
    "'; return to sender",
    "sleep(5) hours",
    "while(true) { }",
    "first\nquit smoking today",
    "data\nquit",
    "C:\\path\\x",
    "a=b;c=d",
    "mailto:a@b.example?cc=c@d.example",
    "2 * (3 + 4)",
    "hello (world",
    "see below) (a=b)",
    "git@github.com:a/b.git",
    "HTTP/1.1 404 is what I get",
    "document.cookie is blocked by the policy",
    "a match (final) is set",
    "100% (of them)",
]


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("text", ORDINARY, ids=range(len(ORDINARY)))
def test_ordinary_texts_pass(book: str, text: str) -> None:
    """Prose, code, formulas, addresses and quoted messages come to little in any of them."""
    for name in ("q", "comment", "text"):
        assert weight(book, text, Place.FORM, name) < 0.5


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_work_grows_with_the_text(book: str, seed: str) -> None:
    """Twice the text, about twice the work; and never more than the bound of a natural text."""
    half, whole = (seed * (LONGEST // len(seed)))[: LONGEST // 2], (seed * (LONGEST // len(seed) + 1))[:LONGEST]
    for place in (Place.QUERY, Place.FORM):
        cost = units(book, whole, place)
        assert cost <= 2 * units(book, half, place) + 20_000
        assert cost <= 40 * LONGEST


def examples() -> list[Any]:
    return [(book, entry, text) for book in BOOKS for entry in contents()[book]["rule"] for text in entry["match"]]


CONTEXT = st.text(st.sampled_from("ab 1'\"()<>\n\r;:/=&$.-"), max_size=20)


@settings(max_examples=300)
@given(st.sampled_from(examples()), CONTEXT, CONTEXT)
def test_the_screen_is_one_sided(example: tuple[str, dict[str, Any], str], before: str, after: str) -> None:
    """Where something is found, the detector wanted to look: also at the text joined with others."""
    book, entry, text = example
    place = Place(entry.get("places", ["query"])[0])
    about = f"{before}{text}{after}"
    for detector in detectors(book):
        value = subject(about, place, entry.get("name", "q"), is_name=entry.get("is_name", False))
        if list(detector.examine(value, Work(1_000_000))):
            assert detector.wants(value)
            assert detector.wants(Subject(f"some {about} others", Value(Place.HEADER, "first", "some")))


@given(st.text(max_size=300))
def test_no_text_makes_it_raise(text: str) -> None:
    """Whatever comes, in every place."""
    for book in BOOKS:
        for place in (Place.QUERY, Place.PATH, Place.HEADER, Place.JSON, Place.XML):
            weight(book, text, place, "url")
