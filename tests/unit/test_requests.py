"""From whatever is called a request to the context that rules see."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.collecting import left_behind
from tests.unit.walking import PEER, Reads, Says, allows, raises

from doorward import AsyncDoorward, Doorward, UnsupportedRequest, sliding_window
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.requests import ACCEPTED, ROUTED_PATH, carrier_of, environ_path, from_carrier, route_path
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware


def scope(**parts):
    return {
        "type": "http", "method": "POST", "scheme": "https", "path": "/api/a b", "root_path": "/api",
        "raw_path": b"/api/a%20b",
        "query_string": b"q=\xe9", "headers": [(b"host", b"a.example"), (b"x-a", b"1"), (b"x-a", b"2")],
        "client": (PEER, 5),
        **parts,
    }  # fmt: skip


def environ(**parts):
    return {
        "REQUEST_METHOD": "POST", "wsgi.url_scheme": "https", "PATH_INFO": "/caf\xc3\xa9", "SCRIPT_NAME": "/api",
        "QUERY_STRING": "q=1", "REMOTE_ADDR": PEER, "HTTP_HOST": "a.example", "HTTP_X_A": "1,2",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "", "REQUEST_URI": "/api/caf%C3%A9?q=1", "SERVER_NAME": "s", **parts,
    }  # fmt: skip


def test_a_scope_is_read_as_it_stands() -> None:
    """Method, scheme, path below the root path, raw query and path, headers, peer."""
    request = from_carrier(scope())
    assert (request.method, request.scheme, request.path, request.query) == ("POST", "https", "/a b", "q=\xe9")
    assert (request.host, request.peer, request.raw_path) == ("a.example", PEER, "/api/a%20b")
    assert request.headers.values("X-A") == ["1", "2"]
    assert (request.body, request.cookies("a"), request.query_values("q")) == (None, (), ["\xe9"])


def test_a_scope_of_a_websocket_has_fewer_keys() -> None:
    """No method, perhaps no scheme, no client, no raw path."""
    request = from_carrier({"type": "websocket", "path": "/ws", "headers": []})
    assert (request.method, request.scheme, request.peer, request.raw_path, request.query) == (
        "GET",
        "http",
        None,
        None,
        "",
    )


@pytest.mark.parametrize("client", [None, (), ("", 0), [None, None]])
def test_a_unix_socket_has_no_address(client) -> None:
    """Servers say so in several ways; a trusted proxy in front may still tell the client."""
    request = from_carrier(scope(client=client))
    assert not request.peer
    assert Doorward().protect(request).ip.address == ""


@pytest.mark.parametrize(
    ("root", "path", "routed"),
    [
        ("", "/a", "/a"), ("/api", "/api/a", "/a"), ("/api", "/api", "/"), ("/api", "/apix", "/apix"),
        ("/api", "/b", "/b"),
        ("/api", "/api//a", "//a"),
    ],
)  # fmt: skip
def test_the_path_of_a_scope_is_the_one_that_is_routed(root: str, path: str, routed: str) -> None:
    """Starlette takes the root path off where it is a prefix of whole segments."""
    assert route_path({"path": path, "root_path": root}) == routed
    assert route_path({"path": path, "root_path": root, ROUTED_PATH: "/said"}) == "/said"


def test_an_environ_is_read_as_pep_3333_has_it() -> None:
    """Latin-1 that means UTF-8, headers by their variables, the raw path where the server tells."""
    request = from_carrier(environ())
    assert (request.method, request.scheme, request.path, request.query) == ("POST", "https", "/café", "q=1")
    assert (request.host, request.peer, request.raw_path) == ("a.example", PEER, "/api/caf%C3%A9?q=1")
    assert request.headers.values("x-a") == ("1,2",)
    assert request.headers.get("content-type") == "text/plain"
    assert list(request.headers) == [("host", "a.example"), ("x-a", "1,2"), ("content-type", "text/plain")]
    assert len(request.headers) == 3


def test_a_header_name_with_an_underscore_is_nobodys() -> None:
    """``X_A`` must not stand in for ``X-A``."""
    headers = from_carrier(environ()).headers
    assert (headers.values("x_a"), headers.values("missing")) == ((), ())


@pytest.mark.parametrize(("raw", "path"), [("/a", "/a"), ("", ""), ("/\xff", "/\ufffd"), ("/\u20ac", "/?")])
def test_a_path_of_bad_bytes_is_data(raw: str, path: str) -> None:
    """What is no UTF-8, and what PEP 3333 does not allow, is replaced."""
    assert environ_path({"PATH_INFO": raw}) == path
    assert environ_path({"PATH_INFO": raw, ROUTED_PATH: "/said"}) == "/said"


def test_a_later_change_of_the_environ_does_not_change_the_request() -> None:
    """Frameworks rewrite the environ while they route."""
    carrier = environ()
    request = from_carrier(carrier)
    carrier["HTTP_X_A"] = "changed"
    assert request.headers.get("x-a") == "1,2"


@pytest.mark.parametrize(
    "make", [lambda c: c, lambda c: SimpleNamespace(scope=c), lambda c: SimpleNamespace(environ=c)]
)
@pytest.mark.parametrize("carrier", [scope(), environ()], ids=["scope", "environ"])
def test_a_request_is_found_by_its_scope_or_environ(make, carrier) -> None:
    """Itself, or what a framework's object carries."""
    assert carrier_of(make(carrier)) is carrier


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"path_info": "/django"}, "/django"),
        ({"path": "/other"}, None),
        ({"path": "/flask", "environ": {"werkzeug.request": 1}}, "/flask"),
    ],
)
def test_the_path_that_a_framework_routes_by_is_kept(attributes: dict, path: str | None) -> None:
    """Django's ``path_info`` and Werkzeug's ``path``; others' attributes may mean anything."""
    carrier = environ(**attributes.pop("environ", {}))
    assert carrier_of(SimpleNamespace(environ=carrier, **attributes)).get(ROUTED_PATH) == path


