"""The log and the figures tell what happened: a live refusal is no dry run, and who has passed was not challenged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from tests.challenges.clearing import Site

from doorward import Doorward, RequestContext, challenge, deny, weigh
from doorward.levels import Level
from doorward.rules.base import Rule
from doorward.testing import FakeClock

SECRET = "s" * 40
HERE: dict[str, Any] = {"paths": ["/x"]}
DRY: dict[str, Any] = {**HERE, "mode": "DRY_RUN"}
REQUEST = RequestContext(path="/x", peer="192.0.2.9", headers=[("user-agent", "x")])


def told(caplog: pytest.LogCaptureFixture, rules: Sequence[Rule]) -> tuple[dict[str, Any], dict[str, int]]:
    """The record of one decision, and the figures of weights."""
    aj = Doorward(rules, thresholds={"CHALLENGE": 5, "DENY": 20}, secret=SECRET, clock=FakeClock())
    with caplog.at_level(logging.INFO):
        aj.protect(REQUEST)
    counts: Any = aj.health()["counts"]
    (record,) = [each.doorward for each in caplog.records if hasattr(each, "doorward")]
    return record, {key.rpartition(".")[2]: count for key, count in counts.items() if key.startswith("rule.weights.")}


@pytest.mark.parametrize(("weight", "conclusion", "figure"), [(6, "CHALLENGE", "challenged"), (26, "DENY", "denied")])
@pytest.mark.parametrize("beside", [[], [deny(ip="tor", mode="DRY_RUN")]])
def test_a_live_refusal_by_weight_is_no_dry_run(
    caplog: pytest.LogCaptureFixture, weight: float, conclusion: str, figure: str, beside: list[Rule]
) -> None:
    """Regression: the line of a live challenge said ``would_deny=weights``, though no dry rule weighed anything."""
    record, figures = told(caplog, [weigh(weight, **HERE), *beside])
    assert (record["conclusion"], record["rule"]) == (conclusion, "weights")
    assert (record["would_deny"], record["dry_run"]) == ("", "")
    assert figures == {figure: 1}


def test_what_dry_rules_add_is_told_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    """With the sum that all would have come to."""
    record, figures = told(caplog, [weigh(6, **HERE), weigh(30, name="more", **DRY)])
    assert (record["conclusion"], record["dry_run"]) == ("CHALLENGE", "weights")
    assert record["would_deny"] == "weights: weights: the weights add up to 36"
    assert figures == {"challenged": 1, "asked": 1, "would_deny": 1, "refused_anyway": 1}


def test_who_has_passed_was_not_challenged() -> None:
    """Regression: beside any dry rule, each request with a clearance was counted as challenged."""
    site = Site(
        [challenge("wait", **HERE), weigh(6, **HERE), challenge("wait", name="trial", **DRY), deny(ip="tor", **DRY)],
        thresholds={"CHALLENGE": 5},
    )
    assert site.get("/x").status == 403
    assert site.get("/x", f"__Host-doorward={site.token(Level.WORK)}").status == 200
    counts: Any = site.aj.health()["counts"]
    found = {key: count for key, count in counts.items() if "challenge" in key.rpartition(".")[2]}
    assert found == {
        "rule.challenge.challenged": 1,
        "rule.weights.challenged": 1,
        "rule.trial.would_challenge": 1,
    }
    assert counts["rule.trial.asked"] == 2
