"""The report as JUnit XML: each threshold is a test case, so that a CI system shows which one is not met, and why.

There is no standard of it. What is written is valid by the schema of Jenkins and by that of Ant's reports, the
strictest of those in use; GitLab, CircleCI and Azure Pipelines read the same elements.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from doorward import __version__
from doorward.replay.writers import text_report
from doorward.replay.writers.figures import when
from doorward.replay.writers.verdict import headline, missed_first
from doorward.visible import ascii_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.replay.report import Report, Sample, Threshold

MOST_CASES = 1_000
MOST_SAMPLES = 20
_SUITE = "doorward replay"
_LONGEST = 1_000


def write(report: Report) -> str:
    """The report as XML in ASCII. Without thresholds there is one test case, that the replay went through."""
    suites = ET.Element("testsuites")
    suites.append(_suite(report))
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _suite(report: Report) -> ET.Element:
    thresholds = missed_first(report.thresholds)[:MOST_CASES]
    seconds = report.seconds if math.isfinite(report.seconds) and report.seconds > 0 else 0.0
    attributes = {
        "name": _SUITE,
        "tests": str(max(len(thresholds), 1)),
        "failures": str(sum(not threshold.met for threshold in thresholds)),
        "errors": "0",
        "skipped": "0",
        "time": f"{seconds:.3f}",
        "timestamp": when(max(report.made_ns, 1), "%Y-%m-%dT%H:%M:%S"),
        "hostname": "localhost",
        "package": "doorward",
        "id": "0",
    }
    suite = ET.Element("testsuite", attributes)
    suite.append(_properties(report))
    suite.extend(_cases(thresholds, seconds))
    ET.SubElement(suite, "system-out").text = text_report.write(report)
    ET.SubElement(suite, "system-err")
    return suite


def _properties(report: Report) -> ET.Element:
    properties = ET.Element("properties")
    facts = {
        "doorward": __version__,
        "policy": ascii_text(report.policy),
        "against": ascii_text(report.against.base) if report.against else "",
        "headline": headline(report),
        "requests": str(report.requests),
        "denied": str(report.denied),
        "would_deny": str(report.would_deny),
    }
    for name, value in facts.items():
        if value:
            ET.SubElement(properties, "property", {"name": name, "value": value})
    return properties


def _cases(thresholds: Sequence[Threshold], seconds: float) -> Iterator[ET.Element]:
    """A name is used once: GitLab takes cases of one name for one case."""
    if not thresholds:
        yield _case("replayed", seconds)
    named: dict[str, int] = {}
    for threshold in thresholds:
        name = ascii_text(f"{threshold.name} {threshold.asked}".strip())
        times = named[name] = named.get(name, 0) + 1
        case = _case(name if times == 1 else f"{name} ({times})", 0.0)
        if not threshold.met:
            case.append(_failure(threshold))
        yield case


def _case(name: str, seconds: float) -> ET.Element:
    return ET.Element("testcase", {"name": name, "classname": "doorward.replay", "time": f"{seconds:.3f}"})


def _failure(threshold: Threshold) -> ET.Element:
    found = ascii_text(threshold.found, _LONGEST)
    failure = ET.Element("failure", {"message": found, "type": ascii_text(threshold.name) or "threshold"})
    samples = [_sample(sample) for sample in threshold.samples[:MOST_SAMPLES]]
    failure.text = "\n".join([f"asked: {ascii_text(threshold.asked)}", f"found: {found}", *samples])
    return failure


def _sample(sample: Sample) -> str:
    where = f"{ascii_text(sample.file)}:{sample.line}"
    what = f"{ascii_text(sample.ip)} {ascii_text(sample.method)} {ascii_text(sample.path)}"
    return f"{where}: {when(sample.at_ns)} {what}: {ascii_text(sample.rule)}: {ascii_text(sample.why)}"
