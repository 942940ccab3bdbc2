"""Dependencies: ``limited`` and ``protected``, and how they refuse."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Response, WebSocket
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import HTTPConnection
from tests.adapters.asgi_client import at_most, client_of, connect, send, statuses
from tests.behaviour.doubles import EmailSpy, Spy

from doorward import Decision
from doorward_fastapi import DoorwardFastAPI, decision_of


def application(*rules: Any, installed: bool = True, **options: Any) -> tuple[FastAPI, DoorwardFastAPI]:
    app = FastAPI()
    return app, DoorwardFastAPI(app if installed else None, client_of(*rules), **options)


def limited(app: Any, guard: Any, limit: str, path: str = "/", **options: Any) -> None:
    """Add an endpoint with a limit as a dependency."""

    def read() -> str:
        return "ok"

    read.__qualname__ = f"read{path}"
    app.get(path, dependencies=[Depends(guard.limited(limit, **options))])(read)


INSTALLED = pytest.mark.parametrize("installed", [True, False])


@INSTALLED
def test_a_limit_as_a_dependency_holds(installed: bool) -> None:
    """With and without middleware, with the status of a limit."""
    app, guard = application(installed=installed)
    limited(app, guard, "2/minute")
    assert statuses(app, 3) == [200, 200, 429]


@INSTALLED
def test_endpoints_are_limited_apart(installed: bool) -> None:
    """Each endpoint of a router has the limit for itself, as decorated endpoints do."""
    app, guard = application(installed=installed)
    router = APIRouter(dependencies=[Depends(guard.limited("1/minute"))])
    for name in ("a", "b"):

        def read() -> str:
            return "ok"

        read.__qualname__ = name
        router.get(f"/{name}")(read)
    app.include_router(router, prefix="/api")
    assert [send(app, f"/api/{name}").status for name in "aabb"] == [200, 429, 200, 429]


@INSTALLED
def test_a_scope_makes_endpoints_share_a_limit(installed: bool) -> None:
    """``scope=`` names the counter."""
    app, guard = application(installed=installed)
    for path in ("/a", "/b"):
        limited(app, guard, "1/minute", path, scope="both")
    assert [send(app, path).status for path in ("/a", "/b")] == [200, 429]


@INSTALLED
def test_one_limit_declared_twice_is_charged_once(installed: bool) -> None:
    """Regression of flask-Humanify, counted twice: here by the router's and the route's dependency."""
    app, guard = application(installed=installed)
    router = APIRouter(dependencies=[Depends(guard.limited("4/minute"))])
    limited(router, guard, "4/minute", "/x")
    app.include_router(router)
    assert statuses(app, 5, "/x") == [200, 200, 200, 200, 429]


@INSTALLED
def test_different_limits_on_router_and_route_both_hold(installed: bool) -> None:
    """The tighter one refuses."""
    app, guard = application(installed=installed)
    router = APIRouter(dependencies=[Depends(guard.limited("3/minute"))])
    limited(router, guard, "2/minute", "/x")
    app.include_router(router)
    assert statuses(app, 3, "/x") == [200, 200, 429]


@INSTALLED
def test_the_applications_limits_count_beside(installed: bool) -> None:
    """A dependency's limit does not lift the application's."""
    app, guard = application(at_most(2), installed=installed)
    limited(app, guard, "5/minute")
    assert statuses(app, 3) == [200, 200, 429]


@INSTALLED
def test_the_applications_rules_run_once(installed: bool) -> None:
    """Middleware, two dependencies and a decorator: each rule is asked once."""
    spy = Spy()
    app, guard = application(spy, at_most(3), installed=installed)

    @app.get("/", dependencies=[Depends(guard.limited("9/minute")), Depends(guard.protected())])
    @guard.guard()
    async def read() -> str:
        return "ok"

    assert statuses(app, 4) == [200, 200, 200, 429]
    assert len(spy.seen) == 4


@INSTALLED
def test_exempt_goes_before_dependencies(installed: bool) -> None:
    """Precedence: exempt, route, application; also for what a router adds."""
    app, guard = application(at_most(1), installed=installed)
    router = APIRouter(dependencies=[Depends(guard.limited("1/minute")), Depends(guard.protected())])

    @router.get("/x")
    @guard.exempt
    def read() -> str:
        return "ok"

    app.include_router(router)
    assert statuses(app, 3, "/x") == [200, 200, 200]


def test_excluded_paths_keep_the_limit_of_their_route() -> None:
    """``exclude`` takes a path out of the application's rules; what its route says itself holds."""
    spy = Spy()
    app, guard = application(spy, exclude=["/x"])
    limited(app, guard, "1/minute", "/x")
    assert statuses(app, 2, "/x") == [200, 429]
    assert spy.seen == []


ACCEPTS = ["text/html", "application/json", "text/plain", "image/png, */*;q=0.1"]


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_refusal_is_that_of_the_middleware(accept: str, method: str) -> None:
    """Status, headers and body, by Accept; ids differ."""
    replies = []
    for decorated in (True, False):
        app, guard = application()
        mark = guard.limit("1/minute", name="login") if decorated else lambda endpoint: endpoint
        dependencies = [] if decorated else [Depends(guard.limited("1/minute", name="login"))]
        app.api_route("/", methods=["GET", "HEAD"], dependencies=dependencies)(mark(lambda: "ok"))
        send(app, method=method)
        reply = send(app, method=method, headers=[("accept", accept)])
        replies.append((reply.status, reply.lines, _without_id(reply)))
    assert replies[0] == replies[1]
    assert replies[0][0] == 429


