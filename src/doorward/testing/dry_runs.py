"""What rules in dry run would have denied in a run of tests."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from doorward.printable import printable
from doorward.testing.assertions import dry_denials
from doorward.testing.recorder import last_of_each

if TYPE_CHECKING:
    from doorward.decision import RuleResult
    from doorward.testing.harness import Harness
    from doorward.testing.recorder import Recorded

SCHEMA = 1
_SHOWN = 5
_LONGEST = 300


def told(harness: Harness) -> dict[str, Any]:
    """What one test has found: plain values, which pytest-xdist can send from one process to another."""
    records = last_of_each(harness.decisions.records)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        for result in dry_denials(record.decision):
            start = {"client": record.client, "rule": result.rule, "times": 0, "expected": 0}
            of_rule = found.setdefault((record.client, result.rule), {**start, "sample": "", "reason": ""})
            of_rule["times"] += 1
            of_rule["expected"] += id(record.decision) in harness.expected
            of_rule["reason"] = result.reason.type
            of_rule["sample"] = of_rule["sample"] or _sample(record, result)
    return {"decisions": len(records), "found": list(found.values())}


def _sample(record: Recorded, result: RuleResult) -> str:
    address = record.decision.ip.address
    whose = f" from {address}" if address else ""
    return printable(f"{record.sent}{whose}: {result.reason.explain()}", _LONGEST)


@dataclass
class RuleFindings:
    """What one rule would have denied.

    Attributes:
        client: The client's name.
        rule: The rule's.
        reason: The type of its reason, such as ``RATE_LIMIT``.
        times: How many requests.
        expected: How many of them a test has asserted with ``assert_would_deny``.
        sample: One of them, an unexpected one if there is one.
        tests: In which tests, and how often.
    """

    client: str
    rule: str
    reason: str
    sample: str
    times: int = 0
    expected: int = 0
    tests: dict[str, int] = field(default_factory=dict)


class Findings:
    """What all tests have found.

    Attributes:
        tests: Tests in which something was decided.
        decisions: Requests that were decided about.
        rules: By client and rule.
    """

    def __init__(self) -> None:
        self.tests = self.decisions = 0
        self.rules: dict[tuple[str, str], RuleFindings] = {}

    def add(self, test: str, told: dict[str, Any]) -> None:
        """Add what a test has told."""
        self.tests += 1
        self.decisions += told["decisions"]
        for found in told["found"]:
            key = (found["client"], found["rule"])
            rule = self.rules.setdefault(key, RuleFindings(*key, found["reason"], found["sample"]))
            if rule.times == rule.expected and found["times"] > found["expected"]:
                rule.sample = found["sample"]
            rule.times += found["times"]
            rule.expected += found["expected"]
            rule.tests[test] = rule.tests.get(test, 0) + found["times"]

    @property
    def unexpected(self) -> int:
        """Requests that would have been denied, and that no test has asserted to be."""
        return sum(rule.times - rule.expected for rule in self.rules.values())

    def lines(self) -> list[str]:
        """For the terminal."""
        return [line for _, rule in sorted(self.rules.items()) for line in _lines(rule)]

    def to_json(self) -> str:
        """For a file."""
        rules = [asdict(rule) for _, rule in sorted(self.rules.items())]
        report = {"schema": SCHEMA, "tests": self.tests, "decisions": self.decisions, "dry_run": rules}
        return json.dumps(report, indent=2) + "\n"


def _lines(rule: RuleFindings) -> list[str]:
    client = "" if rule.client == "default" else f" of {rule.client}"
    expected = f", {rule.expected} of them as expected" if rule.expected else ""
    head = f"{rule.rule}{client} ({rule.reason}) would have denied {_number(rule.times, 'request')}{expected}"
    tests = sorted(rule.tests.items(), key=lambda each: (-each[1], each[0]))
    more = len(tests) - _SHOWN
    return [
        f"{head}, in {_number(len(tests), 'test')}",
        *[f"    {times:>5} in {printable(test, _LONGEST)}" for test, times in tests[:_SHOWN]],
        *([f"          and in {_number(more, 'test')} more"] if more > 0 else []),
        f"    such as {rule.sample}",
    ]


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


__all__ = ["Findings", "RuleFindings", "told"]
