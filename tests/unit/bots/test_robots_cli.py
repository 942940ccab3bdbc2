"""``doorward robots``: from names, or from the rule of an application."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from doorward import ConfigurationError
from doorward.builders.bots import detect_bot
from doorward.robots import robots_txt
from doorward.robots_cli import add_robots

PROTECTION = """
from doorward import Doorward, detect_bot, sliding_window
limit = sliding_window(max=5, interval="10m")
class Holder:
    aj = Doorward([limit, detect_bot(deny=["CATEGORY:AI"])])
none, several = Doorward([limit]), Doorward([detect_bot(allow=[]), detect_bot(deny=["CURL"], name="other")])
number = 1
"""


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_robots(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["robots", *arguments])
    status: int = parsed.run(parsed)
    return status


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"protection_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(PROTECTION)
    return name


def test_from_names(capsys: pytest.CaptureFixture[str]) -> None:
    """As the builder takes them."""
    assert run("--allow", "search_engine", "curl", "--sitemap", "https://example.com/s.xml") == 0
    expected = robots_txt(detect_bot(allow=["SEARCH_ENGINE", "CURL"]), sitemap="https://example.com/s.xml")
    assert capsys.readouterr().out == expected


def test_no_names_are_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    """``--allow`` alone lets nobody pass; paths may be repeated."""
    assert run("--allow", "--disallow", "/a", "--disallow", "/b") == 0
    assert capsys.readouterr().out == robots_txt(detect_bot(allow=[]), disallow=["/a", "/b"])


def test_from_an_application(application: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its one bot rule, among other rules; from the folder that the command runs in."""
    assert run("--app", f"{application}:Holder.aj") == 0
    assert capsys.readouterr().out == robots_txt(detect_bot(deny=["CATEGORY:AI"]))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (":none", "has no bot rules"),
        (":several", "has 2 bot rules"),
        (":number", "is a int, not a Doorward or AsyncDoorward"),
        (":missing", "has no attribute 'missing'"),
        ("", "must be MODULE:NAME"),
        ("_of_nobody:aj", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_an_application_without_one_bot_rule(application: str, name: str, problem: str) -> None:
    """One clear line; ``doorward`` shows it and exits with 2."""
    with pytest.raises(ConfigurationError, match=problem):
        run("--app", application + name)


def test_unknown_bots() -> None:
    """As of the builder, with its suggestion."""
    with pytest.raises(ConfigurationError, match=r"deny: 'CURLL' .* did you mean CURL"):
        run("--deny", "CURLL")


@pytest.mark.parametrize("arguments", [(), ("--allow", "CURL", "--deny", "CURL"), ("--deny",)])
def test_exactly_one_source(arguments: tuple[str, ...]) -> None:
    """Wrong usage ends as argparse ends it."""
    with pytest.raises(SystemExit):
        run(*arguments)
