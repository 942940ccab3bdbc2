"""What applications hold: facades over one runtime."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.unit.test_drivers import awaitable
from tests.unit.walking import PEER, NeedsEmail, Says, denies, request, states

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    Response,
    StoreError,
    fixed_window,
    rate_limit,
    sliding_window,
)
from doorward.progress import NO_INPUTS
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock


def client(*rules, **options) -> Doorward:
    return Doorward(rules, **{"clock": FakeClock(), **options})


def limit(most: int = 2, **options):
    return sliding_window(max=most, interval="1m", **options)


def scope(path: str = "/") -> dict:
    return {"type": "http", "path": path, "headers": [], "client": (PEER, 1)}


def statuses(aj: Doorward, times: int) -> list[int]:
    return [aj.protect(request()).status for _ in range(times)]


# --- facades share


def test_with_rule_shares_everything_and_leaves_the_original_alone() -> None:
    """One store and one journal; the new rule is asked by the new client only."""
    aj = client(limit(3))
    more = aj.with_rule(Says(does=denies), [limit(9)])
    assert more.protect(request()).is_denied()
    assert repr(aj) == "Doorward(name='default', rules=[sliding_window])"
    assert repr(more) == "Doorward(name='default', rules=[sliding_window, says, sliding_window-2])"
    assert statuses(aj, 4) == [200, 200, 200, 429]
    assert more.health()["counts"] == aj.health()["counts"]


def test_rules_added_for_a_handler_run_beside_those_of_the_middleware() -> None:
    """What middleware decided is gone on from, with the handler's rules after it."""
    aj = client(limit(9))
    carrier = scope()
    aj.protect(carrier)
    handler = aj.with_rule(NeedsEmail(name="a")).with_rule(Says(name="b"))
    decision = handler.protect(carrier, email="a@b.example")
    assert [result.rule for result in decision.results] == ["sliding_window", "a", "b"]
    assert states(decision) == ["RUN"] * 3
    assert aj.peek(PEER).limits["sliding_window"].remaining == 8
    assert handler.protect(carrier) is decision


def test_sync_and_async_facades_share_everything() -> None:
    """One counter, whichever of them charges it."""
    aj = client(limit(2)).with_rule(limit(9))
    waiting = aj.as_async()
    assert asyncio.run(_protect(waiting)).status == 200
    assert waiting.as_sync().protect(request()).status == 200
    assert statuses(aj, 1) == [429]
    assert isinstance(waiting, AsyncDoorward)
    assert waiting.engine is aj.engine


async def _protect(aj: AsyncDoorward, carrier=None):
    return await aj.protect(carrier or request())


# --- operators


def test_peek_reset_ban_and_stats_name_a_client_by_its_value() -> None:
    """By address, or by a mapping of characteristics."""
    aj = client(limit(2, name="ip"), limit(3, name="user", characteristics=["userId"]))
    aj.protect(request(), characteristics={"userId": 7})
    assert {name: found.remaining for name, found in aj.peek(PEER).limits.items()} == {"ip": 1, "user": 3}
    assert aj.peek({"userId": 7}).limits["user"].remaining == 2
    assert aj.stats({"userId": 7}) == aj.peek({"userId": 7})
    assert aj.reset({"userId": 7}) == 1
    assert aj.peek({"userId": 7}).limits["user"].remaining == 3
    assert aj.peek(PEER).limits["ip"].remaining == 1
    assert aj.reset(PEER) == 1
    assert aj.reset(PEER) == 0


def test_peek_tells_the_wait_of_a_refused_client() -> None:
    """As the decision would."""
    aj = client(limit(1))
    statuses(aj, 2)
    assert aj.peek(PEER).limits["sliding_window"].reset_seconds == 60


def test_a_reset_client_is_let_in_at_once() -> None:
    """Also where its refusal was remembered; and the limits chosen for each request are reset too."""
    aj = client(limit(1), *rate_limit(lambda request: "1/minute; 5/hour"))
    assert statuses(aj, 3) == [200, 429, 429]
    assert aj.reset(PEER) == 3
    assert statuses(aj, 1) == [200]


def test_a_ban_refuses_until_it_is_lifted() -> None:
    """Whatever the rules say; peek tells how long."""
    clock = FakeClock()
    aj = client(clock=clock)
    aj.ban(PEER, "10m")
    clock.advance(60)
    assert aj.protect(request()).status == 403
    assert aj.stats()["ban"] == 1
    assert aj.stats()["store.bans"] == 1
    assert (aj.unban(PEER), aj.unban(PEER)) == (True, False)
    assert aj.protect(request()).status == 200


def test_peek_tells_how_long_a_ban_lasts() -> None:
    """And None where there is none."""
    aj = client(limit())
    aj.ban(PEER, 90)
    assert aj.peek(PEER).banned_for == 90
    assert aj.peek("198.51.100.7").banned_for is None


