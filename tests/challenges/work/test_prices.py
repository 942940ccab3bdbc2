"""Attacks on the price: to pay less than others, and to make others pay more."""

from __future__ import annotations

import pytest
from tests.challenges.work.asking import Reply, Visitor, page, shop, visitor

from doorward import Doorward, challenge, weigh
from doorward.challenges.work.difficulty import IDLE, Load, Tally
from doorward.cleared import strongest
from doorward.levels import Level
from doorward.reason import ChallengeReason
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware


def price(reply: Reply) -> int:
    """Counters to search."""
    return int(reply.told["most"])


def doubting(weight: float) -> Visitor:
    """Somebody whose requests have so much weight, at a site where a rule asks all who come to /x for work."""
    aj = Doorward(
        [weigh(weight, user_agent="Mozilla/5.0"), challenge("work", paths=["/x"])],
        secret="s" * 40,
        clock=FakeClock(),
        thresholds={"CHALLENGE": 5},
    )
    return Visitor(DoorwardMiddleware(page, aj))


@pytest.mark.parametrize("path", ["/x", "/elsewhere"])
@pytest.mark.parametrize(("weight", "expected"), [(10, 2000), (20, 4000), (90, 4000)])
def test_doubt_is_not_cheaper_where_a_rule_asks_for_work_too(path: str, weight: float, expected: int) -> None:
    """The rule's challenge took the place of that of the weights, with its weight of 0: a quarter of the price."""
    assert price(doubting(weight)(path)) == expected


def test_of_several_reasons_the_largest_weight_holds() -> None:
    """In any order, with the level and the words of the one that asks for most."""
    rule, heavy = ChallengeReason("rule", level=Level.HUMAN), ChallengeReason("weights", weight=30.0, level=Level.WORK)
    for asked in ([rule, heavy], [heavy, rule]):
        found = strongest(asked)
        assert found is not None
        assert (found.rule, found.level, found.weight) == ("rule", Level.HUMAN, 30.0)


@pytest.mark.parametrize("token", ["", "x", "A" * 200])
def test_no_token_of_ours_gets_nobody_a_cheaper_challenge(token: str) -> None:
    """Whoever would have to pay most sends anything in the place of the token: that has the highest price."""
    doubtful = doubting(90)
    reply = doubtful.send_form({"token": token, "derivedKey": "00" * 32})
    assert price(reply) >= price(doubtful("/elsewhere"))


def test_pictures_of_a_page_make_no_challenge_harder() -> None:
    """No challenge is posed in the place of a picture: what is not posed is neither computed nor counted."""
    aj = shop()
    whoever = visitor(aj)
    before = price(whoever("/x"))

    def part() -> int:
        environ_app = DoorwardMiddleware(page, aj)
        heard: list[str] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x", "QUERY_STRING": "", "REMOTE_ADDR": "198.51.100.7",
                   "wsgi.url_scheme": "http", "HTTP_HOST": "shop.example", "HTTP_SEC_FETCH_DEST": "image",
                   "SERVER_PROTOCOL": "HTTP/1.1"}  # fmt: skip
        b"".join(environ_app(environ, lambda status, headers, _=None: heard.append(status)))
        return int(heard[-1][:3])

    assert {part() for _ in range(1_300)} == {403}
    assert price(whoever("/x")) == before


def test_a_clock_that_was_set_back_does_not_keep_the_price_up() -> None:
    """What was counted in time to come stayed, and grew, until that time came."""
    tally, hour = Tally(), 3_600_000
    for _ in range(5_000):
        tally.issued(2 * hour)
    assert tally.load(hour) == IDLE
    tally.issued(hour)
    assert tally.load(hour) == Load(issued=1.0)
    assert tally.load(hour + 60_000) == IDLE
