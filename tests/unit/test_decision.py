"""What a decision says: status, headers, wire JSON, ids."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.walking import PEER, Says, Walking, challenges, denies, raises, says, states

from doorward import ErrorReason, IPInfo, RuleReason, fixed_window, sliding_window, token_bucket
from doorward.client_ip import ClientIP, Provenance
from doorward.decision import NOTHING, Conclusion, Decision
from doorward.ids import decision_id
from doorward.levels import Level
from doorward.reason import ChallengeReason, RateLimitReason, Reason
from doorward.testing import FakeClock

HERE = ClientIP(PEER, Provenance.PEER)
KINDS = [
    "RATE_LIMIT",
    "BOT",
    "SHIELD",
    "EMAIL",
    "FILTER",
    "SENSITIVE_INFO",
    "PROMPT_INJECTION",
    "CHALLENGE",
    "RULE",
    "ERROR",
]


class Kind(Reason):
    def __init__(self, kind: str) -> None:
        self.type = kind  # type: ignore[misc]


def decision(conclusion: str, reason: Reason) -> Decision:
    return Decision(Conclusion(conclusion), lambda: (reason, ()), HERE, 0)


# --- status and headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [("EMAIL", 400), ("RATE_LIMIT", 429), ("ERROR", 503), ("BOT", 403), ("RULE", 403), ("CHALLENGE", 403)],
)
def test_the_status_follows_from_the_reason(kind: str, status: int) -> None:
    """400 e-mail, 429 limit, 503 failed closed, else 403; what is let through is 200."""
    assert decision("DENY", Kind(kind)).status == decision("CHALLENGE", Kind(kind)).status == status
    assert decision("ALLOW", Kind(kind)).status == decision("ERROR", Kind(kind)).status == 200


@pytest.mark.parametrize(
    ("conclusion", "told"),
    [("ALLOW", (1, 0, 0, 0)), ("DENY", (0, 1, 0, 0)), ("CHALLENGE", (0, 0, 1, 0)), ("ERROR", (1, 0, 0, 1))],
)
def test_one_conclusion_is_one_answer(conclusion: str, told: tuple[int, ...]) -> None:
    """An ERROR is allowed; nothing else overlaps."""
    found = decision(conclusion, RuleReason("x"))
    assert (found.is_allowed(), found.is_denied(), found.is_challenged(), found.is_errored()) == told
    assert found.is_error() is found.is_errored()


def test_headers_of_an_allowed_request_name_each_limit() -> None:
    """Policy and state by rule name, in the order of declaration; no Retry-After."""
    walking = Walking(
        fixed_window(max=5, window="10m", name="signup"),
        token_bucket(refill_rate=2, interval="1m", capacity=10, name="api"),
    )
    walking.clock.advance(188.5)
    assert walking.walk().headers == {
        "RateLimit-Policy": '"signup";q=5;w=600, "api";q=10;w=300',
        "RateLimit": '"signup";r=4;t=412, "api";r=9;t=30',
    }


@pytest.mark.parametrize(("waited", "told"), [(0, 60), (0.001, 60), (0.999, 60), (1, 59), (59, 1), (59.999, 1)])
def test_retry_after_is_right_to_the_second_and_never_early(waited: float, told: int) -> None:
    """Seconds are rounded up: whoever waits as told is let in."""
    walking = Walking(fixed_window(max=1, window="1m"))
    walking.walk()
    walking.clock.advance(waited)
    headers = walking.walk().headers
    assert headers == {
        "Retry-After": str(told),
        "RateLimit-Policy": '"fixed_window";q=1;w=60',
        "RateLimit": f'"fixed_window";r=0;t={told}',
    }
    walking.clock.advance(told)
    assert walking.walk().is_allowed()


def test_a_denial_that_time_does_not_lift_has_no_retry_after() -> None:
    """Nor has one of a limit that could never admit the cost."""
    assert Walking(Says(does=denies)).walk().headers == {}
    assert "Retry-After" not in Walking(sliding_window(max=1, interval=60)).walk(requested=2).headers


def test_dry_and_unasked_limits_are_no_headers() -> None:
    """Clients are told about what holds for them."""
    walking = Walking(
        sliding_window(max=1, interval=60, mode="DRY_RUN"), sliding_window(max=1, interval=60, paths=["/x"])
    )
    assert walking.walk().headers == {}


# --- laziness


def test_looking_later_gives_what_looking_at_once_gives() -> None:
    """A decision is written out when somebody looks, and says what held when it was made."""
    early, late = Walking(sliding_window(max=5, interval=60)), Walking(sliding_window(max=5, interval=60))
    at_once, later = early.walk(), late.walk()
    seen = at_once.to_dict()
    late.clock.advance(30)
    late.walks(2)
    assert {**later.to_dict(), "id": ""} == {**seen, "id": ""}
    assert later.reason.reset_time == at_once.reason.reset_time


def test_a_decision_is_written_out_once() -> None:
    """The same objects on every look, and one id."""
    found = Walking(sliding_window(max=5, interval=60)).walk()
    assert found.results is found.results
    assert found.reason is found.reason
    assert found.id == found.id


# --- ids


def test_ids_are_the_typeids_of_their_uuid() -> None:
    """The valid vector of the TypeID specification that is a UUIDv7."""
    uuid = 0x01890A5D_AC96_774B_BCCE_B302099A8057
    entropy = ((uuid >> 64 & 0xFFF) << 62 | uuid & (1 << 62) - 1).to_bytes(10)
    assert decision_id((uuid >> 80) * 1_000_000 + 999_999, entropy) == "lreq_01h455vb4pex5vsknk084sn02q"


@given(
    st.integers(0, 2**48 - 2),
    st.integers(1, 1000),
    st.binary(min_size=10, max_size=10),
    st.binary(min_size=10, max_size=10),
)
def test_ids_sort_by_time(milliseconds: int, later: int, one: bytes, other: bytes) -> None:
    """Whatever their random part, a later millisecond sorts later."""
    after = min(milliseconds + later, 2**48 - 1)
    assert decision_id(milliseconds * 10**6, one) < decision_id(after * 10**6, other)


def test_ids_differ_within_a_millisecond() -> None:
    """74 random bits of the system's."""
    assert len({decision_id(0) for _ in range(100)}) == 100


