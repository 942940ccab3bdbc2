"""Who a request is counted as: characteristics, and the fingerprint made of their values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from itertools import islice, product
from typing import TYPE_CHECKING

from doorward.client_ip import canonical, network_prefix
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from doorward.context import RequestContext

IP = "ip.src"
CLIENT = "client.id"
VERSION = "fp::3::"
_SHORT = 24
_MOST_ALTERNATIVES = 8
MOST_KNOWN = 4096
"""Fingerprints of addresses that one identity keeps at hand."""
ACCEPTED = (
    'ip.src, http.host, http.request.method, http.request.uri.path, http.request.headers["x"], '
    'http.request.cookie["x"], http.request.uri.args["x"], client.id, or the name of a key given to protect'
)

Scalar = str | int | float | bool
Part = tuple[str, ...]

_KEYED = re.compile(r"""http\.request\.(headers|cookie|uri\.args)\[(["'])([A-Za-z0-9_-]+)\2\]""")
_OWN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_MISTAKEN = frozenset({"ip", "ip_src", "ip_address", "address", "client_ip", "remote_addr"})
_OURS = frozenset({IP, CLIENT})
"""What is found out about the client, not given by the application."""
_ALIASES = {"http.method": "http.request.method"}


class Fingerprint:
    """A client's name for one set of characteristics: unreadable, of one length, without collisions between fields.

    SHA-256 over length-prefixed parts: ``a="bc"`` and ``ab="c"`` differ.

    Attributes:
        digest: SHA-256, 64 hexadecimal digits.
        short: The beginning of it, for store keys: what a store keeps a million of should be small.
        missing: Characteristics of the application's own that were not given; the address stands in for each.
        clients: How many clients it stands for: a limit admits as many times its ``max``.
    """

    __slots__ = ("clients", "digest", "missing", "short")

    def __init__(self, parts: Iterable[Part], missing: Sequence[str] = (), clients: int = 1) -> None:
        message = bytearray()
        for part in parts:
            for value in part:
                data = value.encode("utf-8", "surrogatepass")
                message += b"%d:" % len(data)
                message += data
            message += b";"
        self.digest = hashlib.sha256(message).hexdigest()
        self.short = self.digest[:_SHORT]
        self.missing = missing
        self.clients = clients

    def __str__(self) -> str:
        return VERSION + self.digest


class Identity:
    """Reads a rule's characteristics from a request.

    Args:
        characteristics: Names as in the module's ``ACCEPTED``; order and repetition do not matter.
        ipv6_prefix: Bits of an IPv6 address that name a client: 64, since a network hands each host that much.
        clients: How many clients an address may stand for, where ``client.id`` is among the names.

    Raises:
        ConfigurationError: A name is none of ``ACCEPTED``.
    """

    __slots__ = ("_clients", "_ipv6_prefix", "_known", "_only_ip", "_readers", "keyed", "names")

    def __init__(self, characteristics: Sequence[str], *, ipv6_prefix: int = 64, clients: int = 1) -> None:
        self._clients = clients
        self.names = normalized(characteristics)
        self._ipv6_prefix = ipv6_prefix
        self._readers = {name: _reader(name) for name in self.names}
        self._only_ip = self.names == (IP,)
        self._known: dict[str, Fingerprint] = {}
        self.keyed = frozenset(name for name in self.names if _KEYED.fullmatch(name))

    def parts(self) -> frozenset[str]:
        """What of a request it reads: names of headers in lower case, and ``query``."""
        found = {"host"} if "http.host" in self.names else set[str]()
        for place, _, key in [match.groups() for name in self.names if (match := _KEYED.fullmatch(name))]:
            found.add({"cookie": "cookie", "uri.args": "query"}.get(place) or key)
        return frozenset(found)

    def own(self) -> frozenset[str]:
        """The characteristics of the application's own."""
        return frozenset(name for name, read in self._readers.items() if read is None and name not in _OURS)

    def fingerprint(self, request: RequestContext, ip: str, given: Mapping[str, object]) -> Fingerprint:
        """Who this request is.

        Raises:
            TypeError: A value in ``given`` is no str, int, float or bool.
        """
        if self._only_ip:
            return self._known.get(ip) or self._of_ip(ip)
        missing = [
            name
            for name, read in self._readers.items()
            if read is None and given.get(name) is None and name not in _OURS
        ]
        return Fingerprint(self.read(request, ip, given), missing)

    def fingerprints(self, request: RequestContext, ip: str, given: Mapping[str, object]) -> list[Fingerprint]:
        """All whom this request may be, where a header, cookie or parameter was sent several times.

        Frameworks differ in which one they read. Charged as each of them, nobody gains a new name by sending another
        value beside the one that counts.

        Raises:
            TypeError: A value in ``given`` is no str, int, float or bool.
        """
        whole = self.fingerprint(request, ip, given)
        if not self.keyed and CLIENT not in self.names:
            return [whole]
        choices = [_alternatives(self._part(name, request, ip, given), name in self.keyed) for name in self.names]
        found = [Fingerprint(parts, whole.missing) for parts in islice(product(*choices), _MOST_ALTERNATIVES)]
        if CLIENT not in self.names or (not request.client_id and self._clients == 1):
            return found
        # And as everybody at its address together: whoever leaves the id out, or has many, gains nothing by it.
        place = self.names.index(CLIENT)
        for parts in islice(product(*choices), _MOST_ALTERNATIVES):
            together = [*parts[:place], self._address(alone=self._clients == 1, ip=ip), *parts[place + 1 :]]
            found.append(Fingerprint(together, whole.missing, self._clients))
        return found

    def read(self, request: RequestContext, ip: str, given: Mapping[str, object]) -> list[Part]:
        """What a request is counted by, as it is read: each characteristic's name and its values.

        Where the address stands in for a key that was not given, the name is ``ip.src``.

        Raises:
            TypeError: A value in ``given`` is no str, int, float or bool.
        """
        return [self._part(name, request, ip, given) for name in self.names]

    def of_value(self, client: Scalar | Mapping[str, Scalar]) -> Fingerprint | None:
        """The client that an operator names by its plain value, or None where that does not name one here.

        A plain value stands for the only characteristic; a mapping names several.

        Raises:
            ConfigurationError: A name in the mapping is none of ``ACCEPTED``.
            ValueError: What should be an address is none.
        """
        if isinstance(client, Mapping):
            values = {_normal_name(name, "client"): value for name, value in client.items()}
        else:
            values = dict.fromkeys(self.names[:1], client)
        if set(values) != set(self.names):
            return None
        return Fingerprint([self._plain_part(name, values[name]) for name in self.names])

    def _of_ip(self, ip: str) -> Fingerprint:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        found = self._known[ip] = Fingerprint((self._ip_part(ip),))
        return found

    def _plain_part(self, name: str, value: Scalar) -> Part:
        if name == CLIENT and canonical(str(value)) is not None:
            name = IP  # no id looks like an address: those are meant who come without one
        if name != IP:
            return (name, _FOLDED.get(name, str)(str(value)))
        address = canonical(str(value))
        if address is None:
            raise ValueError(f"{value!r} is no IP address")
        return self._ip_part(address)

    def _ip_part(self, ip: str) -> Part:
        return (IP, network_prefix(ip, self._ipv6_prefix) if ":" in ip else ip)

    def _address(self, ip: str, *, alone: bool = True) -> Part:
        """The address in the place of a client's id: ``alone`` as those without an id, else as all that it has."""
        part = self._ip_part(ip)
        return part if alone else (CLIENT, *part)

    def _part(self, name: str, request: RequestContext, ip: str, given: Mapping[str, object]) -> Part:
        read = self._readers[name]
        if read is not None:
            return read(request)
        if name == CLIENT:
            return (CLIENT, request.client_id) if request.client_id else self._address(ip)
        value = given.get(name) if name != IP else None
        return self._ip_part(ip) if value is None else _own(name, value)


def normalized(characteristics: object, field: str = "characteristics") -> tuple[str, ...]:
    """Characteristics in their one order, each once, aliases resolved.

    Raises:
        ConfigurationError: It is not a sequence of names that exist.
    """
    if isinstance(characteristics, str) or not isinstance(characteristics, list | tuple | set | frozenset):
        raise ConfigurationError(field, f"must be a list or tuple of names, not {characteristics!r}; {ACCEPTED}")
    names = {_normal_name(name, field) for name in characteristics}
    return tuple(sorted(names))


def _normal_name(name: object, field: str) -> str:
    if name in _MISTAKEN:
        raise ConfigurationError(field, f"{name!r} would be a key of your own; the client's address is 'ip.src'")
    if isinstance(name, str):
        name = _ALIASES.get(name, name)
        if match := _KEYED.fullmatch(name):
            place, _, key = match.groups()
            return f'http.request.{place}["{key.lower() if place == "headers" else key}"]'
        if name in _FIXED or name in _OURS or (_OWN_NAME.fullmatch(name) and not name.startswith(("http.", "ip."))):
            return name
    raise ConfigurationError(field, f"{name!r} is none of: {ACCEPTED}")


def _own(name: str, value: object) -> Part:
    if not isinstance(value, str | int | float):
        raise TypeError(f"characteristics[{name!r}] must be str, int, float or bool, not {type(value).__name__}")
    return (name, str(value))


_FOLDED: dict[str, Callable[[str], str]] = {"http.host": str.lower, "http.request.method": str.upper}
_FIXED: dict[str, Callable[[RequestContext], Part]] = {
    "http.host": lambda request: ("http.host", request.host.lower()),
    "http.request.method": lambda request: ("http.request.method", request.method.upper()),
    "http.request.uri.path": lambda request: ("http.request.uri.path", request.path),
}


def _reader(name: str) -> Callable[[RequestContext], Part] | None:
    """How to read a part of the request; None for a key of the application's own."""
    if name in _FIXED:
        return _FIXED[name]
    if match := _KEYED.fullmatch(name):
        return _keyed_reader(name, match[1], match[3])
    return None


def _keyed_reader(name: str, place: str, key: str) -> Callable[[RequestContext], Part]:
    if place == "headers":
        return lambda request: (name, *request.headers.values(key))
    if place == "cookie":
        return lambda request: (name, *request.cookies(key))
    return lambda request: (name, *request.query_values(key))


def _alternatives(part: Part, keyed: bool) -> list[Part]:  # noqa: FBT001  (what the part is, not how to treat it)
    """A part once for each of its values. Frameworks read the first or the last: of many, those at the ends."""
    name, *values = part
    distinct = list(dict.fromkeys(values))
    if not keyed or len(distinct) <= 1:
        return [part if len(distinct) == len(values) else (name, *distinct)]
    return [(name, value) for value in dict.fromkeys([*distinct[:2], *distinct[-2:]])]
