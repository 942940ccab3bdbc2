"""Marked endpoints that obey their marks themselves, where middleware is missing or another decorator hides them.

Where middleware has read the mark, all they do is look at its scope. Signatures stay as they are.
"""

from __future__ import annotations

import inspect
from functools import partial, update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from anyio import from_thread
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.routes import View
    from doorward_starlette.guard import DoorwardStarlette

_BY = "__doorward_enforced_by__"
_REJECTION = "websocket.http.response"


class Refused(NamedTuple):
    """What the endpoint is to return in place of its own answer."""

    answer: Any


def enforcing(guard: DoorwardStarlette, view: View) -> View:
    """``view``, looking after itself. Callables other than functions and endpoint classes are left to middleware."""
    done: frozenset[int] = getattr(view, _BY, frozenset())
    target: Any = view
    if id(guard) not in done:
        if inspect.isclass(view) and issubclass(view, HTTPEndpoint | WebSocketEndpoint):
            target.dispatch = _dispatching(guard, target)
        elif inspect.iscoroutinefunction(view):
            target = _awaiting(guard, target)
        elif inspect.isfunction(inside(view)) and not _generates(view):
            target = _blocking(guard, target)
        setattr(target, _BY, done | {id(guard)})
    checked: View = target
    return checked


def inside(view: Any) -> Any:
    """What a ``functools.partial`` calls; anything else as it is."""
    while isinstance(view, partial):
        view = view.func
    return view


def _generates(view: object) -> bool:
    return inspect.isgeneratorfunction(view) or inspect.isasyncgenfunction(view)


def _awaiting(guard: DoorwardStarlette, view: Callable[..., Any]) -> Any:
    find, decide = unseen, refused
    own: list[Any] = []

    async def endpoint(*args: Any, **kwargs: Any) -> Any:
        connection = find(guard, own[0], args, kwargs)
        refusal = await decide(guard, own[0], connection) if connection is not None else None
        return await view(*args, **kwargs) if refusal is None else refusal.answer

    return _in_place_of(view, endpoint, own)


def _blocking(guard: DoorwardStarlette, view: Callable[..., Any]) -> Any:
    find, decide = unseen, refused_from_thread
    own: list[Any] = []

    def endpoint(*args: Any, **kwargs: Any) -> Any:
        connection = find(guard, own[0], args, kwargs)
        refusal = decide(guard, own[0], connection) if connection is not None else None
        return view(*args, **kwargs) if refusal is None else refusal.answer

    return _in_place_of(view, endpoint, own)


def _in_place_of(view: Callable[..., Any], endpoint: Any, own: list[Any]) -> Any:
    """The wrapper, which ``own`` tells itself: further decorators mark it, and not the view inside."""
    # With the globals of the view: older FastAPI looks annotations that are text up in those of the wrapper.
    placed = FunctionType(endpoint.__code__, getattr(inside(view), "__globals__", {}), closure=endpoint.__closure__)
    own.append(update_wrapper(placed, view))
    return placed


def _dispatching(guard: DoorwardStarlette, view: Any) -> Callable[..., Any]:
    dispatch = view.dispatch

    async def checked(self: Any) -> None:
        kind = WebSocket if self.scope["type"] == "websocket" else HTTPConnection
        more = (self.receive, self.send) if kind is WebSocket else ()
        connection = unseen(guard, view, (kind(self.scope, *more),), {})
        refusal = await refused(guard, view, connection) if connection is not None else None
        if refusal is None:
            await dispatch(self)
        elif refusal.answer is not None:
            await refusal.answer(self.scope, self.receive, self.send)

    return update_wrapper(checked, dispatch)


def unseen(
    guard: DoorwardStarlette, view: object, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> HTTPConnection | None:
    """The request among an endpoint's arguments, if no middleware has seen it with the endpoint's mark."""
    connection = next((value for value in (*args, *kwargs.values()) if isinstance(value, HTTPConnection)), None)
    if connection is None:
        guard.without_request(view)
        return None
    return None if guard.saw(connection.scope) and not guard.overlooked(connection.scope, view) else connection


async def refused(guard: DoorwardStarlette, view: object, connection: HTTPConnection) -> Refused | None:
    """Decide in place of the middleware; never raises."""
    try:
        response = await guard.decide_unseen(connection, view)
    except Exception as error:
        guard.runtime.journal.swallowed("endpoint", error)
        return None
    if response is None or not isinstance(connection, WebSocket):
        return Refused(response) if response is not None else None
    await reject(connection, response)
    return Refused(None)


def refused_from_thread(guard: DoorwardStarlette, view: object, connection: HTTPConnection) -> Refused | None:
    """As :func:`refused`, on a thread of Starlette's pool."""
    try:
        return from_thread.run(refused, guard, view, connection)
    except RuntimeError:  # called by hand, without an event loop to go back to
        guard.warn_missing(view)
        return None


async def reject(websocket: WebSocket, response: object) -> None:
    """Refuse a websocket before it is accepted: with the response where the server can send one (ASGI extension)."""
    waiting = websocket.application_state is WebSocketState.CONNECTING
    if waiting and isinstance(response, Response) and _REJECTION in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close(1008)
