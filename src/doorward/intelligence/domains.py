"""Domains of e-mail addresses: which are throw-away, which are free, which forward, which are well known.

A compiled file holds a sorted array of 64 bits of each name's SHA-256, a byte of kinds beside each, and the names of
the well-known providers. A look-up is a bisection in place, written in C, for each label that can matter. That another
name shares those 64 bits with one of 200,000 entries has a probability of 10^-14.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from doorward.errors import DataError
from doorward.intelligence import container
from doorward.intelligence.library import DATA_VARIABLE
from doorward.lazily import lazily
from doorward.near_names import one_edit_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from doorward.intelligence.container import DataFile, Meta
    from doorward.intelligence.library import Library

_logger = logging.getLogger("doorward")

FILE = "domains.dwd"
"""In the wheel."""
WIDE_FILE = "wide-domains.dwd"
"""In the user's data folder: a longer list of throw-away domains, less carefully kept."""

KINDS = ("disposable", "free", "relay", "provider")
"""What a domain can be: its bit is its place here."""
_DISPOSABLE, _FREE, _RELAY, _PROVIDER = 1, 2, 4, 8
_KNOWN = (1 << len(KINDS)) - 1
_INHERITED = _DISPOSABLE | _RELAY
"""What holds for all names below a listed one: throw-away services answer for any subdomain, and relays hand out
subdomains to their users. ``shop.gmail.com`` would not be a mailbox of Gmail's."""

_LONGEST_GUESS = 32
"""Characters of a mistyped domain that a provider is looked for. It bounds what a refusal costs."""

_FORMAT = "domains"
_VERSION = 1


def write_domains(path: Path, sets: Mapping[str, Iterable[str]], meta: Meta) -> None:
    """Compile sets of domains.

    Args:
        path: Where to.
        sets: Domains by kind: keys of :data:`KINDS`. Letters of any case, Unicode or A-labels. Providers stand in the
            order in which they are meant by whom a mistyped domain could mean several.
        meta: Where they came from.

    Raises:
        ValueError: A kind is unknown, or an entry is no domain with a dot: a list that holds "com" is broken.
        OSError: It cannot be written.
    """
    named = {kind: [_checked(name, kind) for name in names] for kind, names in sets.items()}
    bits: dict[str, int] = {}
    for kind, listed in named.items():
        for domain in listed:
            bits[domain] = bits.get(domain, 0) | 1 << KINDS.index(kind)
    entries = sorted((_digest(domain), domain) for domain in bits)
    digests = array("Q", [digest for digest, _ in entries])
    sections = {
        "digests": _little_endian(digests).tobytes(),
        "kinds": bytes(bits[domain] for _, domain in entries),
        "depth": bytes([max((domain.count(".") + 1 for domain in bits), default=0)]),
        "providers": "\n".join(dict.fromkeys(named.get("provider", ()))).encode(),
    }
    container.write(path, _FORMAT, _VERSION, meta, sections)


def _checked(name: str, kind: str) -> str:
    domain = to_ascii(name)
    if domain is None:
        raise ValueError(f"{name!r} in the {kind} domains is no domain name")
    return domain


def to_ascii(name: str) -> str | None:
    """A domain in lower-case A-labels (RFC 5890 section 2.3.2.1), without the final dot; None when it is none.

    For lists: names are taken as registries write them. Of a single label it is none either.
    """
    domain = name.strip().rstrip(".").lower()
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = domain.split(".")
    good = len(labels) >= 2 and len(domain) <= 253 and all(_is_label(label) for label in labels)
    return domain if good else None


