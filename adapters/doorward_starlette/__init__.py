"""doorward for Starlette.

::

    guard = DoorwardStarlette(rules=[sliding_window(max=100, interval="1m")])

    @guard.limit("5/minute")
    async def login(request): ...

    app = Starlette(routes=[Route("/login", login, methods=["POST"])])
    guard.init_app(app)

Nothing has to be called ``request``, and nothing is added to an endpoint's signature. Where no decorators are needed,
``Middleware(DoorwardMiddleware, aj=aj)`` is enough.
"""

from __future__ import annotations

from doorward_starlette.guard import DoorwardStarlette, GuardOptions
from doorward_starlette.middleware import DoorwardMiddleware, decision_of
from doorward_starlette.refusals import Refused, WebSocketRefused

__all__ = ["DoorwardMiddleware", "DoorwardStarlette", "GuardOptions", "Refused", "WebSocketRefused", "decision_of"]
