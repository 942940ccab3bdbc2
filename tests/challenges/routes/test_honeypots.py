"""Honeypots: who asks for a trap is known for a while, and nobody else is."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest
from tests.challenges.clearing import Site

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    RequestContext,
    check,
    form_trap,
    honeypot,
    sliding_window,
)
from doorward import detect_bot as bots
from doorward.robots import robots_txt
from doorward.rules.honeypots import HoneypotRule
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

HOUR = 3600.0


def request(path: str = "/", ip: str = "203.0.113.5") -> RequestContext:
    return RequestContext(
        method="GET", scheme="https", host="shop.example", path=path, query="", headers=[("User-Agent", "x")], peer=ip
    )


def client(rule: HoneypotRule, clock: FakeClock | None = None, **options: Any) -> Doorward:
    return Doorward([rule, sliding_window(max=1000, interval="1m")], clock=clock or FakeClock(), **options)


def test_a_trap_denies_and_bans_its_client_for_a_while() -> None:
    """The request itself, and everything else of that address until the time is over."""
    clock = FakeClock()
    aj = client(honeypot("/wp-admin/*", "/.env"), clock)
    assert aj.protect(request()).is_allowed()
    assert aj.protect(request("/.env")).is_denied()
    caught = aj.protect(request())
    assert caught.is_denied()
    assert caught.reason.explain() == "honeypot: the client asked for a trap before"
    assert 0 < int(caught.headers["Retry-After"]) <= HOUR
    assert aj.protect(request(ip="203.0.113.6")).is_allowed()
    clock.advance(HOUR + 1)
    assert aj.protect(request()).is_allowed()


@pytest.mark.parametrize("path", ["/.env", "/.ENV", "/wp-admin/setup.php", "/WP-Admin/x"])
def test_traps_are_found_in_any_case(path: str) -> None:
    """Regression (NoBot): /WP-ADMIN/ passed."""
    assert client(honeypot("/wp-admin/*", "/.env")).protect(request(path)).is_denied()


@pytest.mark.parametrize("path", ["/", "/.environment", "/blog/wp-admin/x", "/wp-admin", "/x/.env", "/.env/"])
def test_paths_beside_a_trap_are_none(path: str) -> None:
    """Regression (NoBot, Vouch): unanchored patterns denied pages that people read."""
    assert client(honeypot("/wp-admin/*", "/.env")).protect(request(path)).is_allowed()


def test_several_hits_can_be_asked_for() -> None:
    """Each hit is denied; from the second on the client is."""
    aj = client(honeypot("/.env", hits=2))
    assert aj.protect(request("/.env")).is_denied()
    assert aj.protect(request()).is_allowed()
    assert aj.protect(request("/.env")).is_denied()
    assert aj.protect(request()).is_denied()


def test_weights_of_the_client_and_of_its_neighbours() -> None:
    """With ``weight``: the client weighs that much, its /24 a quarter of it, all others nothing."""
    clock = FakeClock()
    aj = client(honeypot("/.env", weight=20), clock, thresholds={"CHALLENGE": 4, "DENY": 15}, secret="s" * 40)
    aj.protect(request("/.env"))
    assert aj.protect(request()).is_denied()
    assert aj.protect(request(ip="203.0.113.77")).is_challenged()
    assert aj.protect(request(ip="203.0.114.5")).is_allowed()
    clock.advance(HOUR + 1)
    assert aj.protect(request()).is_allowed()


def test_hits_are_each_clients_own() -> None:
    """However many of its neighbours were caught before: two hits are two hits."""
    aj = client(honeypot("/.env", weight=20, hits=2), thresholds={"CHALLENGE": 4, "DENY": 15}, secret="s" * 40)
    for number in (10, 11, 12):
        aj.protect(request("/.env", f"203.0.113.{number}"))
    aj.protect(request("/.env"))
    assert aj.protect(request()).is_challenged()
    aj.protect(request("/.env"))
    assert aj.protect(request()).is_denied()


def test_weight_lasts_from_the_last_hit_on() -> None:
    """Who goes on asking for traps is not forgotten meanwhile."""
    clock = FakeClock()
    aj = client(honeypot("/.env", weight=20), clock, thresholds={"DENY": 15}, secret="s" * 40)
    for _ in range(3):
        aj.protect(request("/.env"))
        clock.advance(HOUR - 1)
        assert aj.protect(request()).is_denied()
    clock.advance(1)
    assert aj.protect(request()).is_allowed()


def test_networks_of_version_6_are_wide() -> None:
    """A /48 of IPv6: addresses there cost nothing."""
    aj = client(honeypot("/.env", weight=20), thresholds={"CHALLENGE": 4, "DENY": 15}, secret="s" * 40)
    aj.protect(request("/.env", "2001:db8:1:2::9"))
    assert aj.protect(request(ip="2001:db8:1:ffff::1")).is_challenged()
    assert aj.protect(request(ip="2001:db8:2::1")).is_allowed()


def test_what_is_remembered_of_a_network_is_bounded() -> None:
    """A thousand addresses of one network: the value in the store stays small, the newest are known."""
    store = MemoryStore(clock=(clock := FakeClock()))
    aj = client(honeypot("/.env", weight=20), clock, store=store, thresholds={"DENY": 15})
    for number in range(1000):
        aj.protect(request("/.env", f"203.0.113.{number % 250 + 1}"))
    assert aj.protect(request(ip=f"203.0.113.{999 % 250 + 1}")).is_denied()
    (value,) = [entry[1] for shard in store._values.shards for entry in shard.entries.values()]
    assert len(value) < 1200


@pytest.mark.parametrize("weight", [None, 20.0])
def test_the_same_for_code_that_awaits(weight: float | None) -> None:
    """Both kinds of rule, awaited."""

    async def caught() -> bool:
        aj = AsyncDoorward([honeypot("/.env", weight=weight)], clock=FakeClock(), thresholds={"DENY": 15})
        await aj.protect(request("/.env"))
        return (await aj.protect(request())).is_denied()

    assert asyncio.run(caught())


@pytest.mark.parametrize("weight", [None, 20.0])
def test_a_dry_honeypot_denies_nobody(weight: float | None) -> None:
    """A trap on trial says whom it would have refused."""
    aj = client(honeypot("/.env", weight=weight, mode="DRY_RUN"), thresholds={"DENY": 15})
    first, second = aj.protect(request("/.env")), aj.protect(request())
    assert (first.is_allowed(), first.dry_run) == (True, "honeypot")
    assert second.is_allowed()
    assert second.dry_run in ("honeypot", "weights")


class Down(MemoryStore):
    def get(self, key: str) -> bytes | None:
        raise ConnectionError("the store is down")

    def tally(self, key: str, weight: float, window: float) -> float:
        raise ConnectionError("the store is down")


@pytest.mark.parametrize("weight", [None, 20.0])
def test_a_store_that_fails_denies_no_visitor(weight: float | None) -> None:
    """While it fails nobody is known; a trap still denies, or is an error, and a page is a page."""
    aj = client(honeypot("/.env", weight=weight), store=Down(clock=FakeClock()), thresholds={"DENY": 15})
    assert aj.protect(request()).is_allowed()
    aj.protect(request("/.env"))
    assert aj.protect(request()).is_allowed()


@pytest.mark.parametrize("path", ["/static/backup.zip", "/ASSETS/.git.zip", "/health"])
def test_no_default_exemption_hides_a_trap(path: str) -> None:
    """Middleware leaves files and health checks alone, but not where a trap is laid by name."""
    site = Site([honeypot("/static/backup.zip", "/assets/.git.zip", "/health")])
    assert site.get("/static/logo.svg").status == 200
    assert site.get(path).status == 403
    assert site.get("/").status == 403


def test_two_honeypots_of_one_client_have_memories_of_their_own() -> None:
    """What falls into one is not held against it twice."""
    rules = [honeypot("/.env", weight=10, name="a"), honeypot("/x.php", weight=10, name="b")]
    aj = Doorward(rules, clock=FakeClock(), thresholds={"DENY": 15})
    aj.protect(request("/.env"))
    assert aj.protect(request()).is_allowed()
    aj.protect(request("/x.php"))
    assert aj.protect(request()).is_denied()


def test_robots_that_obey_never_fall_in() -> None:
    """Traps are disallowed for everybody, also for crawlers that may fetch everything else."""
    traps = honeypot("/wp-admin/*", "/.env", r"re:/\d+\.php", "**/phpinfo")
    text = robots_txt(bots(allow=["GOOGLE_CRAWLER"]), honeypots=[traps])
    assert "\\d" not in text
    groups = [group for group in text.split("\n\n") if "User-agent" in group]
    assert all("Disallow: /wp-admin/" in group and "Disallow: /.env" in group for group in groups)
    parser = RobotFileParser()
    # Python's own takes the first rule that matches, not the longest (RFC 9309 section 2.2.2).
    parser.parse(text.replace("Allow: /\n", "").splitlines())
    assert not parser.can_fetch("Googlebot", "https://shop.example/wp-admin/x")
    assert parser.can_fetch("Googlebot", "https://shop.example/blog")


def test_the_check_knows_what_honeypots_weigh() -> None:
    """DW008: weights without thresholds lead to nothing; with them, those of honeypots and forms count too."""
    codes = [found.code for found in check(Doorward([honeypot("/.env", weight=20)], clock=FakeClock()))]
    assert "DW008" in codes
    rules = [honeypot("/.env", weight=15), form_trap(action="weigh", weight=5)]
    aj = Doorward(rules, clock=FakeClock(), thresholds={"DENY": 20})
    assert "DW008" not in [found.code for found in check(aj)]


@pytest.mark.parametrize(
    ("arguments", "options", "field"),
    [
        ((), {}, "traps"),
        ((1,), {}, "traps"),
        (("/x",), {"hits": 0}, "hits"),
        (("/x",), {"hits": True}, "hits"),
        (("/x",), {"lasts": 0}, "lasts"),
        (("/x",), {"lasts": "31d"}, "lasts"),
        (("/x",), {"weight": -1}, "weight"),
        (("/x",), {"weight": float("nan")}, "weight"),
        (("/x",), {"weight": True}, "weight"),
        (("/x",), {"network_weight": 1}, "network_weight"),
        (("/x",), {"weight": 4, "network_weight": "1"}, "network_weight"),
        (("/x",), {"paths": ["/y"]}, "paths"),
        (("/x",), {"characteristics": ("userId",)}, "characteristics"),
    ],
)
def test_mistakes_are_named(arguments: Any, options: Any, field: str) -> None:
    """Every wrong argument is an error where the rule is built."""
    with pytest.raises(ConfigurationError) as raised:
        honeypot(*arguments, **options)
    assert raised.value.field == field
