"""``limit``, ``guard`` and ``exempt`` on Starlette's kinds of endpoints."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from tests.adapters.asgi_client import at_most, client_of, connect, remaining, send, statuses
from tests.behaviour.doubles import Refuser

from doorward import Doorward
from doorward.errors import ConfigurationError
from doorward.testing import FakeClock
from doorward_starlette import DoorwardMiddleware, DoorwardStarlette, decision_of


async def plain(anything: Any) -> PlainTextResponse:
    return PlainTextResponse("ok")


def guarded(endpoint: Any, *rules: Any, method: str = "", **options: Any) -> Any:
    """An application with one endpoint, decorated by what ``endpoint`` does with the guard."""
    guard = DoorwardStarlette(aj=client_of(*rules), **options)
    app = Starlette(routes=[Route("/", endpoint(guard)), Route("/other", plain)])
    guard.init_app(app)
    return app


def fresh(kind: str = "async") -> Any:
    """A new endpoint: marks stay with the function."""

    async def awaiting(x: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    def blocking(x: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    class Class(HTTPEndpoint):
        async def get(self, x: Any) -> PlainTextResponse:
            return PlainTextResponse("ok")

        def post(self, x: Any) -> PlainTextResponse:
            return PlainTextResponse("ok")

    return {"async": awaiting, "sync": blocking, "class": Class}[kind]


KINDS = pytest.mark.parametrize("kind", ["async", "sync", "class"])


@KINDS
def test_a_limit_holds_on_every_kind_of_endpoint(kind: str) -> None:
    """Functions that await or block, and classes; none has an argument called request."""
    app = guarded(lambda guard: guard.limit("2/minute")(fresh(kind)))
    assert statuses(app, 3) == [200, 200, 429]


@KINDS
def test_exempt_endpoints_are_let_through(kind: str) -> None:
    """Regression of flask-Humanify: exempt had no effect, because it was read within the view."""
    app = guarded(lambda guard: guard.exempt(fresh(kind)), at_most(1))
    assert statuses(app, 3) == [200, 200, 200]
    assert statuses(app, 2, "/other") == [200, 429]


@KINDS
def test_guard_adds_rules_to_one_endpoint(kind: str) -> None:
    """The rule is asked on the endpoint, and nowhere else."""
    app = guarded(lambda guard: guard.guard(Refuser())(fresh(kind)))
    assert [send(app, target).status for target in ("/?attack", "/", "/other?attack")] == [403, 200, 200]


def test_exempt_goes_before_limit_in_either_order() -> None:
    """Precedence: exempt, route, application."""
    for marks in (lambda g, e: g.exempt(g.limit("1/minute")(e)), lambda g, e: g.limit("1/minute")(g.exempt(e))):
        assert statuses(guarded(lambda guard, m=marks: m(guard, fresh()), at_most(1)), 3) == [200, 200, 200]


def test_a_route_limit_takes_the_place_of_the_applications() -> None:
    """Regression of flask-Humanify: the application's limit won over the route's."""
    app = guarded(lambda guard: guard.limit("3/minute")(fresh()), at_most(1))
    assert statuses(app, 4) == [200, 200, 200, 429]


def test_a_route_limit_is_charged_once() -> None:
    """Regression of flask-Humanify: decorator and hook each counted, so that half of the limit was left."""
    app = guarded(lambda guard: guard.limit("10/minute")(fresh()), rate_limit_headers=True)
    assert remaining(send(app)) == '"sliding_window";r=9;t=60'


def test_methods_of_a_class_have_limits_of_their_own() -> None:
    """A mark on a method is about that method; HEAD is GET where there is no head()."""

    def endpoint(guard: DoorwardStarlette) -> Any:
        class Resource(HTTPEndpoint):
            @guard.limit("1/minute")
            async def get(self, x: Any) -> PlainTextResponse:
                return PlainTextResponse("ok")

            async def post(self, x: Any) -> PlainTextResponse:
                return PlainTextResponse("ok")

        return Resource

    app = guarded(endpoint)
    assert [send(app, method=method).status for method in ("GET", "HEAD", "POST", "POST")] == [200, 429, 200, 200]


def test_marks_on_a_class_and_on_its_method_add_up() -> None:
    """What guards the class guards the method too."""

    def endpoint(guard: DoorwardStarlette) -> Any:
        kind = fresh("class")
        kind.get = guard.limit("2/minute")(kind.get)
        return guard.guard(Refuser())(kind)

    app = guarded(endpoint)
    assert [send(app, target).status for target in ("/?attack", "/", "/", "/")] == [403, 200, 200, 429]


def test_partials_and_mounts_keep_marks() -> None:
    """A marked function is found within functools.partial and below mounts."""
    guard = DoorwardStarlette(aj=client_of())
    app = Starlette(routes=[Mount("/a", routes=[Route("/b", partial(guard.limit("1/minute")(fresh())))])])
    guard.init_app(app)
    assert statuses(app, 2, "/a/b") == [200, 429]


@pytest.mark.parametrize("denial", [False, True])
def test_websocket_endpoints_are_limited(denial: bool) -> None:
    """Functions and classes are refused before they accept: with an answer where the server can send one."""
    guard = DoorwardStarlette(aj=client_of())

    @guard.limit("1/minute")
    async def function(ws: Any) -> None:
        await ws.accept()

    @guard.limit("1/minute")
    class Class(WebSocketEndpoint):
        encoding = "text"

    app = Starlette(routes=[WebSocketRoute("/ws", function), WebSocketRoute("/class", Class)])
    guard.init_app(app)
    for target in ("/ws", "/class"):
        assert connect(app, target, denial=denial).accepted
        refused = connect(app, target, denial=denial)
        assert not refused.accepted
        assert (refused.denial.status if refused.denial else refused.close_code) == (429 if denial else 1008)


def test_limits_of_404s_and_405s_are_the_applications() -> None:
    """What no endpoint answers is limited all the same."""
    app = guarded(lambda guard: guard.limit("5/minute")(fresh()), at_most(2))
    assert statuses(app, 3, "/nowhere") == [404, 404, 429]


def test_marks_are_obeyed_by_middleware_that_was_given_the_client() -> None:
    """Middleware(DoorwardMiddleware, aj=aj) and DoorwardStarlette(aj=aj) need not know each other."""
    aj = client_of(at_most(1))
    guard = DoorwardStarlette(aj=aj)
    routes = [Route("/", guard.exempt(fresh())), Route("/other", plain)]
    app = Starlette(routes=routes, middleware=[Middleware(DoorwardMiddleware, aj=aj)])
    assert statuses(app, 2) == [200, 200]
    assert statuses(app, 2, "/other") == [200, 429]


def test_marks_of_another_client_are_not_obeyed() -> None:
    """Two clients may guard one application, each with its own marks."""
    strict, other = DoorwardStarlette(aj=client_of(at_most(1))), DoorwardStarlette(aj=client_of())
    app = Starlette(routes=[Route("/", other.exempt(fresh()))])
    strict.init_app(app)
    other.init_app(app)
    assert statuses(app, 2) == [200, 429]


def test_init_app_adds_one_middleware() -> None:
    """However often it is called, and although the constructor has called it already."""
    app = Starlette(routes=[Route("/", plain)])
    guard = DoorwardStarlette(app, aj=client_of(at_most(2)))
    guard.init_app(app)
    assert len(app.user_middleware) == 1
    assert statuses(app, 3) == [200, 200, 429]


def test_a_blocking_client_is_accepted() -> None:
    """A Doorward serves as an AsyncDoorward does."""
    app = Starlette(routes=[Route("/", plain)])
    DoorwardStarlette(app, aj=Doorward([at_most(1)], clock=FakeClock()))
    assert statuses(app, 2) == [200, 429]


def test_rules_and_options_make_a_client() -> None:
    """Options are the middleware's or the client's; the object sorts them."""
    app = Starlette(routes=[Route("/", plain)])
    guard = DoorwardStarlette(app, rules=[at_most(1)], clock=FakeClock(), name="shop", enforce=False)
    assert statuses(app, 2) == [200, 200]
    assert guard.client.health()["name"] == "shop"


@pytest.mark.parametrize(
    "arguments",
    [{"aj": 1}, {"aj": client_of(), "rules": []}, {"aj": client_of(), "name": "x"}, {"nonsense": 1}, {"on_denied": 1}],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any]) -> None:
    """Mistakes are found when the object is made."""
    with pytest.raises(ConfigurationError, match="|".join(arguments)):
        DoorwardStarlette(**arguments)


async def _awaited(request: Any, decision: Any) -> JSONResponse:
    return JSONResponse({"why": decision.reason.type}, 418)


@pytest.mark.parametrize("on_denied", [_awaited, lambda r, d: JSONResponse({"why": d.reason.type}, 418)])
def test_on_denied_answers_with_a_starlette_response(on_denied: Any) -> None:
    """A function that awaits or not; its response is sent as it is."""
    app = guarded(lambda guard: guard.limit("1/minute")(fresh()), on_denied=on_denied)
    send(app)
    reply = send(app)
    assert (reply.status, reply.json()) == (418, {"why": "RATE_LIMIT"})


def test_endpoints_can_ask_for_the_decision() -> None:
    """decision_of(request) is the decision about it, and None without middleware."""
    told: list[Any] = []

    async def endpoint(request: Any) -> PlainTextResponse:
        told.append(decision_of(request))
        return PlainTextResponse("ok")

    send(guarded(lambda guard: endpoint, at_most(5)))
    send(Starlette(routes=[Route("/", endpoint)]))
    assert [decision and decision.conclusion for decision in told] == ["ALLOW", None]


def test_a_marked_endpoint_is_wrapped_once() -> None:
    """However many decorators there are: the one wrapper looks whether middleware has read the mark."""
    guard = DoorwardStarlette(Starlette(), aj=client_of())
    endpoint = guard.limit("1/minute")(fresh())
    assert guard.challenge("work")(guard.limit("5/minute")(endpoint)) is endpoint


def test_signatures_survive() -> None:
    """Where endpoints are wrapped, inspection sees what it saw before."""

    def endpoint(first: int, *, second: str = "x") -> None:
        """Doc."""

    wrapped = DoorwardStarlette(aj=client_of()).limit("1/minute")(endpoint)
    assert inspect.signature(wrapped) == inspect.signature(endpoint)
    assert (wrapped.__doc__, wrapped.__qualname__) == (endpoint.__doc__, endpoint.__qualname__)
