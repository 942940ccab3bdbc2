"""``doorward data update`` from a real server: what it brings, what it keeps, what it refuses, what it leaves alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.data.conftest import Data
from tests.data.feed_server import SAMPLES, FeedServer

from doorward.intelligence import manifest as manifests
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.container import open_file
from doorward.intelligence.domains import DomainSets
from doorward.intelligence.feeds import CATALOGUE, KINDS, LAYERS, command_for
from doorward.intelligence.folder_lock import locked
from doorward.intelligence.library import EDGES, EDGES_VERSION, Library
from doorward.intelligence.updating import COPIES

TOR = b"185.220.101.1\n185.220.101.2\n23.129.64.130\n185.220.101.9\n"


def about(folder: Path, address: str) -> dict[str, object]:
    """What a client sees of an address."""
    problems: list[str] = []
    facts = AddressBook(Library(folder), installed_sets=False, report=problems.append).about(address)
    assert not problems
    return {**facts.names, **facts.place}


def left(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the manifest."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != manifests.NAME)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def command(folder: Path, *arguments: str) -> list[str]:
    """A process of its own."""
    code = (
        "import argparse, sys; from doorward.data_cli import add_data; parser = argparse.ArgumentParser();"
        "add_data(parser.add_subparsers()); parsed = parser.parse_args(sys.argv[1:]); sys.exit(parsed.run(parsed))"
    )
    return [sys.executable, "-c", code, "data", "update", "--folder", str(folder), *arguments]


# --- What it brings


def test_everything_is_brought(update: Data, folder: Path) -> None:
    """All feeds together make one file for each kind, and nothing is left over."""
    found = update("--accept", "all")
    assert found.status == 0, found
    assert {path.name for path in folder.iterdir()} == {*LAYERS.values(), manifests.NAME, COPIES, ".lock"}
    assert {path.name for path in (folder / COPIES).iterdir()} == set(CATALOGUE)
    assert {feed["result"] for feed in found.json["feeds"].values()} == {"accepted"}


LABELS = {
    "3.5.140.9": {"hosting": ("aws",)},
    "2600:1f00::1": {"hosting": ("aws",)},
    "13.64.1.1": {"hosting": ("azure",)},
    "185.220.101.1": {"tor": ("torproject",)},
    "::ffff:185.220.101.1": {"tor": ("torproject",)},
    "37.19.199.149": {"vpn": ("protonvpn",)},
    "2.57.0.1": {},
    "2.26.68.7": {"proxy": ("firehol-proxies",)},
    "172.224.226.1": {"relay": ("apple",)},
    "2a02:26f7:b3c0:4000::1": {"relay": ("apple",)},
    "1.10.16.1": {"abuse": ("firehol-level1", "spamhaus")},
    "1.10.172.20": {"abuse": ("stopforumspam",)},
    "66.249.64.1": {"crawler": ("google-googlebot",)},
    "31.13.24.1": {"crawler": ("meta-crawler",)},
    "54.183.255.129": {"crawler": ("amazon-route53-healthchecks",)},
    "1.0.0.1": {"country": "US", "asn": "13335", "asn_name": "CLOUDFLARENET"},
    "2001:41d0::1": {"country": "FR", "asn": "16276", "asn_name": "OVH, “Ünïcode”"},
    "1.0.1.1": {},
}


def test_addresses_have_their_labels(update: Data, folder: Path) -> None:
    """What a feed says of an address is what a client sees, and nothing else."""
    assert update("--accept", "all").status == 0
    assert {address: about(folder, address) for address in LABELS} == LABELS


def test_private_addresses_stay_what_they_are(update: Data, folder: Path) -> None:
    """FireHOL's level 1 lists private networks by design; no health check becomes abuse."""
    assert update("--feed", "firehol-level1").status == 0
    for address in ("10.0.0.1", "192.168.1.1", "127.0.0.1", "0.1.2.3", "224.0.0.1"):
        assert "abuse" not in about(folder, address)
    assert about(folder, "1.10.16.1") == {"abuse": ("firehol-level1",)}