class DomainSets:
    """An open file.

    Attributes:
        meta: Where its data came from, and which kinds it knows.
    """

    def __init__(self, file: DataFile) -> None:
        self.meta = file.meta
        self._path = file.path
        self._digests = _numbers(file.section("digests"))
        self._kinds = file.section("kinds")
        self._providers = file.section("providers")
        depth = file.section("depth")
        if len(self._digests) != len(self._kinds) or len(depth) != 1:
            raise DataError(file.path, "is damaged: its sections do not fit together")
        self._depth = depth[0]

    @classmethod
    def open(cls, path: Path) -> DomainSets:
        """Map a file that :func:`write_domains` has made.

        Raises:
            DataError: It is missing, truncated, or of another version.
        """
        return cls(container.open_file(path, _FORMAT, _VERSION))

    def __len__(self) -> int:
        return len(self._digests)

    def kinds_of(self, domain: str) -> frozenset[str]:
        """What a domain is: members of :data:`KINDS`.

        A relay is neither disposable nor free, what is disposable is not free, and a well-known provider is never
        disposable, whatever the lists say.

        Args:
            domain: In lower-case A-labels, without the final dot.
        """
        return _SETTLED[self._bits(domain)]

    def resembling(self, domain: str) -> str:
        """The well-known provider that ``domain`` is one slip of the finger away from; empty when there is none."""
        if len(domain) > _LONGEST_GUESS or self._listed(domain) & _PROVIDER:
            return ""
        near = {name for key in _keys(domain) for name in self._guessable.get(key, ())}
        return next((name for name in sorted(near, key=self._names.index) if one_edit_apart(domain, name)), "")

    @lazily
    def _names(self) -> list[str]:
        # One slip turns too many short names into each other for a guess to mean anything.
        try:
            names = str(self._providers, "ascii").split()
            return [name for name in names if name.index(".") >= 3 and len(name) < _LONGEST_GUESS]
        except ValueError as error:
            raise DataError(self._path, f"is damaged ({error})") from error

    @lazily
    def _guessable(self) -> dict[str, list[str]]:
        """Providers by what is left of their names without a letter: of names one slip apart, they share one."""
        found: dict[str, list[str]] = {}
        for name in self._names:
            for key in _keys(name):
                found.setdefault(key, []).append(name)
        return found

    def _bits(self, domain: str) -> int:
        bits = self._listed(domain)
        labels = domain.split(".")
        # No entry has more labels than `depth`, none has one only.
        for start in range(max(1, len(labels) - self._depth), len(labels) - 1):
            bits |= self._listed(".".join(labels[start:])) & _INHERITED
        return bits

    def _listed(self, domain: str) -> int:
        digest = _digest(domain)
        place = bisect_left(self._digests, digest)
        found = place < len(self._digests) and self._digests[place] == digest
        return self._kinds[place] & _KNOWN if found else 0


class WideDomains:
    """A file's sets, and as throw-away domains also those of a wider list: but for relays and well-known providers.

    Args:
        narrow: The sets.
        library: Where the wider list is. It is opened again when there is a new one.

    Raises:
        DataError: It is not there, or not to be read.
    """

    def __init__(self, narrow: DomainSets, library: Library) -> None:
        self._narrow = narrow
        self._library = library
        self._path = wide_path(library)
        self._generation = library.generation()
        self._wide = DomainSets.open(self._path)
        self.resembling = narrow.resembling

    def kinds_of(self, domain: str) -> frozenset[str]:
        """As :meth:`DomainSets.kinds_of`."""
        kinds = self._narrow.kinds_of(domain)
        if kinds.isdisjoint(("relay", "provider")) and "disposable" in self._current().kinds_of(domain):
            return _SETTLED[_DISPOSABLE]
        return kinds

    def _current(self) -> DomainSets:
        generation = self._library.generation()
        if generation != self._generation:
            self._generation = generation
            try:
                self._wide = DomainSets.open(self._path)
            except DataError as error:
                _logger.warning("the list of before stays in use: %s", error)
        return self._wide


def wide_path(library: Library) -> Path:
    """Where ``doorward data update`` puts the wide list.

    Raises:
        DataError: There is no folder for it.
    """
    if library.user is None:
        raise DataError(WIDE_FILE, f"there is no folder for it: set {DATA_VARIABLE}")
    return library.user / WIDE_FILE


def _settled(bits: int) -> frozenset[str]:
    if bits & _PROVIDER:
        bits &= ~_DISPOSABLE
    if bits & _RELAY:
        bits &= ~(_DISPOSABLE | _FREE)
    if bits & _DISPOSABLE:
        bits &= ~_FREE
    return frozenset(kind for place, kind in enumerate(KINDS) if bits >> place & 1)


_SETTLED = tuple(_settled(bits) for bits in range(1 << len(KINDS)))


def _keys(name: str) -> set[str]:
    # The "symmetric delete" index of SymSpell (W. Garbe, 2012), for a distance of 1.
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


def _digest(domain: str) -> int:
    # A client's domain is in A-labels, which are ASCII; whatever else there were is simply in no list.
    return int.from_bytes(hashlib.sha256(domain.encode("ascii", "replace")).digest()[:8], "little")


def _is_label(label: str) -> bool:
    # RFC 1123 section 2.1, and "_", which some lists have.
    plain = label.replace("-", "").replace("_", "")
    return 1 <= len(label) <= 63 and label[0] != "-" and label[-1] != "-" and plain.isalnum()


def _numbers(section: memoryview) -> Sequence[int]:
    whole = section[: len(section) // 8 * 8]
    if sys.byteorder == "little":
        return whole.cast("Q")
    return _little_endian(array("Q", whole.tobytes()))


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
