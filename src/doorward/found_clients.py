"""Finds the clients in what tests and commands have at hand: a client, an extension, or a whole application."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.facade import Facade
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED = (
    "a Doorward, an AsyncDoorward, an object of an adapter, the module doorward_django, or an application of Flask, "
    "Starlette, FastAPI, Django, ASGI or WSGI with doorward in it"
)


def clients_in(thing: object, field: str = "use") -> list[Facade]:
    """The clients of ``thing``, without repetition.

    Args:
        thing: See :data:`ACCEPTED`.
        field: What errors name.

    Raises:
        ConfigurationError: There is none.
    """
    found = list({id(client.runtime): client for client in _found(thing, set())}.values())
    if not found:
        raise ConfigurationError(field, f"takes {ACCEPTED}; there is no client in {_shown(thing)}")
    return found


def _shown(thing: object) -> str:
    try:
        return printable(repr(thing))
    except Exception:  # somebody's repr
        return f"an object of {printable(type(thing).__qualname__)}"


def _found(thing: Any, seen: set[int]) -> Iterator[Facade]:
    if isinstance(thing, Facade):
        yield thing
    elif thing is not None and id(thing) not in seen:
        seen.add(id(thing))
        yield from _held(thing)
        extensions = getattr(thing, "extensions", None)
        if isinstance(extensions, dict):  # Flask
            yield from (client for extension in list(extensions.values()) for client in _held(extension))
        for middleware in getattr(thing, "user_middleware", None) or ():  # Starlette
            arguments = (*getattr(middleware, "args", ()), *getattr(middleware, "kwargs", {}).values())
            yield from (each for each in arguments if isinstance(each, Facade))
        for inner in ("app", "wsgi_app", "middleware_stack", "application"):
            yield from _found(_attribute(thing, inner), seen)
        if type(thing).__module__.startswith("django.core.handlers"):
            from importlib import import_module  # the core imports no framework

            yield import_module("doorward_django").client()


def _held(thing: Any) -> Iterator[Facade]:
    client = _attribute(thing, "client")
    if inspect.ismodule(thing) and callable(client):
        client = client()
    if isinstance(client, Facade):
        yield client


def _attribute(thing: Any, name: str) -> Any:
    try:
        value = getattr(thing, name, None)
    except Exception:  # a property of somebody's, such as one that needs the application's context
        return None
    # A method of that name, as Flask's wsgi_app is one, leads back to the thing.
    return None if inspect.ismethod(value) else value
