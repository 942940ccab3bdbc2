"""``doorward robots``: from names, or from the rule of an application."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from doorward import ConfigurationError, honeypot
from doorward.builders.bots import detect_bot
from doorward.robots import robots_txt
from doorward.robots_cli import add_robots

PROTECTION = """
from doorward import AsyncDoorward, Doorward, detect_bot, honeypot, sliding_window
limit = sliding_window(max=5, interval="10m")
class Holder:
    aj = Doorward([limit, detect_bot(deny=["CATEGORY:AI"])])
none, several = Doorward([limit]), Doorward([detect_bot(allow=[]), detect_bot(deny=["CURL"], name="other")])
number = 1
traps = honeypot("/wp-admin/*", "/.env", "re:/old-[0-9]+", mode="DRY_RUN")
trapping = AsyncDoorward([traps, limit])
both = Doorward([detect_bot(deny=["CATEGORY:AI"]), traps])
"""
POLICY = """
[[rules]]
rule = "detect_bot"
allow = ["CATEGORY:SEARCH_ENGINE"]

[[rules]]
rule = "honeypot"
traps = ["/wp-admin/*", "/.env"]
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


def test_traps_of_an_application_are_disallowed(application: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To crawlers that are let in as well, before the rule is live too; what cannot be said is told."""
    assert run("--app", f"{application}:both") == 0
    printed, told = capsys.readouterr()
    traps = honeypot("/wp-admin/*", "/.env")
    assert printed == robots_txt(detect_bot(deny=["CATEGORY:AI"]), honeypots=[traps])
    groups = printed.split("\n\n")
    assert all("Disallow: /.env" in group for group in groups if "User-agent:" in group)
    assert "/old-[0-9]+" in told


def test_traps_alone_keep_crawlers_from_nothing_else(application: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where an application has no rule for bots."""
    assert run("--app", f"{application}:trapping") == 0
    printed = capsys.readouterr().out
    assert "User-agent: *\nAllow: /\nDisallow: /wp-admin/\nDisallow: /.env" in printed
    assert printed.count("User-agent:") == 1


def test_from_a_policy_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As from code."""
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    assert run("--rules", str(file)) == 0
    traps = honeypot("/wp-admin/*", "/.env")
    assert capsys.readouterr().out == robots_txt(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]), honeypots=[traps])
    file.write_text("rules = []")
    with pytest.raises(ConfigurationError, match=r"--rules: .* has no bot rules"):
        run("--rules", str(file))


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
