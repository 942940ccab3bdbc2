"""The characteristic ``client.id``: clients told apart by a signed cookie, none of whom gains by leaving it out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.clearing import Reply, Site, asked, kept

from doorward import fixed_window, sliding_window, token_bucket
from doorward.challenges.tokens import Purpose

NAME = "__Host-doorward-client"
DAY = 86_400


def limited(most: int = 5, characteristics: Any = ("client.id",), **clients: Any) -> Site:
    limit = sliding_window(max=most, interval="1h", characteristics=characteristics, paths=["/x"])
    return Site([limit], challenges={"clients": clients})


def given_id(reply: Reply) -> str:
    (cookie,) = reply.cookies
    assert cookie.startswith(f"{NAME}=")
    return kept(cookie)


def test_humanify_7_dropping_the_cookie_gets_around_no_limit() -> None:
    """humanify 7: with use_client_id, whoever dropped the cookie had no limit: 40 posts, 0 blocked."""
    site = limited()
    assert [site.get("/x").status for _ in range(40)] == [200] * 5 + [429] * 35


def test_humanify_7_collecting_ids_gets_around_no_limit() -> None:
    """Nor a new id for each request, nor ids from before the limit was reached."""
    site = limited()
    ids = [given_id(site.get("/x")) for _ in range(4)]
    assert [site.get("/x", cookie).status for cookie in ids] == [200, 429, 429, 429]
    assert site.get("/x").status == 429


def test_an_id_counts_wherever_its_client_goes() -> None:
    """What an address alone does not see: stricter than by address."""
    site = limited()
    cookie = given_id(site.get("/x"))
    statuses = [site.get("/x", cookie, ip=f"198.51.100.{n}").status for n in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert site.get("/x", ip="198.51.100.1").status == 200


def test_an_address_may_stand_for_several_clients() -> None:
    """As the operator says: then each has its own, those without an id share one, and all have no more than so many."""
    site = limited(per_address=3)
    ids = [given_id(site.get("/x")) for _ in range(4)]
    assert [site.get("/x").status for _ in range(2)] == [200, 429]  # without an id: five, as one client
    assert [site.get("/x", ids[0]).status for _ in range(6)] == [200] * 5 + [429]
    assert [site.get("/x", ids[1]).status for _ in range(6)] == [200] * 5 + [429]
    assert site.get("/x", ids[2]).status == 429  # three times five


def test_ids_are_given_at_a_limited_rate() -> None:
    """Per address; who gets none is counted by address all the same."""
    site = limited(most=100, new="3/hour")
    assert [len(site.get("/x").cookies) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert len(site.get("/x", ip="198.51.100.9").cookies) == 1
    assert all(reply.status == 200 for reply in (site.get("/x"), site.get("/x")))
    assert site.get("/y").cookies == []  # no limit is about it
    site.clock.advance(3601)
    assert len(site.get("/x").cookies) == 1


def test_who_is_refused_is_given_no_id() -> None:
    """Nor charged for one."""
    site = limited(most=1, new="5/hour")
    assert [len(site.get("/x").cookies) for _ in range(9)] == [1] + [0] * 8


def test_an_id_has_an_end() -> None:
    """humanify 1.4: the signed value held for ever."""
    site = limited(most=100, lifetime="30d")
    reply = site.get("/x")
    assert "; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure" in reply.cookies[0]
    cookie = given_id(reply)
    site.clock.advance(30 * DAY - 1)
    assert site.get("/x", cookie).cookies == []
    site.clock.advance(1)
    assert len(site.get("/x", cookie).cookies) == 1


@pytest.mark.parametrize("text", ["", "x", "A" * 9000, "\xff", '""'])
def test_what_is_no_id_of_ours_counts_by_address(text: str) -> None:
    """Forged, or of another purpose."""
    site = limited()
    assert [site.get("/x", f"{NAME}={text}{n}").status for n in range(6)] == [200] * 5 + [429]


def test_tokens_of_other_purposes_and_hosts_are_no_ids() -> None:
    """And two ids at once are none: nobody chooses which of them is counted."""
    site = limited(most=100)
    one, two = given_id(site.get("/x")), given_id(site.get("/x"))
    gate = site.aj.runtime.gatekeeper.gate
    now_ms = site.clock.now_ns() // 1_000_000
    forged = gate.signer.sign(Purpose.FORM, {"i": "x"}, now_ms, 10_000, gate.binding.of_client(asked()))
    for cookie, how in ((f"{NAME}={forged}", {}), (one, {"host": "o.example"}), (f"{one}; {two}", {}),
                        (f"{NAME}={site.token()}", {})):  # fmt: skip
        assert len(site.get("/x", cookie, **how).cookies) == 1
    assert site.get("/x", f"{one}; {one}").cookies == []
    assert site.get("/x", one.replace("__Host-", "")).cookies != []


def test_a_store_that_fails() -> None:
    """The limit goes on locally; ids are not given meanwhile."""
    from doorward.errors import StoreError
    from doorward.stores import MemoryStore

    class Broken(MemoryStore):
        def count(self, hits: Any) -> Any:
            raise StoreError("down")

    limit = sliding_window(max=3, interval="1h", characteristics=["client.id"])
    site = Site([limit], store=Broken())
    assert [(r.status, r.cookies) for r in (site.get("/x") for _ in range(4))] == [(200, [])] * 3 + [(429, [])]


def test_as_the_characteristic_of_the_whole_client() -> None:
    """Bans and ``peek`` find clients by id, and by address those that have none."""
    site = Site([fixed_window(max=5, window="1h")], characteristics=["client.id"])
    cookie = given_id(site.get("/x"))
    site.aj.ban("203.0.113.5")
    assert (site.get("/x").status, site.get("/x", cookie).status) == (403, 403)
    site.aj.unban("203.0.113.5")
    assert site.get("/x", cookie).status == 200
    assert site.aj.peek("203.0.113.5").limits["fixed_window"].remaining == 3


def test_beside_other_characteristics() -> None:
    """All of them together, with the address in the place of the id as well."""
    site = limited(characteristics=["client.id", "http.request.uri.path"])
    assert [site.get("/x").status for _ in range(6)] == [200] * 5 + [429]


LIMITS = {"sliding": sliding_window(max=4, interval="1h", characteristics=["client.id"]),
          "fixed": fixed_window(max=4, window="1h", characteristics=["client.id"]),
          "bucket": token_bucket(capacity=4, refill_rate=1, interval="1h", characteristics=["client.id"])}  # fmt: skip


@settings(max_examples=25)
@given(
    kind=st.sampled_from(sorted(LIMITS)),
    steps=st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 2)), max_size=25),
    per_address=st.sampled_from([1, 3]),
)
def test_no_way_of_using_ids_admits_more_from_one_address(
    kind: str, steps: list[tuple[int, int]], per_address: int
) -> None:
    """Whatever ids a client collects, drops and mixes: never more than the limit (times what the operator said)."""
    site = Site([LIMITS[kind]], challenges={"clients": {"per_address": per_address}})
    ids: list[str] = []
    admitted = [0, 0, 0]
    for which, address in steps:
        cookie = ids[which] if 0 <= which < len(ids) else ""
        reply = site.get("/x", cookie, ip=f"198.51.100.{address}")
        admitted[address] += reply.status == 200
        ids += [kept(cookie) for cookie in reply.cookies]
    assert max(admitted) <= 4 * per_address
