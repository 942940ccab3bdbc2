"""Each provider's protocol, over a socket, blocking and awaiting: what is asked, what is believed, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.challenges.providers.speaking import ACTION, HOST, PROTOCOLS, SECRET, SITE_KEY, TOKEN, Speaking, Told

from doorward.challenges.providers import TABLE
from doorward.testing import FakeClock

ALL = sorted(PROTOCOLS)
AT = {name: TABLE[name].solved_at for name in ALL}


def telling(what: str) -> list[str]:
    return [name for name in ALL if what in PROTOCOLS[name].tells]


@pytest.fixture
def server(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Speaking]:
    with Speaking(request.param, Told(clock.now_ns() // 10**9 - 3)) as running:
        yield running


def of(names: list[str]) -> Any:
    return pytest.mark.parametrize("server", names, indirect=True)


def test_every_row_of_the_table_is_tested() -> None:
    """A provider that nothing speaks like would be one that nobody has tried."""
    assert set(TABLE) == set(PROTOCOLS)


@of(ALL)
def test_a_good_response_passes_once(server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """A good response passes, with all that the provider tells; a second time it does not."""
    aj = client(server.protocol.build(server.url))
    found = ask(aj, {TABLE[server.name].response_field: TOKEN})
    assert found
    assert found.passed
    assert found.why == ""
    tells = server.protocol.tells
    assert found.hostname == (HOST if "host" in tells else "")
    assert found.action == (ACTION if "action" in tells else "")
    assert found.score == (0.9 if "score" in tells else None)
    assert found.solved_at == (server.told.at if "at" in tells else None)
    assert (found.age is not None and 3 <= found.age < 4) if "at" in tells else found.age is None
    second = ask(aj)
    assert not second
    assert second.why == "expired"
    assert second.error_codes == (server.protocol.again,)
    assert server.problems == []


@of(ALL)
def test_what_the_provider_refuses_is_refused(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """A response that the provider does not know does not pass, whatever on_error says."""
    found = ask(client(server.protocol.build(server.url, on_error="allow")), "made-up")
    assert not found
    assert found.why == "wrong"
    assert found.error_codes == ("invalid-input-response",)


@of(ALL)
def test_a_provider_that_takes_a_response_twice_is_not_enough(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """Our own store watches over single use besides the provider."""
    aj = client(server.protocol.build(server.url))
    assert ask(aj)
    server.forget()
    assert ask(aj).why == "spent"


@of(ALL)
def test_the_address_is_told_only_where_that_is_wanted(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """``remoteip`` is off; where it is on, the client's address goes where the provider takes one."""
    ask(client(server.protocol.build(server.url)))
    ask(client(server.protocol.build(server.url, remoteip=True)))
    assert "203.0.113.9" not in str(server.asked[0])
    if server.protocol.ip:
        assert server.asked[1][server.protocol.ip] == "203.0.113.9"


@of(telling("host"))
@pytest.mark.parametrize("host", ["evil.example", "app.example.evil.example", "xapp.example", "localhost"])
def test_a_response_of_another_host_is_refused(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any], host: str
) -> None:
    """Humanify's weakness 28: a response that was made on another site of the same key passed."""
    server.told.host = host
    found = ask(client(server.protocol.build(server.url)))
    assert not found
    assert found.why == "hostname"
    assert found.hostname == host


@of(telling("host"))
def test_the_host_may_be_named(server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """A list of hosts is what counts then, not what the request says; "any" lets all be."""
    build = server.protocol.build
    assert ask(client(build(server.url, hostnames=["www.example", "APP.example"])), host="evil.example")
    assert ask(client(build(server.url, hostnames=["www.example"])), "response.2").why == "hostname"
    assert ask(client(build(server.url, hostnames="any")), "response.3", host="www.example:8443")


@of(telling("action"))
def test_a_response_for_another_action_is_refused(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """Humanify's weakness 28: a response made for a search box opens no sign-up."""
    server.told.action = "search"
    aj = client(server.protocol.build(server.url))
    server.protocol = type(server.protocol)(**{**vars(server.protocol), "extra": {}})
    assert ask(aj).why == "action"
    assert ask(aj, "response.2", action="search")


@of(telling("score"))
def test_a_low_score_is_refused(server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """Under the least score nobody passes."""
    server.told.score = 0.49
    found = ask(client(server.protocol.build(server.url)))
    assert not found
    assert found.why == "score"
    assert found.score == 0.49
    assert ask(client(server.protocol.build(server.url, min_score=0.49)), "response.2")


@of(telling("at"))
def test_a_response_is_for_now(server: Speaking, client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    """One that is too old is refused, and so is one from the future, but for what clocks may be apart."""
    now, aj = server.told.at + 3, client(server.protocol.build(server.url))
    for n, (age, why) in enumerate([(302, "old"), (299, ""), (-58, ""), (-63, "future"), (10**9, "old")]):
        server.told.at = now - age
        assert ask(aj, f"response.{n}").why == why


@of(telling("at"))
@pytest.mark.parametrize("what", ["hostname", "action", "score", "solved_at", "site_key"])
def test_what_is_missing_is_not_taken_for_good(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any], what: str
) -> None:
    """A provider that does not tell what it should vouches for nobody, whatever on_error says."""
    path = getattr(TABLE[server.name], what)
    if not path:
        return
    server.told.without = (path,)
    found = ask(client(server.protocol.build(server.url, on_error="allow")))
    assert not found
    assert found.why in ("incomplete", "site_key")


@of(ALL)
@pytest.mark.parametrize("value", [None, "true", 1, [], {}, "yes"])
def test_only_true_is_true(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any], value: object
) -> None:
    """Whether a response is good is a boolean, and nothing that Python takes for true."""
    server.told.changed = {TABLE[server.name].passed: value}
    found = ask(client(server.protocol.build(server.url)))
    assert not found
    assert found.why == "unavailable"
    assert found.failure == "malformed"


@of(telling("at"))
@pytest.mark.parametrize("value", [True, [], {}, "yesterday", "2026-01-01T00:00:00", 1e400, -1e18, "9" * 400, "²"])
def test_nonsense_for_a_time_lets_nobody_in(
    server: Speaking, client: Callable[..., Any], ask: Callable[..., Any], value: object
) -> None:
    """A time that is none is no answer."""
    server.told.changed = {AT[server.name]: value}
    assert not ask(client(server.protocol.build(server.url)))


def test_a_sentinel_vouches_for_our_key_only(
    clock: FakeClock, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    """Sentinel's endpoint is public: what somebody else's key of the same instance has signed is verified as well."""
    told = Told(clock.now_ns() // 10**9, changed={"apiKey": "key_of_another"})
    with Speaking("altcha_sentinel", told) as server:
        assert ask(client(server.protocol.build(server.url))).why == "site_key"


@of(ALL)
def test_the_secret_is_nowhere(
    server: Speaking,
    client: Callable[..., Any],
    ask: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in logs, at any level and of any library, not in what is shown of objects, and not in the page."""
    caplog.set_level(0)
    captcha = server.protocol.build(server.url)
    aj = client(captcha)
    found = ask(aj)
    server.stop()
    failed = ask(aj, "response.2")
    shown = f"{captcha!r} {captcha.settings!r} {captcha.provider!r} {aj!r} {found!r} {failed!r} {captcha.wire!r}"
    from doorward.challenges.providers import captcha_field

    shown += captcha_field(aj)() + caplog.text
    assert SECRET not in shown
    assert "S3cret" not in shown
    assert SITE_KEY in shown
