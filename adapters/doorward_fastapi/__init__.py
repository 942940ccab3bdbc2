"""doorward for FastAPI: middleware, decorators and dependencies.

::

    app = FastAPI()
    guard = DoorwardFastAPI(app, rules=[sliding_window(max=100, interval="1m")])

    @app.post("/login", dependencies=[Depends(guard.limited("5/minute"))])
    def login(form: Login): ...

    @app.post("/sign-up")
    async def sign_up(form: SignUp, decision: Annotated[Decision, Depends(guard.protected(email=address))]): ...
"""

from __future__ import annotations

from doorward_fastapi.guard import DoorwardFastAPI
from doorward_fastapi.refusals import Refused, WebSocketRefused
from doorward_starlette import DoorwardMiddleware, decision_of

__all__ = ["DoorwardFastAPI", "DoorwardMiddleware", "Refused", "WebSocketRefused", "decision_of"]
