"""Connections made by redis-py or valkey-py, whichever is installed. They connect, encrypt and log in; we read.

The libraries' own reading has a timeout for each read, so that a server that sends a byte now and then is never too
slow for it, and it takes answers of any length. Both take a parser from the caller, who is handed the connection: that
is the seam used here.
"""

from __future__ import annotations

import importlib
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.stores.redis.target import PORT, Address

if TYPE_CHECKING:
    from doorward.stores.redis.target import Login, Target


class Library:
    """One of the two packages.

    Args:
        target: What is spoken to.

    Raises:
        ConfigurationError: Neither is installed, or an option of the URL is not accepted.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.name = _installed(target.libraries)
        self._blocking = importlib.import_module(f"{self.name}.connection")
        self._exceptions = importlib.import_module(f"{self.name}.exceptions")
        self._retry = importlib.import_module(f"{self.name}.retry").Retry
        self._backoff = importlib.import_module(f"{self.name}.backoff").NoBackoff
        self._asyncio: Any = None
        # Telling the server the library's name and version would cost two more round trips for each connection.
        arguments = inspect.signature(self._blocking.AbstractConnection.__init__).parameters
        self._nameless = (
            {"driver_info": None} if "driver_info" in arguments else {"lib_name": None, "lib_version": None}
        )
        # The first connection imports what the library puts off; no request is to wait for that.
        self.connection(None, Address("localhost", PORT), 1.0)

    def refused(self, code: str, text: str) -> Exception:
        """What the library expects from its parser when the server refuses a command."""
        if code in {"NOAUTH", "WRONGPASS"}:
            return self._exceptions.AuthenticationError(f"{code} {text}")  # type: ignore[no-any-return]
        return self._exceptions.ResponseError(f"{code} {text}")  # type: ignore[no-any-return]

    def connection(self, wire: object, address: Address, timeout: float, *, sentinel: bool = False) -> Any:
        """A connection that blocks, not yet connected, with ``wire`` as its parser."""
        return self._make(self._blocking, wire, address, timeout, sentinel=sentinel)

    def async_connection(self, wire: object, address: Address, timeout: float, *, sentinel: bool = False) -> Any:
        """A connection that awaits."""
        if self._asyncio is None:
            self._asyncio = importlib.import_module(f"{self.name}.asyncio.connection")
        return self._make(self._asyncio, wire, address, timeout, sentinel=sentinel)

    def _make(self, module: Any, wire: object, address: Address, timeout: float, *, sentinel: bool) -> Any:
        target = self._target
        login: Login = target.sentinel_login if sentinel else target.login
        options: dict[str, Any] = {
            "username": login.username,
            "password": login.password,
            "db": 0 if sentinel else target.db,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": self._retry(self._backoff(), 0),
            "protocol": 2,
            "parser_class": partial(_handed, wire),
            **self._nameless,
        }
        if not address.port:
            return module.UnixDomainSocketConnection(path=address.host, **options)
        options |= {"host": address.host, "port": address.port, "socket_keepalive": True}
        if target.tls is None:
            return module.Connection(**options)
        return module.SSLConnection(**options, **target.tls)


def _handed(wire: object, **_: object) -> object:
    return wire


def _installed(names: tuple[str, ...]) -> str:
    for name in names:
        try:
            importlib.import_module(f"{name}.connection")
        except ImportError:
            continue
        return name
    raise ConfigurationError(
        "store", f"{names[0]}:// needs the package {names[0]} or {names[1]}: pip install 'doorward[{names[0]}]'"
    )
