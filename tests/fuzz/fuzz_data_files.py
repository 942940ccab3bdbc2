"""Whatever is in a data file, it opens and answers, or there is a DataError that names the file; nothing else.

An input is the content of a file. It is read as every kind of file that there is, and as the manifest of a folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward.address_facts import AddressFacts
    from doorward.errors import ConfigurationError, DataError
    from doorward.intelligence import catalogue_file, manifest
    from doorward.intelligence.address_book import AddressBook
    from doorward.intelligence.bot_index import CATEGORIES, BotIndex
    from doorward.intelligence.container import verify
    from doorward.intelligence.domains import KINDS, DomainSets
    from doorward.intelligence.library import Library
    from doorward.intelligence.ranges import LARGEST_SET, RangeTable

ASKED = ((4, 0), (4, 0xC0000281), (4, 2**32 - 1), (6, 0), (6, 0x20010DB8 << 96 | 7), (6, 2**128 - 1))
ADDRESSES = ("192.0.2.129", "2001:db8::7", "::ffff:192.0.2.1", "8.8.8.8")
MOST_SETS = 40


@cache
def place() -> Path:
    """A user's folder, for one file after the other."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-fuzz-"))
    (folder / "manifest.json").write_bytes(b"")
    return folder


def ranges(path: Path) -> None:
    table = RangeTable.open(path)
    for version, number in ASKED:
        with suppress(DataError):
            assert len(table.labels(table.find(version, number))) <= LARGEST_SET
    for found in range(MOST_SETS):
        with suppress(DataError):
            assert len(table.labels(found)) <= LARGEST_SET
    assert len(table) >= 0
    list(table.every_label())


def domains(path: Path) -> None:
    sets = DomainSets.open(path)
    for name in ("mail.throwaway.example", "gmail.com", "gmial.com", "com", ""):
        assert sets.kinds_of(name) <= set(KINDS)
        assert isinstance(sets.resembling(name), str)


def bots(path: Path) -> None:
    index = BotIndex.open(path)
    for agent in ("Examplebot/1.0 (+https://site.example)", "curl/8.5.0", ""):
        for bot in index.find(agent):
            assert index.by_category(next(iter(bot.categories), CATEGORIES[0])) is not None
    assert index.bot("examplebot") is None or index.ids()


def edges(path: Path) -> None:
    found = Library(path.parent, wheel=path.parent).edge_ranges()
    assert all(isinstance(network, str) for networks in found.values() for network in networks)


READERS: tuple[Callable[[Path], None], ...] = (ranges, domains, bots, edges, verify)


def refused(read: Callable[[Path], None], path: Path) -> bool:
    try:
        read(path)
    except DataError as error:
        refusal = error
    else:
        return False
    assert str(path) in str(refusal)
    return True


def check_book(path: Path) -> None:
    """Beside the wheel's files one that may be anything is used, or left out with a message."""
    told: list[str] = []
    book = AddressBook(Library(path.parent), installed_sets=False, report=told.append)
    for address in ADDRESSES:
        assert isinstance(book.about(address), AddressFacts)
    assert all(str(path.parent) in message for message in told), told
    assert book.about("10.0.0.1").is_kind("reserved") is True


def check_catalogue(content: bytes) -> None:
    path = place() / "feeds.toml"
    path.write_bytes(content)
    with suppress(ConfigurationError):
        assert catalogue_file.load(path)


def check_manifest(content: bytes) -> None:
    path = place() / manifest.NAME
    path.write_bytes(content)
    found = manifest.load(path.parent)
    assert not (found.damaged and (found.feeds or found.files))
    if not found.damaged:
        manifest.save(path.parent, found)
        assert manifest.load(path.parent) == found


def target(data: bytes) -> None:
    path = place() / "edges.dwd"
    path.write_bytes(data)
    accepted = [read for read in READERS if not refused(read, path)]
    assert set(accepted) - {verify} in ({ranges}, {domains}, {bots}, {edges}, set()), accepted
    check_book(path)
    check_manifest(data)
    check_catalogue(data)


if __name__ == "__main__":
    fuzz(target, "data_files")
