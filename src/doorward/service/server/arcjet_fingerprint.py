"""Who a client is in the words of Arcjet's SDKs: the fingerprint ``fp::2::``.

Only for answers to them: they look remembered refusals up by it. Nothing here is counted by it, since pieces are put
together without separators, so that ``a="bc"`` and ``ab="c"`` are one client. The algorithm was measured on the
component that the SDKs ship: the fixed order of kinds, names sorted within a kind, SHA-256 of the concatenation.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from doorward.fingerprint import IP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.context import RequestContext

VERSION = "fp::2::"

_KEYED = re.compile(r"""http\.request\.(headers|cookie|uri\.args)\[(?:"([A-Za-z0-9_-]*)"|'([A-Za-z0-9_-]*)')\]""")
_KEYED_ORDER = {"headers": 4, "cookie": 5, "uri.args": 6}
_OWN_ORDER = 7
_FIXED: dict[str, tuple[int, str, Callable[[RequestContext, str], str]]] = {
    IP: (0, "ip", lambda _, ip: ip),
    "http.host": (1, "host", lambda request, _: request.host),
    "http.method": (2, "method", lambda request, _: request.method),
    "http.request.uri.path": (3, "path", lambda request, _: request.path),
}

_Piece = tuple[int, str, str]
"""Where it comes, its name among those of its kind, and its text."""


class Unknowable(Exception):
    """Something that the client is told apart by is not there; the SDKs have no fingerprint then either."""


def fingerprint(names: Sequence[str], request: RequestContext, ip: str, given: Mapping[str, str]) -> str:
    """The fingerprint of a request.

    Args:
        names: Characteristics as the SDK sent them; none stand for the address.
        request: The request.
        ip: The client's address, as the SDK sent it.
        given: Values of the application's own.

    Returns:
        ``fp::2::`` and 64 hexadecimal digits; empty where the SDKs would find an error.
    """
    try:
        pieces = sorted([_piece(name, request, ip, given) for name in names or (IP,)])
        _see_that_each_is_once(pieces)
    except Unknowable:
        return ""
    text = "".join([text for _, _, text in pieces])
    return VERSION + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _see_that_each_is_once(pieces: Sequence[_Piece]) -> None:
    seen = [(order, name) for order, name, _ in pieces if order < _OWN_ORDER]
    if len(seen) != len(set(seen)):
        raise Unknowable


def _piece(name: str, request: RequestContext, ip: str, given: Mapping[str, str]) -> _Piece:
    if name in _FIXED:
        order, label, read = _FIXED[name]
        return order, "", label + _there(read(request, ip))
    if match := _KEYED.fullmatch(name):
        return _keyed(match[1], match[2] or match[3] or "", request)
    if not name or name not in given:
        raise Unknowable
    return _OWN_ORDER, name, f"userdefined{name}{_there(given[name])}"


def _keyed(place: str, key: str, request: RequestContext) -> _Piece:
    if not key:
        raise Unknowable
    order = _KEYED_ORDER[place]
    if place == "headers":
        return order, key.lower(), f"header{key.lower()}{_there(''.join(request.header_values(key)))}"
    if place == "cookie":
        return order, key, f"cookie{key}{_there(''.join(request.cookies(key)[:1]))}"
    values = request.query_values(key)
    if not values:
        raise Unknowable
    return order, key, f"query{key}{''.join(values)}"


def _there(value: str) -> str:
    if not value:
        raise Unknowable
    return value


__all__ = ["fingerprint"]
