"""Site keys: made, found, rotated, revoked, over several processes, and never kept as they are."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.log.records import NOON, until

from doorward.errors import ConfigurationError, DataError
from doorward.service.server import key_file, key_tokens
from doorward.service.server.key_tokens import key_id_of, new_token
from doorward.service.server.keys import Keys
from doorward.service.server.ports import Site
from doorward.testing import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there yet."""
    return tmp_path / "service" / "keys.sqlite"


@pytest.fixture
def clock() -> FakeClock:
    """Stands still."""
    return FakeClock(NOON / 10**9)


@pytest.fixture
def keys(path: Path, clock: FakeClock) -> Keys:
    """An operator's."""
    return Keys(path, clock=clock)


def test_a_key_is_found_as_its_site(keys: Keys) -> None:
    """With its id and quota, as often as it is asked for."""
    new = keys.add("shop", quota="1000/second", note="Paris")
    for _ in range(3):
        assert keys.find(new.token) == Site("shop", new.row.id, "1000/second")
    assert keys.find(keys.add("blog").token[:-1] + "x") is None
    keys.close()


def test_nothing_of_a_key_is_kept_but_its_hash(keys: Keys, path: Path) -> None:
    """Whoever reads the file cannot ask the service."""
    new = keys.add("shop")
    secret = new.token.split("_")[2]
    assert keys.find(new.token)
    keys.close()
    for file in path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_tokens_have_256_random_bits_and_a_checksum() -> None:
    """So that a mistyped one is known as such without a file, and a leaked one by tools."""
    token = new_token()
    prefix, key_id, rest = token.text.split("_")
    assert (prefix, len(rest)) == ("dwk", 43 + 6)
    assert key_id_of(token.text) == key_id == token.key_id
    assert 62**43 > 2**256 > 62**42
    assert len({new_token().text for _ in range(200)}) == 200
    for place in range(len(token.text)):
        other = "0" if token.text[place] != "0" else "1"
        assert key_id_of(token.text[:place] + other + token.text[place + 1 :]) is None
        assert key_id_of(token.text[:place] + token.text[place + 1 :]) is None


def test_a_token_with_a_right_checksum_is_still_wrong(keys: Keys) -> None:
    """The checksum protects nothing: the hash does. A right id with another secret is no key."""
    new = keys.add("shop")
    forged = f"dwk_{new.row.id}_{'0' * 43}"
    forged += key_tokens._checksum(forged)
    assert key_id_of(forged) == new.row.id
    assert keys.find(forged) is None
    assert keys.find(new_token().text) is None


@given(
    text=st.text(st.characters(codec=None), max_size=100)
    | st.from_regex(r"dwk_[0-9a-z]{8}_[0-9A-Za-z]{49}", fullmatch=True)
)
def test_any_text_is_simply_no_key(text: str) -> None:
    """Never an error, whatever the bytes."""
    assert key_id_of(text) is None or len(text) == 62


