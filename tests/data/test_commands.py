"""``doorward data`` for people: what it shows, what it says, which arguments it takes."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.conftest import Data
from tests.data.feed_server import FeedServer

from doorward import cli
from doorward.errors import ConfigurationError
from doorward.intelligence import catalogue_file, data_status
from doorward.intelligence import manifest as manifests
from doorward.intelligence.data_watchers import Bar
from doorward.intelligence.feeds import CATALOGUE, LAYERS, Feed
from doorward.intelligence.library import user_folder
from doorward.intelligence.manifest import FeedRecord
from doorward.intelligence.update_report import ACCEPTED, Outcome

NOBODY = "http://127.0.0.1:1"

# --- update


def test_terms_are_shown_at_the_first_download(data: Data, server: FeedServer) -> None:
    """Each feed's terms, where they are written and whom to credit; once."""
    first = data("update", "--only", "tor,vpn", "--mirror", server.url).out
    assert "  CC0-1.0 (https://metrics.torproject.org/); credit: The Tor Project\n    tor-exits\n" in first
    assert "CC0-1.0" not in data("update", "--only", "tor,vpn", "--mirror", server.url).out


def test_programs_get_json_alone(update: Data) -> None:
    """Standard output is one JSON document; terms go to standard error, since somebody should see them."""
    found = update("--only", "tor")
    assert found.json["ok"] is True
    assert "CC0-1.0" in found.err


@pytest.mark.parametrize(
    ("arguments", "ok"),
    [
        (("--only", "tor,vpn"), True),
        (("--offline",), True),
        (("--drop", "tor-exits", "--only", "vpn"), True),
        (("--only", "tor", "--mirror", NOBODY), False),
        (("--accept", "firehol-proxies", "--only", "proxy"), False),
    ],
)
def test_programs_get_json_whatever_happens(
    update: Data, server: FeedServer, arguments: tuple[str, ...], ok: bool
) -> None:
    """Also when feeds fail or are refused, are dropped, or are not fetched; a log gets terms at most."""
    update("--only", "tor")
    server.play("firehol-proxies", b"10.0.0.0/8\n")
    found = update(*arguments)
    assert found.json["ok"] is ok
    assert "accepted" not in found.err


def test_programs_get_no_text_with_an_error(update: Data, folder: Path) -> None:
    """It goes to standard error, and standard output stays empty."""
    folder.write_bytes(b"")
    found = update("--only", "tor")
    assert (found.status, found.out) == (1, "")
    assert f"{folder} cannot be written (" in found.err
    assert found.err.count(str(folder)) == 1


