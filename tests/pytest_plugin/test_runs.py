"""The plugin in runs of pytest of their own: strictness, dry runs, options, and other plugins."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.pytest_plugin.conftest import Run

pytest_plugins = ["pytester"]

SHOP = """
from doorward import Doorward, RequestContext, sliding_window, validate_email

aj = Doorward([
    sliding_window(max=3, interval="1h", name="live"),
    sliding_window(max=1, interval="1h", name="trial", mode="DRY_RUN"),
], name="shop")

def ask(client=aj, **more):
    request = dict(method="POST", scheme="http", host="h", path="/buy", query="", headers=[], peer="192.0.2.1")
    return client.protect(RequestContext(**request), **more)
"""

STRICTNESS = """
import pytest
from doorward import *
from doorward.testing import swallowed_errors
from shop import aj, ask

def broken(decision, request):
    raise ValueError("on purpose")

def test_swallows(doorward):
    ask(doorward.client(on_decision=broken))

def test_swallows_without_the_fixture():
    ask(Doorward(on_decision=broken))

@pytest.mark.doorward_lenient
def test_swallows_and_may():
    ask(Doorward(on_decision=broken))

def test_swallows_and_looks(doorward):
    with doorward.swallowing() as errors:
        ask(doorward.client(on_decision=broken))
    assert len(errors) == 1

def test_fails_by_itself(doorward):
    ask(doorward.client(on_decision=broken))
    assert "its own" == "failure"

def test_lacks_input(doorward):
    ask(doorward.client(validate_email(deny=["INVALID"])))

@pytest.mark.doorward_lenient
def test_lacks_input_and_may(doorward):
    assert ask(doorward.client(validate_email(deny=["INVALID"]))).is_errored()

def test_begins_anew_1(doorward):
    doorward.use(aj)
    assert [ask().conclusion for _ in range(4)] == ["ALLOW"] * 3 + ["DENY"]

test_begins_anew_2 = test_begins_anew_1

def test_outside_its_counters_are_as_they_were():
    assert [ask().conclusion for _ in range(3)] == ["ALLOW"] * 3
"""
FAILING = ("test_swallows", "test_swallows_without_the_fixture", "test_fails_by_itself", "test_lacks_input")


def outcomes(file: Path) -> dict[str, str]:
    """The failure of each test by its name, empty for those that passed, of a JUnit report."""
    cases = ET.parse(file).iter("testcase")
    return {case.get("name", ""): " ".join(str(each.get("message")) for each in case) for case in cases}


def test_strictness(run: Run, pytester: pytest.Pytester) -> None:
    """A swallowed error and a missing input fail a test, unless it asks for them; each test begins anew."""
    run("--strict-markers", "--junit-xml=junit.xml", shop=SHOP, test_strictness=STRICTNESS)
    found = outcomes(pytester.path / "junit.xml")
    assert len(found) == 10
    assert {name for name, failure in found.items() if failure} == set(FAILING)
    swallowed = "AssertionError: doorward swallowed an internal error in on_decision: ValueError: on purpose"
    assert found["test_swallows"] == found["test_swallows_without_the_fixture"] == swallowed
    assert "its own" in found["test_fails_by_itself"]
    assert "email: ERROR (RUN) ValueError: email= was not given to protect" in found["test_lacks_input"]


def test_leniency(run: Run, pytester: pytest.Pytester) -> None:
    """doorward_strict = false switches both off, for a whole project."""
    pytester.makeini("[pytest]\ndoorward_strict = false\n")
    run("--junit-xml=junit.xml", "--strict-config", shop=SHOP, test_strictness=STRICTNESS)
    found = outcomes(pytester.path / "junit.xml")
    assert {name for name, failure in found.items() if failure} == {"test_fails_by_itself"}


DRY_RUNS = """
import pytest
from shop import aj, ask

@pytest.fixture(autouse=True)
def shop(doorward):
    doorward.use(aj)

@pytest.mark.parametrize("number", range(8))
def test_many(number):
    for _ in range(3):
        ask()

def test_expected(doorward):
    ask()
    doorward.assert_would_deny(ask(), rule="trial")

def test_nothing(doorward):
    ask()
