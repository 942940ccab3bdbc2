"""What all tests share: how long property tests and soak tests run, and what no test may leave behind."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import dns.rdataset
import pytest
from hypothesis import settings

from doorward.testing import swallowed_errors

SOAK = os.environ.get("DOORWARD_SOAK") == "1"

settings.register_profile("quick", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=5_000)
settings.load_profile("soak" if SOAK else "ci" if os.environ.get("CI") else "quick")

# The name servers of these tests answer on threads, and dnspython shuffles each answer: with the module's generator it
# would do so under the feet of a property test of the same process, which must not see `random` change.
dns.rdataset.random = random.Random()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that this file reads."""
    config.addinivalue_line("markers", "swallows_errors: doorward is meant to swallow an internal error in this test")
    config.addinivalue_line(
        "markers", "doorward_lenient: the same for doorward's own plugin, which may be loaded or not"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave soak tests out unless DOORWARD_SOAK=1 asks for them; then every test may take an hour."""
    for item in items:
        if item.get_closest_marker("swallows_errors"):
            item.add_marker("doorward_lenient")
    soak = [] if SOAK else [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=soak)
    items[:] = [item for item in items if item not in soak]
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take doorward's own variables away, so that tests mean the same on every machine."""
    for name in [name for name in os.environ if name.startswith("DOORWARD_") and name != "DOORWARD_SOAK"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)


@pytest.fixture(autouse=True)
def _swallowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which doorward kept an error of its own from the application, unless it is marked for that."""
    with swallowed_errors() as errors:
        yield
    if errors and request.node.get_closest_marker("swallows_errors") is None:
        where, error = errors[0]
        raise AssertionError(f"doorward swallowed {len(errors)} internal errors, the first in {where}") from error


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their argument: archives hold the time they were made at, and workers must agree on names."""
    return argname if isinstance(val, bytes) and len(val) > 24 else None
