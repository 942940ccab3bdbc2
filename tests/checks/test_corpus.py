"""No check says anything silly about an application of the README, the docs, the examples, or the demonstration."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.test_readme import BLOCKS, Block

import doorward
from doorward.facade import Facade

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TRUE = {
    "DW008": {
        "README.md: Filters, and rules by address",
        "explain.md: Why was this request refused?",
    },  # 5 of 10: one weight, to be short
    "DW011": {"check.md: At the start of an application"},  # it prints them
    "DW031": {"check.md: At the start of an application"},
    "DW033": {"testing.md: Without pytest"},  # one an hour, so that the second is denied
    "DW049": {
        "README.md: Several applications",
        "service.md: Five minutes",
        "service.md: While it is away",
    },  # dwk_example is a placeholder
    "DW050": {"service.md: A transport of your own"},  # it shows what on_error="deny" does
    "DW071": {
        "dry-run.md: In the running application",
        "dry-run.md: Metrics",
        "dry-run.md: OpenTelemetry",
    },  # a dry run, and nothing else
}
"""What is found there, and is so."""
OF_THE_MACHINE = {"DW061", "DW062"}
"""What there is no data for here, or old data, and would be said of it."""
NOTES = {"DW073"}
PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The clients that are made, in an environment that says nothing."""
    for name in ("DOORWARD_SILENCE", "DOORWARD_MODE", "DOORWARD_SECRET", "DOORWARD_ENV", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)
    clients: list[Any] = []
    adopt = Facade._adopt

    def noted(self: Any, *arguments: Any, **options: Any) -> Any:
        clients.append(self)
        return adopt(self, *arguments, **options)

    monkeypatch.setattr(Facade, "_adopt", noted)
    return clients


def findings(clients: list[Any]) -> set[str]:
    """What is found, but for what depends on the data of this machine."""
    found = {finding.code for client in clients for finding in doorward.check(client)}
    return found - OF_THE_MACHINE - NOTES


def true_of(place: str) -> set[str]:
    return {code for code, places in TRUE.items() if place in places}


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_blocks_of_the_documentation(block: Block, made: list[Any]) -> None:
    """Each block that makes clients; what is found there is true, and listed above."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception, SystemExit):
        block.run()  # some ask a service that is not there, and some are no more than a part
    assert findings(made) <= true_of(str(block))


def test_the_documentation_makes_clients(made: list[Any]) -> None:
    """The test above is about something."""
    with contextlib.redirect_stdout(io.StringIO()):
        for block in PYTHON:
            with contextlib.suppress(Exception, SystemExit):
                block.run()
    assert len(made) > 25


@pytest.mark.parametrize("name", ["fastapi_app", "flask_app", "starlette_app"])
def test_examples(name: str, made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found in the applications of docs/examples."""
    import runpy

    monkeypatch.syspath_prepend(EXAMPLES)
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert made
    assert findings(made) == set()


def test_the_signup_examples(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found in their rules, which all four applications share."""
    import runpy

    rules = runpy.run_path(str(EXAMPLES / "signup" / "rules.py"))["RULES"]
    assert findings([doorward.Doorward(rules)]) == set()


def test_the_demonstration(made: list[Any]) -> None:
    """One of its rules is a dry run without a date, which is noted; nothing else."""
    from demo.app import protection
    from demo.feed import Feed

    assert {(f.code, f.rule) for f in doorward.check(protection(Feed()))} == {("DW073", "tryout")}
