"""Reads the URL of a store: which servers, and how they are reached. No password goes into a message from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED = (
    "redis://[[user]:password@]host[:port][/db][?option=value], the same with rediss:// (TLS), valkey://, valkeys://, "
    '"+cluster" or "+sentinel" behind any of them with several host:port, or redis+unix:///path/of/socket'
)
PORT = 6379
SENTINEL_PORT = 26379
MOST_CONNECTIONS = 64
_LONGEST_NAMESPACE = 64

SINGLE, CLUSTER, SENTINEL = "single", "cluster", "sentinel"
_KINDS = {"": SINGLE, "unix": SINGLE, "cluster": CLUSTER, "sentinel": SENTINEL}
_LIBRARIES = {"redis": ("redis", "valkey"), "rediss": ("redis", "valkey"),
              "valkey": ("valkey", "redis"), "valkeys": ("valkey", "redis")}  # fmt: skip
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OPTIONS = (
    "db", "namespace", "max_connections", "sentinel_username", "sentinel_password",
    *_FILES, "ssl_cert_reqs", "ssl_check_hostname",
)  # fmt: skip

_SECURE = ("rediss", "valkeys")

SCHEMES = (
    *[f"{name}{form}" for name in _LIBRARIES for form in ("", "+cluster", "+sentinel")], "redis+unix", "valkey+unix"
)  # fmt: skip
"""Every scheme that :func:`parse` takes."""


class Address(NamedTuple):
    """Where a server listens: a host and a port, or the path of a socket with port 0."""

    host: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Login:
    """Who to say we are."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Target:
    """What a URL names.

    Attributes:
        kind: ``single``, ``cluster`` or ``sentinel``.
        addresses: The server, some nodes of the Cluster, or the Sentinels.
        libraries: Packages that can speak to it, the preferred one first.
        login: Of the servers that hold data.
        sentinel_login: Of the Sentinels.
        service: What the Sentinels call the group.
        db: Number of the database.
        tls: Arguments of the TLS connection; None without TLS.
        namespace: What all keys begin with.
        max_connections: To each server, from each process.
    """

    kind: str
    addresses: tuple[Address, ...]
    libraries: tuple[str, ...] = ("redis", "valkey")
    login: Login = Login()
    sentinel_login: Login = Login()
    service: str = ""
    db: int = 0
    tls: Mapping[str, object] | None = None
    namespace: str = "doorward"
    max_connections: int = MOST_CONNECTIONS

    def __str__(self) -> str:
        where = ",".join(map(str, self.addresses))
        name = self.libraries[0] + ("s" if self.tls is not None else "")
        kind = "" if self.kind == SINGLE else f"+{self.kind}"
        return f"{name}{kind}://{where}/{self.service or self.db}"


def _wrong(problem: str) -> ConfigurationError:
    return ConfigurationError("store", f"{problem}; accepted: {ACCEPTED}")


