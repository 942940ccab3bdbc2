"""The kind `work` at its endpoint: who computes is let in, and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.challenges.work.asking import EASY, Visitor, hardness_in, shop, solved, visitor

from doorward.challenges.issue import Issue
from doorward.challenges.kinds import Asked, Checked
from doorward.challenges.languages import catalogues
from doorward.challenges.work import Work
from doorward.challenges.work.derivation import derive
from doorward.context import RequestContext
from doorward.errors import ConfigurationError
from doorward.levels import Level
from doorward.testing import FakeClock

QUICK = {"kinds": [Work(cost=2, least=5, most=40)]}


def asked(issue: Issue, fields: dict[str, Any]) -> Asked:
    return Asked(issue, fields, RequestContext(path="/"), "203.0.113.5", issue.issued_ms + 1000)


def issued(work: Work, name: str = "one", weight: float = 0.0) -> Issue:
    issue = Issue(name, "work", Level.WORK, weight, issued_ms=1_000_000, expires_ms=2_800_000)
    return issue._replace(detail=json.loads(json.dumps(dict(work.prepare(issue, 1_000_000)))))


def run(flow: Any) -> Checked:
    """What a check comes to that asks for nothing."""
    with pytest.raises(StopIteration) as stopped:
        next(flow)
    return stopped.value.value


def outcome(work: Work, issue: Issue, **fields: Any) -> Checked:
    return run(work.check(asked(issue, fields)))


def told(work: Work, issue: Issue) -> dict[str, Any]:
    return json.loads(json.dumps(dict(work.pose(issue, "/.doorward", catalogues()["en"]).data)))


@given(weight=st.floats(0, 100), name=st.text(min_size=1, max_size=22))
def test_what_trying_everything_finds_is_the_answer(weight: float, name: str) -> None:
    """One counter of the range has the key that is accepted; no other key is."""
    work = Work(cost=1, least=3, most=12)
    issue = issued(work, name, weight)
    shown = told(work, issue)
    parameters = shown["challenge"]["parameters"]
    seeds = bytes.fromhex(parameters["nonce"]), bytes.fromhex(parameters["salt"])
    keys = [derive(hardness_in(parameters), *seeds, counter).hex() for counter in range(shown["most"])]
    accepted = [key for key in keys if outcome(work, issue, derivedKey=key).passed]
    assert accepted == [key for key in keys if key.startswith(parameters["keyPrefix"])]
    assert len(accepted) == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("0123456789abcdef", min_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6,
)  # fmt: skip
WORK = Work(cost=1, least=2, most=4)


@given(st.dictionaries(st.sampled_from(["derivedKey", "counter", "token"]) | st.text(max_size=4), ANYTHING, max_size=4))
def test_no_answer_raises(fields: dict[str, Any]) -> None:
    """Whatever its fields are, it is wrong or malformed."""
    found = run(WORK.check(asked(issued(WORK), fields)))
    assert found in (Checked(False, "malformed"), Checked(False, "wrong"))


@pytest.mark.parametrize(
    "key",
    ["", "0" * 63, "0" * 65, "0" * 1_000_000, "g" * 64, "０" * 64, "0x" + "0" * 62, "\ud800", None],
    ids=lambda key: ascii(key)[:9],
)
def test_what_is_no_key_is_malformed(key: Any) -> None:
    """Nothing is computed for it."""
    assert outcome(WORK, issued(WORK), derivedKey=key) == Checked(False, "malformed")


def test_no_answer_to_a_challenge_without_detail_is_right() -> None:
    """Such as one that another version of ours has signed."""
    issue = issued(WORK)._replace(detail={})
    told(WORK, issue)
    for key in ("0" * 64, "", "None", None):
        assert not outcome(WORK, issue, derivedKey=key).passed


def test_the_solution_of_another_challenge_is_wrong() -> None:
    """Keys belong to challenges."""
    one, other = issued(WORK, "one"), issued(WORK, "other")
    key = solved(told(WORK, one))
    assert outcome(WORK, one, derivedKey=key).passed
    assert outcome(WORK, other, derivedKey=key) == Checked(False, "wrong")


def test_doubt_and_load_make_it_harder() -> None:
    """In what the token says, where the client cannot change it."""
    work = Work(cost=1, least=100, most=400)
    assert [issued(work, weight=weight).detail["m"] for weight in (0.0, 10.0, 20.0, 99.0)] == [100, 200, 400, 400]
    for _ in range(1200):
        work.tally.issued(1_000_000)
    assert issued(work).detail["m"] == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algorithm": "ARGON2ID"}, "must be one of PBKDF2/SHA-256"),
        ({"algorithm": None}, "must be one of"),
        ({"cost": 0}, "costs too much, or nothing"),
        ({"cost": 10**9}, "costs too much, or nothing"),
        ({"cost": "1000"}, "whole number"),
        ({"cost": True}, "whole number"),
        ({"algorithm": "SCRYPT", "memory": 2**20}, "costs too much"),
        ({"least": 0}, "most: must be from least"),
        ({"least": 5000}, "most: must be from least"),
        ({"most": 10**6}, "most: must be from least"),
        ({"most": 10.0}, "whole number"),
    ],
)
def test_mistakes_are_told_when_it_is_built(arguments: dict[str, Any], message: str) -> None:
    """With what is accepted."""
    with pytest.raises(ConfigurationError, match=message):
        Work(**arguments)


# --- through the middleware


def challenged(somebody: Visitor, path: str = "/x") -> dict[str, Any]:
    reply = somebody(path)
    assert reply.status == 403
    return reply.told


@pytest.mark.parametrize("algorithm", ["PBKDF2/SHA-256", "SHA-256", "SCRYPT"])
def test_who_computes_is_let_in(algorithm: str) -> None:
    """The challenge, the answer, the clearance, the application."""
    somebody = visitor(shop(kinds=[Work(algorithm, cost=2, least=5, most=40)]))
    told = challenged(somebody, "/x?a=1&b=2")
    assert told["kind"] == "work"
    reply = somebody.send({"token": told["token"], "derivedKey": solved(told)})
    told = {name: reply.json[name] for name in ("passed", "level", "target")}
    assert (reply.status, told) == (200, {"passed": True, "level": "work", "target": "/x?a=1&b=2"})
    assert somebody("/x", cookie=reply.cookie).body == b"the application"


def test_a_plain_script_without_the_work_gets_nothing() -> None:
    """What curl does: it posts the form as it is, guesses, and comes back."""
    somebody = visitor(shop(**QUICK))
    told = challenged(somebody)
    prefix = told["challenge"]["parameters"]["keyPrefix"]
    guesses = [{"derivedKey": key} for key in ("", "0" * 64, prefix, prefix + "0" * 48)]
    for fields in ({}, *guesses, {"counter": "7"}, {"passed": "true"}):
        for reply in (
            somebody.send({"token": told["token"], **fields}),
            somebody.send_form({"token": told["token"], **fields}),
        ):
            assert (reply.status, reply.cookie) == (403, "")
    assert somebody("/x").status == 403


def test_a_solution_is_redeemed_once() -> None:
    """The double spend that Anubis had (GHSA-jhjj-2g64-px7c), and replay (weakness 8)."""
    somebody = visitor(shop(**QUICK))
    told = challenged(somebody)
    fields = {"token": told["token"], "derivedKey": solved(told)}
    assert [somebody.send(fields).status for _ in range(3)] == [200, 403, 403]
    assert somebody.send(fields).json["code"] == "spent"


def test_somebody_else_cannot_redeem_it() -> None:
    """A farm that solves for others: from another network, or by another agent."""
    aj = shop(**QUICK)
    told = challenged(visitor(aj))
    fields = {"token": told["token"], "derivedKey": solved(told)}
    assert visitor(aj, ip="198.51.100.7").send(fields).json["code"] == "forged"
    assert visitor(aj, agent="curl/8").send(fields).json["code"] == "forged"
    assert visitor(aj, ip="203.0.113.77").send(fields).status == 200  # within its /24


def test_a_challenge_ends() -> None:
    """Half an hour after it was posed."""
    clock = FakeClock()
    somebody = visitor(shop(clock, **QUICK))
    told = challenged(somebody)
    clock.advance(1800)
    assert somebody.send({"token": told["token"], "derivedKey": solved(told)}).json["code"] == "expired"


def test_a_wrong_answer_gets_no_easier_challenge() -> None:
    """The next one is as hard: its weight goes along; and whoever sends no token that is ours gets a hard one."""
    from doorward import Doorward, weigh

    kinds = {"kinds": [Work(cost=1, least=10, most=1000)]}
    rules = [weigh(20, paths=["/x"])]
    aj = Doorward(rules, thresholds={"CHALLENGE": 10}, secret="s" * 40, clock=FakeClock(), challenges=kinds)
    somebody = visitor(aj)
    told = challenged(somebody)
    assert told["most"] == 40

    def after(token: str) -> int:
        body = f"token={token}&derivedKey=".encode() + b"0" * 64
        reply = somebody("/.doorward/verify", "POST", body, "application/x-www-form-urlencoded")
        return int(reply.told["most"])

    assert after(told["token"]) == 40
    assert after("garbage") == 40


def test_a_long_address_is_no_endless_challenge() -> None:
    """flask-NoBot's went round in circles for them; the token in the form has to be the whole token."""
    import re

    reply = visitor(shop(**QUICK))("/x?" + "long=" + "a" * 3000)
    assert len(reply.told["token"]) > 3000
    assert re.search(rb'name="token" value="([^"]+)"', reply.body)[1].decode() == reply.told["token"]


