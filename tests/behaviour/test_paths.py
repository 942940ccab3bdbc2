"""P14: rules see the path that the framework routes, however the client writes it."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import Spy

TARGETS = [
    "/anything/a",
    "/anything//a",
    "/anything/./a",
    "/anything/../a",
    "/anything/%2e%2e/a",
    "/anything/a%2fb",
    "/anything/%00",
    "/anything/a;b=c",
    "/anything/%c0%af",
    "/anything/%ff",
    "/anything/%C3%A9",
    "/anything/\xe9",
    "/anything/%25%32%65",
    "/anything/a%",
    "/anything/+%20 ",
    "/anything/" + "a" * 5000,
    "/%61nything/a",
]


@pytest.mark.parametrize("target", TARGETS)
def test_p14_rules_see_the_path_that_is_routed(make: MakeApp, target: str) -> None:
    """P14: where the application is reached, its path and the rules' are the same text."""
    spy = Spy()
    reply = make(spy).get(target)
    assert reply.error is None
    assert reply.status < 500
    if reply.status == 200:
        assert spy.seen[0].request.path == reply.json()["path"]


def test_rules_see_every_part_of_a_request(make: MakeApp) -> None:
    """Method, host, query, headers, cookies and peer reach rules as the client sent them."""
    spy = Spy()
    headers = [("Host", "other.example:8080"), ("User-Agent", "x/1"), ("Cookie", "a=1; b=2"), ("X-Key", "k \xe9")]
    make(spy).request("/echo?q=1&q=%20&r", method="PUT", headers=headers, peer="198.51.100.7")
    view = spy.seen[0]
    request = view.request
    assert (request.method, request.host, request.query) == ("PUT", "other.example:8080", "q=1&q=%20&r")
    assert list(request.query_values("q")) == ["1", " "]
    assert list(request.cookies("b")) == ["2"]
    assert (request.headers.get("X-KEY"), request.headers.get("user-agent")) == ("k \xe9", "x/1")
    assert (view.ip, request.peer, request.scheme) == ("198.51.100.7", "198.51.100.7", "http")