"""
FINDINGS = {
    "client": "shop",
    "rule": "trial",
    "reason": "RATE_LIMIT",
    "times": 17,
    "expected": 1,
    "sample": "POST /buy from 192.0.2.1: 0 of 1 left in 3600 s, reset in 3600 s",
    "tests": {"test_dry_runs.py::test_expected": 1} | {f"test_dry_runs.py::test_many[{n}]": 2 for n in range(8)},
}


@pytest.mark.parametrize("workers", [0, 2])
def test_findings_of_dry_runs(run: Run, pytester: pytest.Pytester, workers: int) -> None:
    """They are listed and written out, and are the same when pytest-xdist spreads the tests."""
    spread = ("-p", "xdist", "-n", str(workers)) if workers else ()
    result = run(*spread, "--doorward-report=new/found.json", shop=SHOP, test_dry_runs=DRY_RUNS)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= doorward: dry run =*",
            "trial of shop (RATE_LIMIT) would have denied 17 requests, 1 of them as expected, in 9 tests",
            "        2 in test_dry_runs.py::test_many[[]0]",
            "          and in 4 tests more",
            "    such as POST /buy from 192.0.2.1: 0 of 1 left in 3600 s, reset in 3600 s",
            "*= 10 passed *",
        ]
    )
    report = json.loads((pytester.path / "new" / "found.json").read_text())
    assert report == {"schema": 1, "tests": 10, "decisions": 27, "dry_run": [FINDINGS]}


@pytest.mark.parametrize(("only", "status"), [("test_many", 1), ("test_expected or test_nothing", 0)])
def test_a_run_that_is_to_fail(run: Run, only: str, status: int) -> None:
    """--doorward-fail-on-dry-run looks at denials that no test has expected."""
    result = run("--doorward-fail-on-dry-run", "-k", only, shop=SHOP, test_dry_runs=DRY_RUNS)
    assert result.ret == status
    assert ("failed: rules in dry run would have denied" in result.stdout.str()) == bool(status)


def test_every_test_has_the_clients_of_the_configuration(run: Run, pytester: pytest.Pytester) -> None:
    """doorward_app names them, and tests that know nothing of doorward are run with them."""
    test = """
    import unittest
    from doorward.testing import assert_denied
    from shop import ask
    def test_1(): assert [ask().conclusion for _ in range(4)][3] == "DENY"
    def test_2(): assert_denied([ask() for _ in range(4)][3], rule="live")
    class TestCase(unittest.TestCase):
        def test_3(self):
            assert_denied([ask() for _ in range(4)][3], rule="live")
    """
    pytester.makeini("[pytest]\ndoorward_app = shop:aj\npythonpath = .\n")
    result = run("-v", shop=SHOP, test_app=test)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["trial of shop (RATE_LIMIT) would have denied 9 requests, in 3 tests"])
    pytester.makeini("[pytest]\ndoorward_app = shop:nobody\npythonpath = .\n")
    result = run("-k", "test_1")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*doorward_app: 'shop:nobody' cannot be imported as MODULE:NAME*"])


BARE = """
import sys

def test_what_is_loaded():
    loaded = {name.split(".")[0] for name in sys.modules}
    assert not loaded & {"doorward", "httpx", "starlette", "flask", "django", "werkzeug"}
    assert "doorward_pytest" in sys.modules
"""


def test_a_project_that_does_not_use_it(run: Run) -> None:
    """Nothing is loaded but the one module, nothing is printed, and no option clashes."""
    result = run("-W", "error", test_bare=BARE)
    result.assert_outcomes(passed=1)
    assert "dry run" not in result.stdout.str()


def test_it_can_be_left_out(run: Run) -> None:
    """-p no:doorward: there is no fixture."""
    result = run(plugin=("-p", "no:doorward"), test_without="def test_without(doorward): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'doorward' not found*"])


def test_its_other_name_is_the_same_module(run: Run) -> None:
    """Who names the plugin by where it is documented gets it, whether or not it is installed."""
    named = ("-p", "doorward.testing.pytest_plugin")
    result = run(plugin=named, test_named="def test_named(doorward): doorward.clock.advance('1h')")
    result.assert_outcomes(passed=1)


OTHERS = """
import asyncio, pytest
from doorward import AsyncDoorward, sliding_window
from shop import ask

aj = AsyncDoorward([sliding_window(max=1, interval="1h")])

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_awaits(doorward):
    doorward.use(aj)
    doorward.assert_allowed(await ask(aj))
    doorward.assert_denied(await ask(aj))
    doorward.clock.advance("1h")
    doorward.assert_allowed(await ask(aj))

@pytest.mark.parametrize("n", range(4))
def test_in_any_order(doorward, n):
    doorward.use(aj)
    assert asyncio.run(ask(aj)).is_allowed()
"""


def test_beside_other_plugins(run: Run) -> None:
    """anyio's tests that await, pytest-randomly's order, pytest-xdist's workers."""
    others = ("-p", "xdist", "-n", "2", "-p", "randomly", "-p", "anyio")
    run(*others, "-W", "error", shop=SHOP, test_others=OTHERS).assert_outcomes(passed=5)


def test_the_environment_is_respected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=DRY_RUN for a whole run: what would have been denied is listed, and nothing is."""
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    test = """
    from doorward import Doorward, sliding_window
    from shop import ask
    aj = Doorward([sliding_window(max=1, interval="1h", name="live")])
    def test_denied(doorward):
        doorward.use(aj)
        doorward.assert_denied([ask(aj) for _ in range(2)][1], by="RATE_LIMIT")
    """
    result = run(shop=SHOP, test_mode=test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*but it was allowed*",
            "*note: DOORWARD_MODE is DRY_RUN: every rule is in dry run, and none denies",
            "live (RATE_LIMIT) would have denied 1 request, in 1 test",
        ]
    )
