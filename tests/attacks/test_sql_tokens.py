"""Tokens of SQL: kinds and places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks.detectors.sql_tokens import KINDS, MOST_KEPT, Lexicon, end_of_tokens, without_comments
from doorward.builders.rule_files import rulebooks

LEXICON = Lexicon(rulebooks()["sql"])
TEXTS = {
    "' or 'a'='a": "qoqxq=qx",
    "1e0union select .5, 0x41": "1us1,1",
    "order  by 1-- -": "g1c+",
    "@@version @x @`x`": "t@@",
    "a.b(1,'x''y')": "x.x(1,qxqqxq)",
    "don't o'brien's": "xxqx",
    "n'x' x'41'": "qxqq1q",
    "waitfor delay '0:0:5'": "Wq1z1z1q",
    "'{}'::jsonb @> x::text": "q{}qTjx:",
    "((1)) ;; ''' ---": "(1);qz",
    "1.e(ascii": "F(m",
    "a\x01\\b\t \n": "xx",
    "": "",
}
PIECES = ["or", "select", "'", '"', "/*", "*/", "/*!5", " ", "a", "1", "--", "(", ")", ";", "\\", "=", "\xe9"]
WORDS = st.sampled_from(PIECES)


@pytest.mark.parametrize("text", TEXTS)
def test_kinds(text: str) -> None:
    """Each token has the kind of what it is for in a query."""
    assert LEXICON.tokens(text).kinds == TEXTS[text]


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=30).map("".join)))
def test_every_token_has_a_kind_and_a_place(text: str) -> None:
    """Known kinds; spans that hold what the token is written as, one after the other."""
    tokens = LEXICON.tokens(text)
    assert set(tokens.kinds) <= set(KINDS)
    assert len(tokens.kinds) == len(tokens.texts)
    position = 0
    for number, written in enumerate(tokens.texts):
        start, end = tokens.span(number, number + 1)
        assert position <= start < end
        assert text[start:end] == written
        position = end


def test_kinds_stay_what_they_are() -> None:
    """Also when more tokens than are kept came between, and words of SQL among them."""
    lexicon = Lexicon(rulebooks()["sql"])
    before = [lexicon.tokens(text).kinds for text in TEXTS]
    junk = " ".join(f"a{number}" for number in range(2 * MOST_KEPT))
    assert set(lexicon.tokens(junk).kinds) == {"x"}
    assert [lexicon.tokens(text).kinds for text in TEXTS] == before


@given(st.lists(WORDS, max_size=30).map("".join), st.integers(0, 12))
def test_where_tokens_end(text: str, count: int) -> None:
    """As many tokens as are asked for are before it, or all."""
    tokens = LEXICON.tokens(text)
    last = min(count, len(tokens.texts))
    assert end_of_tokens(text, count) == (tokens.span(last - 1, last)[1] if last else 0)


COMMENTS = {
    "a/* b */c": "a       c",
    "a/**/b/*c": "a    b/*c",
    "/*!50000union*/ select": "        union   select",
    "a /* b /* c */ d */ e": "a              d    e",
    "*/*": "  *",
}


@pytest.mark.parametrize("text", COMMENTS)
def test_comments_are_blank(text: str) -> None:
    """What MySQL carries out of them stays, and what is not closed."""
    assert without_comments(text) == COMMENTS[text]


@given(st.lists(WORDS, max_size=30).map("".join))
def test_comments_leave_everything_in_its_place(text: str) -> None:
    """Same length, and each character is the same or blank."""
    blank = without_comments(text)
    assert len(blank) == len(text)
    assert all(one in (other, " ") for one, other in zip(blank, text, strict=True))
