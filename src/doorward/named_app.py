"""Finds the client that a command names: ``--app myapp:aj``, as servers name applications."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.found_clients import clients_in
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from doorward.client import AsyncDoorward, Doorward


_ours: set[threading.Thread] = set()
"""Threads from before the first import of an application."""


def load_app(text: str, field: str = "--app") -> Doorward | AsyncDoorward:
    """The client that ``text`` names; its module is imported here, and what that prints goes to standard error.

    Args:
        text: ``MODULE:NAME``, of a client, of what an adapter makes, or of a whole application with a client in it.
        field: The argument that errors name.

    Raises:
        ConfigurationError: The module cannot be imported, or what is named has no client in it, or several.
    """
    module, _, path = text.partition(":")
    if not module or not path:
        raise ConfigurationError(field, f"must be MODULE:NAME, such as myapp:aj, not {printable(text)!r}")
    found = _imported(module, field)
    for name in path.split("."):
        found = _attribute(found, name, module, field)
    clients: Any = clients_in(found, field)
    if len(clients) > 1:
        raise ConfigurationError(field, f"{printable(text)} has {len(clients)} clients in it: name one of them")
    return clients[0]  # type: ignore[no-any-return]  # a facade is one or the other


def running_since_import() -> list[threading.Thread]:
    """Threads of imported applications that keep the process from ending."""
    return [thread for thread in threading.enumerate() if thread not in _ours and not thread.daemon] if _ours else []


def _imported(module: str, field: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    _ours.update([] if _ours else threading.enumerate())
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the application prints is no answer of ours
            return importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Also SystemExit: a gate must not end with the status 0 of an application that has ended itself.
        raise ConfigurationError(field, f"{printable(module)} cannot be imported: {describe(error)}") from error


def _attribute(thing: Any, name: str, module: str, field: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError:
        raise ConfigurationError(field, f"there is no {printable(name)} in {printable(module)}") from None
    except Exception as error:  # a property of somebody's
        raise ConfigurationError(field, f"{printable(name)} cannot be had: {describe(error)}") from error
