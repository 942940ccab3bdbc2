"""Decorators and middleware in FastAPI: signatures, routers, sub-applications, responses, lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from tests.adapters.asgi_client import at_most, client_of, connect, remaining, send, statuses

from doorward import Decision, Doorward
from doorward.testing import FakeClock
from doorward_fastapi import DoorwardFastAPI


class Item(BaseModel):
    name: str
    price: float = 1.0


def with_guard(*rules: Any, **options: Any) -> tuple[FastAPI, DoorwardFastAPI]:
    app = FastAPI()
    return app, DoorwardFastAPI(app, client_of(*rules), **options)


def routes(app: FastAPI, decorate: Any) -> FastAPI:
    """The same operations, decorated or not."""

    @app.get("/items/{item_id}")
    @decorate
    def read(item_id: int, q: str | None = None) -> Item:
        return Item(name=f"{item_id}{q or ''}")

    @app.post("/items")
    @decorate
    async def write(item: Item, request: Request) -> Item:
        return item

    return app


def schema(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.mark.parametrize("late", [False, True])
def test_the_schema_is_that_of_undecorated_endpoints(late: bool) -> None:
    """Decorators add no parameter, whether the middleware is there before them or comes later."""
    app = FastAPI()
    guard = DoorwardFastAPI(None if late else app, client_of())
    routes(app, guard.limit("5/minute"))
    guard.init_app(app)
    assert schema(app) == schema(routes(FastAPI(), lambda endpoint: endpoint))


def test_dependencies_add_nothing_to_the_schema() -> None:
    """``limited`` and ``protected`` have a connection as their only parameter."""
    app, guard = with_guard()
    app.router.dependencies += [Depends(guard.limited("5/minute")), Depends(guard.protected())]
    assert schema(routes(app, lambda endpoint: endpoint)) == schema(routes(FastAPI(), lambda endpoint: endpoint))


@pytest.mark.parametrize("late", [False, True])
def test_decorated_endpoints_get_their_arguments(late: bool) -> None:
    """Path, query and body are parsed from annotations that are text, in endpoints that were wrapped too."""
    app = FastAPI()
    guard = DoorwardFastAPI(None if late else app, client_of())
    routes(app, guard.limit("5/minute"))
    guard.init_app(app)
    assert send(app, "/items/7?q=x").json() == {"name": "7x", "price": 1.0}
    posted = send(app, "/items", method="POST", body=b'{"name": "y"}', headers=[("content-type", "application/json")])
    assert posted.json() == {"name": "y", "price": 1.0}


def test_a_limit_needs_no_argument_called_request() -> None:
    """slowapi raises at import for such an endpoint."""
    app, guard = with_guard()

    @app.get("/")
    @guard.limit("2/minute")
    def read() -> str:
        return "ok"

    assert statuses(app, 3) == [200, 200, 429]


def test_decorators_work_above_the_route_too() -> None:
    """The order of ``@app.get`` and ``@guard.limit`` does not matter."""
    app, guard = with_guard()

    @guard.limit("1/minute")
    @app.get("/")
    async def read() -> str:
        return "ok"

    assert statuses(app, 2) == [200, 429]


@pytest.mark.parametrize("kind", ["exempt", "limit"])
def test_endpoints_of_included_routers_are_found(kind: str) -> None:
    """FastAPI includes routers late; a mark is read before that all the same."""
    app, guard = with_guard(at_most(1))
    inner, outer = APIRouter(prefix="/inner"), APIRouter()

    @inner.get("/{name}")
    @(guard.exempt if kind == "exempt" else guard.limit("2/minute"))
    async def read(name: str) -> str:
        return name

    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    assert statuses(app, 3, "/api/inner/x") == [200, 200, 200 if kind == "exempt" else 429]
    assert statuses(app, 2, "/nowhere") == [404, 429]


def test_endpoints_of_mounted_applications_are_found() -> None:
    """One middleware, outside, reads marks within a sub-application."""
    app, guard = with_guard(at_most(1))
    sub = FastAPI()
    app.mount("/sub", sub)

    @sub.get("/x")
    @guard.limit("2/minute")
    def read() -> str:
        return "ok"

    assert statuses(app, 3, "/sub/x") == [200, 200, 429]


@pytest.mark.parametrize("denial", [False, True])
def test_websockets_are_limited(denial: bool) -> None:
    """A decorated websocket endpoint is refused before it accepts."""
    app, guard = with_guard()

    @app.websocket("/ws")
    @guard.limit("1/minute")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()

    assert [connect(app, denial=denial).accepted for _ in range(2)] == [True, False]


def test_background_tasks_run_after_the_response() -> None:
    """A protected endpoint's background task runs once, for allowed requests alone."""
    app, guard = with_guard()
    ran: list[str] = []

    @app.get("/")
    @guard.limit("1/minute", count_when=200)
    def read(tasks: BackgroundTasks) -> str:
        tasks.add_task(ran.append, "ran")
        return "ok"

    assert statuses(app, 2) == [200, 429]
    assert ran == ["ran"]


def test_streams_pass_piece_by_piece() -> None:
    """Nothing is collected, with RateLimit headers and a limit that waits for the response."""
    app, guard = with_guard(rate_limit_headers=True)

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"one,", b"two,", b"three"):
            yield piece
            await asyncio.sleep(0)

    @app.get("/")
    @guard.limit("5/minute", count_when=200)
    async def read() -> StreamingResponse:
        return StreamingResponse(pieces())

    reply = send(app)
    assert list(reply.chunks) == [b"one,", b"two,", b"three"]
    assert remaining(reply) == '"sliding_window";r=4;t=60'


def test_the_lifespan_passes_untouched() -> None:
    """Start and end of the application are none of our business."""
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, int]]:
        events.append("start")
        yield {"answer": 42}
        events.append("end")

    app, state, messages = FastAPI(lifespan=lifespan), {}, ["lifespan.startup", "lifespan.shutdown"]
    DoorwardFastAPI(app, client_of())
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": messages.pop(0)}

    async def keep(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan", "state": state}, receive, keep))
    assert (events, state) == (["start", "end"], {"answer": 42})
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_blocking_client_is_accepted() -> None:
    """A Doorward serves as an AsyncDoorward does."""
    app = FastAPI()
    guard = DoorwardFastAPI(app, Doorward([at_most(1)], clock=FakeClock()))

    def read(decision: Any) -> str:
        return str(decision.conclusion)

    # By hand, because the text that this module's annotations are would be looked up outside of this function.
    read.__annotations__["decision"] = Annotated[Decision, Depends(guard.protected())]
    app.get("/")(read)
    assert statuses(app, 2) == [200, 429]


def test_an_endpoint_without_middleware_says_so() -> None:
    """Without a request among its arguments nothing can be enforced; the log says what is missing, the answer stays."""
    app, guard = FastAPI(), DoorwardFastAPI(aj=client_of())

    @app.get("/")
    @guard.limit("1/minute")
    def read() -> str:
        return "ok"

    @app.get("/with")
    @guard.limit("1/minute")
    def read_request(anything: Request) -> str:
        return "ok"

    assert statuses(app, 2) == [200, 200]
    assert guard.client.health()["counts"]["warning.no middleware"] == 2
    assert statuses(app, 2, "/with") == [200, 429]
