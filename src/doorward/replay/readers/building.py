"""From what a log says of a request to the request."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from doorward.context import RequestContext
from doorward.replay.readers.problems import NO_PATH, NoRequest
from doorward.replay.readers.remembered import Remembered
from doorward.replay.readers.request_lines import Asked, asked, asked_by, decoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Line = tuple[str, str]
Lines = list[Line]

_new = RequestContext.__new__
request_lines: Remembered[Asked] = Remembered(asked_by)


def request_of(what: Asked, headers: Sequence[Line], peer: str | None) -> RequestContext:
    """The request. Past ``__init__``, since this runs for every line."""
    request = _new(RequestContext)
    request.method, request.path, request.query, raw_path, host, scheme = what
    request.scheme = scheme or "http"
    request.lines = tuple(headers)  # of which the garbage collector learns that it need not look at it again
    request.peer = peer
    if raw_path is not None:
        request.raw_path = raw_path
    if host is not None:
        request._host = host  # noqa: SLF001  (as __init__ does)
    return request


def asked_in(said: Mapping[str, str]) -> Asked:
    """What a request asks for, of which a log says one or several of ``request``, ``target``, ``path``, ``query``.

    Args:
        said: Values by their use.

    Raises:
        NoRequest: The log does not say.
    """
    whole = said.get("request")
    what = request_lines[whole] if whole is not None else None
    method, target = said.get("method", what.method if what else "GET"), said.get("target")
    if target is not None:
        what = asked(method, target)
    elif what is None:
        path = said.get("path")
        if not path:
            raise NoRequest(NO_PATH)
        query = said.get("query", said.get("?query", "").removeprefix("?"))
        what = Asked(method, path if path.isascii() else decoded(path.replace("%", "%25")), query)
    return _with_host(what, said)


def _with_host(what: Asked, said: Mapping[str, str]) -> Asked:
    host = what.host if what.host is not None else said.get("host", said.get("server"))
    scheme = what.scheme or said.get("scheme", "https" if said.get("https") == "on" else "")
    return what._replace(host=host, scheme=scheme.lower() if scheme.lower() in ("http", "https", "ws", "wss") else "")


def address(text: str) -> str | None:
    """An address as logs write it; None for a host's name, a Unix socket, a hyphen.

    A port behind it is left out, and so is the length of a network: doorward's log masks addresses to networks.
    """
    text = text.strip().partition("/")[0]
    for candidate in (text, text.rpartition(":")[0].removeprefix("[").removesuffix("]")):
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            continue
        return candidate
    return None


addresses: Remembered[str | None] = Remembered(address, 65_536)

__all__ = ["Lines", "address", "addresses", "asked_in", "request_lines", "request_of"]
