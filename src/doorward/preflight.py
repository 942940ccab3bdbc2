"""CORS preflights: what a browser asks by itself before a request of another origin, without credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.requests import Carrier

METHOD = "OPTIONS"
_NAMES = ("origin", "access-control-request-method")
_IN_SCOPES = frozenset(name.encode() for name in _NAMES)
_IN_ENVIRONS = frozenset("HTTP_" + name.upper().replace("-", "_") for name in _NAMES)


def is_preflight(method: str, carrier: Carrier) -> bool:
    """Whether a request is one (Fetch section 4.8); of an empty carrier nothing is known but the method.

    An OPTIONS of any other kind is a request like all others: a view that does not look at the method answers it with
    what a GET gets, so that nobody may pass by it.
    """
    if method != METHOD:
        return False
    if not carrier or carrier.keys() >= _IN_ENVIRONS:
        return True
    return {name.lower() for name, _ in carrier.get("headers", ())} >= _IN_SCOPES
