"""Rule ids are Arcjet's: by them its SDK for JavaScript finds what it remembers.

The documented form is in tests/arcjet/documented.py, and tests/arcjet/test_clients.py checks it against what the SDK
itself reports.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from tests.arcjet.documented import hashed, rule_id

import doorward
from doorward.decision import Mode

LIVE = {"mode": "MODE_LIVE"}
SLIDING = "RATE_LIMIT_ALGORITHM_SLIDING_WINDOW"
FIXED = "RATE_LIMIT_ALGORITHM_FIXED_WINDOW"
BUCKET = "RATE_LIMIT_ALGORITHM_TOKEN_BUCKET"
CASES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "shield": (doorward.shield(), "shield", {}),
    "shield-of-users": (doorward.shield(characteristics=["userId"]), "shield", {"characteristics": ["userId"]}),
    "token-bucket": (
        doorward.token_bucket(refill_rate=2, interval="1m", capacity=9),
        "rateLimit",
        {"algorithm": BUCKET, "refillRate": 2, "interval": 60, "capacity": 9},
    ),
    "fixed-window": (
        doorward.fixed_window(max=3, window="1h"),
        "rateLimit",
        {"algorithm": FIXED, "max": 3, "windowInSeconds": 3600},
    ),
    "sliding-window": (
        doorward.sliding_window(max=3, interval=90, characteristics=["userId", "ip.src"]),
        "rateLimit",
        {"algorithm": SLIDING, "max": 3, "interval": 90, "characteristics": ["userId", "ip.src"]},
    ),
    "bots-allowed": (doorward.detect_bot(allow=["CURL", "CATEGORY:AI"]), "botV2", {"allow": ["CURL", "CATEGORY:AI"]}),
    "bots-denied": (doorward.detect_bot(deny=["CURL"]), "botV2", {"deny": ["CURL"]}),
    "no-bots": (doorward.detect_bot(allow=[]), "botV2", {}),
    "email": (
        doorward.validate_email(deny=["INVALID", "DISPOSABLE"]),
        "email",
        {"deny": ["EMAIL_TYPE_INVALID", "EMAIL_TYPE_DISPOSABLE"], "requireTopLevelDomain": True},
    ),
    "email-allowed": (
        doorward.validate_email(allow=["FREE"], require_top_level_domain=False, allow_domain_literal=True),
        "email",
        {"allow": ["EMAIL_TYPE_FREE"], "allowDomainLiteral": True},
    ),
    "filter": (
        doorward.filter_request(deny=['http.host eq "x.example"', "ip.src == 192.0.2.1"]),
        "filter",
        {"deny": ['http.host eq "x.example"', "ip.src == 192.0.2.1"]},
    ),
    "filter-allowed": (
        doorward.filter_request(allow=['http.host eq "x.example"']),
        "filter",
        {"allow": ['http.host eq "x.example"']},
    ),
}


@pytest.mark.parametrize(("rule", "kind", "options"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("mode", list(Mode), ids=str)
def test_ids_are_the_documented_ones(rule: Any, kind: str, options: dict[str, Any], mode: Mode) -> None:
    """Of each kind of rule that both have, in each mode."""
    wire = {kind: {**options, "mode": f"MODE_{mode.value}"}}
    assert rule.rule_id(mode) == rule_id(wire, [])


def test_the_form_is_spelled_out() -> None:
    """The form itself, so that a change in both places at once is seen."""
    plain = (
        'type:"RATE_LIMIT",version:0,mode:"LIVE",algorithm:"SLIDING_WINDOW",characteristics:["ip.src","userId",],'
        'match:"",max:3,interval:90,'
    )
    rule, _, _ = CASES["sliding-window"]
    assert rule.rule_id(Mode.LIVE) == sha256(plain.encode()).hexdigest()
    assert (
        hashed([("a", 'x"y'), ("b", True), ("c", ["z", "a"])]) == sha256(b'a:"x\\"y",b:true,c:["a","z",],').hexdigest()
    )


def test_what_only_doorward_has_makes_another_id() -> None:
    """A rule that decides differently is never taken for one of Arcjet's."""
    plain = doorward.detect_bot(allow=[]).rule_id(Mode.LIVE)
    assert doorward.detect_bot(allow=[], verified_only=True).rule_id(Mode.LIVE) != plain
    limit = {"max": 3, "interval": 90}
    plain = doorward.sliding_window(**limit).rule_id(Mode.LIVE)
    assert doorward.sliding_window(**limit, paths=["/x"]).rule_id(Mode.LIVE) != plain
