"""What pieces of code do, and whether a text is code at all."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doorward.attacks.detectors.javascript import LONGEST, Strength, compact, is_only_code, is_symbols, strength
from doorward.attacks.detectors.literacy import is_literate


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("alert ( 1 )", "alert(1)"),
        ("a /* b */ . /**/ c", "a.c"),
        ("new  Image ( ) . src", "new image().src"),
        ("a\x00\u2028b", "a b"),
        ("/* a", "/*a"),
        ("al/**/ert", "al ert"),
        ("", ""),
    ],
    ids=range(7),
)
def test_compact_code(code: str, expected: str) -> None:
    """Lower case, no comments, white space only between words."""
    assert compact(code) == expected


@given(st.text(alphabet="a (\t/*.`", max_size=40))
def test_compacting_twice_is_compacting_once_where_there_are_no_comments(code: str) -> None:
    """It leaves nothing behind that it takes away."""
    once = compact(code.replace("/*", ""))
    assume("/*" not in once)  # taking spaces away may bring a comment about
    assert compact(once) == once


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("foo", Strength.NOTHING),
        ("5", Strength.NOTHING),
        ("", Strength.NOTHING),
        ("go()", Strength.CODE),
        ("this.src='b.png'", Strength.CODE),
        ("alert", Strength.SINK),
        ("alert('Hello')", Strength.SINK),
        ("location.href='/next'", Strength.SINK),
        ("throw 1", Strength.SINK),
        ("alert(1)", Strength.ATTACK),
        ("alert('xss')", Strength.ATTACK),
        ("parent.alert(document.domain)", Strength.ATTACK),
        ("eval(name)", Strength.ATTACK),
        ("x=document.cookie", Strength.ATTACK),
        ("location='//evil.example'", Strength.ATTACK),
    ],
    ids=range(15),
)
def test_strength(code: str, expected: Strength) -> None:
    """From words to proofs."""
    assert strength(code) is expected


@pytest.mark.parametrize(
    "name", ["my.alert(1)", "realert(1)", "alert2(1)", "x-alert(1)", "$alert(1)", "user.confirm()"]
)
def test_other_names_are_not_the_names_that_attacks_use(name: str) -> None:
    """Whole names, of the window or of nothing."""
    assert strength(name) is Strength.CODE


CODE = [
    "alert(1)",
    "a=b;c(d)",
    "';alert(1)//see that",
    "var a = new B",
    "a`b`",
    "x => y",
    "'two words'",
    "a /* b c */ + d",
    "1\n2",
]
TEXT = ["alert me", "alert(1) works", "a 'b'", "hours a day", "f(x) equals", "it is 5"]


@pytest.mark.parametrize("number", range(len(CODE)))
def test_code_has_operators_between_operands(number: int) -> None:
    """And keywords, comments and templates."""
    assert is_only_code(CODE[number])


@pytest.mark.parametrize("number", range(len(TEXT)))
def test_text_has_words_in_a_row(number: int) -> None:
    """Which no code has."""
    assert not is_only_code(TEXT[number])


def test_only_so_much_is_looked_at() -> None:
    """Longer texts come in pieces."""
    assert len(compact("a" * (2 * LONGEST))) == LONGEST


@pytest.mark.parametrize("text", ["[[[[[[[[[[", "!!!!!!!!!!!!", "(((())))()()", "[] [] [] [] []", "{}{}{}{}{}{}"])
def test_symbols_without_sense_are_no_code(text: str) -> None:
    """Brackets and exclamation marks are written for other reasons too."""
    assert not is_symbols(text)


PEOPLE = [
    "I do not know what it is",
    "line one is here\nline two is here\nthe third\nand the last of them is this one, with words",
    "我们昨天去了那家餐厅，味道非常好，下次还要再去",
]
PAYLOADS = ["<svg onload=alert(1)>", "a b", "<img\nsrc=x\nonerror\n=alert(1)>", "", "alert(1) // works here"]


@pytest.mark.parametrize("number", range(len(PEOPLE)))
def test_texts_for_people_to_read(number: int) -> None:
    """Words in a row, lines of words, or a writing system without spaces."""
    assert is_literate(PEOPLE[number])


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_payloads_are_not_for_people_to_read(number: int) -> None:
    """A few words make no text."""
    assert not is_literate(PAYLOADS[number])


def test_attributes_in_a_row_are_no_text() -> None:
    """What stands in tags can be left out of account."""
    text = "<video autoplay loop muted controls playsinline onplay=alert(1)>"
    assert is_literate(text)
    assert not is_literate(text, "")
