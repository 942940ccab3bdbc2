"""What docs/service.md, docs/service-operations.md and docs/arcjet.md say: followed as a new user would, and compared
with the code.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from tests.docs.serving import COMMAND, DEADLINE, Service, serving
from tests.docs.test_readme import BLOCKS, PAGES, SERVED, Block, expected_output

from doorward import cli
from doorward.service.server.metrics import FAMILIES, PREFIX
from doorward.service.server.settings import PREFIX as VARIABLE
from doorward.service.server.settings import ServiceSettings, _written

pytestmark = pytest.mark.timeout(4 * DEADLINE)
SERVICE, OPERATIONS, ARCJET = "service.md", "service-operations.md", "arcjet.md"
PAGES_HERE = (SERVICE, OPERATIONS, ARCJET)
SHOWN = {
    "folder": "./doorward-service",
    "store": "shared://` in the folder",
    "resolver": "the system's",
    "admin_password_file": "admin.password` in the folder",
}
"""Defaults that are no values."""


def shell(page: str) -> list[list[str]]:
    """The commands of doorward in the blocks of a page, without the word itself."""
    sources = [block.source.replace("\\\n", " ") for block in BLOCKS if block.page == page and block.language == "sh"]
    lines = [shlex.split(line, comments=True) for source in sources for line in source.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["doorward"]]


def steady(text: str) -> str:
    """Without what is different each time."""
    return re.sub(r"(?m)^\d\d:\d\d:\d\d", "00:00:00", re.sub(r"\b(l?req)_[0-9a-z]{26}\b", r"\1_…", text))


def served(page: str) -> Block:
    (block,) = [block for block in SERVED if block.page == page]
    return block


@pytest.fixture(scope="module")
def five_minutes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service, begun with the first two commands of docs/service.md."""
    add, serve, *_ = shell(SERVICE)
    with serving(tmp_path_factory.mktemp("five"), add, serve) as service:
        yield service


def test_five_minutes_end_with_decisions_that_were_made_and_logged(five_minutes: Service) -> None:
    """Followed to the letter: the block prints what is shown, and so does ``doorward tail``, with the reported one."""
    block = served(SERVICE)
    printed = five_minutes.run(sys.executable, "-c", five_minutes.fill_in(block.source))
    assert steady(printed) == expected_output(block)
    (tail,) = [words for words in shell(SERVICE) if words[0] == "tail"]
    shown = BLOCKS[BLOCKS.index(block) + 3]
    assert (shown.language, shown.page) == ("text", SERVICE)
    ends = time.monotonic() + DEADLINE
    while steady(told := five_minutes.run(*COMMAND, *tail)) != shown.source:
        assert time.monotonic() < ends, told
        time.sleep(0.1)


def test_an_application_of_arcjet_is_decided_as_shown(tmp_path: Path) -> None:
    """The block of docs/arcjet.md, with Arcjet's SDK: decided by the service, and what it refused is remembered."""
    block = served(ARCJET)
    with serving(tmp_path, *shell(ARCJET)) as service:
        # Its end is not looked at: arcjet 1.4.0 may abort in its Rust part when the interpreter is ending.
        ending = "\nimport os, sys; sys.stdout.flush(); os._exit(0)"
        printed = service.run(sys.executable, "-c", service.fill_in(block.source) + ending)
    assert printed == expected_output(block)


def test_blocks_that_need_a_service_are_all_run() -> None:
    """One of each page, above."""
    assert [block.page for block in SERVED] == [ARCJET, SERVICE]


@pytest.mark.parametrize("page", ["README.md", *PAGES_HERE])
def test_commands_are_understood(page: str) -> None:
    """Each command line of the documents is one that the parser takes."""
    for words in shell(page):
        try:
            cli._parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{page}: doorward {shlex.join(words)}")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of docs/service-operations.md, without its head."""
    section = PAGES[OPERATIONS].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def serve_options() -> dict[str, argparse.Action]:
    """The options of ``doorward serve``, by what they set."""
    commands = next(action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction))
    return {action.dest: action for action in commands.choices["serve"]._actions if action.dest != "help"}


def test_all_settings_are_documented() -> None:
    """Each with its variable, its flag or that there is none, and its default."""
    options, found = serve_options(), {}
    for variable, flag, default, about in rows("Settings"):
        assert about
        found[variable.strip("`")] = (flag.strip("`"), default.strip("`"))
    assert list(found) == [VARIABLE + each.name.upper() for each in fields(ServiceSettings)]
    for each in fields(ServiceSettings):
        flag, default = found[VARIABLE + each.name.upper()]
        option = options.get(each.name)
        assert flag == (option.option_strings[0] if option else "–")
        assert default == (SHOWN.get(each.name) or _written(each.default, each.name).removesuffix(".0") or "none")


def test_flags_without_a_variable_are_documented() -> None:
    """The three of them, with their defaults."""
    (line,) = re.findall(r"^Flags without a variable: (.+)\.$", PAGES[OPERATIONS], re.MULTILINE)
    documented = dict(re.findall(r"`(--\w+)` \(`([^`]+)`\)", line))
    known = {each.name for each in fields(ServiceSettings)}
    options = {name: action for name, action in serve_options().items() if name not in known}
    assert documented == {action.option_strings[0]: str(action.default) for action in options.values()}


def test_all_metrics_are_documented() -> None:
    """Each with its type and its labels."""
    cells = [row for row in rows("Health and metrics") if PREFIX in row[0]]
    documented = {row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2]))) for row in cells}
    expected = {
        PREFIX + name + ("_total" if family.kind == "counter" else ""): (family.kind, tuple(family.labels))
        for name, family in FAMILIES.items()
    }
    assert documented == expected


def test_health_says_what_is_documented() -> None:
    """The names of ``health()["service"]`` in docs/service.md are those that there are."""
    from doorward import Doorward, sliding_window

    with contextlib.redirect_stderr(io.StringIO()):
        aj = Doorward(rules=[sliding_window(max=2, interval="10m")], service="http://127.0.0.1:9", key="dwk_example")
    health = aj.health()["service"]
    assert isinstance(health, dict)
    (line,) = [line for line in PAGES[SERVICE].splitlines() if line.startswith('| `health()["service"]`')]
    named = set(re.findall(r"`(\w+)`", line.partition(" | ")[2]))
    assert named <= set(health)
    assert {"failing_open", "failing_open_seconds", "decided_without", "dropped", "state", "cause"} <= named