@pytest.mark.parametrize(
    "thing",
    [
        None,
        5,
        "GET /",
        b"",
        {},
        [],
        {"type": "lifespan", "headers": []},
        {"type": "http"},
        object(),
        SimpleNamespace(scope=5),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_no_request_is_a_type_error_that_names_what_is_accepted(thing: object) -> None:
    """A mistake of the application's, and not a request to let in."""
    with pytest.raises(UnsupportedRequest) as caught:
        Doorward().protect(thing)
    assert isinstance(caught.value, TypeError)
    assert ACCEPTED in str(caught.value)
    assert type(thing).__name__ in str(caught.value)


# --- no reference cycles: a cycle would leave every request's memory to the garbage collector

RULES = [
    sliding_window(max=1, interval=60),
    sliding_window(max=9, interval=60, characteristics=["userId"], count_when=401),
    Says(does=raises),
    Reads(does=allows),
]


@pytest.mark.parametrize("rules", [RULES[:1], RULES], ids=["limit", "all"])
def test_a_request_through_wsgi_leaves_no_cycle(rules: list) -> None:
    """Allowed, refused, and decided again in the handler."""
    aj = Doorward(rules)

    def app(environ, start_response):
        aj.protect(environ, requested=1).results  # noqa: B018  (looked at, so that it is written out)
        start_response("200 OK", [])
        return [b"ok"]

    middleware = WSGIMiddleware(app, aj, rate_limit_headers=True)

    def requests() -> None:
        for _ in range(4):
            list(middleware(environ(), lambda *_: None))

    assert not left_behind(requests)


@pytest.mark.parametrize("rules", [RULES[:1], RULES], ids=["limit", "all"])
def test_a_request_through_asgi_leaves_no_cycle(rules: list) -> None:
    """Allowed, refused, and decided again in the handler; run without an event loop, which has cycles of its own."""
    aj = AsyncDoorward(rules)

    async def app(scope, receive, send) -> None:
        (await aj.protect(scope, requested=1)).results  # noqa: B018  (looked at, so that it is written out)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(_) -> None:
        return

    middleware = ASGIMiddleware(app, aj, rate_limit_headers=True)

    def requests() -> None:
        for _ in range(4):
            with pytest.raises(StopIteration):
                middleware(scope(), receive, send).send(None)

    assert not left_behind(requests)
