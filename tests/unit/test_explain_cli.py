"""``doorward explain`` from the command line."""

from __future__ import annotations

import io
import itertools
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
APP = """
from doorward import Doorward, deny, shield, sliding_window, validate_email

print("a line that the application prints when it is imported")
RULES = [shield(), deny(paths=["/no"]), sliding_window(max=2, interval="1h", name="all")]
aj = Doorward([*RULES, validate_email(deny=["INVALID"])])
none = Doorward()
"""
HOSTILE = "\x1b]0;pwned\x07\x1b[2J\u202e\n\rEvil"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a module with clients."""
    return written(tmp_path_factory.mktemp("app"), APP)


def written(folder: Path, source: str) -> str:
    name = f"explained_{next(_numbers)}"
    (folder / f"{name}.py").write_text(source)
    sys.path.insert(0, str(folder))
    return name


def run(capsys: pytest.CaptureFixture[str], app: str, *arguments: str) -> tuple[int, str, str]:
    status = main(["explain", "--app", f"{app}:aj", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_request_that_is_allowed(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, app, "--url", "https://shop.example/a?x=1", "--ip", "203.0.113.7")
    assert status == 0
    assert out.splitlines()[:2] == [
        "GET https://shop.example/a?x=1",
        "client: 203.0.113.7 (the other end of the connection)",
    ]
    assert "decision: ALLOW" in out
    assert 'RateLimit: "all";r=1;t=3600' in out
    assert "middleware has no email=" in out


def test_a_request_that_is_denied(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, app, "--url", "/no", "--header", "Accept: text/html", "--ip", "203.0.113.7")
    assert status == 1
    assert "decision: DENY by deny" in out
    assert "Content-Type: text/html" in out
    assert "status: 403" in out


def test_the_nth_request(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, app, "--url", "/a", "--ip", "203.0.113.7", "--times", "3")
    assert status == 1
    assert "request 1 to 2: ALLOW\nrequest 3: DENY, by all\n" in out
    assert "Retry-After: 3600" in out


def test_as_json(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, app, "--url", "/a", "--ip", "203.0.113.7", "--email", "a@", "--json")
    document: Any = json.loads(out)
    assert status == 1
    assert document["decision"]["by"] == "email"
    assert document["decision"]["status"] == 400
    assert [rule["name"] for rule in document["rules"]] == ["deny", "email", "shield", "all"]
    assert document["asked_by"] == "handler"
    assert document["client"]["address"] == "203.0.113.7"


def test_a_line_of_curl_and_what_is_typed_beside_it(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = "curl https://shop.example/no -X DELETE -H 'X-A: 1'"
    status, out, _ = run(capsys, app, "--curl", line, "--method", "PATCH", "--ip", "203.0.113.7")
    assert (status, out.splitlines()[0]) == (1, "PATCH https://shop.example/no")


@pytest.mark.parametrize("how", ["text", "file", "standard input"])
def test_bodies(
    app: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = "q=1'+or+'1'='1"
    file = tmp_path / "body"
    file.write_text(attack)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(attack.encode())))
    body = {"text": attack, "file": f"@{file}", "standard input": "-"}[how]
    form = ("--header", "Content-Type: application/x-www-form-urlencoded", "--ip", "203.0.113.7")
    status, out, _ = run(capsys, app, "--url", "/a", "--body", body, *form)
    assert (status, out.splitlines()[0]) == (1, "POST http://localhost/a")
    assert "in form q" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "ftp://x"], "--url:"),
        (["--url", f"https://x/{HOSTILE}"], "--url:"),
        (["--url", "/", "--header", f"X: {HOSTILE}"], "--header:"),
        (["--url", "/", "--header", HOSTILE], "--header:"),
        (["--url", "/", "--ip", HOSTILE], "--ip:"),
        (["--url", "/", "--method", HOSTILE], "--method:"),
        (["--url", "/", "--set", HOSTILE], "--set:"),
        (["--url", "/", "--times", "0"], "--times:"),
        (["--url", "/", "--times", "100001"], "--times:"),
        (["--url", "/", "--at", HOSTILE], "--at:"),
        (["--url", "/", "--at", "9" * 19], "--at:"),
        (["--url", "/", "--at", "1e400"], "--at:"),
        (["--url", "/", "--body", "@/nowhere/at/all"], "--body:"),
        (["--url", "/", "--body", "@\0"], "--body:"),
        (["--curl", f"curl x {HOSTILE}"], "--curl:"),
    ],
    ids=lambda value: " ".join(map(ascii, value))[:40] if isinstance(value, list) else "",
)
def test_wrong_arguments_are_told_in_a_printable_sentence(
    app: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, app, *arguments)
    assert (status, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith(f"doorward explain: {said}")
    assert last.isprintable()


def test_a_body_without_end_is_refused(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, app, "--url", "/", "--body", "@/dev/zero")
    assert (status, out) == (2, "")
    assert "more than 67108864 bytes" in err


@pytest.mark.parametrize("extra", [[], ["--json"]], ids=["text", "json"])
def test_nothing_of_the_request_is_printed_as_it_came(
    app: str, extra: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every place that may hold any text, decoded or not, comes out as printable ASCII in lines of 100 columns."""
    arguments = [
        *(
            "--url",
            "https://shop.example/%1b%5b2J%e2%80%ae/" + "a" * 500 + "?q=%1b%5d0;x%07' or 1=1--".replace(" ", "+"),
        ),
        *("--header", "X-Forwarded-For: \xff\u202e, 203.0.113.7", "--header", "Cookie: a=\u202e", "--ip", "10.0.0.1"),
        *("--email", HOSTILE, "--set", f"userId={HOSTILE}", "--set", f"{HOSTILE}=1"),
    ]
    _, out, _ = run(capsys, app, *arguments, *extra)
    assert out.isascii()
    assert all(line.isprintable() for line in out.splitlines())
    assert extra or max(map(len, out.splitlines())) <= 100


def test_a_client_without_rules(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--app", f"{app}:none", "--url", "/"]) == 0
    assert "There are no rules." in capsys.readouterr().out


def test_a_policy_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("doorward.policy")
    file = tmp_path / "policy.toml"
    file.write_text('[[rules]]\nrule = "deny"\npaths = ["/no"]\n')
    assert main(["explain", "--rules", str(file), "--url", "/no"]) == 1
    assert main(["explain", "--rules", str(tmp_path / "none.toml"), "--url", "/no"]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_page_shows_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = dict(re.findall(r"^```(python|sh|text)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    arguments = shlex.split(blocks["sh"].replace("\\\n", ""))[1:]
    arguments[arguments.index("myapp:aj")] = f"{written(tmp_path, blocks['python'])}:aj"
    assert main(arguments) == 1
    assert capsys.readouterr().out == blocks["text"]
