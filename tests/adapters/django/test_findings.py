"""What ``doorward check`` finds, as Django's system checks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.core.checks import run_checks

from doorward import fixed_window, sliding_window
from doorward.checks import CODES

DAILY = fixed_window(max=1, window="1d", name="day")
GOOD = sliding_window(max=5, interval="10m")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables that checks look at."""
    for name in ("DOORWARD_SILENCE", "DOORWARD_MODE", "DOORWARD_SECRET", "WEB_CONCURRENCY", "DYNO"):
        monkeypatch.delenv(name, raising=False)


def findings(*, deploy: bool = False) -> list[checks.CheckMessage]:
    messages = run_checks(tags=["doorward"], include_deployment_checks=deploy)
    return [message for message in messages if str(message.id).startswith("doorward.DW")]


def test_findings_are_warnings_with_the_codes(configure: Any) -> None:
    """The id is the code, the message names the rule, the hint says what to write."""
    configure(DOORWARD={"rules": [DAILY]})
    (message,) = findings()
    assert message.id == "doorward.DW033"
    assert message.level == checks.WARNING
    assert str(message.msg).startswith("day: it admits 1 request in 1 day")
    assert message.hint


def test_a_good_setting_and_none_are_in_order(configure: Any) -> None:
    """Nothing is said of either."""
    configure(DOORWARD={"rules": [GOOD]})
    assert findings(deploy=True) == []
    configure(DOORWARD=None)
    assert findings(deploy=True) == []


def test_a_wrong_setting_is_left_to_its_own_check(configure: Any) -> None:
    """E001 says what is wrong; nothing raises beside it."""
    configure(DOORWARD={"rules": [GOOD], "store": "nonsense://"})
    assert [message.id for message in run_checks(tags=["doorward"]) if message.is_serious()] == ["doorward.E001"]
    assert findings(deploy=True) == []


def test_django_silences_by_id(configure: Any) -> None:
    """``SILENCED_SYSTEM_CHECKS`` works as for any other check."""
    configure(DOORWARD={"rules": [DAILY]}, SILENCED_SYSTEM_CHECKS=["doorward.DW033"])
    (message,) = findings()
    assert message.is_silenced()


def test_the_environment_silences_too(configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``DOORWARD_SILENCE``, by code and rule."""
    configure(DOORWARD={"rules": [DAILY]})
    monkeypatch.setenv("DOORWARD_SILENCE", "DW033:day")
    assert findings() == []


def test_what_is_wrong_with_rules_never_keeps_a_server_from_starting(configure: Any) -> None:
    """An error of a rule is a warning to Django: runserver and migrate go on."""
    from doorward import deny

    configure(DOORWARD={"rules": [deny(paths=["/*"])]})
    (message,) = findings()
    assert message.id == "doorward.DW021"
    assert CODES["DW021"].level == "warning"
    assert not message.is_serious()


def test_deployment_is_looked_at_where_django_is_asked_to(configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``check --deploy``: workers, proxies, secrets; errors are errors there."""
    configure(DOORWARD={"rules": [GOOD], "secret": "changeme", "proxies": ()})
    monkeypatch.setenv("WEB_CONCURRENCY", "3")
    monkeypatch.setenv("DYNO", "web.1")
    assert findings() == []
    found = {message.id: message.level for message in findings(deploy=True)}
    assert found == {
        "doorward.DW041": checks.WARNING,
        "doorward.DW042": checks.WARNING,
        "doorward.DW048": checks.ERROR,
    }


def test_the_middlewares_own_option_counts(configure: Any) -> None:
    """Without default exemptions, a rule for OPTIONS is asked."""
    rule = sliding_window(max=5, interval="1m", methods=["OPTIONS"])
    configure(DOORWARD={"rules": [rule]})
    assert [message.id for message in findings()] == ["doorward.DW003"]
    configure(DOORWARD={"rules": [rule], "default_exemptions": False})
    assert findings() == []
