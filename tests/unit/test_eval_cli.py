"""``doorward eval``: its tables, its exit status, and that nothing of a file reaches the terminal raw."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import main

ATTACK = {"is_attack": True, "class": "sqli", "query": "q=1%27+UNION+SELECT+a,b+FROM+users--", "id": "found"}
MISSED = {"is_attack": True, "class": "odd", "query": "q=hello", "id": "missed", "source": "us"}
BENIGN = {"is_attack": False, "class": "ordinary", "query": "q=hello", "id": "fine"}
WRONG = {"is_attack": False, "class": "ordinary", "query": "q=%3Cscript%3Ealert(1)%3C/script%3E", "id": "taken"}
ESCAPE = "\x1b]0;owned\x07\u202e"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Evaluate rows with arguments: exit status, output, errors."""

    def evaluated(rows: list[Any] | str, *arguments: str) -> tuple[int, str, str]:
        file = tmp_path / "rows.jsonl"
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        file.write_text(text, encoding="utf-8")
        return ended(capsys, "eval", str(file), *arguments)

    return evaluated


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_help_says_what_a_line_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields, exit status, options."""
    status, out, _ = ended(capsys, "eval", "--help")
    assert status == 0
    for said in ("is_attack", "body_base64", "Exit status", "--min-recall", "--max-false-positives", "--json", "stdin"):
        assert said in out.replace("standard input", "stdin")


def test_tables_are_printed_by_class(run: Any) -> None:
    """Shares, counts, and all classes together."""
    status, out, err = run([ATTACK, MISSED, BENIGN])
    assert (status, err) == (0, "")
    assert "attacks denied, by class" in out
    assert "100.00 %       1 of      1       0 suspected  sqli" in out
    assert "  0.00 %       0 of      1       0 suspected  odd" in out
    assert " 50.00 %       1 of      2       0 suspected  all" in out
    assert "benign denied\n    0.00 %       0 of      1       0 suspected  ordinary" in out


def test_what_went_wrong_is_shown_on_demand(run: Any) -> None:
    """At most so many of each; what was found with it; nothing without the option."""
    assert "missed" not in run([MISSED, WRONG])[1]
    _, out, _ = run([MISSED, WRONG, {**MISSED, "id": "second"}], "--wrong", "1")
    assert "missed: missed (odd, us) GET /?q=hello" in out
    assert "second" not in out
    assert "false positive: taken (ordinary, -) GET /?q=%3Cscript" in out
    assert " in query q: " in out


def test_rules_are_shown_on_demand(run: Any) -> None:
    """Hits and mistakes of each."""
    _, out, _ = run([ATTACK, WRONG], "--rules")
    lines = [line.split() for line in out.partition("rules: ")[2].splitlines()[1:]]
    assert any(hits == "1" and mistakes == "0" and rule.startswith("sql.") for hits, mistakes, rule in lines)
    assert any(hits == "0" and mistakes == "1" for hits, mistakes, _ in lines)


def test_the_figures_come_as_json(run: Any) -> None:
    """Nothing else is printed."""
    status, out, _ = run([ATTACK, MISSED, BENIGN, WRONG], "--json")
    figures = json.loads(out)
    assert status == 0
    assert (figures["recall"], figures["false_positives"]) == (0.5, 0.5)
    assert figures["attacks"] == {"odd": [0, 1, 0], "sqli": [1, 1, 0]}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 0),
        (("--min-recall", "50%"), 0),
        (("--min-recall", "0.5"), 0),
        (("--min-recall", "51%"), 1),
        (("--max-false-positives", "50%"), 0),
        (("--max-false-positives", "0.1%"), 1),
        (("--min-recall", "50%", "--max-false-positives", "0"), 1),
        (("--min-recall", "51%", "--json"), 1),
    ],
)
def test_thresholds_decide_the_exit_status(run: Any, arguments: tuple[str, ...], status: int) -> None:
    """So that a build can fail."""
    assert run([ATTACK, MISSED, BENIGN, WRONG], *arguments)[0] == status


@pytest.mark.parametrize(
    "arguments",
    [
        ("--min-recall", "101%"), ("--min-recall", "-1"), ("--min-recall", "nan"), ("--max-false-positives", "many"),
        ("--wrong", "-1"), ("--wrong", "x"), ("--paranoia", "4"), ("--unknown",),
    ],
)  # fmt: skip
def test_wrong_arguments_are_usage_errors(run: Any, arguments: tuple[str, ...]) -> None:
    """Exit status 2, and the argument is named."""
    status, out, err = run([ATTACK], *arguments)
    assert (status, out) == (2, "")
    assert arguments[0] in err


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"is_attack": true}\n{"is_attack": tru}\n', "line 2: Expecting value"),
        ('\n\n{"is_attack": 1}\n', "line 3: is_attack must be true or false"),
        ('{"is_attack": true, "headers": 3}', "line 1: headers must be"),
        ("", "holds no labelled request"),
        ("\n \n", "holds no labelled request"),
    ],
)
def test_a_bad_file_is_one_line_and_status_2(run: Any, text: str, cause: str) -> None:
    """The line and the cause; no traceback, no tables."""
    status, out, err = run(text)
    assert (status, out) == (2, "")
    assert err.startswith("doorward eval: FILE: ")
    assert cause in err
    assert err.count("\n") == 1


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And so is a folder."""
    for path in (tmp_path / "nothing.jsonl", tmp_path):
        status, out, err = ended(capsys, "eval", str(path))
        assert (status, out) == (2, "")
        assert path.name in err


def test_rows_may_come_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For pipes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(ATTACK) + "\n"))
    status, out, _ = ended(capsys, "eval", "-", "--json")
    assert (status, json.loads(out)["recall"]) == (0, 1.0)


def test_bytes_that_are_no_utf_8_are_no_traceback() -> None:
    """In a file or on standard input: they are read somehow, or refused in one line."""
    data = b'{"is_attack": false, "query": "q=\xff\xfe"}\n'
    command = [sys.executable, "-m", "doorward", "eval", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=50)
    assert done.returncode in (0, 2)
    assert b"Traceback" not in done.stderr


def test_nothing_of_a_file_reaches_the_terminal_raw(run: Any) -> None:
    """Identifiers, classes, sources, paths and bodies may hold terminal escapes; so may a line that is wrong."""
    row = {"id": ESCAPE, "class": ESCAPE, "source": ESCAPE, "method": ESCAPE, "path": f"/{ESCAPE}", "body": ESCAPE}
    attack, benign = (
        {**row, "is_attack": True},
        {**WRONG, **row, "is_attack": False, "body": "", "query": WRONG["query"]},
    )
    for arguments in (("--wrong", "5", "--rules"), ("--json",)):
        _, out, err = run([attack, benign], *arguments)
        assert all(character == "\n" or " " <= character <= "~" for character in out + err)
    status, out, err = run(json.dumps({"is_attack": True, "headers": {ESCAPE: 1}}) + "\n{" + ESCAPE)
    assert status == 2
    assert all(character == "\n" or " " <= character <= "~" for character in out + err)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """``doorward eval … | true``."""
    file = tmp_path / "rows.jsonl"
    file.write_text((json.dumps(MISSED) + "\n") * 300, encoding="utf-8")
    command = f"'{sys.executable}' -m doorward eval --wrong 300 '{file}' | true"
    done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True, timeout=50)
    assert done.stderr == ""
