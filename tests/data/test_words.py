"""What ``doorward data`` says when much is wrong at once: each cause once, in lines that a terminal can show."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.conftest import Data
from tests.data.feed_server import FeedServer

from doorward.intelligence import data_status
from doorward.intelligence import manifest as manifests
from doorward.intelligence.feeds import CATALOGUE
from doorward.intelligence.manifest import FeedRecord
from doorward.intelligence.update_report import FAILED, RESTING, UNCHANGED, Outcome, plainly, unreachable, wrapped

NOBODY = "http://127.0.0.1:1"


def test_an_equal_cause_is_told_once(data: Data, server: FeedServer) -> None:
    """With the feeds that it is true of, by the day of what stays in use; the order is that of the catalogue."""
    arguments = ("update", "--only", "hosting,tor,vpn", "--mirror", server.url)
    data(*arguments[:2], "tor", *arguments[3:])
    for name in ("aws", "gcp", "tor-exits", "protonvpn"):
        server.play(name, status=503)
    lines = data(*arguments).out.splitlines()
    place = lines.index("4 feeds failed: each answered 503")
    assert re.fullmatch(r"  what they said on 20\d\d-\d\d-\d\d stays in use: tor-exits", lines[place + 1])
    assert lines[place + 2] == "  there is no data from them: aws, gcp, protonvpn"
    assert sum("gcp" in line for line in lines) == 2  # the terms, and here
    assert not any("network?" in line or "brought" in line for line in lines)


def test_feeds_that_shrank_alike_have_one_remedy(data: Data, server: FeedServer) -> None:
    """A command for all of them, in a line of its own."""
    arguments = ("update", "--feed", "tor-exits,protonvpn", "--mirror", server.url)
    addresses = b"185.220.101.1\n185.220.101.2\n185.220.101.3\n"
    server.play("tor-exits", addresses)
    server.play("protonvpn", addresses)
    data(*arguments)
    server.play("tor-exits", addresses[:14])
    server.play("protonvpn", addresses[:14])
    out = data(*arguments).out
    assert "2 feeds refused: each has shrunk by more than half" in out
    assert "\n  if that is right: doorward data update --accept-shrink tor-exits,protonvpn\n" in out


def test_without_a_network_that_is_said_first(data: Data) -> None:
    """In a sentence, in front of what is the same for all feeds; neither Python's words nor errors' numbers."""
    out = data("update", "--only", "tor,vpn", "--mirror", NOBODY).out
    told = out[out.index("No feed could be reached: is there a network?") :].splitlines()
    assert told[1] == "2 feeds failed: each gave no answer (Connection refused)"
    assert told[2] == "  there is no data from them: tor-exits, protonvpn"
    assert told[3].endswith(": nothing has changed")
    assert not re.search(r"Error|Errno", out)


@pytest.mark.parametrize(
    ("problem", "said", "network"),
    [
        ("gave no answer (ConnectError: [Errno -2] Name or service not known)", "(Name or service not known)", True),
        ("gave no answer (ConnectTimeout: timed out)", "(timed out)", True),
        ("gave no answer (ConnectTimeout)", "(ConnectTimeout)", True),
        ("gave no answer (ConnectError: [SSL: X] self-signed (_ssl.c:1))", "([SSL: X] self-signed (_ssl.c:1))", False),
        ("gave no answer (ReadError: [Errno 104] Connection reset by peer)", "(Connection reset by peer)", False),
    ],
)
def test_why_there_was_no_answer(problem: str, said: str, network: bool) -> None:
    """Whoever could not even connect may have no network; whoever was answered badly has one."""
    outcome = Outcome(CATALOGUE["aws"], FAILED, FeedRecord(problem=problem))
    resting = Outcome(CATALOGUE["gcp"], RESTING, FeedRecord())
    assert plainly(problem) == f"gave no answer {said}"
    assert unreachable([outcome, resting]) is network
    assert not unreachable([outcome, Outcome(CATALOGUE["gcp"], UNCHANGED, FeedRecord())])
    assert not unreachable([resting])


@given(st.lists(st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True), min_size=1), st.integers(0, 6))
def test_long_lines_are_broken(names: list[str], indent: int) -> None:
    """At spaces, at 100 columns, and nothing is lost."""
    line = " " * indent + ", ".join(names)
    lines = wrapped(line).split("\n")
    assert all(len(part) <= 100 for part in lines)
    assert all(part.startswith(" " * (indent + 4)) for part in lines[1:])
    assert " ".join(part.strip() for part in lines) == line.strip()


@given(st.integers(0, 120))
def test_commands_are_not_broken(before: int) -> None:
    """What somebody will copy is in one line, wherever it stands."""
    command = "doorward data update --accept-shrink tor-exits"
    assert command in wrapped(f"{'x' * before} if that is right: {command}")


def test_nothing_is_wider_than_a_terminal(data: Data) -> None:
    """Whatever the two commands say, but for paths."""
    for action in (("update", "--mirror", NOBODY), ("status",)):
        lines = data(*action).out.splitlines()
        assert [line for line in lines if len(line) > 100 and "/" not in line] == []


def test_equal_warnings_are_told_once(data: Data) -> None:
    """Of feeds that failed of the same on the same day."""
    data("update", "--only", "tor,vpn", "--mirror", NOBODY)
    told = re.sub(r"\d{4}-\d\d-\d\d", "DAY", " ".join(data("status").out.split()))
    said = "was in vain: each gave no answer (Connection refused): protonvpn, tor-exits"
    assert f"warning: 2 feeds: the last attempt, DAY, {said} warning:" in told


def test_equally_old_feeds_are_told_of_once(folder: Path) -> None:
    """A forgotten folder has one warning, and not one for each feed."""
    folder.mkdir()
    feeds = {name: FeedRecord(date="2026-01-01T00:00:00+00:00") for name in ("aws", "gcp")}
    manifests.save(folder, manifests.Manifest(feeds, {}))
    (warning, _) = data_status.gather(folder, date(2026, 3, 2))["warnings"]
    assert warning == "2 feeds: are 60 days old; run: doorward data update: aws, gcp"