@pytest.mark.parametrize("duration", [0, -1, "never", "367d"])
def test_a_ban_lasts_for_some_time(duration: object) -> None:
    """Not for none, and not for ever."""
    with pytest.raises(ConfigurationError, match="duration"):
        client().ban(PEER, duration)


def test_a_value_that_names_nobody_is_an_error() -> None:
    """A typing error must not pass for a client without counters."""
    aj = client(limit(characteristics=["userId", "ip.src"]), limit())
    for name in ("not an address", {"userId": 1}):
        with pytest.raises(ConfigurationError, match="names nobody"):
            aj.peek(name)
    with pytest.raises(ConfigurationError, match="map each of them"):
        aj.ban({"userId": 1})
    assert client(limit(characteristics=["userId"])).peek(7).banned_for is None


def test_operators_calls_report_a_failing_store() -> None:
    """They are no decisions: nobody is let in by their failure."""
    aj = client(limit())
    aj.close()
    for call in (
        lambda: aj.stats(PEER),
        lambda: aj.peek(PEER),
        lambda: aj.reset(PEER),
        lambda: aj.ban(PEER),
        lambda: aj.unban(PEER),
    ):
        with pytest.raises(StoreError):
            call()


def test_the_counters_of_this_process_can_be_had_without_the_store() -> None:
    """``stats()`` is what one looks at when the store is down."""
    aj = client(limit())
    aj.protect(request())
    aj.close()
    assert aj.stats()["decision.ALLOW"] == 1


def test_the_async_client_has_the_same_calls() -> None:
    """Each awaited, on the same store."""

    async def calls() -> list[object]:
        async with AsyncDoorward([limit(3)], clock=FakeClock()) as aj:
            await aj.protect(request())
            await aj.ban(PEER)
            state, same = await aj.peek(PEER), await aj.stats(PEER)
            figures = await aj.stats()
            return [
                state == same, state.banned_for, state.limits["sliding_window"].remaining, await aj.unban(PEER),
                await aj.reset(PEER), figures["ban"],
            ]  # fmt: skip

    assert asyncio.run(calls()) == [True, 3600, 2, True, 1, 1]


def test_health_tells_modes_rules_and_counts() -> None:
    """Of this process."""
    aj = client(limit(1), Says(mode="DRY_RUN"), name="shop")
    statuses(aj, 2)
    assert aj.health() == {
        "name": "shop", "mode": "LIVE", "rules": {"sliding_window": "LIVE", "says": "DRY_RUN"},
        "counts": {"decision.ALLOW": 1, "decision.DENY": 1, "rule.says.asked": 2, "rule.sliding_window.denied": 1},
        "dry_run": {"says": {
            "asked": 2, "would_deny": 0, "would_challenge": 0, "refused_anyway": 0, "errors": 0, "share": 0.0,
            "first": None, "last": None, "samples": [],
        }},
    }  # fmt: skip


def test_a_client_closes_its_store_with_its_block() -> None:
    """Also where the store does not want to be closed."""
    with client(limit(on_error="deny")) as aj:
        assert statuses(aj, 1) == [200]
    assert statuses(aj, 1) == [503]

    class Stuck(MemoryStore):
        blocking = True

        def close(self) -> None:
            raise OSError("stuck")

    stuck = client(limit(), store=Stuck())
    statuses(stuck, 1)
    thread = stuck.runtime.offload().submit(threading.current_thread).result()
    with pytest.raises(OSError, match="stuck"):
        stuck.close()
    thread.join(20)
    assert not thread.is_alive()


# --- refunds


def test_a_refund_takes_back_once() -> None:
    """What did not count does not; asked again, nothing more is given."""
    aj = client(limit(2), limit(9, mode="DRY_RUN", name="dry"))
    decision = aj.protect(request())
    for _ in range(3):
        decision.refund()
    assert {found.remaining for found in aj.peek(PEER).limits.values()} == {2, 9}


def test_a_refund_after_two_protects_takes_back_both_once() -> None:
    """Both decisions speak of the same request."""
    aj = client(limit(9))
    carrier = scope()
    first, second = aj.protect(carrier), aj.protect(carrier, requested=3)
    assert aj.peek(PEER).limits["sliding_window"].remaining == 5
    second.refund()
    first.refund()
    assert aj.peek(PEER).limits["sliding_window"].remaining == 9


def test_a_refund_of_a_refused_request_gives_nothing() -> None:
    """It was charged nothing; and after a refund a remembered refusal is not believed."""
    aj = client(limit(1))
    charged, refused = aj.protect(request()), aj.protect(request())
    refused.refund()
    assert aj.protect(request()).is_denied()
    charged.refund()
    assert statuses(aj, 2) == [200, 429]


