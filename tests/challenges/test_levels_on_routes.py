"""What a route or a handler asks for and nothing on offer shows: said once, counted, before anybody has passed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from tests.challenges.clearing import SECRET, Site
from tests.challenges.pages.quick import Typed

from doorward import deny
from doorward.testing import FakeClock
from doorward_flask import DoorwardFlask


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said about kinds."""
    return [each.getMessage() for each in caplog.records if "challenges.kinds" in each.getMessage()]


def shop(kinds: list[Any], **options: Any) -> tuple[Flask, DoorwardFlask]:
    """An application with two routes that ask for a person."""
    app = Flask(__name__)
    guard = DoorwardFlask(app, rules=[deny(ip="tor")], secret=SECRET, challenges={"kinds": kinds}, **options)
    for path in ("/pay", "/transfer"):
        app.add_url_rule(path, path, guard.require_human(max_age="5m")(lambda: "done"))
    return app, guard


def test_a_route_that_asks_for_more_than_there_is_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """At its first request, with what to add; not again, nor for another route that asks for the same."""
    clock = FakeClock()
    app, guard = shop(["wait"], clock=clock)
    browser = app.test_client()
    assert browser.get("/pay").status_code == 403
    assert len(warnings_of(caplog)) == 1
    assert (
        "require_human asks for 'human', but challenges.kinds has nothing above 'wait', which will do: "
        in (warnings_of(caplog)[0])
    )
    assert "add 'letters'" in warnings_of(caplog)[0]
    for path in ("/pay", "/transfer", "/pay"):
        clock.advance(90)
        assert browser.get(path).status_code == 403
    assert len(warnings_of(caplog)) == 1
    with app.app_context():
        counts: Any = guard.client.health()["counts"]
    assert counts["warning.challenges.kinds"] == 1


def test_what_is_on_offer_is_asked_for_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """A kind for people is there."""
    app, _ = shop(["wait", Typed()])
    assert app.test_client().get("/pay").status_code == 403
    assert warnings_of(caplog) == []


def test_a_handler_that_asks_for_more_says_so_before_anybody_has_passed(caplog: pytest.LogCaptureFixture) -> None:
    """Once, however often it asks."""
    with caplog.at_level(logging.WARNING):
        site = Site([deny(ip="tor")], challenges={"kinds": ["wait"]})
        seen = site.get("/x")
        for _ in range(3):
            assert site.aj.require(site.get("/x").environ, "browser").is_challenged()
    assert seen.status == 200
    assert ["require asks for 'browser'" in each for each in warnings_of(caplog)] == [True]


def test_kinds_that_a_policy_takes_away_are_missed_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is taken over later may leave a route with less."""
    file = tmp_path / "policy.toml"
    file.write_text('[options.challenges]\nkinds = ["wait", "work"]\n')
    site = Site([deny(ip="tor")], policy=file)
    assert site.aj.require(site.get("/x").environ, "work").is_challenged()
    assert warnings_of(caplog) == []
    file.write_text('[options.challenges]\nkinds = ["wait"]\n')
    site.aj.reload()
    assert site.aj.require(site.get("/x").environ, "work").is_challenged()
    assert ["require asks for 'work'" in each for each in warnings_of(caplog) if "asks for" in each] == [True]
