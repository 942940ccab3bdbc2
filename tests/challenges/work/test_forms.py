"""Challenges for ALTCHA's widget in a form of the application's own: handed out, solved, accepted once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from altcha import v1, v2
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.work.asking import page, payload_of, shop, visitor

from doorward import AsyncDoorward, Doorward
from doorward.challenges.work import AltchaChecked
from doorward.context import RequestContext
from doorward.errors import ConfigurationError, StoreError
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

EASY = {"altcha": {"cost": 2, "least": 5, "most": 20}}


def form(ip: str = "203.0.113.5", agent: str = "Mozilla/5.0") -> RequestContext:
    return RequestContext(method="POST", path="/sign-up", peer=ip, host="shop.example", headers=[("User-Agent", agent)])


def posed(aj: Doorward, **who: str) -> Any:
    reply = visitor(aj, **who)("/.doorward/altcha", accept="application/json")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    return reply.json


def sent(challenge: Any) -> str:
    """What the widget puts into the form."""
    if "parameters" in challenge:
        found = v2.solve_challenge(v2.Challenge.from_dict(challenge))
        return payload_of({"challenge": challenge, "solution": found.to_dict()})
    number = v1.solve_challenge(challenge["challenge"], challenge["salt"], "SHA-256", challenge["maxnumber"]).number
    return payload_of({**{n: challenge[n] for n in ("algorithm", "challenge", "salt", "signature")}, "number": number})


@pytest.mark.parametrize(
    "options",
    [
        {},
        EASY,
        {"altcha": {"version": 1, "least": 5, "most": 20}},
        {"altcha": {"algorithm": "SHA-512", "least": 5, "most": 20, "bind": True}},
        {"altcha": {"algorithm": "SCRYPT", "cost": 4, "memory": 2, "least": 5, "most": 20}},
        {"altcha": {"algorithm": "ARGON2ID", "memory": 16, "least": 5, "most": 20}},
    ],
    ids=["default", "easy", "version 1", "SHA-512, bound", "SCRYPT", "ARGON2ID"],
)
def test_a_form_is_accepted(options: Any) -> None:
    """And its answer is true, where that of a form without the work is not."""
    aj = shop(**options)
    payload = sent(posed(aj))
    assert aj.check_altcha(payload, form())
    assert not aj.check_altcha(None, form())


def test_weakness_28_a_payload_is_accepted_once() -> None:
    """flask-Humanify accepted one five times out of five, from different clients, for ever."""
    aj = shop(**EASY)
    payload = sent(posed(aj))
    found = [aj.check_altcha(payload, form(f"198.51.100.{n}")) for n in range(5)]
    assert found == [AltchaChecked(True), *[AltchaChecked(False, "spent")] * 4]


def test_weakness_28_a_payload_written_otherwise_is_still_spent() -> None:
    """In capitals, with spaces, with more fields: one challenge, one form."""
    aj = shop(**EASY)
    challenge = posed(aj)
    solution = v2.solve_challenge(v2.Challenge.from_dict(challenge)).to_dict()
    assert aj.check_altcha(payload_of({"challenge": challenge, "solution": solution}), form())
    for other in (
        {"challenge": challenge, "solution": {**solution, "derivedKey": solution["derivedKey"].upper()}},
        {"x": 1, "solution": {**solution, "time": 7}, "challenge": {**challenge, "y": 2}},
    ):
        assert aj.check_altcha(payload_of(other), form()) == AltchaChecked(False, "spent")


def test_weakness_28_a_payload_ends() -> None:
    """With its challenge; 20 minutes where nothing else is said."""
    clock = FakeClock()
    aj = shop(clock, **EASY)
    payload = sent(posed(aj))
    clock.advance(1199)
    late = sent(posed(aj))
    clock.advance(1)
    assert aj.check_altcha(payload, form()) == AltchaChecked(False, "expired")
    assert aj.check_altcha(late, form())


def test_workers_share_what_is_spent() -> None:
    """Two clients with one store and one secret are two workers."""
    store, clock = MemoryStore(), FakeClock()
    one, other = (Doorward([], secret="s" * 40, store=store, clock=clock, challenges=EASY) for _ in range(2))
    payload = sent(posed(one))
    assert other.check_altcha(payload, form())
    assert one.check_altcha(payload, form()).why == "spent"


def test_bound_to_who_was_given_the_challenge() -> None:
    """Where that is asked for."""
    aj = shop(altcha={**EASY["altcha"], "bind": True})
    payload = sent(posed(aj))
    assert aj.check_altcha(payload, form("198.51.100.9")).why == "elsewhere"
    assert aj.check_altcha(payload, form(agent="curl/8")).why == "elsewhere"
    assert aj.check_altcha(payload, form("203.0.113.200"))  # of the same /24


def test_challenges_from_before_it_was_asked_for_are_refused() -> None:
    """Nobody keeps one that is bound to nobody."""
    clock = FakeClock()
    free, bound = shop(clock, **EASY), shop(clock, altcha={**EASY["altcha"], "bind": True})
    assert bound.check_altcha(sent(posed(free)), form()).why == "elsewhere"


def test_other_secrets_names_and_versions_are_refused() -> None:
    """Each is another site."""
    clock = FakeClock()
    payload = sent(posed(shop(clock, **EASY)))
    others = [Doorward([], secret="t" * 40, clock=clock), Doorward([], secret="s" * 40, name="other", clock=clock)]
    assert [other.check_altcha(payload, form()).why for other in others] == ["forged", "forged"]
    first = shop(clock, altcha={"version": 1, "least": 5, "most": 20})
    assert first.check_altcha(payload, form()).why == "malformed"
    assert shop(clock, **EASY).check_altcha(sent(posed(first)), form()).why == "malformed"


def test_the_answer_of_a_page_of_ours_is_no_payload() -> None:
    """Nor is its token: each has a key of its own."""
    from tests.challenges.work.asking import solved

    aj = shop()
    told = visitor(aj)("/x").told
    parameters = told["challenge"]["parameters"]
    for signature in ("", told["token"], "0" * 64):
        content = {"challenge": {"parameters": parameters, "signature": signature},
                   "solution": {"counter": 1, "derivedKey": solved(told)}}  # fmt: skip
        assert aj.check_altcha(payload_of(content), form()).why == "forged"


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.text(), max_size=2)
)
ANY = shop(**EASY)


@given(ANYTHING | st.dictionaries(st.text(), st.text(), max_size=2).map(payload_of))
def test_whatever_a_form_holds_is_an_answer(payload: object) -> None:
    """Never an exception, never accepted."""
    found = ANY.check_altcha(payload, form())
    assert (bool(found), found.why in ("missing", "malformed")) == (False, True)


def test_the_endpoint_has_limits_of_its_own() -> None:
    """60 a minute for a network; the endpoints of challenges are not touched by them."""
    aj = shop(**EASY)
    somebody = visitor(aj)
    replies = [somebody("/.doorward/altcha") for _ in range(61)]
    assert [reply.status for reply in replies] == [*[200] * 60, 429]
    assert replies[-1].headers["Retry-After"] == "60"
    assert somebody("/.doorward/verify", "POST").status == 400
    assert visitor(aj, ip="198.51.100.7")("/.doorward/altcha").status == 200


def test_only_reading_is_served() -> None:
    """A form sent there by mistake is told so."""
    reply = visitor(shop())("/.doorward/altcha", "POST")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


class Down(MemoryStore):
    """A store that fails."""

    def count(self, hits: Any) -> Any:
        raise StoreError("down")

    add_if_absent = count


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("policy", "answers"), [("local", [True, False]), ("deny", [False, False]), ("allow", [True, True])]
)
def test_while_the_store_is_down(policy: str, answers: list[bool]) -> None:
    """The configured policy, and no exception; challenges are posed all the same."""
    aj = Doorward([], secret="s" * 40, clock=FakeClock(), store=Down(), challenges={**EASY, "on_store_error": policy})
    payload = sent(visitor(aj)("/.doorward/altcha").json)
    assert [bool(aj.check_altcha(payload, form())) for _ in answers] == answers


def test_awaiting() -> None:
    """As blocking."""
    aj = AsyncDoorward([], secret="s" * 40, challenges=EASY)
    payload = sent(posed(aj.as_sync()))

    async def both() -> list[AltchaChecked]:
        return [await aj.check_altcha(payload, form()) for _ in range(2)]

    assert asyncio.run(both()) == [AltchaChecked(True), AltchaChecked(False, "spent")]


def test_load_makes_it_harder() -> None:
    """Up to the most, and no further; the challenges are still those of the client."""
    aj = shop(altcha={"cost": 1, "least": 10, "most": 20})
    altcha = aj.runtime.gatekeeper.gate.altcha
    now_ms = aj.runtime.settings.clock.now_ns() // 1_000_000
    for _ in range(5000):
        altcha.tally.passed(now_ms)
    counts = [v2.solve_challenge(v2.Challenge.from_dict(altcha.posed(now_ms, ""))).counter for _ in range(200)]
    assert 10 <= max(counts) < 20


def test_rotation_of_secrets() -> None:
    """What the secret of before has signed is accepted while it is listed."""
    from doorward.challenges.tokens import Signer
    from doorward.challenges.work.checking import Altcha
    from doorward.challenges.work.options import parse_altcha

    settings = parse_altcha(EASY["altcha"], "altcha")
    old, new, both = (Altcha(settings, Signer(secrets, "a")) for secrets in ([b"1"], [b"2"], [b"2", b"1"]))
    payload = sent(old.posed(2_000_000_000_000, ""))
    solved = [each.solved(payload, 2_000_000_000_000, "")[0].why for each in (old, new, both)]
    assert solved == ["", "forged", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "must be a dict"),
        ({"version": 3}, "must be 1 or 2"),
        ({"version": True}, "must be 1 or 2"),
        ({"version": 1, "cost": 5}, "belongs to version 2"),
        ({"algorithm": "MD5"}, "must be one of PBKDF2/SHA-256"),
        ({"cost": 10**9}, "costs too much"),
        ({"least": 0}, "least"),
        ({"most": 10**9}, "most"),
        ({"lifetime": 0}, "from 1 s to a day"),
        ({"lifetime": "2d"}, "from 1 s to a day"),
        ({"bind": 1}, "True or False"),
    ],
    ids=str,
)
def test_mistakes_are_told_when_the_client_is_built(options: Any, message: str) -> None:
    """By the name of the field."""
    with pytest.raises(ConfigurationError, match=r"^challenges\.altcha.*" + message):
        Doorward([], secret="s" * 40, challenges={"altcha": options})


def test_an_unknown_option_is_told() -> None:
    """With what it may have meant."""
    with pytest.raises(ConfigurationError, match="Did you mean version"):
        Doorward([], secret="s" * 40, challenges={"altcha": {"versions": 1}})


def test_a_page_of_the_application_is_not_in_the_way() -> None:
    """The endpoint is below the prefix that is configured."""
    aj = Doorward([], secret="s" * 40, challenges={"prefix": "/gate", **EASY})
    somebody = visitor(aj)
    somebody.app = DoorwardMiddleware(page, aj)
    assert somebody("/gate/altcha").json["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    assert somebody("/.doorward/altcha").body == b"the application"
