"""Scoring attack detection: labelled requests are read right, counted right, and not all kept."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.shield.marking import Marking

from doorward.attacks.exclusions import Exclusions
from doorward.attacks.scan import Scanner
from doorward.evaluation import MOST_WRONG, BadRow, Report, Row, Tally, evaluate, read


def line(is_attack: Any = True, **fields: Any) -> str:
    return json.dumps({"is_attack": is_attack, **fields})


def one(text: str) -> Row:
    (row,) = read([text])
    return row


def marking() -> Scanner:
    """Finds ``weigh(0.4)`` with that weight."""
    return Scanner([Marking()], [], Exclusions(()))


def report_of(*lines: str, most_wrong: int = MOST_WRONG) -> Report:
    return evaluate(read(lines), marking(), most_wrong=most_wrong)


# --- reading


def test_a_row_says_all_about_a_request() -> None:
    """Every field arrives."""
    row = one(
        line(
            id="17", source="logs", method="PUT", path="/a", query="b=c", headers={"Host": "x", "X-Y": 1}, body="ж",
            **{"class": "sqli"},
        )
    )  # fmt: skip
    assert (row.name, row.kind, row.source, row.is_attack) == ("17", "sqli", "logs", True)
    request = row.request
    assert (request.method, request.path, request.query, request.body) == ("PUT", "/a", "b=c", "ж".encode())
    assert [tuple(header) for header in request.headers] == [("host", "x"), ("x-y", "1")]


def test_the_label_is_enough() -> None:
    """Of a request of which nothing else is said, the rest is a GET of the root."""
    row = one(line(is_attack=False))
    assert (row.name, row.kind, row.source, row.is_attack) == ("line 1", "-", "-", False)
    assert (row.request.method, row.request.path, row.request.query, row.request.body) == ("GET", "/", "", b"")


def test_headers_may_be_pairs() -> None:
    """A name may come twice."""
    row = one(line(headers=[["Cookie", "a=1"], ["Cookie", "b=2"]]))
    assert row.request.headers.values("cookie") == ["a=1", "b=2"]


def test_bodies_may_be_bytes() -> None:
    """What is no text stands in Base64."""
    assert one(line(body_base64=base64.b64encode(b"\xff\x00").decode())).request.body == b"\xff\x00"


def test_a_lone_surrogate_in_a_body_is_no_error() -> None:
    """JSON may say what UTF-8 cannot."""
    assert one('{"is_attack": true, "body": "\\ud800"}').request.body == b"\xed\xa0\x80"


def test_empty_lines_are_left_out_and_counted() -> None:
    """Names by line number are those of the file."""
    assert [row.name for row in read(["\n", line(), "  \n", line()])] == ["line 2", "line 4"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("nonsense", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ("{}", "is_attack must be true or false"),
        (line(1), "is_attack must be true or false"),
        (line("true"), "is_attack must be true or false"),
        (line(headers="Host"), "headers must be an object"),
        (line(headers=[["a", "b", "c"]]), "headers must be an object"),
        (line(headers=["ab"]), "headers must be an object"),
        (line(body_base64="%%%"), "body_base64 is not Base64"),
        (line(body_base64=7), "body_base64 is not Base64"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_wrong_line_is_named_with_its_cause(text: str, cause: str) -> None:
    """The number of the line, and what is wrong with it."""
    with pytest.raises(BadRow, match=f"^line 2: .*{cause}"):
        list(read([line(), text]))


# --- counting


def test_rows_are_counted_by_label_and_class() -> None:
    """Denied from a weight of 1; suspected below."""
    report = report_of(
        line(query="q=weigh(1)", **{"class": "a"}),
        line(query="q=weigh(0.4)", **{"class": "a"}),
        line(**{"class": "b"}),
        line(is_attack=False, query="q=weigh(1)"),
        line(is_attack=False),
        line(is_attack=False),
        line(is_attack=False, query="q=weigh(0.4)"),
    )
    assert report.attacks == {"a": Tally(2, 1, 1), "b": Tally(1, 0, 0)}
    assert report.benign == {"-": Tally(4, 1, 1)}
    assert report.recall() == pytest.approx(1 / 3)
    assert report.false_positives() == pytest.approx(1 / 4)


def test_weights_of_one_value_add_up() -> None:
    """As the rule that denies has it."""
    assert report_of(line(query="q=weigh(0.5)+weigh(0.5,b)")).recall() == 1.0
    assert report_of(line(query="q=weigh(0.5)&r=weigh(0.5,b)")).recall() == 0.0


def test_rules_are_counted_once_a_row() -> None:
    """Hits in attacks, and in benign rows."""
    report = report_of(line(query="a=weigh(1)&b=weigh(1)"), line(is_attack=False, query="a=weigh(0.2)"))
    assert report.rules == {"test.weigh": (1, 1)}


def test_nothing_known_carries_over_between_labels() -> None:
    """A value that was seen in a benign row is looked at like any other."""
    report = report_of(*[line(is_attack=label, query="q=weigh(1)") for label in (False, True, False, True)])
    assert (report.attacks["-"].denied, report.benign["-"].denied) == (2, 2)


def test_what_is_wrong_is_kept_with_what_was_found() -> None:
    """Misses and false positives, each up to a number."""
    missed = [line(id=f"missed{number}") for number in range(9)]
    taken = [line(id=f"taken{number}", is_attack=False, query="q=weigh(1)") for number in range(9)]
    report = report_of(*missed, *taken, most_wrong=2)
    kept = [(row.name, len(findings)) for row, findings in report.wrong]
    assert kept == [("missed0", 0), ("missed1", 0), ("taken0", 1), ("taken1", 1)]
    assert report.attacks["-"].rows == report.benign["-"].denied == 9


def test_no_rows_have_no_share() -> None:
    """Not a division by zero."""
    report = report_of()
    assert (report.recall(), report.false_positives()) == (0.0, 0.0)


class Broken(Marking):
    """Raises at what it is to examine."""

    name = "broken"

    def examine(self, subject: Any, work: Any) -> Any:
        raise ZeroDivisionError("at\x1b[31m once")


def test_failures_are_counted() -> None:
    """A detector that raises does not end the evaluation."""
    report = evaluate(read([line(query="q=weigh(1)")] * 3), Scanner([Broken()], [], Exclusions(())))
    assert report.attacks["-"].rows == 3
    assert report.failures == Counter({"broken: ZeroDivisionError: at\\x1b[31m once": 3})


def test_the_figures_can_be_written_as_json() -> None:
    """With all that the tables show."""
    report = report_of(line(query="q=weigh(1)"), line(is_attack=False))
    assert json.loads(json.dumps(report.to_dict())) == {
        "recall": 1.0,
        "false_positives": 0.0,
        "attacks": {"-": [1, 1, 0]},
        "benign": {"-": [0, 1, 0]},
        "rules": {"test.weigh": [1, 0]},
        "failures": {},
    }


def test_memory_does_not_grow_with_the_rows() -> None:
    """Rows are read, counted and dropped, wrong ones too beyond the number that is kept."""
    body = "x" * 10_000

    def lines(count: int) -> Iterator[str]:
        for number in range(count):
            yield line(id=str(number), body=body)

    evaluate(read(lines(20)), marking(), most_wrong=3)
    tracemalloc.start()
    try:
        evaluate(read(lines(400)), marking(), most_wrong=3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