def test_wrong_tokens_cost_no_look_at_the_file(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long they are, and however many."""
    new = keys.add("shop")
    assert keys.find(new.token)
    looks = []
    monkeypatch.setattr(key_file.KeyFile, "read", lambda *_: looks.append(1) or [])
    monkeypatch.setattr(key_file.KeyFile, "open", lambda *_: looks.append(1))
    for token in ("", "x" * 10**7, "\ud800", "dwk_" * 20, *(new_token().text for _ in range(100))):
        assert keys.find(token) is None
    assert not looks


@pytest.mark.parametrize(
    "arguments",
    [
        {"site": ""},
        {"site": "a b"},
        {"site": "é"},
        {"site": "x" * 65},
        {"site": "a\n"},
        {"quota": "many"},
        {"quota": "0/minute"},
        {"note": "x" * 201},
        {"note": "a\x1b[31m"},
        {"expires": "soon"},
        {"expires": 0},
    ],
    ids=str,
)
def test_mistakes_name_their_argument(keys: Keys, arguments: dict, path: Path) -> None:
    """And leave no file behind."""
    with pytest.raises(ConfigurationError, match=next(iter(arguments)) + "|SITE"):
        keys.add(**{"site": "shop", **arguments})
    assert not path.exists()


def test_a_key_ends(keys: Keys, clock: FakeClock) -> None:
    """By the clock, without anybody doing anything."""
    new = keys.add("shop", expires="90d")
    clock.advance(90 * 86_400 - 1)
    assert keys.find(new.token)
    clock.advance(1)
    assert keys.find(new.token) is None


def test_rotation_lets_the_others_end(keys: Keys, clock: FakeClock) -> None:
    """The new key has what the last one had; one that ends sooner still does."""
    soon = keys.add("shop", expires="1h")
    clock.advance(1)
    old = keys.add("shop", quota="5/minute", note="n")
    other = keys.add("blog")
    new = keys.rotate("shop", grace="7d")
    until(lambda: keys.find(new.token) == Site("shop", new.row.id, "5/minute"))
    assert new.row.note == "n"
    assert keys.find(old.token)
    clock.advance(3_599)
    assert keys.find(soon.token) is None
    clock.advance(7 * 86_400 - 3_599)
    assert keys.find(old.token) is None
    assert keys.find(new.token)
    assert keys.find(other.token)
    newest = keys.rotate("shop", grace=0)
    until(lambda: keys.find(newest.token))
    assert keys.find(new.token) is None
    with pytest.raises(ConfigurationError, match="SITE"):
        keys.rotate("nobody")


def test_revoking_is_seen_by_others(path: Path, clock: FakeClock) -> None:
    """One key by its id, or all of a site; what another object (as of another process) did is seen soon."""
    operator, service = Keys(path, clock=clock), Keys(path, clock=clock)
    first, second, blog = operator.add("shop"), operator.add("shop"), operator.add("blog")
    assert all(map(service.find, (first.token, second.token, blog.token)))
    assert [row.id for row in operator.revoke(first.row.id)] == [first.row.id]
    until(lambda: service.find(first.token) is None)
    assert service.find(second.token)
    third = operator.add("shop")
    until(lambda: service.find(third.token))
    assert len(operator.revoke("shop")) == 2
    until(lambda: service.find(third.token) is None)
    assert service.find(second.token) is None
    assert service.find(blog.token)
    assert operator.revoke("shop") == operator.revoke("nothing") == []
    service.close()


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded")  # the thread that notes when keys were used
def test_another_process_sees_a_revocation(keys: Keys) -> None:
    """A fork that had the file open before."""
    new = keys.add("shop")
    assert keys.find(new.token)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        known = keys.find(new.token) is not None
        os.write(writer, b"y" if known else b"n")
        until(lambda: keys.find(new.token) is None)
        os._exit(0 if known else 1)
    assert os.read(reader, 1) == b"y"
    keys.revoke(new.row.id)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    until(lambda: keys.find(new.token) is None)
    os.close(reader)
    os.close(writer)


def test_without_a_file_nobody_can_be_known(keys: Keys, path: Path) -> None:
    """The error says what makes one."""
    with pytest.raises(DataError, match="doorward keys add"):
        keys.find("dwk_")
    with pytest.raises(DataError):
        keys.list()
    path.parent.mkdir()
    path.write_bytes(b"no database" * 500)
    for ask in (lambda: keys.find("x"), keys.list, lambda: keys.add("shop"), lambda: keys.revoke("shop")):
        with pytest.raises(DataError, match="cannot be used"):
            ask()
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    for ask in (lambda: keys.find("x"), lambda: keys.add("shop")):
        with pytest.raises(DataError, match="no file of site keys"):
            ask()


def test_keys_stay_good_while_the_file_cannot_be_read(
    keys: Keys, path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What was read last counts, ends included; that is said; and what is put right is seen."""
    new, ending = keys.add("shop"), keys.add("shop", expires="1h")
    assert keys.find(new.token)
    path.rename(path.with_name("away"))
    with caplog.at_level(logging.WARNING, "doorward"):
        until(lambda: keys.find(new.token) and "keys that were read before stay good" in caplog.text)
    clock.advance(3_600)
    assert keys.find(ending.token) is None
    assert not path.exists()  # writing down when keys were used makes no empty file: that would revoke them
    for file in path.parent.iterdir():
        file.unlink()
    other = Keys(path, clock=clock).add("blog")
    until(lambda: keys.find(other.token))
    assert keys.find(new.token) is None
    assert caplog.text.count("stay good") == 1


def test_use_is_written_down_now_and_then(keys: Keys, path: Path, clock: FakeClock) -> None:
    """At the first use, then once a minute, and at the end: not on every request."""
    new = keys.add("shop")
    assert keys.list()[0].used_ns == 0
    keys.find(new.token)
    until(lambda: keys.list()[0].used_ns == NOON)
    clock.advance(5)
    keys.find(new.token)
    assert keys.list()[0].used_ns == NOON
    keys.close()
    assert keys.list()[0].used_ns == clock.now_ns()


def test_there_is_an_end_to_keys(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process holds in memory is bounded."""
    monkeypatch.setattr("doorward.service.server.keys.MOST_KEYS", 2)
    keys.add("a")
    keys.add("b")
    with pytest.raises(ConfigurationError, match="revoke"):
        keys.add("c")


def test_a_site_is_never_called_like_a_key(keys: Keys) -> None:
    """Or revoking by name would take the wrong one away."""
    new = keys.add("shop")
    with pytest.raises(ConfigurationError, match="id of a key"):
        keys.add(new.row.id)
