"""Arcjet's own SDKs, their code as it is in the registries, with a service of ours: see plan.py for what has to come.

Against a service that answers as the plan says, these prove the wire: binary protobuf, gzip, HTTP/1.1 and HTTP/2 in
clear text, and that the SDKs remember what they are told. Against ``doorward serve`` they prove that it decides right.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import Any

import pytest
from tests.arcjet.conftest import DEADLINE, HERE, NODE, ROOT, Service, Stub, environment
from tests.arcjet.documented import FIELDS, rule_id
from tests.arcjet.plan import PLAN, Scenario, steps

pytestmark = pytest.mark.timeout(2 * DEADLINE)

Lines = dict[str, list[dict[str, Any]]]
NETWORKS = {"sync": "203.0.113", "async": "198.51.100", "node": "192.0.2"}


def asked(client: str, url: str, key: str) -> Lines:
    """What the SDK says about each call of the plan."""
    done = run(client, url, key)
    *said, last = done.stdout.splitlines() or [""]
    # Not its status: arcjet 1.4.0 for Python may abort in its Rust part when the interpreter is ending.
    assert last == "end", done.stderr
    lines: Lines = {}
    for line in map(json.loads, said):
        lines.setdefault(line["step"], []).append(line)
    return lines


@cache
def run(client: str, url: str, key: str) -> subprocess.CompletedProcess[str]:
    """Do the plan, once for all tests."""
    if client == "node":
        if not (HERE / "node_modules" / "@arcjet" / "node").is_dir():
            missing = "Arcjet's SDK for Node is missing: `make test` installs it"
            assert not os.environ.get("CI"), missing
            pytest.skip(missing)
        command, variable = [str(NODE), str(HERE / "clients.mjs")], "ARCJET_SERVICE"
    else:
        command, variable = [sys.executable, str(HERE / "clients.py"), client], "ARCJET_BASE_URL"
    return subprocess.run(
        command,
        input=json.dumps(steps(client, NETWORKS[client])),
        env=environment(**{variable: url, "ARCJET_KEY": key}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.fixture(params=["sync", "async", "node"])
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=["stub", "served"])
def service(request: pytest.FixtureRequest) -> Service:
    one: Service = request.getfixturevalue(request.param)
    return one


@pytest.mark.parametrize("scenario", PLAN, ids=[scenario.name for scenario in PLAN])
def test_decisions_are_as_planned(client: str, service: Service, scenario: Scenario) -> None:
    """Each rule gives the right decision, and who has decided is who should."""
    told = asked(client, service.url, service.key)[scenario.name]
    assert [answer_of(line) for line in told] == [call.answer for call in scenario.calls], told
    for line, call in zip(told, scenario.calls, strict=True):
        assert line["id"].startswith("req_" if call.served else "lreq_"), line
        assert line["reason"] != "ERROR", line
        assert call.served or line["reason"] != "RATE_LIMIT" or line["ttl"] > 0, line
        dry = [one["reason"] for one in line["results"] if one["state"] == "DRY_RUN" and one["conclusion"] == "DENY"]
        assert not call.served or tuple(dry) == call.dry, line


def answer_of(line: dict[str, Any]) -> str:
    return f"DENY {line['reason']}" if line["conclusion"] == "DENY" else line["conclusion"]


@pytest.mark.parametrize("scenario", PLAN, ids=[scenario.name for scenario in PLAN])
def test_refusals_are_remembered_and_reported(client: str, service: Service, scenario: Scenario) -> None:
    """What an SDK decides by itself makes no Decide, and one Report; all else one Decide and no Report."""
    asked(client, service.url, service.key)
    calls = service.calls(f"/{client}/{scenario.name}", least=len(scenario.calls))
    here = sum(call.served for call in scenario.calls)
    assert calls == Counter({"Decide": here, "Report": len(scenario.calls) - here})


LIMITS = [scenario for scenario in PLAN if any("RATE_LIMIT" in call.answer for call in scenario.calls)]


@pytest.mark.parametrize("scenario", LIMITS, ids=[scenario.name for scenario in LIMITS])
def test_node_finds_refusals_by_rule_and_fingerprint(service: Service, scenario: Scenario) -> None:
    """The SDK for Node finds the refused rule in its memory: the service has returned its own ids and fingerprints."""
    told = asked("node", service.url, service.key)[scenario.name]
    cached = [one for line in told for one in line["results"] if one["state"] == "CACHED"]
    assert len(cached) == sum(not call.served for call in scenario.calls)
    refused = {
        (one["id"], one["fingerprint"])
        for line, call in zip(told, scenario.calls, strict=True)
        for one in line["results"]
        if call.served and one["state"] == "RUN" and one["conclusion"] == "DENY"
    }
    assert {(one["id"], one["fingerprint"]) for one in cached} <= refused


def test_what_comes_in_is_as_the_sdks_send_it(client: str, stub: Stub) -> None:
    """Binary protobuf: gzip over HTTP/1.1 from Python, HTTP/2 in clear text from Node; all of the request is there."""
    asked(client, stub.url, stub.key)
    mine = [one for one in stub.heard() if one["path"].startswith(f"/{client}/")]
    assert {one["type"] for one in mine} == {"application/proto"}
    wire = ("identity", "2") if client == "node" else ("gzip", "1.1")
    assert {(one["coding"], one["http"]) for one in mine} == {wire}
    details = next(one for one in mine if one["path"].endswith("/attack"))["message"]["details"]
    assert details["query"] == "?q=1%27%20OR%20%271%27%3D%271"
    assert details["ip"].startswith(NETWORKS[client])
    assert details["headers"]["user-agent"].startswith("Mozilla/5.0")
    bucket = next(one for one in mine if one["path"].endswith("/buckets-of-users"))["message"]
    assert bucket["details"]["extra"] == {"requested": "5", "userId": f"{client}-1"}


def test_the_address_is_described(client: str, stub: Stub) -> None:
    """What the service knows about the address is there for the application."""
    (line,) = asked(client, stub.url, stub.key)["allowed-bot"]
    assert line["country"] == "DE"


def test_ids_that_node_reports_are_the_documented_ones(stub: Stub) -> None:
    """So the form in documented.py, which the tests of doorward's own ids use, is the SDK's."""
    asked("node", stub.url, stub.key)
    checked = set()
    for one in stub.heard():
        message = one["message"]
        if one["call"] != "Report" or not one["path"].startswith("/node/"):
            continue
        for rule, result in zip(message["rules"], message["decision"]["ruleResults"], strict=True):
            if result.get("ruleId"):
                assert result["ruleId"] == rule_id(rule, message.get("characteristics", [])), rule
                checked |= rule.keys()
    assert checked == FIELDS.keys() - {"promptInjectionDetection"}  # it runs last, and nothing that runs reports it