def test_a_person_who_asks_for_json_sees_how_it_goes_on(
    update: Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal, on standard error: standard output is JSON alone then, too."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    found = update("--only", "tor")
    assert found.json["ok"] is True
    assert "tor-exits: accepted, 3 entries" in found.err
    assert "making tor.dwd" in found.err


def test_failures_are_told_with_what_was_kept(data: Data, server: FeedServer) -> None:
    """A line says what happened to the feed, and of which day the data is that stays in use."""
    data("update", "--only", "tor", "--mirror", server.url)
    server.play("tor-exits", status=429, headers={"Retry-After": "60"})
    server.play("protonvpn", status=404)
    found = data("update", "--only", "tor,vpn", "--mirror", server.url)
    assert found.status == 1
    assert "tor-exits: failed: it answered 429; it wants to be asked again in 60 s; what it said on 20" in found.out
    assert "protonvpn: failed: it answered 404; there is no data from it" in found.out
    assert "2 of 2 feeds could not be brought up to date\n" in found.out


def test_hostile_text_is_shown_harmlessly(data: Data, server: FeedServer) -> None:
    """What a feed holds cannot move the cursor of who reads about it."""
    server.play("tor-exits", b"\x1b[2J\n8.8.8.8\n")
    found = data("update", "--only", "tor", "--mirror", server.url)
    assert "\x1b" not in found.out + found.err
    assert r"\x1b[2J" in found.out


def test_the_list_has_every_feed(data: Data) -> None:
    """With kinds, terms and addresses, for people and for programs."""
    lines = data("update", "--list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(CATALOGUE)
    assert json.loads(data("update", "--list", "--json").out)["aws"]["url"] == CATALOGUE["aws"].url


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--feed", "tor-exit"), "Did you mean tor-exits"),
        (("--only", "hostng"), "Did you mean hosting"),
        (("--accept", "nothing"), "--accept"),
        (("--drop", "nothing"), "--drop"),
        (("--accept-shrink", "nothing"), "--accept-shrink"),
        (("--mirror", "http://feeds.example"), "must begin with https://"),
        (("--catalogue", "/nowhere.toml"), "cannot be read"),
    ],
)
def test_wrong_arguments_are_named(data: Data, arguments: tuple[str, ...], why: str) -> None:
    """An unknown name suggests the nearest; nothing is fetched."""
    found = data("update", *arguments)
    assert found.status == 2
    assert why in found.err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_deadlines_are_seconds(data: Data, seconds: str) -> None:
    """Anything else is wrong usage."""
    with pytest.raises(SystemExit):
        data("update", "--deadline", seconds)


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same as without."""
    feed = CATALOGUE["tor-exits"]
    bar = Bar(sys.stdout)
    bar.begins([feed], {feed.id})
    bar.ends(Outcome(feed, ACCEPTED, FeedRecord(entries=1234)))
    bar.compiles("tor.dwd")
    bar.closes()
    out = capsys.readouterr().out
    assert "tor-exits: accepted, 1,234 entries" in out
    assert "making tor.dwd" in out


def test_the_folder_is_the_users(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_DATA names it."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path / "there"))
    assert user_folder() == tmp_path / "there"


# --- status


def test_status_shows_files_and_what_is_missing(update: Data, data: Data) -> None:
    """The files of both folders with their sources, and the command for each kind that there is no data about."""
    update("--only", "tor")
    found = data("status", "--json").json
    (tor,) = found["user"]
    assert (tor["name"], tor["age_days"], tor["entries"], tor["knows"]) == (LAYERS["tor"], 0, 3, ["tor"])
    assert tor["sources"][0]["licence"] == "CC0-1.0"
    assert {"crawlers.dwd", "special.dwd"} <= {file["name"] for file in found["wheel"]}
    assert {"tor", "crawler", "reserved"} <= set(found["known"])
    assert found["missing"]["proxy"] == "doorward data update --accept firehol-proxies"
    assert "tor" not in found["missing"]
    assert found["problems"] == []


def test_status_in_words(update: Data, data: Data) -> None:
    """The same to read."""
    update("--only", "tor")
    found = data("status")
    assert found.status == 0
    assert re.search(r"^  tor.dwd: 3 entries, made 20\S+ \((today|yesterday)\), sound$", found.out, re.MULTILINE)
    assert "    torproject: 3 entries, " in found.out
    assert "nothing about proxy; what brings it: doorward data update --accept firehol-proxies" in found.out


def test_status_without_updates(data: Data) -> None:
    """A folder that is not there is no problem, but worth a hint."""
    found = data("status", "--json")
    assert (found.status, found.json["user"]) == (0, [])
    assert found.json["warnings"] == ["there is only the data that came with doorward; run: doorward data update"]


@pytest.mark.parametrize("days", [30, 31])
def test_old_data_is_warned_of(update: Data, folder: Path, days: int) -> None:
    """More than a month after the last time that a feed was confirmed."""
    update("--only", "tor")
    made = date.fromisoformat(manifests.load(folder).feeds["tor-exits"].date[:10])
    warnings = data_status.gather(folder, made + timedelta(days=days))["warnings"]
    assert warnings == ([] if days == 30 else ["tor-exits: is 31 days old; run: doorward data update"])


def test_failed_attempts_are_warned_of(update: Data, data: Data, server: FeedServer) -> None:
    """Who only looks at the status learns that a feed is down."""
    server.play("tor-exits", status=404)
    update("--only", "tor")
    assert any("answered 404" in line for line in data("status", "--json").json["warnings"])


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "another"])
def test_damaged_files_are_problems(update: Data, data: Data, folder: Path, damage: str) -> None:
    """Cut off, changed, missing, or not what the update wrote: the status is 1, and says which file."""
    update("--only", "tor,vpn")
    path = folder / LAYERS["tor"]
    content = path.read_bytes()
    path.unlink()
    other = (folder / LAYERS["vpn"]).read_bytes()
    changes = {"cut": content[:-40], "changed": content.replace(b"torproject", b"TORPROJECT"), "another": other}
    if damage in changes:
        path.write_bytes(changes[damage])
    found = data("status", "--json")
    assert found.status == 1
    assert any(str(path) in problem for problem in found.json["problems"])


def test_a_damaged_manifest_is_a_problem(data: Data, folder: Path) -> None:
    """It is told of rather than raised."""
    folder.mkdir()
    for content in (
        b"",
        b"[]",
        b"{",
        b'{"version": 1}',
        b"[" * 100_000,
        b'{"version":1,"feeds":{"a":{"size":"x"}},"files":{}}',
    ):
        (folder / manifests.NAME).write_bytes(content)
        found = data("status", "--json")
        assert found.status == 1
        assert manifests.NAME in found.json["problems"][0]


_VALUES = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
_RECORDS = st.dictionaries(st.sampled_from(["url", "size", "sha256", "feeds", "x"]), _VALUES, max_size=3)
_TABLES = st.dictionaries(st.text(max_size=5), _RECORDS | _VALUES, max_size=3) | _VALUES
_MANIFESTS = (
    st.fixed_dictionaries({"version": st.just(1), "feeds": _TABLES, "files": _TABLES}).map(json.dumps).map(str.encode)
)


@given(st.binary(max_size=200) | _MANIFESTS)
def test_any_manifest_is_read_or_told_of(content: bytes) -> None:
    """Whatever the file holds, the command goes on, and says so."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / manifests.NAME).write_bytes(content)
        found = manifests.load(Path(folder))
    assert found.damaged or json.loads(content)["version"] == 1
    assert not (found.damaged and (found.feeds or found.files))


