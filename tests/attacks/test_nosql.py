"""Operators of MongoDB, JavaScript that a database runs, and commands of other stores."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place


@pytest.mark.parametrize(
    "name", ["user[$ne]", "password[$regex]", "login[$nin][]", "x[$where]", "token[$gt]", "pass.$ne"]
)
@pytest.mark.parametrize("place", [Place.QUERY, Place.FORM])
def test_operators_in_names_of_a_login_are_denied(name: str, place: Place) -> None:
    """Parsers of forms make ``{user: {$ne: …}}`` of them."""
    assert weight("nosql", name, place, name, is_name=True) >= 1


def test_comparisons_of_an_application_s_own_filters_weigh_less() -> None:
    """APIs take ``age[$gt]=21``, and filters as JSON."""
    assert 0 < weight("nosql", "age[$gt]", Place.QUERY, "age[$gt]", is_name=True) < 1
    assert 0 < weight("nosql", "$gt", Place.JSON, "age.$gt", is_name=True) < 1
    assert weight("nosql", "$ne", Place.JSON, "password.$ne", is_name=True) >= 1
    assert weight("nosql", "$where", Place.JSON, "filter.$where", is_name=True) >= 1
    assert weight("nosql", "$schema", Place.JSON, "$schema", is_name=True) == 0


@pytest.mark.parametrize(
    "text",
    [
        "' || '1'=='1",
        "x' || 1==1//",
        '" || "a"=="a',
        "|| 1==1",
        "') || true//",
        "';return true;var a='",
        "';sleep(3000);'",
        "' && this.secret.match(/a.*/)//",
        "'; while(true){}",
        "0;var d=new Date();do{e=new Date();}while(e-d<9000)",
        "{$gt: ''}",
        '{"$ne": 1}',
        "x, $where: '1 == 1'",
        "', $or: [ {}, { 'a':'a",
        "' } ], $comment:'x'",
        "db.users.remove({})",
        "[$ne]=1",
        "x\r\n*1\r\n$4\r\nPING\r\n",
        "x\r\nset k 0 60 4\r\nabcd\r\n",
        "MATCH (n) DETACH DELETE n",
        "'+sleep(1000)+'",
    ],
    ids=range(21),
)
def test_operators_and_scripts_in_values_are_denied(text: str) -> None:
    """Behind a quote, in place of a value, behind a line break."""
    assert weight("nosql", text) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "if (a == 'b' || c == 'd') { return 'e'; }",
        '"a" && "b" == "c"',
        "x = 'a'; return true",
        "this.name.length > 5",
        "I sleep(8) hours",
        "costs $5, $in total",
        "${name}: hello",
        "db.session.add(user)",
        "my\nset of 5 things",
        "a || b",
    ],
    ids=range(10),
)
def test_code_and_prose_pass(text: str) -> None:
    """In code a quote ends a string that began in the text."""
    assert weight("nosql", text) < 1


def test_a_question_about_it_is_not_denied() -> None:
    """With the same query in it."""
    text = (
        "I am new to MongoDB.\n\nThis finds nothing:\n\n    db.users.find({age: {$gt: 21}})\n\nWhat am I doing wrong?\n"
    )
    assert weight("nosql", text, Place.FORM, "question") < 1.5
    assert weight("nosql", "how do I write $ne and $gt in a query that is sent as JSON?") < 1
