"""The rule of a shield: what it concludes, what its reason says, and what follows when something fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.shield.marking import Failing, Marking, marked
from tests.unit.walking import PEER, request

from doorward import Doorward, RequestContext, allow, deny, sliding_window
from doorward.attacks.evidence import Family, Finding, Place
from doorward.reason import ShieldReason
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

FINDING = Finding(
    Family.SQL, "sql.union", 0.7, Place.QUERY, "q", 3, "' UNION SELE** ******", "joins a table", ("percent",)
)


def client(*rules: Any, **options: Any) -> Doorward:
    return Doorward(rules, **{"clock": FakeClock(), **options})


def ask(aj: Doorward, query: str = "", **parts: Any) -> Any:
    return aj.protect(request(query=query, **parts))


def reason(decision: Any, number: int = 0) -> ShieldReason:
    found = decision.results[number].reason
    assert isinstance(found, ShieldReason)
    return found


# --- what it concludes


@pytest.mark.parametrize(
    ("marks", "conclusion", "suspicious", "weight"),
    [
        ("tea", "ALLOW", False, 0.0),
        ("weigh(0.19)", "ALLOW", False, 0.19),
        ("weigh(0.2)", "ALLOW", True, 0.2),
        ("weigh(0.99)", "ALLOW", True, 0.99),
        ("weigh(0.5,a)+weigh(0.5,b)", "DENY", True, 1.0),
        ("weigh(1.0)", "DENY", True, 1.0),
    ],
)
def test_one_value_of_weight_one_denies(marks: str, conclusion: str, suspicious: bool, weight: float) -> None:
    """Less is suspicious, or a trace that does not count."""
    decision = ask(client(marked()), f"q={marks}")
    found = reason(decision)
    assert decision.conclusion == conclusion
    assert (found.suspicious, found.weight, found.shield_triggered) == (suspicious, weight, conclusion == "DENY")
    assert decision.status == (403 if conclusion == "DENY" else 200)


def test_traces_do_not_add_up() -> None:
    """Many ordinary texts hold one."""
    aj = client(marked(threshold=0.5))
    assert {ask(aj, "q=weigh(0.19)").conclusion for _ in range(20)} == {"ALLOW"}
    assert aj.stats()["store.tallies"] == 0


def test_a_clean_request_costs_the_store_nothing() -> None:
    """Nothing is written, and nothing asked."""

    class Watched(MemoryStore):
        calls = 0

        def tally(self, *arguments: Any) -> float:
            Watched.calls += 1
            return super().tally(*arguments)

    aj = client(marked(), store=Watched(clock=FakeClock()))
    ask(aj, "q=tea")
    assert Watched.calls == 0
    ask(aj, "q=weigh(0.2)")
    assert Watched.calls == 1


def test_an_allow_rule_does_not_end_it() -> None:
    """Who is let past bots and challenges may still not attack."""
    aj = client(allow(ip=[PEER]), marked())
    assert ask(aj, "q=weigh(1.0)").is_denied()
    assert reason(ask(aj, "q=weigh(0.4)"), 1).suspicious


def test_a_deny_rule_comes_before_it() -> None:
    """What is refused anyway is not looked at."""
    marking = Marking()
    assert ask(client(marked(marking), deny(ip=[PEER])), "q=weigh(0.4)").is_denied()
    assert marking.seen == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_bodies_are_looked_at(kind: str) -> None:
    """Whatever they say they are."""
    body = json.dumps({"a": "weigh(1.0)"}).encode()
    headers = [("content-type", kind)] if kind else []
    assert ask(client(marked()), method="POST", headers=headers, body=body).is_denied()
    assert ask(client(marked(body=False)), method="POST", headers=headers, body=body).is_allowed()


def test_a_long_query_is_looked_at_in_slices() -> None:
    """To its end."""
    assert ask(client(marked()), f"a={'b' * 50_000}&q=weigh(1.0)").is_denied()


# --- what it says


def test_the_wire_form_of_a_reason() -> None:
    """Arcjet's two fields; weight and findings are doorward's own, and only where there are any."""
    assert ShieldReason().to_wire() == {"shieldTriggered": False, "suspicious": False}
    wire: Any = ShieldReason(True, True, 0.7, (FINDING,)).to_wire()
    assert json.loads(json.dumps(wire)) == {
        "shieldTriggered": True,
        "suspicious": True,
        "weight": 0.7,
        "findings": [
            {
                "family": "SQL",
                "rule": "sql.union",
                "weight": 0.7,
                "place": "query",
                "name": "q",
                "offset": 3,
                "excerpt": "' UNION SELE** ******",
                "reason": "joins a table",
                "via": ["percent"],
            }
        ],
    }


def test_a_reason_explains_itself() -> None:
    """One sentence part, of the first finding or of the sum."""
    assert ShieldReason().explain() == "nothing suspicious"
    assert ShieldReason(True, True, 0.7, (FINDING,)).explain() == "SQL in query: joins a table (weight 0.7)"
    refused = ShieldReason(True, True, retry_seconds=599.2).explain()
    assert refused == "the client's suspicious requests add up; refused for 600 s"


def test_a_reason_says_what_it_is() -> None:
    """``reason.type`` and ``is_shield()``; the decision carries it under its wire name."""
    decision = ask(client(marked()), "q=weigh(1.0)")
    assert (decision.reason.type, decision.reason.is_shield(), decision.reason.is_bot()) == ("SHIELD", True, False)
    assert set(decision.to_dict()["reason"]) == {"shield"}
    assert json.loads(decision.to_json())["ruleResults"][0]["reason"]["shield"]["findings"][0]["name"] == "q"


def test_a_conclusive_denial_is_not_for_the_client() -> None:
    """It depends on the request: ``ttl`` is 0, and there is nothing to wait for."""
    decision = ask(client(marked()), "q=weigh(1.0)")
    assert (decision.ttl, "Retry-After" in decision.headers) == (0, False)


def test_several_shields_each_conclude() -> None:
    """With names that differ, and sums of their own."""
    rules = [marked(threshold=9.0, name="a"), marked(threshold=0.7, name="b"), marked(mode="DRY_RUN", threshold=0.7)]
    aj = client(*rules)
    first, second = (ask(aj, "q=weigh(0.4)") for _ in range(2))
    assert first.is_allowed()
    assert [result.conclusion.value for result in second.results] == ["ALLOW", "DENY", "ALLOW"]
    assert second.results[2].state == "NOT_RUN"
    assert aj.stats(PEER).refused_for == {"b": 600.0}


# --- failures


@pytest.mark.parametrize("screen", [False, True])
@pytest.mark.parametrize(("on_error", "conclusion", "status"), [("allow", "ERROR", 200), ("deny", "DENY", 503)])
def test_a_detector_that_raises(on_error: str, conclusion: str, status: int, screen: bool) -> None:
    """An ERROR of the rule that names the detector; let through or refused as ``on_error`` says."""
    aj = client(marked(Failing(screen=screen), Marking(), on_error=on_error))
    decision = ask(aj, "q=raise()")
    assert (decision.conclusion, decision.status, decision.reason.type) == (conclusion, status, "ERROR")
    assert "failing: RuntimeError: a bug in a" in decision.reason.explain()
    assert ask(aj, "q=tea").conclusion == "ALLOW"


@pytest.mark.parametrize("on_error", ["allow", "deny"])
def test_the_others_still_deny(on_error: str) -> None:
    """What they found is the reason; what failed is in the note."""
    decision = ask(client(marked(Failing(), Marking(), on_error=on_error)), "q=raise()+weigh(1.0)")
    assert (decision.status, decision.reason.type) == (403, "SHIELD")
    assert "failing: RuntimeError" in decision.results[0].note


def test_a_shield_that_fails_leaves_other_rules_alone() -> None:
    """The limit beside it is asked."""
    aj = client(marked(Failing()), sliding_window(max=1, interval="1m"))
    assert [ask(aj, "q=raise()").status for _ in range(2)] == [200, 429]


class BrokenStore(MemoryStore):
    """Fails in one of its methods."""

    def __init__(self, method: str) -> None:
        super().__init__(clock=FakeClock())

        def broken(*_: object) -> Any:
            raise ConnectionError("the store is down")

        setattr(self, method, broken)


@pytest.mark.parametrize("method", ["tally", "ban"])
def test_a_store_that_fails_while_adding(method: str) -> None:
    """What was found in the request stands; that it did not count is said, and logged."""
    aj = client(marked(threshold=0.3), store=BrokenStore(method))
    decision = ask(aj, "q=weigh(0.4)")
    assert decision.conclusion == "ALLOW"
    assert reason(decision).weight == 0.4
    assert "could not be added up: ConnectionError" in decision.results[0].note
    assert ask(aj, "q=weigh(1.0)").status == 403
    assert any(name.startswith("note.rule shield") for name in aj.stats())


@pytest.mark.parametrize("method", ["tally", "ban"])
def test_a_store_that_fails_while_adding_and_is_to_deny(method: str) -> None:
    """``on_error="deny"``: 503 for the suspicious request, nothing for others."""
    aj = client(marked(threshold=0.3, on_error="deny"), store=BrokenStore(method))
    assert ask(aj, "q=weigh(0.4)").status == 503


@pytest.mark.parametrize(("on_error", "status"), [("allow", 200), ("deny", 503)])
def test_a_store_that_cannot_say_who_is_refused(on_error: str, status: int) -> None:
    """The request is looked at all the same."""
    aj = client(marked(on_error=on_error), store=BrokenStore("count"))
    assert ask(aj, "q=tea").status == status
    assert ask(aj, "q=weigh(1.0)").status == 403


def test_hostile_requests_are_decided_about() -> None:
    """Whatever the parts are."""
    aj = client(marked())
    odd = ["%", "%u0000%00", "=" * 3000, "&" * 3000, "\x00\ud800", "a" * 200_000]
    for text in odd:
        for asked in (
            RequestContext(query=text, peer=PEER),
            RequestContext(path=text, peer=PEER),
            RequestContext(headers=[(text, text), ("cookie", text), ("content-type", text)], peer=PEER),
            RequestContext(method="POST", body=text.encode("utf-8", "surrogatepass"), peer=PEER),
        ):
            assert aj.protect(asked).conclusion in ("ALLOW", "DENY")