def _without_id(reply: Any) -> str:
    head, _, tail = reply.body.decode().partition("lreq_")
    return head + tail[26:]


def test_without_handler_it_is_an_http_exception() -> None:
    """A mounted application answers with the status, Retry-After and what to do."""
    app, guard = application()
    sub = FastAPI()
    limited(sub, guard, "1/minute", "/x")
    app.mount("/sub", sub)
    send(app, "/sub/x")
    reply = send(app, "/sub/x")
    assert (reply.status, reply.header("retry-after")) == (429, "60")
    assert reply.json() == {"detail": "Too many requests. Try again in 60 seconds."}


def test_an_applications_own_handler_of_http_exceptions_sees_it() -> None:
    """Where init_app was not called, refusals go the way of every HTTPException."""
    app, guard = application(installed=False)
    limited(app, guard, "1/minute")
    app.add_exception_handler(HTTPException, lambda request, error: JSONResponse({"own": error.detail}, 418))
    send(app)
    assert send(app).status == 418


def test_on_denied_answers_for_dependencies() -> None:
    """One function for every refusal, wherever it comes from."""
    app, guard = application(on_denied=lambda request, decision: Response(decision.reason.type, 418))
    limited(app, guard, "1/minute")
    send(app)
    assert (send(app).status, send(app).body) == (418, b"RATE_LIMIT")


def test_enforce_false_refuses_nothing() -> None:
    """Decisions are made and handed over; nothing is raised."""
    app, guard = application(enforce=False)
    told: list[Decision] = []
    limit = Depends(guard.limited("1/minute"))

    @app.get("/")
    def read(decision: Decision = limit) -> str:
        told.append(decision)
        return "ok"

    assert statuses(app, 2) == [200, 200]
    assert [decision.is_denied() for decision in told] == [False, True]


@pytest.mark.parametrize("denial", [False, True])
@INSTALLED
def test_websockets_are_refused_by_dependencies(installed: bool, denial: bool) -> None:
    """Before they accept; with an answer where the server can send one and the handler is there."""
    app, guard = application(installed=installed)

    @app.websocket("/ws", dependencies=[Depends(guard.limited("1/minute"))])
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()

    assert connect(app, denial=denial).accepted
    refused = connect(app, denial=denial)
    assert not refused.accepted
    assert (refused.denial.status if refused.denial else refused.close_code) == (429 if denial and installed else 1008)


def test_count_when_sees_the_response_of_a_dependency_limit() -> None:
    """Failed logins alone are counted, although the limit was asked after the middleware."""
    app, guard = application()

    @app.get("/", dependencies=[Depends(guard.limited("1/minute", count_when=401))])
    def login(status: int) -> Response:
        return Response(status_code=status)

    assert [send(app, f"/?status={status}").status for status in (200, 200, 401, 200)] == [200, 200, 401, 429]


# --- protected


class SignUp(BaseModel):
    address: str


def address(form: SignUp) -> str:
    return form.address


def user(x_user: Annotated[str, Header()]) -> dict[str, str]:
    return {"user": x_user}


def test_inputs_come_from_dependencies() -> None:
    """A dependency finds the address in the body that FastAPI has parsed; the rule runs once, in the handler."""
    spy = EmailSpy()
    app, guard = application(spy)
    protected = Depends(guard.protected(email=address))

    @app.post("/")
    async def sign_up(form: SignUp, decision: Decision = protected) -> str:
        return str(decision.conclusion)

    json = [("content-type", "application/json")]
    assert send(app, method="POST", body=b'{"address": "a@b.example"}', headers=json).json() == "ALLOW"
    assert [view.inputs["email"] for view in spy.seen] == ["a@b.example"]


def test_characteristics_come_from_dependencies() -> None:
    """Users are counted apart when a dependency says who they are."""
    app, guard = application(at_most(1, characteristics=["user"]))
    app.get("/", dependencies=[Depends(guard.protected(characteristics=user))])(lambda: "ok")
    assert [send(app, headers=[("x-user", name)]).status for name in "aab"] == [200, 429, 200]


def test_requested_units_are_charged() -> None:
    """A number or a dependency; explicit units are charged on top of the middleware's."""
    app, guard = application(at_most(10))

    def units(n: int) -> int:
        return n

    app.get("/fixed", dependencies=[Depends(guard.protected(requested=3))])(lambda: "ok")
    app.get("/found", dependencies=[Depends(guard.protected(requested=units))])(lambda: "ok")
    assert send(app, "/fixed").status == 200
    assert [send(app, "/found?n=5").status, send(app, "/found?n=1").status] == [200, 429]


def test_protect_refuses_within_a_handler() -> None:
    """``await guard.protect(request, …)`` raises what is answered as a refusal, and keeps the decision."""
    app, guard = application(at_most(4))

    @app.get("/")
    async def read(anything: HTTPConnection) -> bool:
        return await guard.protect(anything, requested=2) is decision_of(anything)

    assert (send(app).json(), send(app).status) == (True, 429)