def test_what_an_operator_has_withdrawn_is_gone(update: Data, folder: Path) -> None:
    """A newer copy of a crawler's ranges replaces the wheel's, and the ranges of the others stay."""
    assert about(folder, "192.178.4.1") == {"crawler": ("google-googlebot",)}
    assert update("--feed", "google-googlebot").status == 0
    assert about(folder, "192.178.4.1") == {}
    assert about(folder, "66.249.64.1") == {"crawler": ("google-googlebot",)}
    assert about(folder, "13.66.139.1") == {"crawler": ("bing-bingbot",)}


def test_domains_and_edges(update: Data, folder: Path) -> None:
    """The wide list of throw-away domains, and the networks of a named edge."""
    assert update("--only", "disposable,edge").status == 0
    domains = DomainSets.open(folder / LAYERS["disposable"])
    assert domains.kinds_of("10minutemail.com") == {"disposable"}
    edges = open_file(folder / LAYERS["edge"], EDGES, EDGES_VERSION)
    listed = bytes(edges.section("cloudflare")).decode().split()
    assert listed == ["173.245.48.0/20", "103.21.244.0/22", "2400:cb00::/32", "2606:4700::/32"]


def test_half_an_edge_is_none(update: Data, folder: Path, server: FeedServer) -> None:
    """Networks that may say who a client is come all together or not at all."""
    server.play("cloudflare-v6", status=500)
    assert update("--only", "edge").status == 1
    assert not (folder / LAYERS["edge"]).exists()


def test_files_say_where_they_come_from(update: Data, folder: Path) -> None:
    """Each file has its sources with terms, date and address; the manifest has digests and what the server said."""
    assert update("--only", "tor").status == 0
    (source,) = open_file(folder / LAYERS["tor"], "ranges", 1).meta.sources
    manifest = manifests.load(folder)
    record = manifest.feeds["tor-exits"]
    assert (source.name, source.licence, source.entries) == ("torproject", "CC0-1.0", 3)
    assert source.url.endswith("/tor-exits")
    assert record.date.startswith(source.date)
    assert (record.etag, record.size, record.sha256) == (
        '"tor-exits-1"',
        len(SAMPLES["tor-exits"]),
        manifests.digest(SAMPLES["tor-exits"]),
    )
    assert manifests.verified(folder, LAYERS["tor"], manifest.files[LAYERS["tor"]])


def test_other_users_can_read_the_files(update: Data, folder: Path) -> None:
    """Workers may run as somebody else than the one who updates."""
    assert update("--only", "tor").status == 0
    assert (folder / LAYERS["tor"]).stat().st_mode & 0o777 == 0o644
    assert (folder / manifests.NAME).stat().st_mode & 0o777 == 0o644


# --- Again


def test_only_what_changed_is_fetched_and_made_again(update: Data, folder: Path, server: FeedServer) -> None:
    """The server is told what we have; files of feeds that did not change are not touched."""
    assert update("--only", "tor,vpn").status == 0
    before = (folder / LAYERS["vpn"]).stat().st_mtime_ns
    server.play("tor-exits", TOR, etag='"2"')
    again = update("--only", "tor,vpn")
    assert again.json["written"] == {LAYERS["tor"]: 4}
    assert {name: feed["result"] for name, feed in again.json["feeds"].items()} == {
        "tor-exits": "accepted",
        "protonvpn": "unchanged",
    }
    assert server.asked("tor-exits")[-1]["if-none-match"] == '"tor-exits-1"'
    assert (folder / LAYERS["vpn"]).stat().st_mtime_ns == before


def test_the_same_content_is_nothing_new(update: Data, server: FeedServer) -> None:
    """A server that knows no conditions sends everything again; nothing is made from it."""
    server.play("tor-exits", TOR)
    update("--only", "tor")
    again = update("--only", "tor")
    assert (again.json["written"], again.json["feeds"]["tor-exits"]["result"]) == ({}, "unchanged")


def test_a_damaged_copy_is_fetched_whole(update: Data, folder: Path, server: FeedServer) -> None:
    """No condition is made on what we do not really have."""
    update("--only", "tor")
    (folder / COPIES / "tor-exits").write_bytes(b"damaged")
    assert update("--only", "tor").json["feeds"]["tor-exits"]["result"] == "accepted"
    assert "if-none-match" not in server.asked("tor-exits")[-1]


def test_another_address_is_asked_without_conditions(update: Data, data: Data, server: FeedServer) -> None:
    """What one server calls its file says nothing about another's."""
    update("--only", "tor")
    with FeedServer() as other:
        other.play_samples()
        assert data("update", "--only", "tor", "--mirror", other.url, "--json").status == 0
        assert "if-none-match" not in other.asked("tor-exits")[-1]


