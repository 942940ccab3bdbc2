"""Dry runs say what they would have done, and do nothing."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import FailingStore, Refuser

from doorward import ConfigurationError, sliding_window

ONE = sliding_window(max=1, interval="1m", name="one")


def test_a_dry_rule_refuses_nothing_and_is_counted(make: MakeApp) -> None:
    """A dry-run limit admits everything; the counters say how often it would have refused."""
    app = make(sliding_window(max=1, interval="1m", name="one", mode="DRY_RUN"))
    assert app.statuses(4) == [200] * 4
    assert app.counts()["dry_run.one"] == 3


def test_a_dry_client_makes_rules_dry(make: MakeApp) -> None:
    """``mode="DRY_RUN"`` of the client holds for rules that name none."""
    app = make(ONE, mode="DRY_RUN")
    assert app.statuses(3) == [200] * 3
    assert app.counts()["dry_run.one"] == 2


def test_a_live_rule_of_a_dry_client_decides(make: MakeApp) -> None:
    """A rule's own mode goes before the client's."""
    assert make(sliding_window(max=1, interval="1m", mode="LIVE"), mode="DRY_RUN").statuses(2) == [200, 429]


def test_dry_and_live_limits_have_counters_of_their_own(make: MakeApp) -> None:
    """The dry run of a limit does not use up the live one."""
    dry = sliding_window(max=1, interval="1m", name="dry", mode="DRY_RUN")
    app = make(dry, sliding_window(max=3, interval="1m", name="live"))
    assert app.statuses(4) == [200, 200, 200, 429]
    assert app.counts()["dry_run.dry"] == 2


def test_the_environment_makes_everything_dry(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=DRY_RUN overrides rules that are live by name, and route limits."""
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    app = make(sliding_window(max=1, interval="1m", mode="LIVE"), Refuser(mode="LIVE"), limited="1/minute")
    assert app.statuses(3, "/echo?attack") == [200] * 3
    assert app.statuses(3, "/limited") == [200] * 3


def test_a_dry_environment_refuses_nothing_when_the_store_fails(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a limit that fails closed refuses in a dry run."""
    monkeypatch.setenv("DOORWARD_MODE", "dry-run")
    limit = sliding_window(max=1, interval="1m", on_error="deny")
    assert make(limit, store=FailingStore(), on_error="deny").statuses(2) == [200, 200]


def test_the_kill_switch_switches_off(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=OFF asks no rule, counts nothing, and never touches the store."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    app = make(ONE, Refuser(), store=FailingStore(), limited="1/minute", layer={"rate_limit_headers": True})
    assert app.statuses(3, "/echo?attack") == [200] * 3
    assert app.statuses(3, "/limited") == [200] * 3
    assert app.get().header("RateLimit") is None
    assert app.get("/handler").json()["conclusion"] == "CONCLUSION_ALLOW"


def test_a_live_environment_changes_only_the_default(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=LIVE makes a dry client live, and leaves a dry rule dry."""
    monkeypatch.setenv("DOORWARD_MODE", "LIVE")
    dry = sliding_window(max=1, interval="1m", name="dry", mode="DRY_RUN")
    app = make(dry, sliding_window(max=2, interval="1m", name="plain"), mode="DRY_RUN")
    assert app.statuses(3) == [200, 200, 429]


def test_a_wrong_mode_in_the_environment_is_named(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelled DOORWARD_MODE stops the application from starting; the error names it."""
    monkeypatch.setenv("DOORWARD_MODE", "ON")
    with pytest.raises(ConfigurationError, match="DOORWARD_MODE: must be LIVE, DRY_RUN or OFF"):
        make(ONE)
