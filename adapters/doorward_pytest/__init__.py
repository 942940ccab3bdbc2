"""doorward for pytest: the fixture ``doorward``, strictness, and the findings of dry runs at the end of a run.

Everybody who has installed doorward and pytest loads this module with every run: it imports nothing of doorward, nor
anything else that is not there already, until a test asks for it. ``docs/testing.md`` is the manual.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from doorward.testing import Harness
    from doorward.testing.dry_runs import Findings

LENIENT = "doorward_lenient"
_TOLD = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options, and keys of the configuration file."""
    group = parser.getgroup("doorward")
    group.addoption("--doorward-report", metavar="FILE", help="write what rules in dry run would have denied, as JSON")
    group.addoption(
        "--doorward-fail-on-dry-run",
        action="store_true",
        help="fail the run if a rule in dry run would have denied a request, other than those of assert_would_deny",
    )
    parser.addini("doorward_app", "clients or applications, as MODULE:NAME, that every test has under test", "linelist")
    parser.addini(
        "doorward_strict",
        "whether a test fails when doorward swallows an internal error, or protect lacks an input",
        "bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the fixture for all tests where one is configured."""
    config.addinivalue_line(
        "markers", f"{LENIENT}: doorward may swallow an internal error in this test, and protect may lack an input"
    )
    if not hasattr(config, "workerinput"):  # workers of pytest-xdist hand on what they find
        config.pluginmanager.register(_Collecting(config), "doorward-dry-run")
    if config.getini("doorward_app"):
        config.pluginmanager.register(_EveryTest(), "doorward-every-test")


class _EveryTest:
    """Registered where ``doorward_app`` is set."""

    @pytest.fixture(autouse=True)
    def _doorward_everywhere(self, doorward: Harness) -> None:
        """Every test is run with the fixture."""


@pytest.fixture
def doorward(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """Clients of doorward under test: ``doorward.use(aj)``, ``doorward.clock``, ``doorward.assert_denied(…)``."""
    from doorward.testing import Harness

    strict = _is_strict(request.node)
    harness = Harness(*_configured(request.config), missing_raises=strict)
    harness.begin()
    try:
        yield harness
    finally:
        harness.end()
        if harness.decisions:
            from doorward.testing.dry_runs import told

            request.node.stash[_TOLD] = told(harness)


def _configured(config: pytest.Config) -> list[Any]:
    from pkgutil import resolve_name

    found = []
    for name in config.getini("doorward_app"):
        try:
            found.append(resolve_name(name))
        except (ImportError, AttributeError, ValueError) as error:
            raise pytest.UsageError(f"doorward_app: {name!r} cannot be imported as MODULE:NAME: {error}") from error
    return found


def _is_strict(item: pytest.Item) -> bool:
    return bool(item.config.getini("doorward_strict")) and item.get_closest_marker(LENIENT) is None


# --- swallowed errors


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test in which doorward has swallowed an internal error, where doorward is in use at all."""
    journal = sys.modules.get("doorward.journal")
    if journal is None or not _is_strict(item):
        return (yield)
    errors: list[tuple[str, BaseException]] = []

    def observe(where: str, error: BaseException) -> None:
        errors.append((where, error))

    journal.observers.append(observe)
    try:
        result = yield
    finally:
        journal.observers.remove(observe)
    if errors:
        from doorward.testing.harness import raise_swallowed

        raise_swallowed(errors)
    return result


# --- dry runs


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hand what was found to the report, which is how pytest-xdist brings it to where the summary is written."""
    report = yield
    if call.when == "teardown" and _TOLD in item.stash:
        report.doorward = item.stash[_TOLD]  # type: ignore[attr-defined]
    return report


class _Collecting:
    """Adds up what the tests have found, in the process that writes the summary.

    Args:
        config: That of the run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._file: str | None = config.getoption("--doorward-report")
        self._folder = config.invocation_params.dir
        self._strict = bool(config.getoption("--doorward-fail-on-dry-run"))
        self._findings: Findings | None = None

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        from doorward.testing.dry_runs import Findings

        self._findings = self._findings or Findings()
        return self._findings

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended."""
        told = getattr(report, "doorward", None)
        if told is not None:
            self.findings.add(report.nodeid, told)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report, and fail the run if that is asked for."""
        if self._file is not None:
            file = self._folder / self._file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.findings.to_json(), encoding="utf-8")
        if self._strict and session.exitstatus == pytest.ExitCode.OK and self._unexpected():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List what rules in dry run would have denied."""
        if self._findings is None or not self._findings.rules:
            return
        terminalreporter.section("doorward: dry run")
        for line in self._findings.lines():
            terminalreporter.line(line)
        if self._strict and self._unexpected():
            terminalreporter.line("failed: rules in dry run would have denied requests (--doorward-fail-on-dry-run)")

    def _unexpected(self) -> bool:
        return self._findings is not None and self._findings.unexpected > 0
