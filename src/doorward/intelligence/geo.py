"""Reads a user's own MMDB files: GeoLite2 and GeoIP2, DB-IP, IPinfo, ip-location-db.

The package ``maxminddb`` (the extra ``geo``) reads the format. What the records call things differs; here it becomes
the names of ``decision.ip``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import ConfigurationError
from doorward.intelligence.container import Meta, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["GeoFile", "names_of", "open_geo", "place_of"]

_SAMPLED = 256
"""Records that are looked at to find out what a file knows: it does not say so itself."""


class _Field(NamedTuple):
    """Where a value may stand in a record: the keys to follow, and what makes a text of that kind out of it."""

    keys: tuple[str, ...]
    text: Callable[[str], str]


def _as_is(value: str) -> str:
    return value


def _code(value: str) -> str:
    return value.upper() if len(value) == 2 else ""


def _name(value: str) -> str:
    return value if len(value) > 2 else ""


def _digits(value: str) -> str:
    digits = value.upper().removeprefix("AS")
    return digits if digits.isdigit() else ""


def _fields(*paths: str, text: Callable[[str], str] = _as_is) -> tuple[_Field, ...]:
    return tuple(_Field(tuple(path.split(".")), text) for path in paths)


# Dotted paths are the nested layout of GeoIP2, which DB-IP shares; plain ones the flat layouts. IPinfo's `country` is a
# code in some of its files and a name in others.
_PLACES: Mapping[str, tuple[_Field, ...]] = {
    "country": _fields("country.iso_code", "country_code", "country", "registered_country.iso_code", text=_code),
    "country_name": _fields("country.names.en", "country_name", "country", "registered_country.names.en", text=_name),
    "continent": _fields("continent.code", "continent_code", "continent", text=_code),
    "continent_name": _fields("continent.names.en", "continent_name", "continent", text=_name),
    "region": _fields("subdivisions.names.en", "region", "region_name", "state1"),
    "city": _fields("city.names.en", "city", "city_name"),
    "postal_code": _fields("postal.code", "postal_code", "postcode", "postal"),
    "latitude": _fields("location.latitude", "latitude", "lat"),
    "longitude": _fields("location.longitude", "longitude", "lng"),
    "accuracy_radius": _fields("location.accuracy_radius", "accuracy_radius", "radius"),
    "timezone": _fields("location.time_zone", "timezone", "time_zone"),
    "asn": _fields("autonomous_system_number", "asn", "traits.autonomous_system_number", text=_digits),
    "asn_name": _fields("autonomous_system_organization", "as_name", "name", "traits.autonomous_system_organization"),
    "asn_domain": _fields("as_domain", "domain"),
    "asn_type": _fields("as_type", "type"),
}

# In IPinfo's file of networks, which has a `route`, the country is that of the network's owner.
_ROUTED: Mapping[str, tuple[_Field, ...]] = {
    **{name: fields for name, fields in _PLACES.items() if name.startswith("asn")},
    "asn_country": _fields("country", text=_code),
}

_FLAGS = {
    "is_anonymous_vpn": "vpn",
    "is_hosting_provider": "hosting",
    "is_public_proxy": "proxy",
    "is_residential_proxy": "proxy",
    "is_tor_exit_node": "tor",
    "hosting": "hosting",
    "proxy": "proxy",
    "relay": "relay",
    "tor": "tor",
    "vpn": "vpn",
}
_KINDS_BY_TYPE = {
    "anonymous": frozenset({"hosting", "proxy", "tor", "vpn"}),  # GeoIP2 Anonymous IP
    "privacy": frozenset({"hosting", "proxy", "relay", "tor", "vpn"}),  # IPinfo privacy detection
}


def place_of(record: Any) -> dict[str, str]:
    """Where a record says that an address is, by the names of ``decision.ip``; only what it says."""
    if not isinstance(record, dict):
        return {}
    found: dict[str, str] = {}
    for name, fields in (_ROUTED if "route" in record else _PLACES).items():
        value = next(filter(None, (field.text(_follow(record, field.keys)) for field in fields)), "")
        if value:
            found[name] = value
    return found


def names_of(record: Any, name: str) -> dict[str, tuple[str, ...]]:
    """The kinds that a record says an address is, in the form of ``AddressFacts.names``.

    Args:
        record: Of a file on anonymous networks; others say nothing of the sort.
        name: Who says so.
    """
    if not isinstance(record, dict):
        return {}
    flags = {**record, **traits} if isinstance(traits := record.get("traits"), dict) else record
    return {kind: (name,) for flag, kind in _FLAGS.items() if flags.get(flag) in (True, "true")}


def _follow(record: Any, keys: Sequence[str]) -> str:
    """The text or number at the end of the keys, as text; the first of a list. Empty when there is none."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
        if isinstance(record, list):
            record = record[0] if record else None
    if isinstance(record, bool) or not isinstance(record, str | int | float):
        return ""
    return str(record)


class GeoFile:
    """One open file.

    Args:
        path: Where it is.
        reader: ``maxminddb``'s.

    Attributes:
        path: Where it is.
        meta: What it says about itself.
        known: By IP version, the kinds that it is complete for.
        places: The names of places that it has.
    """

    def __init__(self, path: Path, reader: Any) -> None:
        self.path = path
        self._reader = reader
        metadata = reader.metadata()
        kinds = next((found for word, found in _KINDS_BY_TYPE.items() if word in metadata.database_type.lower()), None)
        kinds = kinds or frozenset[str]()
        self._ipv4_only = metadata.ip_version == 4
        self.known: Mapping[int, frozenset[str]] = {4: kinds, 6: frozenset[str]() if self._ipv4_only else kinds}
        self.places = frozenset(name for record in _sample(reader) for name in place_of(record))
        made = datetime.fromtimestamp(metadata.build_epoch, UTC).date().isoformat()
        source = Source(metadata.database_type, "", "the terms of whoever made it", made)
        self.meta = Meta(made, (source,), tuple(sorted(kinds | self.places)))

    def about(self, version: int, address: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """The names and the place of an address.

        Args:
            version: 4 or 6.
            address: As canonical text.

        Raises:
            Exception: Whatever the reader raises for a damaged file.
        """
        if version == 6 and self._ipv4_only:
            return {}, {}
        record = self._reader.get(address)
        return (names_of(record, self.path.stem) if self.known[version] else {}), place_of(record)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def _sample(reader: Any) -> Iterator[Any]:
    for number, (_, record) in enumerate(reader):
        if number == _SAMPLED:
            return
        yield record


def open_geo(paths: Sequence[Path], field: str = "geo") -> tuple[GeoFile, ...]:
    """Open MMDB files.

    Args:
        paths: Where they are.
        field: The argument that names them.

    Raises:
        ConfigurationError: One is missing or is no MMDB file, or the extra ``geo`` is not installed.
    """
    if not paths:
        return ()
    try:
        import maxminddb
    except ImportError:
        raise ConfigurationError(field, "MMDB files need: pip install 'doorward[geo]'") from None
    opened: list[GeoFile] = []
    for path in paths:
        try:
            opened.append(GeoFile(path, maxminddb.open_database(path)))
        except Exception as error:  # a damaged file makes either reader raise nearly anything
            for file in opened:
                file.close()
            raise ConfigurationError(field, f"{str(path)!r} cannot be opened as an MMDB file ({error})") from error
    return tuple(opened)
