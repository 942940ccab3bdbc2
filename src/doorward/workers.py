"""Notices that several processes serve the application, where each would count for itself."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.engine import Engine

SERVERS = frozenset({"gunicorn", "uvicorn", "hypercorn", "granian"})
_WORKERS = re.compile(r"(?:--workers|-w)=?(\d*)")
_SEPARATOR = re.compile(r"[/\\]")

_forks = 0


def _note_fork() -> None:
    global _forks  # noqa: PLW0603  (what the processes forked after this one inherit)
    _forks += 1


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(before=_note_fork)


def configured(environ: Mapping[str, str], command: Sequence[str]) -> tuple[int, str]:
    """How many workers the server was told to start, and by what; 1 where nothing says so.

    Args:
        environ: The environment.
        command: The command line of this process.
    """
    found = [(_number(environ.get("WEB_CONCURRENCY", "")), "WEB_CONCURRENCY")]
    found.append((_option(environ.get("GUNICORN_CMD_ARGS", "").split()), "GUNICORN_CMD_ARGS"))
    if command and SERVERS & set(_SEPARATOR.split(command[0].removesuffix(".exe"))):
        found.append((_option(command[1:]), "the command line"))
    count, by = max(found, key=lambda each: each[0])
    return max(1, count), by


def _option(arguments: Sequence[str]) -> int:
    """What follows ``--workers`` or ``-w``."""
    for place, argument in enumerate(arguments):
        match = _WORKERS.fullmatch(argument)
        if match:
            return _number(match[1] or "".join(arguments[place + 1 : place + 2]))
    return 0


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


class Neighbours:
    """Warns once when counters that are in this process alone are not all there are.

    Args:
        warn: Takes the message.
        workers: The client's option.
    """

    def __init__(self, warn: Callable[[str], None], workers: int) -> None:
        self._warn = warn
        self._workers = workers
        self._pid = os.getpid()
        self._forks = _forks

    def look(self, engine: Engine, request: Mapping[str, Any] | None = None) -> bool:
        """Warn if there are others; whether all that can be known is known.

        Args:
            engine: Rules: only those that count, or challenge, make a difference.
            request: The scope or environ of a request, once there is one.
        """
        if not (engine.limits or engine.barring or engine.challenges):
            return False
        seen = self._evidence(request or {})
        if seen:
            self._warn(
                f"counters are kept in this process alone (memory://), and {seen}: each limit holds for each worker by "
                "itself, a challenge is passed once in each, and no worker knows pictures or revocations of others. "
                'store="shared:///run/myapp/doorward" makes the workers of one host count together, '
                '"redis://…" those of many; store=MemoryStore() says that this is meant so'
            )
        return bool(seen) or request is not None

    def _evidence(self, request: Mapping[str, Any]) -> str:
        count, by = configured(os.environ, sys.argv)
        if count > 1:
            return f"{by} asks for {count} workers"
        if self._workers > 1:
            return f"the option workers is {self._workers}"
        # Django's test client says so too, of no server.
        if request.get("wsgi.multiprocess") is True and request.get("SERVER_NAME") != "testserver":
            return "the server says that other processes serve the application too (wsgi.multiprocess)"
        if os.getpid() != self._pid and _forks - self._forks > 1:
            return f"the process that made them was forked {_forks - self._forks} times"
        arbiter = getattr(sys.modules.get("gunicorn.arbiter"), "Arbiter", None)
        if getattr(arbiter, "WORKERS", None):  # those that were started before this one
            return "gunicorn has started several workers"
        return ""


__all__ = ["Neighbours", "configured"]