def test_terms_once_accepted_stay_so(update: Data, data: Data) -> None:
    """What was asked for by name is kept fresh by updates that do not name it."""
    assert "x4bnet-vpn" not in update("--only", "vpn").json["feeds"]
    assert "x4bnet-vpn" in update("--only", "vpn", "--accept", "x4bnet-vpn").json["feeds"]
    assert update("--only", "vpn").json["feeds"]["x4bnet-vpn"]["result"] == "unchanged"


def test_operators_may_want_pauses(data: Data, folder: Path, server: FeedServer, tmp_path: Path) -> None:
    """A feed whose operator asks for it is not fetched again at once."""
    catalogue = tmp_path / "feeds.toml"
    catalogue.write_text(f'[feeds.tor-exits]\nurl = "{server.url}/tor-exits"\nrest = 12')
    for expected in ("accepted", "resting"):
        found = data("update", "--feed", "tor-exits", "--catalogue", str(catalogue), "--json")
        assert found.json["feeds"]["tor-exits"]["result"] == expected
    assert len(server.asked("tor-exits")) == 1


# --- What fails changes nothing


BAD = {
    "404": {"status": 404},
    "a web page": {"body": b"<html>", "headers": {"Content-Type": "text/html"}},
    "nonsense": {"body": b"\x00\x01\x02"},
    "empty": {"body": b""},
    "private": {"body": TOR + b"10.0.0.0/8\n"},
    "everything": {"body": TOR + b"0.0.0.0/0\n"},
    "too much": {"body": TOR + b"20.0.0.0/8\n"},
    "shrunk": {"body": b"185.220.101.1\n"},
    "reset": {"body": TOR, "fault": "reset"},
    "cut off": {"body": TOR, "fault": "truncated"},
    "slow": {"body": TOR, "fault": "drip"},
    "endless": {"body": TOR, "fault": "endless"},
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_old_data_is_kept(update: Data, folder: Path, server: FeedServer, answer: dict[str, object]) -> None:
    """Whatever a feed has become, what it said before stays in use, the other feeds go on, and the status says so."""
    update("--only", "tor,vpn")
    before = left(folder)
    server.play("tor-exits", **{"body": b"", **answer})
    server.play("protonvpn", b"37.19.199.150/32\n")
    found = update("--only", "tor,vpn", "--deadline", "0.5")
    assert found.status == 1
    assert found.json["feeds"]["tor-exits"]["result"] in ("failed", "refused")
    assert found.json["feeds"]["tor-exits"]["problem"]
    changed = {name for name, content in left(folder).items() if before[name] != content}
    assert changed == {LAYERS["vpn"], f"{COPIES}/protonvpn"}
    assert about(folder, "185.220.101.2") == {"tor": ("torproject",)}


def test_one_feed_of_several_may_fail(update: Data, folder: Path, server: FeedServer) -> None:
    """A file of several feeds is made anew with the copies of those that are down."""
    update("--only", "hosting")
    server.play("aws", status=503)
    server.play("oracle", json.dumps({"regions": [{"cidrs": [{"cidr": "129.213.0.0/16"}]}]}).encode())
    assert update("--only", "hosting").json["written"].keys() == {LAYERS["hosting"]}
    assert about(folder, "3.5.140.9") == {"hosting": ("aws",)}
    assert about(folder, "129.213.1.1") == {"hosting": ("oracle",)}


def test_a_first_failure_leaves_no_file(update: Data, folder: Path, server: FeedServer) -> None:
    """Of a kind that was never brought nothing is known, rather than that no address is of it."""
    server.play("tor-exits", status=404)
    assert update("--only", "tor").status == 1
    assert not (folder / LAYERS["tor"]).exists()
    assert list((folder / COPIES).iterdir()) == []


def test_shrinking_can_be_accepted(update: Data, data: Data, folder: Path, server: FeedServer) -> None:
    """Somebody who knows better says so, for one feed; the message says how."""
    update("--only", "tor")
    server.play("tor-exits", b"185.220.101.1\n")
    refused = data("update", "--only", "tor", "--mirror", server.url)
    assert "doorward data update --accept-shrink tor-exits" in refused.out
    assert update("--only", "tor", "--accept-shrink", "tor-exits").status == 0
    assert about(folder, "185.220.101.2") == {}


def test_a_damaged_manifest_costs_no_data(update: Data, folder: Path, server: FeedServer) -> None:
    """It is made anew from the copies, so that a feed that is down now is not lost."""
    update("--only", "hosting")
    (folder / manifests.NAME).write_bytes(b'{"version": 1, "feeds": {"aws"')
    server.play("aws", status=503)
    found = update("--only", "hosting")
    assert any("manifest" in problem for problem in found.json["problems"])
    assert about(folder, "3.5.140.9") == {"hosting": ("aws",)}
    assert manifests.load(folder).feeds["aws"].entries == 2


def test_a_manifest_of_another_version_is_not_believed(update: Data, folder: Path) -> None:
    """The same as for a damaged one."""
    update("--only", "tor")
    path = folder / manifests.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    found = update("--only", "tor")
    assert "version 99" in found.json["problems"][0]
    assert found.json["feeds"]["tor-exits"]["result"] == "unchanged"


def test_a_full_disk_changes_nothing(update: Data, folder: Path, server: FeedServer) -> None:
    """When files cannot be written any more, the old ones are all there, and the command says so."""
    import resource

    update("--only", "tor")
    before = left(folder)
    manifest = (folder / manifests.NAME).read_bytes()
    server.play("tor-exits", b"".join(b"185.220.%d.%d\n" % divmod(number, 256) for number in range(60_000)))
    done = subprocess.run(
        command(folder, "--only", "tor", "--mirror", server.url),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "stays in use" in done.stderr
    assert left(folder) == before
    assert (folder / manifests.NAME).read_bytes() == manifest


def test_a_folder_that_is_none(update: Data, folder: Path) -> None:
    """A file in the folder's place is told of, not removed."""
    folder.write_text("mine")
    found = update("--only", "tor")
    assert (found.status, folder.read_text()) == (1, "mine")
    assert "cannot be written" in found.err


def test_an_interrupt_changes_nothing(update: Data, folder: Path, server: FeedServer) -> None:
    """Ctrl-C ends at once, whatever is waited for, and leaves what was there."""
    update("--only", "tor")
    before = left(folder)
    server.play("tor-exits", fault="silent")
    server.first_request.clear()
    process = subprocess.Popen(
        command(folder, "--only", "tor", "--mirror", server.url), stderr=subprocess.PIPE, text=True
    )
    assert server.first_request.wait(30)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "doorward data update: interrupted; the data that was there stays in use\n"
    assert left(folder) == before


def test_what_a_killed_update_left_is_swept(update: Data, folder: Path) -> None:
    """Half-made files do not pile up."""
    update("--only", "tor")
    (folder / ".new-killed").mkdir()
    (folder / ".new-killed" / "tor.dwd").write_bytes(b"half")
    update("--only", "tor")
    assert not (folder / ".new-killed").exists()


def test_a_file_that_was_tampered_with_is_made_again(update: Data, folder: Path) -> None:
    """A file that is not what the manifest says is made from the copy, also when the feed has not changed."""
    update("--only", "tor")
    good = (folder / LAYERS["tor"]).read_bytes()
    (folder / LAYERS["tor"]).write_bytes(good[:-40])
    assert update("--only", "tor").json["written"] == {LAYERS["tor"]: 3}
    assert (folder / LAYERS["tor"]).read_bytes() == good


# --- One at a time, and in order


def test_one_update_at_a_time(update: Data, folder: Path) -> None:
    """The second one says that there is a first, and does nothing."""
    update("--only", "tor")
    with locked(folder):
        found = update("--only", "tor")
    assert found.status == 1
    assert "another update is writing" in found.err
    assert update("--only", "tor").status == 0


def test_another_process_waits_for_nobody(update: Data, folder: Path, server: FeedServer) -> None:
    """While one process waits for a slow feed, another one ends at once, and the first is not disturbed."""
    server.play("tor-exits", TOR, fault="drip")
    first = subprocess.Popen(command(folder, "--only", "tor", "--mirror", server.url), stdout=subprocess.PIPE)
    assert server.first_request.wait(30)
    assert "another update is writing" in update("--only", "vpn").err
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    assert first.returncode == 130
    assert update("--only", "vpn").status == 0


def test_the_manifest_changes_last(update: Data, monkeypatch: pytest.MonkeyPatch, server: FeedServer) -> None:
    """Who sees a new manifest sees all files that belong to it."""
    update("--only", "tor,vpn")
    renamed: list[str] = []
    replace = Path.replace

    def watch(self: Path, target: Path) -> Path:
        renamed.append(Path(target).name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watch)
    server.play("tor-exits", TOR)
    server.play("protonvpn", b"37.19.199.150/32\n")
    update("--only", "tor,vpn")
    assert sorted(renamed[:-1]) == sorted(["tor-exits", "protonvpn", LAYERS["tor"], LAYERS["vpn"]])
    assert renamed[-1] == manifests.NAME


def test_running_processes_see_a_new_generation(update: Data, folder: Path, server: FeedServer) -> None:
    """A library's generation changes with an update, and its address book takes up what is new."""
    update("--only", "tor")
    library = Library(folder, check_seconds=0)
    book = AddressBook(library, installed_sets=False)
    before = library.generation()
    assert book.about("185.220.101.9").names == {}
    server.play("tor-exits", TOR)
    update("--only", "tor")
    assert library.generation() != before
    assert book.about("185.220.101.9").names == {"tor": ("torproject",)}


# --- Without the network, and without a feed


def test_offline_makes_the_files_again(update: Data, data: Data, folder: Path, server: FeedServer) -> None:
    """From the copies, asking nobody."""
    update("--only", "tor,vpn")
    good = left(folder)
    (folder / LAYERS["tor"]).unlink()
    asked = len(server.requests)
    assert data("update", "--offline", "--json").json["written"].keys() == {LAYERS["tor"], LAYERS["vpn"]}
    assert (len(server.requests), left(folder)) == (asked, good)


def test_offline_with_nothing_is_a_failure(data: Data) -> None:
    """There is nothing to make anything from."""
    found = data("update", "--offline", "--json")
    assert (found.status, found.json["problems"]) == (1, ["there are no copies of feeds to work with"])


def test_offline_with_a_damaged_copy_keeps_the_file(update: Data, data: Data, folder: Path) -> None:
    """A copy that is not what was accepted goes into nothing."""
    update("--only", "tor")
    good = (folder / LAYERS["tor"]).read_bytes()
    (folder / COPIES / "tor-exits").write_bytes(b"8.8.8.8\n")
    found = data("update", "--offline", "--json")
    assert (found.status, found.json["feeds"]["tor-exits"]["result"]) == (1, "failed")
    assert (folder / LAYERS["tor"]).read_bytes() == good


def test_feeds_can_be_dropped(update: Data, folder: Path) -> None:
    """Who no longer accepts a feed's terms gets rid of all of it."""
    update("--only", "proxy,vpn", "--accept", "all")
    found = update("--only", "vpn", "--drop", "x4bnet-vpn,firehol-proxies")
    assert found.status == 0
    assert about(folder, "2.56.16.1") == {}
    assert about(folder, "37.19.199.149") == {"vpn": ("protonvpn",)}
    assert not (folder / LAYERS["proxy"]).exists()
    assert {path.name for path in (folder / COPIES).iterdir()} == {"protonvpn"}


# --- Remedies


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "edge"])
def test_the_command_for_a_kind_brings_it(data: Data, folder: Path, server: FeedServer, kind: str) -> None:
    """The command that is named where a kind is missing is the one that brings it."""
    arguments = command_for(kind).removeprefix("doorward data ").split()
    assert data(*arguments, "--mirror", server.url).status == 0
    assert (folder / LAYERS[kind]).exists()


def test_nothing_else_is_written(update: Data, folder: Path, tmp_path: Path) -> None:
    """All that an update writes is in its folder."""
    update("--accept", "all")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_feeds_that_are_not_clear_wait_to_be_asked_for(update: Data) -> None:
    """Without a word about terms only feeds are fetched whose terms allow any use."""
    fetched = set(update().json["feeds"])
    for name in ("stopforumspam-7d", "stopforumspam-toxic", "x4bnet-vpn", "x4bnet-datacenter", "firehol-level1"):
        assert name not in fetched
    assert fetched == {feed.id for feed in CATALOGUE.values() if feed.default}