def parse(url: str) -> Target:
    """What ``url`` names.

    Raises:
        ConfigurationError: It is none; the message names the part that is wrong, and holds no password.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _wrong("is no URL") from None
    name, _, form = parts.scheme.partition("+")
    if parts.scheme not in SCHEMES:
        raise _wrong(f"{parts.scheme + '://' if parts.scheme else 'a text without a scheme'} is not known")
    if not url.startswith(f"{parts.scheme}://"):
        raise _wrong("is no URL")
    # A password with a `?` or a `#` in it, as it is, would be read as options, and then be told in a message.
    if parts.fragment or "#" in url or "@" in parts.query:
        raise _wrong("has a # or a ?, which in a password are %23 and %3F")
    unknown = [option for option in options if option not in _OPTIONS]
    if unknown:
        raise _wrong(f"option {unknown[0]!r} is not one of {', '.join(_OPTIONS)}")
    kind = _KINDS[form]
    user, _, hosts = parts.netloc.rpartition("@")
    service, db = _place(kind, parts.path if form != "unix" else "", options)
    if kind != SENTINEL and any(option.startswith("sentinel_") for option in options):
        raise _wrong("options sentinel_username and sentinel_password go with +sentinel only")
    return Target(
        kind=kind,
        addresses=(_socket(parts.path),) if form == "unix" else _addresses(hosts, kind),
        libraries=_LIBRARIES[name],
        login=_login(user),
        sentinel_login=Login(options.get("sentinel_username"), options.get("sentinel_password")),
        service=service,
        db=db,
        tls=_tls(options, secure=name in _SECURE),
        namespace=_namespace(options),
        max_connections=_whole(options, "max_connections", MOST_CONNECTIONS, 1, 10_000),
    )


def _login(user: str) -> Login:
    name, colon, password = user.partition(":")
    return Login(unquote(name) or None, unquote(password) if colon else None)


def _socket(path: str) -> Address:
    if not path.startswith("/") or len(path) < 2:
        raise _wrong("the path of the socket is missing: three slashes, as in redis+unix:///run/valkey.sock")
    return Address(unquote(path), 0)


def _addresses(hosts: str, kind: str) -> tuple[Address, ...]:
    found = tuple([_address(host, SENTINEL_PORT if kind == SENTINEL else PORT) for host in hosts.split(",")])
    if kind == SINGLE and len(found) > 1:
        raise _wrong("several hosts need +cluster or +sentinel behind the scheme")
    return found


def _address(text: str, port: int) -> Address:
    try:
        parts = urlsplit(f"//{text}")
        host, number = parts.hostname or "", parts.port if parts.port is not None else port
    except ValueError:
        raise _wrong("the port is not a number from 1 to 65535") from None
    if not host or not 1 <= number <= 65535 or not all("!" <= c <= "~" for c in host):
        raise _wrong("a host is missing" if not host else "a host or a port is none")
    return Address(host, number)


def _place(kind: str, path: str, options: Mapping[str, str]) -> tuple[str, int]:
    """The group of a Sentinel, and the number of the database."""
    first, _, second = path.strip("/").partition("/")
    service = ""
    if kind == SENTINEL:
        service, first, second = unquote(first), second, ""
        if not service:
            raise _wrong("the name of the group is missing: redis+sentinel://host:port,host:port/NAME")
    text = options.get("db", first or "0")
    if (
        second
        or (first and "db" in options and first != text)
        or not (text.isascii() and text.isdigit())
        or len(text) > 6
    ):
        raise _wrong("the database is not a number from 0")
    if kind == CLUSTER and int(text):
        raise _wrong("a Cluster has database 0 only")
    return service, int(text)


def _tls(options: Mapping[str, str], *, secure: bool) -> Mapping[str, object] | None:
    given: dict[str, object] = {name: value for name, value in options.items() if name.startswith("ssl_")}
    if not secure:
        if given:
            raise _wrong(f"option {next(iter(given))!r} needs TLS: rediss:// or valkeys://")
        return None
    for name in _FILES:
        if name in given and not Path(str(given[name])).is_file():
            raise _wrong(f"the file of option {name!r} is not there")
    required = given.setdefault("ssl_cert_reqs", "required")
    if required not in {"required", "none"}:
        raise _wrong("option 'ssl_cert_reqs' must be required or none")
    checked = given.get("ssl_check_hostname", "true" if required == "required" else "false")
    if checked not in {"true", "false"}:
        raise _wrong("option 'ssl_check_hostname' must be true or false")
    # valkey-py does not look at the name in the certificate unless it is told to.
    given["ssl_check_hostname"] = checked == "true"
    return given


def _namespace(options: Mapping[str, str]) -> str:
    name = options.get("namespace", "doorward")
    if not 1 <= len(name) <= _LONGEST_NAMESPACE or not all("!" <= c <= "~" and c not in "{}" for c in name):
        raise _wrong(f"option 'namespace' must be 1 to {_LONGEST_NAMESPACE} printable characters without braces")
    return name


def _whole(options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = options.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not least <= int(text) <= most:
        raise _wrong(f"option {name!r} must be a number from {least} to {most}")
    return int(text)
