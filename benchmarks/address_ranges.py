"""What 500,000 address ranges cost: to compile, to open, to ask, in memory. ``python benchmarks/address_ranges.py``.

The ranges are made up, in the proportions of real data: 400,000 of IPv4 and 100,000 of IPv6 in a thousand of which a
/64 is divided, with 70,000 autonomous systems and 250 countries, or with the few labels of hosting and abuse lists.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.addresses import parse, text
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.library import Library, wheel_folder
from doorward.intelligence.range_writer import write_ranges
from doorward.intelligence.ranges import RangeTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

IPV4 = 400_000
IPV6 = 100_000
ASKED = 50_000
META = Meta("2026-01-01", (Source("made-up", "", "none", "2026-01-01"),), ("country", "asn"))
FEW = [f"hosting:cloud-{number}" for number in range(40)]
MANY = [f"asn:{number}" for number in range(1, 70_001)]


def networks(rng: random.Random) -> Iterator[str]:
    for _ in range(IPV4):
        yield f"{text(4, rng.getrandbits(32))}/{rng.choice((16, 20, 22, 23, 24, 24, 24, 24, 28, 32))}"
    for number in range(IPV6):
        prefix = rng.randrange(65, 129) if number % 1000 == 0 else rng.choice((29, 32, 32, 36, 40, 44, 48, 48, 56, 64))
        yield f"{text(6, 0x2 << 124 | rng.getrandbits(124))}/{prefix}"


def addresses(rng: random.Random, version: int) -> list[str]:
    bits, prefix = (32, 0) if version == 4 else (124, 0x2 << 124)
    return [text(version, prefix | rng.getrandbits(bits)) for _ in range(ASKED)]


def microseconds(ask: Callable[[str], object], asked: Sequence[str], rounds: int = 5) -> float:
    """The best of some rounds over all addresses, for each of them."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for address in asked:
            ask(address)
        best = min(best, time.perf_counter() - start)
    return best / len(asked) * 1e6


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """The shortest time in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def compile_into(path: Path, labels: Sequence[str]) -> None:
    rng = random.Random(7)
    start = time.perf_counter()
    write_ranges(path, ((network, rng.choice(labels)) for network in networks(rng)), META)
    print(f"{path.name}: compiled in {time.perf_counter() - start:.1f} s, {path.stat().st_size / 2**20:.1f} MiB")


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() // 1024


def in_memory(path: str) -> None:
    """What a fresh process needs for the table: opened, and after every page of it was touched."""
    before = resident_kib()
    table = RangeTable.open(Path(path))
    opened = resident_kib()
    for version in (4, 6):
        for address in addresses(random.Random(1), version):
            table.find(*parse(address) or (version, 0))
    print(f"    resident: {opened - before} KiB opened, {resident_kib() - before} KiB after 100,000 searches")


def ask_table(table: RangeTable) -> None:
    """From the text of an address to the number of its set of labels."""
    for version in (4, 6):
        search, asked = table.searches[version], addresses(random.Random(3), version)
        each = microseconds(lambda address, search=search: search(parse(address)[1]), asked)  # type: ignore[misc,index]
        print(f"    IPv{version}: {each:.2f} us an address, none asked twice")


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    for name, labels in (("few.dwd", FEW), ("many.dwd", MANY)):
        path = folder / name
        compile_into(path, labels)
        print(f"    opened in {best_of(50, lambda path=path: RangeTable.open(path)):.3f} ms")  # type: ignore[misc]
        ask_table(RangeTable.open(path))
        subprocess.run([sys.executable, __file__, str(path)], check=True)
    rng = random.Random(11)
    ipv4, ipv6 = addresses(rng, 4), addresses(rng, 6)
    for title, user in (("wheel", folder / "none"), ("wheel + few + many", folder)):
        library = Library(user)
        start = time.perf_counter()
        book = AddressBook(library, installed_sets=False)
        print(f"{title}: book opened in {(time.perf_counter() - start) * 1e3:.2f} ms")
        for family, asked in (("IPv4", ipv4), ("IPv6", ipv6)):
            print(f"    {family}: {microseconds(book.about, asked):.2f} us an address not seen before")
        print(f"    the same address again: {microseconds(book.about, [ipv4[0]] * ASKED):.2f} us")
    start = time.perf_counter()
    AddressBook(Library(folder / "none"))
    print(f"wheel + installed sets: book opened in {(time.perf_counter() - start) * 1e3:.2f} ms; from {wheel_folder()}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        in_memory(sys.argv[1])
    else:
        main()
