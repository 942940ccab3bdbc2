"""Sign-up protection in one call: which rules it makes of which arguments, and whose mistakes it names."""

from __future__ import annotations

import pytest
from data_build.domains import compile_domains

from doorward import ConfigurationError, Mode, UnknownArgument
from doorward.builders.bots import detect_bot
from doorward.builders.email import validate_email
from doorward.builders.signup import protect_signup
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm
from doorward.rules.bots import BotRule
from doorward.rules.email import EmailRule
from doorward.rules.limits import StaticLimit, fixed_window, sliding_window, token_bucket

FIVE = {"interval": "10m", "max": 5}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    compile_domains(folder)
    return folder


@pytest.fixture(autouse=True)
def _data(compiled, monkeypatch) -> None:
    monkeypatch.setattr("doorward.intelligence.library.wheel_folder", lambda: compiled)


def test_without_arguments_it_is_as_recommended() -> None:
    """Five submissions in ten minutes; no automated client; no disposable, invalid or mailless address."""
    limit, bots, email = protect_signup()
    assert limit == sliding_window(max=5, interval=600)
    assert bots == detect_bot(allow=[])
    assert email == validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"])


def test_arcjets_form_comes_out_in_its_order() -> None:
    """Mappings for the builders; the limit first, the e-mail rule last."""
    rules = protect_signup(
        rate_limit={"mode": "LIVE", "interval": 60, "max": 2},
        bots={"mode": "DRY_RUN", "allow": ["CURL"]},
        email={"mode": "LIVE", "block": ["FREE"]},
    )
    assert [type(rule) for rule in rules] == [StaticLimit, BotRule, EmailRule]
    assert [rule.mode for rule in rules] == [Mode.LIVE, Mode.DRY_RUN, Mode.LIVE]
    assert rules[0].quota.interval == 60 * NANOSECONDS
    assert rules[2].deny == {"FREE"}


def test_the_other_limits_are_told_by_their_arguments() -> None:
    """A window is a fixed one, a capacity a bucket; text is what ``rate_limit`` takes."""
    window, bucket, *text = protect_signup(
        rate_limits=[
            {"window": "1h", "max": 20},
            {"refill_rate": 1, "interval": 60, "capacity": 5},
            "5/10m; 100/day",
        ]
    )[:-2]
    assert window == fixed_window(max=20, window=3600)
    assert bucket == token_bucket(refill_rate=1, interval=60, capacity=5)
    assert [(limit.quota.algorithm, limit.quota.max) for limit in text] == [
        (Algorithm.SLIDING_WINDOW, 5),
        (Algorithm.SLIDING_WINDOW, 100),
    ]


@pytest.mark.parametrize("arguments", [{"rate_limit": [FIVE, "1/s"]}, {"rate_limits": (FIVE, "1/s")}])
def test_several_limits_go_by_either_name(arguments) -> None:
    """``rate_limit`` takes a list too."""
    assert len(protect_signup(**arguments)) == 4


def test_what_holds_for_all_holds_where_a_part_does_not_say_otherwise() -> None:
    """Mode, paths and methods of the whole form."""
    rules = protect_signup(
        rate_limits=[FIVE, "9/day"],
        email={"deny": [], "mode": "LIVE"},
        mode="DRY_RUN",
        paths=["/signup"],
        methods=["POST"],
    )
    assert [rule.mode for rule in rules] == [Mode.DRY_RUN, Mode.DRY_RUN, Mode.DRY_RUN, Mode.LIVE]
    assert {rule.paths for rule in rules} == {("/signup",)}
    assert {rule.methods for rule in rules} == {("POST",)}


@pytest.mark.parametrize(
    ("arguments", "field", "problem"),
    [
        ({"rate_limit": {"interval": "10m", "max": 0}}, "rate_limit.max", "whole number"),
        ({"rate_limit": {"interval": "10m"}}, "rate_limit.max", "is missing"),
        ({"rate_limit": {"max": 5}}, "rate_limit.interval", "is missing"),
        ({"rate_limit": {}}, "rate_limit.max", "is missing"),
        ({"rate_limit": {**FIVE, "maximum": 5}}, "rate_limit.maximum", "no such argument"),
        ({"rate_limits": [FIVE, {"capacity": 5, "interval": 5}]}, "rate_limits[1].refill_rate", "is missing"),
        ({"rate_limits": ["5/fortnight"]}, "rate_limits[0]", "unit"),
        ({"rate_limit": "never"}, "rate_limit", ""),
        ({"rate_limit": 5}, "rate_limit", "must be a mapping"),
        ({"rate_limit": b"5/m"}, "rate_limit", "must be a mapping"),
        ({"rate_limit": [5]}, "rate_limit[0]", "must be a mapping"),
        ({"rate_limit": {5: 5}}, "rate_limit", "must be a mapping"),
        ({"rate_limit": FIVE, "rate_limits": [FIVE]}, "rate_limits", "another name"),
        ({"bots": []}, "bots", "must be a mapping"),
        ({"bots": {}}, "bots.allow, bots.deny", "one of them"),
        ({"bots": {"allow": ["CURLL"]}}, "bots.allow", "CURL"),
        ({"email": {"deny": ["DISPOSIBLE"]}}, "email.deny", "Did you mean DISPOSABLE?"),
        ({"email": {}}, "email.allow, email.deny", "one of them"),
        ({"email": {"denied": []}}, "email.denied", "no such argument"),
        ({"mode": "SOMETIMES"}, "rate_limit.mode", "DRY_RUN"),
    ],
)
def test_a_mistake_names_the_part_and_the_field(arguments, field, problem) -> None:
    """As it stands in the call."""
    with pytest.raises(ConfigurationError) as raised:
        protect_signup(**arguments)
    assert raised.value.field == field
    assert problem in raised.value.problem


def test_an_unknown_argument_is_named() -> None:
    """With the nearest one there is."""
    with pytest.raises(UnknownArgument, match="Did you mean email"):
        protect_signup(emails={})
