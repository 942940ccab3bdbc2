"""What a client knows about addresses when their data can be opened, cannot, and can again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from doorward.address_facts import NOTHING_KNOWN, AddressFacts
from doorward.errors import ConfigurationError
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.library import Library
from doorward.known_addresses import RETRY, KnownAddresses
from doorward.testing import FakeClock

FACTS = AddressFacts(frozenset({"tor"}), {"tor": ("list",)}, {})


class Setting:
    """Data that cannot be opened while ``problem`` is set."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.opened = 0
        self.told: list[Exception] = []
        self.clock = FakeClock()
        self.addresses = KnownAddresses(self.open, self.told.append, self.clock)

    def open(self):
        self.opened += 1
        if self.problem is not None:
            raise self.problem
        return SimpleNamespace(about=lambda address: FACTS, known=lambda: frozenset({"tor"}))


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_data_is_opened_when_first_asked(setting: Setting) -> None:
    """And once."""
    assert setting.opened == 0
    assert [setting.addresses.about("192.0.2.1") for _ in range(3)] == [FACTS] * 3
    assert (setting.opened, setting.told) == (1, [])


def test_a_failure_never_reaches_a_request(setting: Setting) -> None:
    """Nothing is known; whoever keeps the log is told, and not with each request."""
    setting.problem = OSError(24, "Too many open files")
    assert [setting.addresses.about("192.0.2.1") for _ in range(3)] == [NOTHING_KNOWN] * 3
    assert (setting.opened, setting.told) == (1, [setting.problem])


def test_a_failure_is_not_for_good(setting: Setting) -> None:
    """What could not be opened is tried again after a while, as often as it takes."""
    setting.problem = OSError(24, "Too many open files")
    for attempt in (1, 2, 3):
        assert setting.addresses.about("192.0.2.1") is NOTHING_KNOWN
        assert len(setting.told) == setting.opened == attempt
        setting.clock.advance(RETRY)
    setting.problem = None
    assert setting.addresses.about("192.0.2.1") is FACTS


def test_who_opens_it_is_told_at_once(setting: Setting) -> None:
    """A client that is built with files of the user's, or a rule that needs data: no waiting, and the error itself."""
    setting.problem = ConfigurationError("geo", "'city.mmdb' cannot be opened")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="city"):
            setting.addresses.open()
    setting.problem = None
    assert setting.addresses.open().known() == {"tor"}
    assert setting.told == []


def test_a_real_clock_is_the_default() -> None:
    """For who does not hand one over."""
    setting = Setting()
    assert KnownAddresses(setting.open, setting.told.append).about("192.0.2.1") is FACTS


def test_threads_that_come_first_together_open_it_once(setting: Setting) -> None:
    """The others wait for the first."""
    together = threading.Barrier(4)
    heard: list[AddressFacts] = []

    def ask() -> None:
        together.wait()
        heard.append(setting.addresses.about("192.0.2.1"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (heard, setting.opened) == ([FACTS] * 4, 1)


def test_what_there_is_no_data_for_is_named_with_what_brings_it(setting: Setting) -> None:
    """A command for what updates bring, a file of one's own for the rest; nothing where nothing is missing."""
    assert setting.addresses.missing(["tor"]) == ""
    message = setting.addresses.missing(["tor", "vpn", "city"])
    assert message.startswith("there is no data about city, vpn; what brings it: ")
    assert "doorward data update" in message
    assert "geo=" in message


def _not_mmdb(folder: Path) -> Path:
    path = folder / "passwd"
    path.write_text("root:x:0:0:root:/root:/bin/sh\n")
    return path


@pytest.mark.parametrize("made", [_not_mmdb, lambda folder: folder / "missing.mmdb", lambda folder: folder])
def test_a_wrong_geo_file_is_named_when_the_data_is_opened(made: Callable[[Path], Path], tmp_path: Path) -> None:
    """Some other file, none, a folder: a client that is built with it says which."""
    path = made(tmp_path)
    addresses = KnownAddresses(lambda: AddressBook(Library(tmp_path), geo=[path], installed_sets=False), print)
    with pytest.raises(ConfigurationError, match=r"geo: .*cannot be opened as an MMDB file") as caught:
        addresses.open()
    assert str(path) in str(caught.value)