def test_parameters_of_the_clients_own_mean_nothing() -> None:
    """An easier challenge that it has solved, sent along with our token."""
    somebody = visitor(shop(**QUICK))
    told = challenged(somebody)
    easy = {**told["challenge"]["parameters"], "cost": 1, "keyPrefix": ""}
    key = derive(EASY, b"n" * 16, b"s" * 16, 0).hex()
    fields = {
        "token": told["token"],
        "challenge": {"parameters": easy},
        "most": 1,
        "detail": {"h": ""},
        "derivedKey": key,
    }
    assert somebody.send(fields).json["code"] == "wrong"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=300),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""]),
)
def test_nothing_that_is_posted_is_a_server_error(body: bytes, kind: str) -> None:
    """Nor a clearance."""
    somebody = visitor(SHOP)
    reply = somebody("/.doorward/verify", "POST", body, kind)
    assert (reply.status in (400, 403, 429), reply.cookie) == (True, "")


SHOP = shop(**QUICK)


def test_json_clients_are_told_the_challenge() -> None:
    """As the protocol says it, so that its libraries solve it."""
    reply = visitor(shop(**QUICK))("/x", accept="application/json")
    parameters = reply.json["challenge"]["challenge"]["parameters"]
    assert parameters["algorithm"] == "PBKDF2/SHA-256"
    from altcha import v2

    found = v2.solve_challenge(v2.Challenge.from_dict({"parameters": parameters}))
    fields = {"token": reply.json["challenge"]["token"], "derivedKey": found.derived_key}
    assert visitor(SHOP)("/x").status == 403
    assert found.counter < reply.json["challenge"]["most"]
    assert len(fields["derivedKey"]) == 64


def test_the_words_of_the_page_are_used_and_escaped() -> None:
    """In the page and in what its script is told."""
    words = {**catalogues()["en"], "work": "Bitte <warten>", "try_again": "Noch </script> einmal"}
    posed = WORK.pose(issued(WORK), "/.doorward", words)
    assert "Bitte &lt;warten&gt;" in posed.parts
    assert posed.data["words"]["try_again"] == words["try_again"]


def test_checking_takes_no_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """One SHA-256: a million wrong answers cost the server no more than hashing them."""
    issue = issued(WORK)
    key = solved(told(WORK, issue))
    monkeypatch.setattr("doorward.challenges.work.kind.derive", lambda *_: pytest.fail("derived"))
    assert outcome(WORK, issue, derivedKey=key).passed


def test_it_is_on_offer_by_default() -> None:
    """With the wait before it, for who asks for less."""
    gate = shop().runtime.gatekeeper.gate
    assert list(gate.offer.by_name) == ["wait", "work", "browser"]
    assert gate.offer.choose(Level.WORK).name == "work"
    assert gate.offer.choose(Level.WAIT).name == "wait"
