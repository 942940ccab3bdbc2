"""P13: clearance: who is let in by it, for how long, how often, and who is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.challenges.clearing import AGENT, IP, SECRET, Site, Watched, asked, kept
from tests.challenges.pages.quick import Typed

from doorward import Doorward, challenge, deny, shield, sliding_window
from doorward.challenges.tokens import Purpose, Signer
from doorward.errors import ConfigurationError
from doorward.levels import Level
from doorward.neighbours import network_of
from doorward.testing import FakeClock

HOUR = 3600
TO_THE_TOP: dict[str, Any] = {"challenges": {"kinds": ["wait", "work", Typed()]}}


# --- what clearance does not do


@pytest.mark.parametrize(
    ("path", "status"),
    [("/x", 200), ("/x/../.env", 403), ("/.env", 403), ("/x?file=../../../../etc/passwd", 403), ("/internal", 403)],
)
def test_nobot_vouch_a_clearance_is_no_way_around_other_rules(path: str, status: int) -> None:
    """Vouch and NoBot let a request with a valid token past everything, ``/.env`` too."""
    site = Site([challenge("wait"), deny(paths=["/internal", "/.env", "/x/../.env"]), shield()])
    assert site.get(path, site.passed()).status == status


def test_limits_count_who_has_a_clearance() -> None:
    """A clearance is no licence to send as much as one likes."""
    site = Site([challenge("wait", paths=["/x"]), sliding_window(max=3, interval="1h", paths=["/x"])])
    cookie = f"__Host-doorward={site.token()}"
    assert [site.get("/x", cookie).status for _ in range(5)] == [200, 200, 200, 429, 429]


def test_a_clearance_of_a_lower_level_is_not_enough() -> None:
    """And one that is too old for the rule neither."""
    site = Site([challenge("human", paths=["/vote"]), challenge("work", max_age="5m", paths=["/pay"])], **TO_THE_TOP)
    low, high = (f"__Host-doorward={site.token(level)}" for level in (Level.WORK, Level.HUMAN))
    assert (site.get("/vote", low).status, site.get("/vote", high).status, site.get("/pay", low).status) == (
        403,
        200,
        200,
    )
    site.clock.advance(301)
    assert (site.get("/vote", high).status, site.get("/pay", low).status) == (200, 403)


def test_the_strongest_of_several_clearances_counts() -> None:
    """Whatever order a browser sends cookies in."""
    site = Site([challenge("human")], **TO_THE_TOP)
    low, high = (f"__Host-doorward={site.token(level)}" for level in (Level.WAIT, Level.HUMAN))
    assert site.get("/x", f"{low}; {high}").status == site.get("/x", f"{high}; {low}").status == 200


# --- the attack table, over a whole request

OTHERS = {
    "as it is": ({}, 200),
    "another address of the network": ({"ip": "203.0.113.77"}, 200),
    "IPv4 in IPv6": ({"ip": "::ffff:203.0.113.5"}, 200),
    "another network": ({"ip": "203.0.114.5"}, 403),
    "IPv6": ({"ip": "2001:db8::1"}, 403),
    "another agent": ({"agent": "curl/8.5.0"}, 403),
    "agent in another case": ({"agent": AGENT.lower()}, 403),
    "no agent": ({"agent": ""}, 403),
    "another host": ({"host": "other.example"}, 403),
    "another port": ({"host": "shop.example:8443"}, 403),
    "host in another case": ({"host": "SHOP.example"}, 200),
}


@pytest.mark.parametrize("case", OTHERS)
def test_p13_a_clearance_is_for_who_has_passed(case: str) -> None:
    """P13, vouch 1: a stolen cookie lets nobody else in."""
    how, status = OTHERS[case]
    site = Site()
    assert site.get("/x", f"__Host-doorward={site.token()}", **how).status == status


@pytest.mark.parametrize("bound", ["address", "agent", "host"])
@pytest.mark.parametrize("kind", ["address", "agent", "host"])
def test_each_binding_is_optional(bound: str, kind: str) -> None:
    """What it is not bound to may change, and nothing else."""
    site = Site(challenges={"bind": [bound]})
    change = {"address": {"ip": "198.51.100.1"}, "agent": {"agent": "curl/8"}, "host": {"host": "o.example"}}[kind]
    assert site.get("/x", f"__Host-doorward={site.token()}", **change).status == (403 if bound == kind else 200)


def test_no_three_parts_read_as_three_others() -> None:
    """A letter that moves from the agent to the host binds to somebody else."""
    binding = Site().aj.runtime.gatekeeper.gate.binding
    parts = [("shop.example", "abc"), ("shop.examplea", "bc"), ("shop.exampleab", "c")]
    assert len({binding.of_clearance(asked(host=host, agent=agent), IP) for host, agent in parts}) == len(parts)


def test_bound_to_nothing() -> None:
    """It is a bearer token then, as its operator wanted."""
    site = Site(challenges={"bind": []})
    token = f"__Host-doorward={site.token()}"
    assert site.get("/x", token, ip="198.51.100.1", agent="curl/8", host="o.example").status == 200


def test_hosts_below_the_domain_of_cookies_are_one() -> None:
    """Else they would be challenged at each; what only ends like it is another."""
    site = Site(challenges={"domain": "shop.example"})
    token = f"__Secure-doorward={site.token(host='www.shop.example')}"
    hosts = ["shop.example", "a.b.shop.example:8443", "evilshop.example", "shop.example.evil.test"]
    assert [site.get("/x", token, host=host).status for host in hosts] == [200, 200, 403, 403]


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (HOUR - 1, 200), (HOUR, 403), (-60, 200), (-61, 403)])
def test_p13_expired_and_future(seconds: int, status: int) -> None:
    """P13: also of clocks of workers that differ, a minute at the most; and whether or not it was seen before."""
    for seen in (False, True):
        site = Site(challenges={"lifetime": "1h"})
        cookie = f"__Host-doorward={site.token()}"
        if seen:
            assert site.get("/x", cookie).status == 200
        site.clock.advance(seconds)
        assert site.get("/x", cookie).status == status


def test_p13_what_is_kept_at_hand_is_no_way_in_for_others() -> None:
    """P13: a token that was found genuine for one is not for another, however often it is sent."""
    site = Site()
    cookie = f"__Host-doorward={site.token()}"
    assert [site.get("/x", cookie).status for _ in range(3)] == [200] * 3
    assert [site.get("/x", cookie, agent="curl/8").status for _ in range(3)] == [403] * 3
    assert site.get("/x", cookie).status == 200


def test_p13_tokens_of_other_purposes_clients_and_secrets_open_nothing() -> None:
    """P13, humanify 1: NoBot took the cookie of a posed challenge for a clearance."""
    site = Site()
    now_ms = site.clock.now_ns() // 1_000_000
    gate = site.aj.runtime.gatekeeper.gate
    bound_to = gate.binding.of_clearance(asked(), IP)
    body = {"i": "x", "l": 4, "k": "work"}
    for purpose in Purpose:
        token = gate.signer.sign(purpose, body, now_ms, HOUR * 1000, bound_to)
        assert site.get("/x", f"__Host-doorward={token}").status == (200 if purpose is Purpose.CLEARANCE else 403)
    for secret, name in ((SECRET, "other"), ("another", "default")):
        token = Signer([secret.encode()], name).sign(Purpose.CLEARANCE, body, now_ms, HOUR * 1000, bound_to)
        assert site.get("/x", f"__Host-doorward={token}").status == 403
    posed = gate.pose(asked(), IP, Level.WAIT, now_ms).token
    assert site.get("/x", f"__Host-doorward={posed}").status == 403


def test_p13_a_rotated_secret() -> None:
    """P13, humanify 21: the first signs, all are accepted, and what is left out is not any more."""
    clock = FakeClock()
    old = Site(secret="the-old-one-0123456789", clock=clock)
    cookie = f"__Host-doorward={old.token()}"
    both = Site(secret=["the-new-one-9876543210", b"the-old-one-0123456789"], clock=clock)
    newer = f"__Host-doorward={both.token()}"
    new = Site(secret="the-new-one-9876543210", clock=clock)
    assert [both.get("/x", cookie).status, both.get("/x", newer).status] == [200, 200]
    assert [new.get("/x", cookie).status, new.get("/x", newer).status, old.get("/x", newer).status] == [403, 200, 403]
    assert "0123456789" not in repr(both.aj.runtime.settings)


@pytest.mark.parametrize(
    ("former", "told"), [("x" + SECRET[:0:-1] + "vX3kq0Zr9LwYt7Bn5Hs2Jd8Fg4Mc6Pa1", 0), ("changeme", 1)]
)
def test_p13_a_secret_that_could_be_guessed_is_found_among_several(former: str, told: int) -> None:
    """Each of them is accepted, so each has to be good."""
    from doorward.checks.guessable import weak_secret

    with Doorward(secret=["vX3kq0Zr9LwYt7Bn5Hs2Jd8Fg4Mc6Pa1", former]) as aj:
        subject: Any = SimpleNamespace(settings=aj.runtime.settings)
        assert len(list(weak_secret(subject))) == told


# --- networks


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.5", "203.0.113.0/24"),
        ("::ffff:203.0.113.5", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_networks_that_clients_stay_within(ip: str, network: str) -> None:
    """Mapped IPv4 is IPv4."""
    assert network_of(ip) == network


# --- renewal


def test_vouch_a_clearance_is_not_renewed_for_ever() -> None:
    """Vouch renewed while in use, for ever, and lost the time of the first: here it ends, and stays what it was."""
    site = Site(challenges={"lifetime": "1h", "renew_for": "3h"})
    cookie, used = site.passed(), 0
    issued = site.aj.clearance(asked(cookie=cookie)).issued_ms  # type: ignore[union-attr]
    while (reply := site.get("/x", cookie)).status == 200:
        used += 1
        cookie = kept(reply.cookies[0]) if reply.cookies else cookie
        held = site.aj.clearance(asked(cookie=cookie))
        assert held is not None
        assert held.issued_ms == issued
        site.clock.advance(600)
    assert used == 3 * 6
    assert Site(challenges={"lifetime": "1h"}).get("/x").cookies == []


def test_a_renewed_clearance_is_written_once_it_is_past_its_half() -> None:
    """Not with each response; its cookie lives as long as it does."""
    site = Site(challenges={"lifetime": "1h", "renew_for": "80m"})
    cookie = site.passed()
    site.clock.advance(1799)
    assert site.get("/x", cookie).cookies == []
    site.clock.advance(1)
    (written,) = site.get("/x", cookie).cookies
    assert "; Max-Age=3000; " in written  # 80 minutes after it was passed, 30 of which have gone by
    assert site.get("/y", cookie).cookies == []  # nobody has asked for it
    shared = [("Cache-Control", "public, max-age=60")]
    assert site.get("/x", cookie, **{"test.headers": shared}).cookies == []
    private = [("Cache-Control", "private")]
    assert len(site.get("/x", cookie, **{"test.headers": private}).cookies) == 1


def test_a_revocation_catches_renewed_clearances() -> None:
    """The time of the first passing is what counts."""
    site = Site(challenges={"lifetime": "1h", "renew_for": "3h"})
    cookie = site.passed()
    site.clock.advance(1900)
    renewed = kept(site.get("/x", cookie).cookies[0])
    site.aj.runtime.gatekeeper.revoke(site.clock.now_ns() // 1_000_000 - 1000)
    assert site.get("/x", renewed).status == 403


# --- quota


def test_a_quota_of_a_clearance() -> None:
    """Over it, the client is challenged again, whoever else still has room; a new clearance has its own."""
    site = Site(challenges={"quota": "3/minute"})
    first = f"__Host-doorward={site.token()}"
    assert [site.get("/x", first).status for _ in range(4)] == [200, 200, 200, 403]
    refused = site.get("/x", first)
    assert refused.decision.is_challenged()
    assert refused.decision.reason.rule == "clearance"
    assert refused.decision.challenge.level is Level.WAIT
    assert site.get("/y", first).status == 200
    assert site.get("/x", site.passed(ip="203.0.113.9"), ip="203.0.113.9").status == 200
    site.clock.advance(60)
    assert site.get("/x", first).status == 200


def test_a_quota_is_counted_with_the_limits_in_one_call() -> None:
    """And where it refuses, the limits are not charged; requests that no clearance lets in are not counted by it."""
    from doorward.stores import MemoryStore

    clock = FakeClock()
    store = Watched(MemoryStore(clock=clock))
    rules = [challenge("wait", paths=["/x"]), sliding_window(max=9, interval="1h", paths=["/x", "/y"])]
    site = Site(rules, clock=clock, store=store, challenges={"quota": "2/minute"})
    cookie = f"__Host-doorward={site.token()}"
    site.get("/x", cookie)
    store.names.clear()
    assert site.get("/x", cookie).status == 200
    assert store.names == ["count"]
    assert site.get("/x", cookie).status == 403
    assert site.get("/y", cookie).decision.reason.remaining == 9 - 3


def test_a_quota_while_the_store_fails() -> None:
    """This process counts alone, as of limits."""
    from doorward.errors import StoreError
    from doorward.stores import MemoryStore

    class Broken(MemoryStore):
        def count(self, hits: Any) -> Any:
            raise StoreError("down")

        def get(self, key: str) -> bytes | None:
            raise StoreError("down")

    clock = FakeClock()
    site = Site(clock=clock, store=Broken(clock=clock), challenges={"quota": "2/minute"})
    cookie = f"__Host-doorward={site.token()}"
    assert [site.get("/x", cookie).status for _ in range(3)] == [200, 200, 403]


# --- what applications see


def test_applications_see_the_clearance() -> None:
    """``decision.clearance`` where a rule asked; ``aj.clearance(request)`` anywhere."""
    site = Site()
    cookie = site.passed()
    reply = site.get("/x", cookie)
    assert reply.decision.clearance.kind == "wait"
    assert reply.decision.clearance.level is Level.WAIT
    assert site.get("/y", cookie).decision.clearance is None
    for request in (reply.environ, site.get("/y", cookie).environ, asked(cookie=cookie)):
        assert site.aj.clearance(request) == reply.decision.clearance
        assert site.aj.as_async().clearance(request) == reply.decision.clearance
    assert site.aj.clearance(asked()) is None
    with pytest.raises(TypeError):
        site.aj.clearance(object())


def test_wrong_options_of_clearance_are_named() -> None:
    """Each with what is accepted."""
    for options, field in (
        ({"renew_for": "1h", "lifetime": "2h"}, "challenges.renew_for"),
        ({"quota": "many"}, "challenges.quota"),
        ({"bind": ["ip"]}, "challenges.bind"),
        ({"clients": {"per_address": 0}}, "challenges.clients.per_address"),
    ):
        with pytest.raises(ConfigurationError) as error:
            Doorward(challenges=options)  # type: ignore[arg-type]
        assert error.value.field == field
