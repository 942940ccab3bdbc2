"""The demonstration, driven over HTTP as a browser and curl drive it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.docs.viewer import Viewer

ROOT = Path(__file__).parents[2]


def test_the_sixth_signup_is_refused(demo: Any) -> None:
    """A bare POST succeeds five times; the sixth is a 429 that says when to come back, in 10 minutes at the most."""
    answers = [demo.request("POST", "/api/signup") for _ in range(6)]
    assert [answer.status for answer in answers] == [201] * 5 + [429]
    assert 0 < int(answers[5].headers["Retry-After"]) <= 600
    assert json.loads(answers[5].body)["retry_after"] == int(answers[5].headers["Retry-After"])


def test_signups_of_all_kinds_count(demo: Any) -> None:
    """Attempts count whatever was sent: no body, good JSON, bad JSON, too much."""
    bodies = [None, '{"email": "a@b.example", "password": "p"}', "{", '{"email": 7}', "[" * 100_000]
    assert [demo.request("POST", "/api/signup", body).status for body in bodies] == [201, 201, 400, 400, 201]
    assert demo.request("POST", "/api/signup").status == 429


def test_other_limits_leave_the_signup_alone(demo: Any) -> None:
    """Whoever has used up the other limits can still sign up, and the other way round."""
    assert [demo.request("GET", "/search").status for _ in range(11)] == [200] * 10 + [429]
    assert demo.request("POST", "/api/signup").status == 201


def test_only_failed_logins_count(demo: Any) -> None:
    """Four good log-ins pass where the fourth bad one is refused."""
    good, bad = '{"email": "a@b.example", "password": "right"}', '{"email": "a@b.example", "password": "wrong"}'
    demo.request("POST", "/api/signup", good)
    assert [demo.request("POST", "/login", good).status for _ in range(4)] == [200] * 4
    assert [demo.request("POST", "/login", bad).status for _ in range(4)] == [401, 401, 401, 429]


def test_the_feed_shows_a_refusal_and_why(demo: Any, watch: Callable[..., Viewer]) -> None:
    """A page that was open before sees each decision, the refused one with its rule, its wait and its status."""
    viewer = watch()
    assert viewer.response.headers["Content-Type"].startswith("text/event-stream")
    for _ in range(6):
        refused = demo.request("POST", "/api/signup", X_Forwarded_For="203.0.113.7")
    decisions = viewer.decisions(6)
    assert [decision["conclusion"] for decision in decisions] == ["ALLOW"] * 5 + ["DENY"]
    last = decisions[5]
    assert (last["status"], last["by"], last["ip"]) == (429, "POST /api/signup", "203.0.113.7")
    assert last["retryAfter"] == refused.headers["Retry-After"]
    assert last["why"].startswith("0 of 5 left in 600 s")
    assert last["id"] == json.loads(refused.body)["id"]


def test_a_page_that_was_away_is_given_what_it_missed(demo: Any, watch: Callable[..., Viewer]) -> None:
    """Opened late, a page is given the last decisions; coming back, those after the last that it saw."""
    for path in ("/a", "/b", "/c"):
        demo.request("GET", path)
    numbers = [int(line[4:]) for line, _ in zip(watch().lines(), range(7), strict=False) if line.startswith("id: ")]
    missed = watch(**{"Last-Event-ID": str(numbers[0])}).decisions(2)
    assert [decision["path"] for decision in missed] == ["/b", "/c"]


def test_the_dry_run_is_shown_and_refuses_nothing(demo: Any, watch: Callable[..., Viewer]) -> None:
    """The fourth request passes, and the page says which rule would have refused it."""
    assert [demo.request("GET", "/products").status for _ in range(4)] == [200] * 4
    assert [decision["dryRun"] for decision in watch().decisions(4)] == ["", "", "", "tryout"]


def test_health_check_and_pages_are_not_counted(demo: Any, watch: Callable[..., Viewer]) -> None:
    """What is exempt never appears in the feed: the first decision is about the first request that is not."""
    for path in ("/health", "/", "/static/style.css"):
        assert demo.request("GET", path).status == 200
    demo.request("GET", "/products")
    assert watch().decisions(1)[0]["path"] == "/products"


def test_the_pages_run_no_foreign_script(demo: Any) -> None:
    """Each page forbids all scripts but the demonstration's own file, and holds none inline."""
    for path in ("/", "/signup"):
        answer = demo.request("GET", path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?! src=\"/static/)|\son\w+=|style=", answer.body)


def test_hostile_paths_are_escaped_in_the_feed(demo: Any, watch: Callable[..., Viewer]) -> None:
    """Line breaks, markup and endless paths cannot forge an event, and arrive short and printable."""
    demo.request("GET", "/%0a%0adata:%20forged%0a%0a/%3Cscript%3E/" + "x" * 2000)
    shown = watch().decisions(1)[0]["path"]
    assert shown.startswith("/\\x0a\\x0adata: forged")
    assert len(shown) <= 200


def test_ctrl_c_ends_it_with_a_page_open(demo: Any, watch: Callable[..., Viewer]) -> None:
    """Ctrl-C ends the open feed properly and the program with status 0, without a word about errors."""
    viewer = watch()
    demo.request("GET", "/products")
    assert len(viewer.decisions(1)) == 1
    assert demo.interrupt() == 0
    assert viewer.response.read() == b"\n"
    demo.close()
    assert "Traceback" not in demo.output
    assert "timeout" not in demo.output


@pytest.mark.parametrize(
    ("port", "said"),
    [("taken", "cannot be used (Address already in use)"), ("x", "must be a port"), ("65536", "must be a port")],
)
def test_a_port_that_cannot_be_used_is_one_clear_line(demo: Any, port: str, said: str) -> None:
    """The line names the port and what to do; no traceback."""
    environ = {**os.environ, "DOORWARD_DEMO_PORT": str(demo.port) if port == "taken" else port}
    done = subprocess.run(
        [sys.executable, "-m", "demo"], check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
