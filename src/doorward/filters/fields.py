"""What an expression can read. A value is read as all that the request says for it; nothing when it says nothing.

Texts are compared byte by byte, as Arcjet does. In here a text is a ``str`` whose characters are those bytes (latin-1),
as header values are anyway: a text that was decoded goes back to its UTF-8 first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from doorward.rules.base import View

Read = Callable[["View"], Sequence[Any]]


class Type(Enum):
    """What a value is."""

    TEXT = "text"
    NUMBER = "a number"
    ADDRESS = "an address"
    FLAG = "true or false"


class Field(NamedTuple):
    """Something to read.

    Attributes:
        type: What its values are.
        read: All of its values; of an address' country, say, there is at most one.
        about: What it wants to know about the client's address, as in ``Rule.reads``; empty when nothing.
    """

    type: Type
    read: Read
    about: str = ""


def octets(text: str) -> str:
    """Decoded text as its UTF-8 bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def as_sent(text: str) -> str:
    """Header text, which is latin-1 already; octets of any other."""
    if text.isascii():
        return text
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return octets(text)
    return text


def lower(text: str) -> str:
    """ASCII letters in lower case, all other bytes as they are."""
    return text.lower() if text.isascii() else text.encode("latin-1").lower().decode("latin-1")


def upper(text: str) -> str:
    """ASCII letters in upper case, all other bytes as they are."""
    return text.upper() if text.isascii() else text.encode("latin-1").upper().decode("latin-1")


def _all(values: Sequence[str], convert: Callable[[str], str]) -> Sequence[str]:
    if len(values) == 1 and values[0].isascii():
        return values
    return [convert(value) for value in values]


def _address(view: View) -> Sequence[str]:
    return (view.ip,) if view.ip else ()


def _host(view: View) -> Sequence[str]:
    sent = view.request.header_values("host")
    hosts = (view.request.host, *sent) if len(sent) > 1 else (view.request.host,)
    return _all(hosts, as_sent)


def _method(view: View) -> Sequence[str]:
    # In upper case, as frameworks route it: "post" is not to get past a filter for "POST".
    return (upper(as_sent(view.request.method)),)


def _path(view: View) -> Sequence[str]:
    return (octets(view.request.path),)


def _kind(kind: str) -> Field:
    def read(view: View) -> Sequence[bool]:
        found = view.addresses.about(view.ip).is_kind(kind)
        return () if found is None else (found,)

    return Field(Type.FLAG, read, kind)


def _place(name: str) -> Field:
    def read(view: View) -> Sequence[str]:
        value = view.addresses.about(view.ip).place.get(name)
        return (octets(value),) if value else ()

    return Field(Type.TEXT, read, name)


def _crawler_names(view: View) -> Sequence[str]:
    return _all(view.addresses.about(view.ip).names.get("crawler", ()), octets)


_KINDS = {
    "abuser": "abuse",
    **{kind: kind for kind in ("crawler", "hosting", "proxy", "relay", "reserved", "tor", "vpn")},
}

_PLACES = {
    "accuracy_radius": "accuracy_radius",
    "asnum": "asn",
    "asnum.country": "asn_country",
    "asnum.domain": "asn_domain",
    "asnum.name": "asn_name",
    "asnum.type": "asn_type",
    "city": "city",
    "continent": "continent",
    "continent.name": "continent_name",
    "country": "country",
    "country.name": "country_name",
    "lat": "latitude",
    "lon": "longitude",
    "postal_code": "postal_code",
    "region": "region",
    "service": "service",
    "timezone.name": "timezone",
}
"""Fields below ``ip.src``, and their names in ``AddressFacts.place``."""

FIELDS: Mapping[str, Field] = {
    "ip.src": Field(Type.ADDRESS, _address),
    "http.host": Field(Type.TEXT, _host),
    "http.request.method": Field(Type.TEXT, _method),
    "http.request.uri.path": Field(Type.TEXT, _path),
    "ip.src.crawler.name": Field(Type.TEXT, _crawler_names, "crawler"),
    "ip.src.mobile": Field(Type.FLAG, lambda _: (), "mobile"),  # Arcjet's; no data that we know of tells it
    **{f"ip.src.{name}": _kind(kind) for name, kind in _KINDS.items()},
    **{f"ip.src.{name}": _place(place) for name, place in _PLACES.items()},
}


def _header(key: bytes) -> Read:
    name = key.decode("latin-1").lower()
    return lambda view: _all(view.request.header_values(name), as_sent)


def _cookie(key: bytes) -> Read:
    name = key.decode("latin-1")
    return lambda view: _all(view.request.cookies(name), as_sent)


def _argument(key: bytes) -> Read:
    name = key.decode("utf-8", "replace")
    return lambda view: _all(view.request.query_values(name), octets)


def _local(key: bytes) -> Read:
    name = key.decode("utf-8", "replace")

    def read(view: View) -> Sequence[str]:
        value = view.given.get(name)
        return () if value is None else (octets(_as_text(name, value)),)

    return read


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"local[{name!r}] must be str, int, float, bool or None, not {type(value).__name__}")


MAPS: Mapping[str, Callable[[bytes], Read]] = {
    "http.request.headers": _header,
    "http.request.cookie": _cookie,
    "http.request.uri.args": _argument,
    "local": _local,
}
"""What is read by a key, always text."""
