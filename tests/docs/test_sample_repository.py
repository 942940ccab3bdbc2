"""The sample repository: its CI lets a harmless pull request pass, and stops one that would refuse customers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)  # each runs commands of a CI job, one after the other
SAMPLE = Path(__file__).parents[2] / "docs" / "sample-repository"
SHOPS = ["flask-shop", "django-shop", "fastapi-shop", "starlette-shop"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone as a team would have it, with ``main`` as the branch that pull requests go to."""
    folder = tmp_path / "shop"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("build", "__pycache__", ".pytest_cache"))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=A Team", "-c", "user.email=team@company.example", "commit", "-q", "-m", "The shop")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def ci(folder: Path, shop: str) -> subprocess.CompletedProcess[str]:
    scripts = str(Path(sys.executable).parent)
    environment = {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "BASE": "main",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        ["bash", "ci.sh", shop], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.parametrize("shop", SHOPS)
def test_a_pull_request_that_changes_nothing_for_anybody_passes(repository: Path, shop: str) -> None:
    done = ci(repository, shop)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("shop", SHOPS)
def test_a_pull_request_that_would_refuse_customers_is_stopped(repository: Path, shop: str) -> None:
    git(repository, "apply", "pull-requests/tighten-the-limit.patch")
    done = ci(repository, shop)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "--max-newly-denied" in done.stdout
    assert "198.51.100.20" in (repository / "build" / "report.html").read_text()
    assert "198.51.100.20" in (repository / "build" / "report.md").read_text()


def test_a_pull_request_that_refuses_one_kind_of_customer_is_stopped(repository: Path) -> None:
    git(repository, "apply", "pull-requests/refuse-old-telephones.patch")
    done = ci(repository, "flask-shop")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "an old telephone" in done.stdout


def test_the_same_limit_as_a_dry_run_passes_and_is_reported(repository: Path) -> None:
    git(repository, "apply", "pull-requests/try-the-limit-first.patch")
    done = ci(repository, "flask-shop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fewer-pages" in done.stdout


def test_the_cases_and_the_workflow_are_what_they_say() -> None:
    for cases in sorted((SAMPLE / "cases").iterdir()):
        assert all("path" in json.loads(line) for line in cases.read_text().splitlines())
    assert "./ci.sh" in (SAMPLE / ".github" / "workflows" / "pull-request.yml").read_text()
