"""Tells what is known about an address, from all compiled data that there is.

In this order, each with ranges for some kinds of addresses or for places:

1. the wheel's files: special-purpose ranges, and those that crawlers' operators publish;
2. the files of the user's folder, brought by ``doorward data update``;
3. the offline set of the package ``iporigin``, where it is installed;
4. the user's own MMDB files, which come first where it is about places: somebody chose them.

What they say adds up. But of one *source* (a feed, an operator's list) only the newest copy counts, so that what its
operator has withdrawn is gone, whether the newest came with the wheel or by an update.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from doorward.address_facts import KINDS, NOTHING_KNOWN, AddressFacts
from doorward.errors import DataError
from doorward.forwarded import LONGEST_ADDRESS
from doorward.intelligence.addresses import parse, text
from doorward.intelligence.container import MAGIC, SMALL, verify
from doorward.intelligence.geo import open_geo
from doorward.intelligence.library import signature
from doorward.intelligence.ranges import KIND, UNSURE, RangeTable
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from doorward.intelligence.container import Meta
    from doorward.intelligence.geo import GeoFile
    from doorward.intelligence.library import Library

__all__ = ["WHEEL_FILES", "AddressBook", "DataSource"]

WHEEL_FILES = ("special.dwd", "crawlers.dwd")

_REMEMBERED = 4096
"""Addresses whose facts are remembered, the least recently seen forgotten first."""

_COMBINATIONS = 4096
"""Combinations of label sets whose facts are remembered before that starts anew."""

_VERIFIED_BYTES = SMALL
"""Files up to this size are read and their digest compared when they are opened: under a millisecond. Larger ones have
been compared by the update that brought them."""

_KINDS = frozenset(KINDS)


class DataSource(NamedTuple):
    """One file that an address book reads.

    Attributes:
        path: Where it is.
        meta: What it says about itself.
        known: The kinds and places that it tells about.
        ranges: About how many it has; 0 where that is not known.
    """

    path: Path
    meta: Meta
    known: frozenset[str]
    ranges: int


class _Layer:
    """A table, and what follows from its labels.

    Attributes:
        table: The table.
        known: By IP version, the kinds that it is complete for: those that it says, as far as it has any range of them
            (a list without IPv6 tells nothing about IPv6). A source of crawlers' addresses that is in it is listed as
            ``crawler:<source>``.
        places: What it has of places.
    """

    def __init__(self, table: RangeTable) -> None:
        self.table = table
        complete = _KINDS.intersection(map(str, table.meta.knows))
        sources = frozenset[str]()
        if "crawler" in complete:
            sources = frozenset(label for label in table.every_label() if label.startswith("crawler:"))
        self.known = {version: complete & kinds | sources for version, kinds in table.kinds.items()}
        self.places = frozenset[str]().union(*table.kinds.values()) - _KINDS - {UNSURE}

    def source(self) -> DataSource:
        """What ``doorward data status`` shows of it."""
        kinds = _KINDS & frozenset[str]().union(*self.known.values())
        return DataSource(self.table.path, self.table.meta, kinds | self.places, len(self.table))


class _Snapshot:
    """All data of one moment. Never changed, but replaced, so that a request sees one state of it.

    Args:
        layers: In their order.
        geo: The user's own files.
        report: Told about a file that turns out to be damaged.
    """

    def __init__(self, layers: Iterable[_Layer], geo: Sequence[GeoFile], report: Callable[[str], None]) -> None:
        self.layers = tuple(layers)
        self.geo = tuple(geo)
        self._report = report
        self._searches = {version: [layer.table.searches[version] for layer in self.layers] for version in (4, 6)}
        self._known = {
            version: frozenset[str]().union(*[layer.known[version] for layer in self.layers]) for version in (4, 6)
        }
        self._superseded = _superseded([layer.table.meta for layer in self.layers])
        self._facts: dict[tuple[int, ...], AddressFacts] = {}

    def known(self) -> frozenset[str]:
        """The kinds and places that there is data for."""
        found = self._known[4] | self._known[6]
        for layer in self.layers:
            found |= layer.places
        for file in self.geo:
            found = found.union(file.places, file.known[4])
        return found

    def look_up(self, address: str) -> AddressFacts:
        """What is known about an address.

        Raises:
            DataError: A table is damaged.
        """
        parsed = parse(address)
        if parsed is None:
            return NOTHING_KNOWN
        version, number = parsed
        key = (version, *[search(number) for search in self._searches[version]])
        facts = self._facts.get(key)
        if facts is None:
            if len(self._facts) >= _COMBINATIONS:
                self._facts.clear()
            facts = self._facts[key] = self._combined(key)
        return self._with_geo(facts, version, text(version, number)) if self.geo else facts

    def _combined(self, key: tuple[int, ...]) -> AddressFacts:
        """The facts that follow from a version and the number of a set in each table."""
        version, *sets = key
        known = self._known[version]
        names: dict[str, tuple[str, ...]] = {}
        place: dict[str, str] = {}
        for layer, superseded, number in zip(self.layers, self._superseded, sets, strict=True):
            for label in layer.table.labels(number) if number else ():
                kind, _, name = label.partition(":")
                if kind == UNSURE:
                    known = known - self._only_known_by(layer, version, name)
                elif kind not in _KINDS:
                    place.setdefault(kind, name)
                elif name not in superseded and name not in names.get(kind, ()):
                    names[kind] = (*names.get(kind, ()), name)
        return AddressFacts(known, MappingProxyType(names), MappingProxyType(place))

    def _only_known_by(self, layer: _Layer, version: int, kind: str) -> frozenset[str]:
        others = [other for other in self.layers if other is not layer and kind in other.known[version]]
        return frozenset() if others else frozenset({kind})

    def _with_geo(self, facts: AddressFacts, version: int, address: str) -> AddressFacts:
        known, names = facts.known, dict(facts.names)
        place: dict[str, str] = {}
        for file in self.geo:
            try:
                more, where = file.about(version, address)
            except Exception as error:  # a damaged file makes either reader raise nearly anything
                self._report(f"{file.path}: cannot be read ({error!r})")
                continue
            known |= file.known[version]
            for kind, said in more.items():
                names[kind] = (*names.get(kind, ()), *said)
            place = {**where, **place}
        return AddressFacts(known, MappingProxyType(names), MappingProxyType({**facts.place, **place}))


def _superseded(metas: Sequence[Meta]) -> list[frozenset[str]]:
    """For each file, the names of the sources of which another file has a newer copy; a later file wins a draw."""
    newest: dict[str, tuple[str, int]] = {}
    for order, meta in enumerate(metas):
        for source in meta.sources:
            newest[source.name] = max(newest.get(source.name, ("", -1)), (str(source.date), order))
    return [
        frozenset(source.name for source in meta.sources if newest[source.name][1] != order)
        for order, meta in enumerate(metas)
    ]


class AddressBook:
    """What is known about addresses: implements :class:`doorward.address_facts.Addresses`.

    Thread safe. Takes up what an update has brought by itself.

    Args:
        library: Where the files are.
        geo: The user's own MMDB files.
        installed_sets: Whether to use data packages that are installed beside doorward.
        report: Told about what cannot be used, in a sentence.

    Raises:
        DataError: A file of the wheel is missing or damaged.
        ConfigurationError: A file of ``geo`` is, or the extra ``geo`` is not installed.
    """

    def __init__(
        self,
        library: Library,
        *,
        geo: Sequence[Path] = (),
        installed_sets: bool = True,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._library = library
        self._report = report
        self._lock = lock_over_forks()
        self._generation = library.generation()
        self._wheel = [_open(library.wheel / name) for name in WHEEL_FILES]
        self._geo = open_geo(geo)
        self._installed = self._open_installed() if installed_sets else []
        self._user: dict[Path, tuple[object, _Layer]] = {}
        self._load()

    def about(self, address: str) -> AddressFacts:
        """What is known about ``address``, in any form that :func:`doorward.forwarded.canonical` accepts.

        Mapped, NAT64 and 6to4 addresses count as the IPv4 address inside. Nothing is known about text that is none.
        """
        if self._library.generation() != self._generation:
            self._refresh()
        if len(address) > LONGEST_ADDRESS:
            return NOTHING_KNOWN
        try:
            return self._look_up(address)
        except DataError as error:
            self._drop(error)
            return self.about(address)

    def known(self) -> frozenset[str]:
        """The kinds (of :data:`doorward.address_facts.KINDS`) and the places that there is data for.

        Sources of crawlers' addresses are in it as ``crawler:<source>``.
        """
        return self._snapshot.known()

    def sources(self) -> tuple[DataSource, ...]:
        """The files that are in use, in order."""
        snapshot = self._snapshot
        files = [DataSource(file.path, file.meta, file.places | file.known[4], 0) for file in snapshot.geo]
        return (*[layer.source() for layer in snapshot.layers], *files)

    def close(self) -> None:
        """Let go of the MMDB files; the others go with the book."""
        for file in self._geo:
            file.close()

    def _refresh(self) -> None:
        """Take up new files; one thread does, the others go on with what there is."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._generation = self._library.generation()
            self._load()
        except Exception as error:  # nothing that happens to files may reach a request
            self._report(f"the address data could not be brought up to date ({error!r}); what was there stays in use")
        finally:
            self._lock.release()

    def _load(self) -> None:
        user: dict[Path, tuple[object, _Layer]] = {}
        for path in self._library.files():
            previous = self._user.get(path)
            layer = self._user_layer(path, previous)
            if layer is not None:
                user[path] = layer
        self._user = user
        self._use([*self._wheel, *(layer for _, layer in user.values()), *self._installed])

    def _user_layer(self, path: Path, previous: tuple[object, _Layer] | None) -> tuple[object, _Layer] | None:
        """A file of the user's folder; what was there before if it has not changed, or cannot be used."""
        found = signature(path)
        if previous is not None and previous[0] == found:
            return previous
        try:
            return None if _is_of_another_kind(path) else (found, _open(path))
        except (DataError, OSError) as error:
            kept = "; the previous one stays in use" if previous else "; it is left out"
            self._report(f"{error}{kept}")
            return previous

    def _open_installed(self) -> list[_Layer]:
        if find_spec("iporigin") is None:
            return []
        from doorward.intelligence.iporigin_set import open_offline_set  # it needs what takes long to import

        try:
            table = open_offline_set()
        except DataError as error:
            self._report(f"{error}; it is left out")
            return []
        return [] if table is None else [_Layer(table)]

    def _use(self, layers: Iterable[_Layer]) -> None:
        self._snapshot = snapshot = _Snapshot(layers, self._geo, self._report)
        self._look_up = lru_cache(_REMEMBERED)(snapshot.look_up)

    def _drop(self, error: DataError) -> None:
        """Go on without a table that has turned out to be damaged."""
        with self._lock:
            remaining = [layer for layer in self._snapshot.layers if str(layer.table.path) != error.path]
            if len(remaining) < len(self._snapshot.layers):
                self._report(f"{error}; it is left out from now on")
                self._use(remaining)


def _open(path: Path) -> _Layer:
    """Open a table, having compared its digest if that is quickly done.

    Raises:
        DataError: It is missing or damaged.
    """
    found = signature(path)
    if found is not None and found[1] <= _VERIFIED_BYTES:
        verify(path)
    return _Layer(RangeTable.open(path))


def _is_of_another_kind(path: Path) -> bool:
    """Whether this is a sound beginning of a file of something else, such as domains."""
    with path.open("rb") as file:
        start = file.read(64)
    return start.startswith(MAGIC) and b'"kind":"' in start and f'"kind":"{KIND}"'.encode() not in start
