"""The report as SARIF 2.1.0: rules that newly deny, and thresholds that are not met, for GitHub and for editors.

A result stands at the rule in its policy file, which is what a pull request changes, and else in the log; the requests
are its related locations. Specification: OASIS, Static Analysis Results Interchange Format 2.1.0, errata 01.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from doorward import __version__
from doorward.replay.writers.figures import counted, iso, number, share
from doorward.visible import ascii_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.replay.report import Differences, Report, Sample, Threshold

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 1_000
MOST_SAMPLES = 20
_NEWLY_DENIED = "newly-denied"
_THRESHOLD = "threshold-not-met"


class _Kind(NamedTuple):
    """A kind of result, as code scanning lists it."""

    name: str
    level: str
    short: str
    full: str


_KINDS = {
    _NEWLY_DENIED: _Kind(
        "NewlyDenied",
        "warning",
        "A rule denies requests that the other policy lets pass",
        "Recorded requests would be denied by this rule, and are not by the policy that the replay was held against. "
        "Look at the requests named here. If they are customers' change the rule, or try it in dry-run mode.",
    ),
    _THRESHOLD: _Kind(
        "ThresholdNotMet",
        "error",
        "A threshold of the replay is not met",
        "The replay was asked to hold a condition, such as a highest share of denied requests or a list of requests "
        "that must be allowed, and the policy does not.",
    ),
}
_FILES = (".toml", ".yaml", ".yml", ".json")
_NO_LINK = str.maketrans({c: f"\\x{ord(c):02x}" for c in "[]{}"})


def write(report: Report) -> str:
    """The report as JSON in ASCII."""
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}, indent=1) + "\n"


def _run(report: Report) -> dict[str, Any]:
    driver = {"name": "doorward", "version": __version__, "semanticVersion": __version__, "rules": _descriptors()}
    invocation: dict[str, Any] = {"executionSuccessful": True, "exitCode": 0 if report.passed else 1}
    if report.made_ns > 0:
        invocation["endTimeUtc"] = iso(report.made_ns)
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": "doorward/replay/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [*_missed(report), *_newly_denied(report)][:MOST_RESULTS],
    }


def _descriptors() -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "name": title,
            "shortDescription": {"text": short},
            "fullDescription": {"text": full},
            "help": {"text": full},
            "defaultConfiguration": {"level": level},
            "properties": {"tags": ["doorward", "replay"], "problem.severity": level, "precision": "very-high"},
        }
        for name, (title, level, short, full) in _KINDS.items()
    ]


def _missed(report: Report) -> Iterator[dict[str, Any]]:
    for threshold in report.thresholds:
        if not threshold.met:
            where = _physical(_policy_file(report.policy), 1)
            yield _result(_THRESHOLD, _missed_text(threshold), threshold.name, where, threshold.samples)


def _missed_text(threshold: Threshold) -> str:
    return f"{plain(threshold.name)} {plain(threshold.asked)} is not met: {plain(threshold.found)}"


def _newly_denied(report: Report) -> Iterator[dict[str, Any]]:
    """One result a rule, however many requests it denies: 20,000 alerts say less than one with a number in it."""
    against = report.against
    if against is None:
        return
    for rule, count in sorted(against.denied_by.items(), key=lambda item: (-item[1], item[0])):
        samples = [sample for sample in against.newly_denied_samples if sample.rule == rule]
        text = (
            f"Rule {plain(rule)} would deny {counted(count, 'request')} that {plain(against.base)} lets pass "
            f"({share(count, report.requests)} of {number(report.requests)})"
        )
        yield _result(_NEWLY_DENIED, text, rule, _of_rule(report, against, rule), samples)


def _of_rule(report: Report, against: Differences, rule: str) -> dict[str, Any]:
    """Where the rule stands; where the first request was recorded, for a rule that is no line of a file."""
    for tally in report.rules:
        if tally.name == rule and tally.file:
            return _physical(tally.file, tally.line)
    if not report.policy.endswith(_FILES):
        for sample in against.newly_denied_samples:
            if sample.rule == rule:
                return _physical(sample.file, sample.line)
    return _physical(_policy_file(report.policy), 1)


def _result(kind: str, text: str, subject: str, where: dict[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    related = [_related(n, sample) for n, sample in enumerate(samples[:MOST_SAMPLES], 1)]
    examples = "".join(f"\n- {sample['message']['text']}" for sample in related[:3])
    # The same subject is the same alert in the next run, whatever lines were added above it.
    print_of = hashlib.sha256(f"{kind}\0{subject}".encode("utf-8", "backslashreplace")).hexdigest()[:16]
    result: dict[str, Any] = {
        "ruleId": kind,
        "ruleIndex": list(_KINDS).index(kind),
        "level": _KINDS[kind].level,
        "message": {"text": f"{text}.{examples and ' Such as:'}{examples}"},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"primaryLocationLineHash": f"{print_of}:1"},
    }
    return {**result, "relatedLocations": related} if related else result


def _related(number_of: int, sample: Sample) -> dict[str, Any]:
    text = f"{plain(sample.method)} {plain(sample.path)} from {plain(sample.ip)} ({plain(sample.why)})"
    return {"id": number_of, "physicalLocation": _physical(sample.file, sample.line), "message": {"text": text}}


def _physical(file: str, line: int) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri(file)}, "region": {"startLine": max(line, 1)}}


def _policy_file(policy: str) -> str:
    """The file of a policy; of ``shop.main:aj`` the module's, as it lies in most repositories."""
    if policy.endswith(_FILES) or ":" not in policy:
        return policy
    return policy.partition(":")[0].replace(".", "/") + ".py"


def uri(file: str) -> str:
    """A file as a URI: relative as it was named, or absolute.

    GitHub shows a result beside the line where the URI is relative to the root of the repository.
    """
    name = (file if file != "-" else "stdin")[:1_000]
    if PureWindowsPath(name).is_absolute() and not name.startswith("/"):
        return "file:///" + _quoted(PureWindowsPath(name).as_posix(), ":")
    path = PurePath(name).as_posix()
    return f"file://{_quoted(path)}" if path.startswith("/") else _quoted(path)


def _quoted(path: str, more: str = "") -> str:
    return quote(path.encode("utf-8", "backslashreplace"), safe=f"/{more}") or "unknown"


def plain(text: str) -> str:
    """Text in which nobody can set a link: SARIF has ``[text](target)`` in messages, and ``{0}``."""
    return ascii_text(text).translate(_NO_LINK)