def test_an_async_refund_may_be_forgotten_to_be_awaited() -> None:
    """In memory there is nothing to wait for; a store that waits has to be awaited."""

    async def refund(aj: AsyncDoorward) -> int:
        decision = await aj.protect(request())
        await decision.refund()
        await decision.refund()
        return (await aj.peek(PEER)).limits["sliding_window"].remaining

    inline = AsyncDoorward([limit(5)])
    asyncio.run(_protect(inline)).refund()
    assert asyncio.run(inline.peek(PEER)).limits["sliding_window"].remaining == 5
    assert asyncio.run(refund(AsyncDoorward([limit(5)], store=awaitable(MemoryStore())))) == 5


class NoRefunds(MemoryStore):
    def refund(self, charges) -> None:
        raise ConnectionError("down")


@pytest.mark.swallows_errors
def test_a_refund_that_fails_is_logged_and_nothing_more() -> None:
    """The application does not see it, blocking, inline or awaiting."""
    aj = client(limit(5), store=NoRefunds())
    aj.protect(request()).refund()

    async def refund(aj: AsyncDoorward) -> None:
        await (await aj.protect(request())).refund()

    asyncio.run(refund(aj.as_async()))
    asyncio.run(refund(AsyncDoorward([limit(5)], store=awaitable(NoRefunds()))))
    assert aj.health()["counts"]["error.refund: ConnectionError"] == 2


# --- count_when


def settled(aj: Doorward, status: int) -> int:
    progress = aj.runtime.resume(scope(), aj.engine)
    aj.decide(progress, NO_INPUTS, deferring=True)
    aj.settle(progress, Response(status, ()))
    aj.settle(progress, Response(200, ()))
    return aj.peek(PEER).limits["sliding_window"].remaining


def test_a_charge_may_wait_for_the_response() -> None:
    """Only what ``count_when`` says yes to stays; each request is settled once."""
    aj = client(limit(9, count_when=lambda response: response.status_code >= 400))
    assert [settled(aj, status) for status in (200, 401, 302, 500)] == [9, 8, 8, 7]


def test_only_the_limits_that_wait_are_given_back() -> None:
    """Another limit of the same request keeps its charge."""
    aj = client(limit(9, count_when=401), limit(8, name="all"))
    settled(aj, 200)
    assert {name: found.remaining for name, found in aj.peek(PEER).limits.items()} == {"sliding_window": 9, "all": 7}


def test_settling_a_request_that_was_not_charged_does_nothing() -> None:
    """Refused, or without such a limit."""
    aj = client(Says(does=denies), limit(9, count_when=401))
    assert settled(aj, 200) == 9
    assert settled(client(limit(9)), 200) == 8


def test_an_async_client_settles_too() -> None:
    """Awaited, with a store that waits."""

    async def settle() -> int:
        aj = AsyncDoorward([limit(9, count_when=[401, 403])], store=awaitable(MemoryStore()))
        for status in (200, 401, 403):
            progress = aj.runtime.resume(scope(), aj.engine)
            await aj.decide(progress, NO_INPUTS, deferring=True)
            await aj.settle(progress, Response(status, ()))
        return (await aj.peek(PEER)).limits["sliding_window"].remaining

    assert asyncio.run(settle()) == 7


@pytest.mark.swallows_errors
def test_where_nobody_can_say_whether_a_response_counts_it_does() -> None:
    """``count_when`` that raises keeps the charge, and is logged."""

    def broken(_: Response) -> bool:
        raise RuntimeError("a bug in the callback")

    aj = client(limit(9, count_when=broken))
    assert settled(aj, 200) == 8
    assert aj.health()["counts"]["error.count_when: RuntimeError"] == 1


# --- limits by path


def test_limits_by_path_take_the_place_of_the_general_ones() -> None:
    """The mapping's limits have counters of their own, named by their path."""
    aj = client(limit(1), limits={"/api/*": "2/minute", 'GET /"q"': "1/minute"})
    found = [aj.protect(request(path="/api/x")).status for _ in range(3)]
    assert found == [200, 200, 429]
    assert statuses(aj, 2) == [200, 429]
    assert [rule.name for rule in aj.engine.bound] == ["sliding_window", "/api/*", "GET /_q_"]


def test_clients_of_different_names_share_a_store_without_sharing_counters() -> None:
    """``name`` keeps them apart."""
    store = MemoryStore()
    one, other = client(limit(1), store=store), client(limit(1), store=store, name="other")
    same = client(limit(1), store=store)
    assert [aj.protect(request()).status for aj in (one, other, same)] == [200, 200, 429]


def test_fixed_windows_of_one_scope_share_their_counter() -> None:
    """Equal parameters and scope are one counter; a scope of its own is another."""
    aj = client()
    rules = [fixed_window(max=2, window=60, scope=scope) for scope in ("a", "a", "b")]
    decisions = [aj.with_rule(rule).protect(request()) for rule in rules]
    assert [decision.reason.remaining for decision in decisions] == [1, 0, 1]
