"""P14: requests that servers read in different ways. Never an error of ours; rules and routes see the same path."""

from __future__ import annotations

import pytest
from tests.servers.wire import Answer, Server, request_of

TARGETS = [
    "//limited",
    "/./limited",
    "/a/../limited",
    "/%2e/limited",
    "/%2e%2e/limited",
    "/limited%00",
    "/limited;a=b",
    "/limited%2fx",
    "/%6cimited",
    "/limited%",
    "/limited%zz",
    "/%c0%af",
    "/%e0%80%af",
    "/%ff%fe",
    "/%C3%A9",
    "/limited?q=1?q=2&q=%00",
    "http://shop.example/limited",
    "http://other.example//limited",
    "/limited#fragment",
    "*",
    "/" + "a" * 3000,
]
LINES: dict[str, list[str]] = {
    "two hosts": ["Host: other.example"],
    "two lengths": ["Content-Length: 0", "Content-Length: 5"],
    "equal lengths": ["Content-Length: 0", "Content-Length: 0"],
    "length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "two codings": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "space before colon": ["Transfer-Encoding : chunked"],
    "obs-fold": ["X-Folded: one", " two"],
    "two types": ["Content-Type: application/json", "Content-Type: text/plain"],
    "two cookies": ["Cookie: a=1", "Cookie: a=2"],
    "two agents": ["User-Agent: one", "User-Agent: two"],
    "no agent": ["User-Agent:"],
    "bytes": ["X-Bytes: \x80\xff\xe9", "User-Agent: \xf0\x9f\x98\x80"],
    "tabs": ["X-Tab:\t\tvalue\t"],
    "underscores": ["X_Forwarded_For: 203.0.113.77"],
    "empty forwarded": ["X-Forwarded-For:", "X-Forwarded-For: ,,,"],
    "wrong forwarded": ["X-Forwarded-For: <script>, 999.1.2.3, [::1]:x"],
    "wrong accept": ["Accept: ;;;q=q,=\x80"],
    "many": [f"X-Many-{number}: {number}" for number in range(90)],
}


def same_path(server: Server, answer: Answer | None) -> None:
    """The server may refuse or hang up; where the application was reached, rules saw the path that it routed."""
    if answer is None or answer.status in (400, 404, 414, 431, 501, 505):
        return
    assert answer.status in (200, 429), server.log.read_text()
    if answer.status == 200 and answer.body:
        told = answer.json()
        assert told["rules"].get("path", told["routed"]) == told["routed"]


@pytest.mark.parametrize("target", TARGETS)
def test_p14_rules_see_the_path_that_is_routed(server: Server, target: str) -> None:
    """However the target is written, the rules' path is the application's."""
    same_path(server, server.raw(request_of(target)))


@pytest.mark.parametrize("name", LINES)
def test_p14_ambiguous_headers_are_never_our_error(server: Server, name: str) -> None:
    """Doubled, folded, empty and many headers give an answer of the server or of the application, never a 500."""
    same_path(server, server.raw(request_of("/anything", *LINES[name]) + b"0\r\n\r\n"))


@pytest.mark.parametrize("host", ["", "Host:", "Host: a\r\nHost: b", "Host: [::1", "Host: \xff"])
def test_p14_any_host_is_never_our_error(server: Server, host: str) -> None:
    """No Host, an empty one, two, and nonsense."""
    same_path(server, server.raw(request_of("/anything", host=host)))


def test_p14_rules_see_every_cookie_and_agent(awaiting: Server) -> None:
    """Repeated headers are all seen: ASGI keeps the lines apart."""
    seen = awaiting.get("/anything", "", "Cookie: a=1", "Cookie: a=2", "User-Agent: x", "User-Agent: y").json()["rules"]
    assert seen["cookies"] == ["1", "2"]
    assert seen["agents"] == ["x", "y"]


@pytest.mark.parametrize("target", ["/limited?x=1", "/%6cimited", "/limited?%00"])
def test_p14_a_limit_cannot_be_dodged_by_spelling(server: Server, target: str) -> None:
    """Spellings that reach the same route use the same counter."""
    client = server.client()
    for _ in range(5):
        server.get("/limited", client)
    assert server.get(target, client).status == 429
