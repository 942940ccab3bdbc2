"""P16: the application's ``random`` is its own: a program that seeds it gets what it would get without doorward."""

from __future__ import annotations

import random
import socket

import pytest
from tests.behaviour.clients.drivers import environ_of

from doorward import Doorward, sliding_window


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(lambda port: {"store": f"redis://127.0.0.1:{port}/0"}, id="store"),
        pytest.param(lambda port: {"service": f"http://127.0.0.1:{port}", "key": "k" * 40}, id="service"),
    ],
)
def test_an_outage_takes_no_number_from_it(away) -> None:
    aj = Doorward(rules=[sliding_window(max=100, interval="1m", on_error="allow")], **away(closed_port()))
    try:
        before = random.getstate()
        for _ in range(10):
            assert aj.protect(environ_of("/")).is_allowed
        assert random.getstate() == before
    finally:
        aj.close()
