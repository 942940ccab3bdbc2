"""One response, written in another way, is the same one: it passes once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.challenges.providers.speaking import PROTOCOLS, TOKEN, Speaking, Told

from doorward.testing import FakeClock


def told(clock: FakeClock, name: object) -> Told:
    """What a Sentinel says of a response that it calls ``name``."""
    return Told(clock.now_ns() // 10**9, changed={"verificationData.id": name})


@pytest.mark.parametrize("second", [f"{TOKEN}=", f"{TOKEN}ICAg", f"{TOKEN}.x"])
def test_a_response_written_otherwise_is_spent(
    second: str, clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """Single use was watched by the text of the response alone, which is JSON in base64 there."""
    with Speaking("altcha_sentinel", told(clock, "r1")) as server:
        aj = client(PROTOCOLS["altcha_sentinel"].build(server.url))
        assert ask(aj)
        assert ask(aj, second).why == "spent"


@pytest.mark.parametrize("name", [None, "", 1, ["r1"], {"r": 1}, "\ud800"])
def test_what_names_no_response_is_no_name(
    name: object, clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """Then it is known by its text; nothing of it raises."""
    with Speaking("altcha_sentinel", told(clock, name)) as server:
        aj = client(PROTOCOLS["altcha_sentinel"].build(server.url))
        assert ask(aj)
        if not isinstance(name, str) or not name:
            assert ask(aj, f"{TOKEN}.another")
        server.forget()
        assert ask(aj).why == "spent"