@given(st.binary(max_size=300))
def test_any_file_is_shown_or_told_of(content: bytes) -> None:
    """A file that looks right on the outside and is anything inside is a problem, never an exception."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tor.dwd"
        path.write_bytes(content + hashlib.sha256(content).digest())
        assert data_status._file(path, date(2026, 11, 21))["problem"]


# --- a catalogue of one's own


def test_a_feed_of_ones_own(data: Data, folder: Path, server: FeedServer, tmp_path: Path) -> None:
    """Another list is fetched, checked and compiled as the known ones are."""
    server.play("partners", b"8.8.8.0/24\n")
    path = tmp_path / "feeds.toml"
    path.write_text(f'[feeds.our-partners]\nurl = "{server.url}/partners"\nlabel = "hosting:our-partners"\n')
    assert data("update", "--catalogue", str(path), "--feed", "our-partners").status == 0
    assert data("status", "--json").json["user"][0]["sources"][0]["name"] == "our-partners"


def test_a_forgotten_catalogue_loses_nothing(update: Data, data: Data, server: FeedServer, tmp_path: Path) -> None:
    """A file with feeds that are not in the catalogue this time stays as it is, until they come back or are dropped."""
    server.play("partners", b"8.8.8.0/24\n")
    path = tmp_path / "feeds.toml"
    path.write_text(f'[feeds.our-partners]\nurl = "{server.url}/partners"\nlabel = "hosting:our-partners"\n')
    data("update", "--catalogue", str(path), "--feed", "our-partners")
    found = update("--feed", "aws")
    assert (found.status, found.json["written"]) == (1, {})
    assert "our-partners" in found.json["problems"][0]
    assert update("--feed", "aws", "--drop", "our-partners").json["written"] == {LAYERS["hosting"]: 2}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "cannot be read"),
        ("[other]", "feeds.<id>"),
        ("feeds = 1", "feeds.<id>"),
        ("[feeds.mine]\n", "url and label"),
        ("[feeds.Mine]\n", "lower-case"),
        ("[feeds]\nmine = 1\n", "a table"),
        ('[feeds.tor-exits]\nurl = "http://feeds.example"', "https://"),
        ('[feeds.tor-exits]\nulr = "https://feeds.example"', "Did you mean url"),
        ("[feeds.tor-exits]\nurl = 1", "must be str"),
        ("[feeds.tor-exits]\nlargest = true", "must be int"),
        ("[feeds.tor-exits]\nlargest = 0", "above 0"),
        ('[feeds.tor-exits]\nform = "xml"', "one of lines"),
        ('[feeds.tor-exits]\nform = "json"', "where in the JSON"),
        ('[feeds.mine]\nurl = "https://feeds.example"\nlabel = "fun:mine"', "kind:name"),
        ('[feeds.mine]\nurl = "https://feeds.example"\nlabel = "mine"', "kind:name"),
    ],
)
def test_mistakes_in_a_catalogue_are_named(tmp_path: Path, text: str, why: str) -> None:
    """The message has the place and what is accepted."""
    path = tmp_path / "feeds.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        catalogue_file.load(path)


# --- the catalogue


@pytest.mark.parametrize("feed", CATALOGUE.values(), ids=CATALOGUE)
def test_the_catalogue_is_sound(feed: Feed) -> None:
    """Every feed is https, has terms, a file to go into, and a bound on what it may cover."""
    assert feed.url.startswith("https://")
    assert feed.terms.licence
    assert feed.layer in LAYERS.values()
    assert feed.form == "ip2asn" or feed.share <= 0.2
    assert feed.default or feed.terms.url


def test_a_source_is_of_one_file() -> None:
    """Of a source the newest copy counts: a name in two files would put out one of them."""
    files: dict[str, set[str]] = {}
    for feed in CATALOGUE.values():
        files.setdefault(feed.source, set()).add(feed.layer)
    assert all(len(found) == 1 for found in files.values())


def test_the_command_line_has_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``doorward data status`` is what ``doorward`` runs."""
    assert cli.main(["data", "status", "--folder", str(tmp_path / "none")]) == 0
    assert "with doorward: " in capsys.readouterr().out


@pytest.mark.parametrize("feed", CATALOGUE.values(), ids=CATALOGUE)
def test_the_documentation_has_every_feed(feed: Feed) -> None:
    """The table in docs/data.md says what each feed tells, whether it is fetched by default, and on what terms."""
    lines = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{feed.id}` |")]
    fetched = "by default" if feed.default else "on request"
    assert row.startswith(f"| `{feed.id}` | {', '.join(feed.kinds)} | {fetched} | ")
    assert feed.terms.licence in row