# --- wire


def test_the_wire_json_is_the_proto3_mapping_of_a_decision() -> None:
    """Field and value names of the v1alpha1 messages, and whole seconds."""
    walking = Walking(fixed_window(max=1, window="1m", name="signup"), Says(does=denies, mode="DRY_RUN"))
    walking.walk()
    found = walking.walk()
    wire = json.loads(found.to_json())
    assert wire == found.to_dict()
    assert wire["conclusion"] == "CONCLUSION_DENY"
    assert wire["id"].startswith("lreq_")
    assert (wire["ttl"], wire["dryRun"]) == (60, "says")
    assert wire["ipDetails"] == {"address": PEER, "provenance": "PEER"}
    assert wire["reason"] == {"rateLimit": {"max": 1, "remaining": 0, "resetInSeconds": 60, "windowInSeconds": 60}}
    assert wire["ruleResults"][0] == {
        "rule": "signup",
        "ruleId": found.results[0].rule_id,
        "state": "RULE_STATE_RUN",
        "conclusion": "CONCLUSION_DENY",
        "reason": wire["reason"],
        "ttl": 60,
        "fingerprint": found.results[0].fingerprint,
    }
    assert wire["ruleResults"][1]["state"] == "RULE_STATE_DRY_RUN"
    assert wire["ruleResults"][0]["fingerprint"].startswith("fp::3::")


def test_every_reason_has_a_wire_form() -> None:
    """Each with the fields that say why."""
    assert dict(ErrorReason("down").to_wire()) == {"message": "down"}
    assert dict(RuleReason("r", "m", 2.0).to_wire()) == {"rule": "r", "message": "m", "weight": 2.0}
    challenged = ChallengeReason("r", "m", 2.0, Level.HUMAN)
    assert dict(challenged.to_wire()) == {"rule": "r", "message": "m", "weight": 2.0, "level": "human"}
    degraded = RateLimitReason(2**50, 2**50, 1e12, 0.5, 0, "down")
    assert dict(degraded.to_wire()) == {
        "max": 2**32 - 1, "remaining": 2**32 - 1, "resetInSeconds": 2**32 - 1, "windowInSeconds": 1, "degraded": "down",
    }  # fmt: skip
    assert Reason().to_wire() == {}


