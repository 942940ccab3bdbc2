"""The list is whole: each weakness has a test, ``docs/weaknesses.md`` names it, and what it names is there."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = {5: 31, 7: 14}
"""How many there are in section 5 of humanify-nobot.md, and in section 7 of vouch.md."""
ELSEWHERE = {
    "5.8": [
        "tests/challenges/pictures/test_luck.py::test_no_mix_of_guesses_has_more_luck_than_that",
    ],
    "5.16": [
        "tests/servers/test_shared_workers.py::test_p10_workers_admit_exactly_max",
        "tests/stores/test_redis_failures.py::test_p17_children_of_a_fork_have_connections_of_their_own",
    ],
    "5.19": [
        "tests/stores/test_redis_failures.py::test_a_connection_that_the_server_closed_while_idle_costs_nothing",
    ],
    "5.20": [
        "tests/unit/intelligence/test_container_errors.py::test_a_digest_and_a_section_too",
    ],
    "5.22": [
        "tests/challenges/signals/test_chromium.py::test_a_plain_script_gets_no_clearance",
        "tests/challenges/signals/test_chromium.py::test_curl_gets_no_clearance",
    ],
    "5.23": [
        "tests/challenges/test_redeeming.py::test_p13_humanify_8_nobot_23_one_token_is_redeemed_by_one_of_eight_processes",
    ],
    "5.28": [
        "tests/challenges/providers/test_protocols.py::test_a_response_of_another_host_is_refused",
        "tests/challenges/providers/test_protocols.py::test_a_response_for_another_action_is_refused",
    ],
    "5.29": [
        "tests/error_pages/test_error_pages.py::test_weakness_29_a_message_is_text",
    ],
    "7.1": [
        "tests/packaging/test_wheel.py::test_the_wheel_holds_every_source_file",
        "tests/packaging/test_wheel.py::test_challenges_are_posed_with_the_wheel_alone",
        "tests/packaging/test_wheel.py::test_the_source_distribution_makes_the_same_wheel",
        "tests/docs/test_readme.py::test_blocks_run_and_print_what_follows",
    ],
    "7.4": [
        "tests/promises/test_p15_scopes.py::test_p15_other_scopes_pass_untouched",
    ],
    "7.7": [
        "tests/challenges/routes/test_route_rules.py::test_vouch_7_routes_in_any_order_and_many_threads",
    ],
    "7.8": [
        "tests/stores/test_memory_bounds.py::test_p3_a_flood_of_spoofed_addresses",
    ],
    "7.9": [
        "tests/servers/test_worker_warning.py::test_several_workers_with_counters_of_their_own_are_noticed",
    ],
    "7.10": [
        "tests/challenges/test_presets.py::test_every_rule_has_examples_on_both_sides_and_they_hold",
    ],
    "7.12": [
        "tests/promises/test_reported_detection.py::test_vouch_7_12_while_the_resolver_is_down_no_real_crawler_is_refused",
    ],
}
"""Tests that are too dear to be repeated here: they start servers, processes, browsers, or install the wheel."""


def _tests(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _own() -> dict[str, list[str]]:
    """The tests of this folder by their rows; one may be about two."""
    found = defaultdict(list)
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for name in _tests(file):
            for section, row in re.findall(r"(0[57])_(\d\d)", name):
                found[f"{int(section)}.{int(row)}"].append(name)
    return found


def _told() -> dict[str, list[str]]:
    """The tests that the page names, by row."""
    page = (ROOT / "docs" / "weaknesses.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\.\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a row is there twice"
    return {number: re.findall(r"`([^`]+)`", tests) for number, tests in rows}


NUMBERS = [f"{section}.{row}" for section, rows in ROWS.items() for row in range(1, rows + 1)]


def test_all_31_and_all_14_have_tests_and_no_others() -> None:
    """None is left out silently."""
    assert sorted(_own()) == sorted(NUMBERS)
    assert len(NUMBERS) == 31 + 14


def test_the_page_has_a_row_for_each() -> None:
    """In their order."""
    assert list(_told()) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_the_page_names_the_tests_that_there_are(number: str) -> None:
    """Those of this folder, and those elsewhere."""
    elsewhere = [test.rpartition("/")[2] for test in ELSEWHERE.get(number, ())]
    assert sorted(_told()[number]) == sorted([*_own()[number], *elsewhere])


@pytest.mark.parametrize("test", [test for tests in ELSEWHERE.values() for test in tests])
def test_what_is_tested_elsewhere_is_there(test: str) -> None:
    """By file and name of the function."""
    file, _, name = test.partition("::")
    assert name in _tests(ROOT / file)
