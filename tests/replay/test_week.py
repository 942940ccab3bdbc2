"""A week of logs in which everything is known: what the command reports is what was put in, to the request."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.week import Truth, week

POLICY = Path(__file__).parents[2] / "benchmarks" / "week.toml"


def replayed(folder: Path, lines: int) -> dict[str, Any]:
    """The report of a week of so many lines."""
    log, report = folder / "week.log.gz", folder / "report.json"
    with gzip.open(log, "wt", compresslevel=1) as file:
        file.writelines(f"{line}\n" for line in week(lines, 7))
    command = [sys.executable, "-m", "doorward", "replay", str(log), "--rules", str(POLICY), "-o", str(report)]
    subprocess.run([*command, "--print", "none"], check=True, timeout=3_000, capture_output=True)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def check(report: dict[str, Any], lines: int) -> None:
    truth = Truth.of(lines).to_dict()
    rules = {rule["name"]: rule for rule in report["rules"]}
    assert {name: rules[name]["denied"] for name in truth["by_rule"]} == truth["by_rule"]
    assert rules["probes"]["would_deny"] == report["would_deny"] == truth["would_deny"]
    assert {name: report[name] for name in ("requests", "allowed", "denied")} == {
        name: truth[name] for name in ("requests", "allowed", "denied")
    }
    assert sum(report["skipped"].values()) == truth["skipped"]
    assert sum(span["allowed"] + span["denied"] for span in report["spans"]) == truth["requests"]


def test_what_is_in_a_week_is_found(tmp_path: Path) -> None:
    check(replayed(tmp_path, 10_000), 10_000)


@pytest.mark.soak
def test_what_is_in_a_million_lines_is_found_in_constant_memory(tmp_path: Path) -> None:
    small, large = replayed(tmp_path, 100_000), replayed(tmp_path, 1_000_000)
    check(large, 1_000_000)
    assert large["peak_memory"] < 1.3 * small["peak_memory"]