def test_a_decision_whose_reason_has_no_wire_form_has_none() -> None:
    """An unknown kind is left out, not invented."""
    assert decision("ALLOW", Kind("NEW")).to_dict()["reason"] == {}


def test_a_note_is_on_the_wire_and_in_the_explanation() -> None:
    """What ran otherwise than configured can be seen."""
    found = Walking(sliding_window(max=5, interval=60, characteristics=["userId"])).walk()
    note = "userId not given to protect: counted by address instead"
    assert found.to_dict()["ruleResults"][0]["note"] == note
    assert f"[{note}]" in found.explain()


# --- reasons and explanations


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_reason_answers_to_its_own_question_only(kind: str) -> None:
    """``is_rate_limit()`` … ``is_error()``: exactly one is True."""
    reason = Kind(kind)
    told = [name for name in KINDS if getattr(reason, f"is_{name.lower()}")()]
    assert told == [kind]
    assert reason.explain() == kind.lower().replace("_", " ")


def test_a_rate_limit_reason_knows_its_times() -> None:
    """As numbers, timedelta and UTC time."""
    clock = FakeClock(1_800_000_000)
    reason = RateLimitReason(5, 3, 411.2, 600.0, clock.now_ns())
    assert reason.explain() == "3 of 5 left in 600 s, reset in 412 s"
    assert (reason.reset.total_seconds(), reason.window.total_seconds()) == (411.2, 600)
    assert reason.reset_time.isoformat() == "2027-01-15T08:06:51.200000+00:00"
    assert RateLimitReason(5, 3, 1, 600.0, degraded="down").explain().endswith("(local limiter: down)")


def test_other_reasons_explain_themselves() -> None:
    """The rule's name, and what it found if it said so."""
    assert (RuleReason("a").explain(), RuleReason("a", "b").explain()) == ("a", "a: b")
    assert (ChallengeReason("a").explain(), ChallengeReason("a", "b").explain()) == ("a", "a: b")
    assert ErrorReason("m").explain() == "m"


def test_an_explanation_has_a_line_for_the_decision_and_each_rule() -> None:
    """Also what a dry run would have done."""
    found = Walking(Says(does=challenges, mode="DRY_RUN"), Says(does=raises)).walk()
    head, dry, broken = found.explain().splitlines()
    assert head == f"{found.id} ERROR: RuntimeError: a bug; would have been refused by says (dry run)"
    assert dry == "  says: CHALLENGE (DRY_RUN) double: challenge"
    assert broken == "  says-2: ERROR (RUN) RuntimeError: a bug"
    assert repr(found) == "Decision(ERROR, ERROR: RuntimeError: a bug)"
    assert repr(decision("ALLOW", Reason())) == "Decision(ALLOW, no reason: )"


def test_what_is_not_known_about_an_address_is_none() -> None:
    """Unknown is never False."""
    found = Walking(Says(does=lambda _: says(ttl=7.9))).walk()
    assert (found.ip.address, found.ip.provenance, states(found)) == (PEER, "PEER", ["RUN"])
    assert found.results[0].ttl == 7
    ip = IPInfo(PEER, "PEER")
    known = [
        ip.is_vpn(),
        ip.is_proxy(),
        ip.is_tor(),
        ip.is_hosting(),
        ip.is_relay(),
        ip.is_abuser(),
        ip.country,
        ip.asn,
    ]
    assert known == [None] * 8


async def _awaited() -> object:
    return await NOTHING


def test_a_decision_that_charged_nothing_has_nothing_to_take_back() -> None:
    """``refund`` may be called and awaited all the same."""
    found = decision("ALLOW", RuleReason("x"))
    assert found.refund() is NOTHING
    with pytest.raises(StopIteration):
        _awaited().send(None)
