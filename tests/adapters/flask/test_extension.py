"""Building the extension: init_app, several applications, app.config, and mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, g
from tests.adapters.flask.support import client, limit, make_app, protected, statuses

from doorward import AsyncDoorward, ConfigurationError
from doorward.testing import FakeClock
from doorward_flask import DoorwardFlask


def test_rules_given_with_the_application_protect_it() -> None:
    """``DoorwardFlask(app, rules=…)`` is all that is needed."""
    app, _ = protected(limit(2))
    assert statuses(app, 3) == [200, 200, 429]


def test_init_app_protects_an_application_from_a_factory() -> None:
    """An extension that was made without an application protects the one that ``init_app`` is given."""
    guard, app = DoorwardFlask(rules=[limit(1)]), make_app()
    guard.init_app(app)
    assert statuses(app, 2) == [200, 429]


def test_applications_of_one_extension_share_nothing_but_rules() -> None:
    """Each application has counters, options and routes of its own."""
    guard = DoorwardFlask(rules=[limit(1)])
    first, second = make_app(), make_app(DOORWARD_ENFORCE=False)
    guard.init_app(first)
    guard.init_app(second)
    assert statuses(first, 2) == [200, 429]
    assert statuses(second, 3) == [200] * 3
    assert first.extensions["doorward"].client is not second.extensions["doorward"].client


def test_applications_of_one_ready_client_share_its_counters() -> None:
    """With ``aj`` the client is the caller's, and so are its counters."""
    guard, apps = DoorwardFlask(aj=client(limit(1))), (make_app(), make_app())
    for app in apps:
        guard.init_app(app)
    assert [statuses(app, 1) for app in apps] == [[200], [429]]


def test_an_asynchronous_client_is_converted() -> None:
    """An AsyncDoorward whose store is not asynchronous does as well."""
    app = make_app()
    DoorwardFlask(app, AsyncDoorward([limit(1)], clock=FakeClock()))
    assert statuses(app, 2) == [200, 429]


def test_init_app_twice_hooks_in_once() -> None:
    """A second ``init_app`` of the same application changes nothing."""
    app, guard = protected(limit(5, name="app"), rate_limit_headers=True)
    guard.init_app(app)
    assert app.test_client().get("/").headers.getlist("RateLimit") == ['"app";r=4;t=60']


def test_a_second_extension_is_refused() -> None:
    """Two extensions would both claim ``app.extensions["doorward"]`` and ``g.doorward``."""
    app, _ = protected()
    with pytest.raises(ConfigurationError, match="app: is protected by another"):
        DoorwardFlask(app)


def test_an_application_that_already_answers_is_left_as_it_is() -> None:
    """Flask refuses hooks after the first request; then nothing of the extension is installed."""
    app = make_app()
    statuses(app, 1)
    with pytest.raises(AssertionError, match="setup method"):
        DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 2) == [200, 200]
    assert "doorward" not in app.extensions


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("DOORWARD_LIMITS", {"/": "1/minute"}, [200, 429]),
        ("DOORWARD_EXCLUDE", ["/"], [200, 200]),
        ("DOORWARD_DEFAULT_MODE", "DRY_RUN", [200, 200]),
        ("DOORWARD_INCLUDE", ["/other"], [200, 200]),
    ],
)
def test_options_come_from_the_configuration(key: str, value: Any, expected: list[int]) -> None:
    """Every option is an ``app.config`` key: ``DOORWARD_`` and its name in capitals."""
    app = make_app(**{key: value})
    DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 2) == expected


def test_the_proxies_of_the_configuration_find_the_client() -> None:
    """``DOORWARD_PROXIES`` reaches the client: with ``()`` forwarding headers are not believed."""
    app = make_app(DOORWARD_PROXIES=())
    app.add_url_rule("/ip", "ip", lambda: g.doorward.ip.address)
    DoorwardFlask(app)
    assert app.test_client().get("/ip", headers={"X-Forwarded-For": "203.0.113.9"}).text == "127.0.0.1"


def test_an_argument_wins_over_the_configuration() -> None:
    """What is written in code is not overridden from outside."""
    app = make_app(DOORWARD_RATE_LIMIT_HEADERS=True)
    DoorwardFlask(app, rules=[limit(1)], rate_limit_headers=False)
    assert "RateLimit" not in app.test_client().get("/").headers


def test_an_unknown_key_names_the_nearest() -> None:
    """A misspelt key is an error when the application is built, with the right one in it."""
    with pytest.raises(ConfigurationError, match="Did you mean DOORWARD_EXCLUDE"):
        DoorwardFlask(make_app(DOORWARD_EXCLUDES=["/"]))


def test_a_wrong_value_names_its_key() -> None:
    """The message has the name that the user wrote."""
    with pytest.raises(ConfigurationError, match=r"^DOORWARD_TIMEOUT: "):
        DoorwardFlask(make_app(DOORWARD_TIMEOUT="soon"))


def test_a_wrong_layer_value_names_its_key() -> None:
    """So it is for the options that no client knows."""
    with pytest.raises(ConfigurationError, match=r"^DOORWARD_RATE_LIMIT_HEADERS: "):
        DoorwardFlask(make_app(DOORWARD_RATE_LIMIT_HEADERS="loud"))


def test_the_switch_of_the_environment_is_no_key() -> None:
    """``DOORWARD_MODE`` in ``app.config`` would switch nothing off, so it is refused and the right key named."""
    with pytest.raises(ConfigurationError, match="DOORWARD_DEFAULT_MODE"):
        DoorwardFlask(make_app(DOORWARD_MODE="OFF"))


def test_an_environment_copied_to_the_configuration_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """``app.config.from_mapping(os.environ)`` brings the switch along; the environment's own reading of it holds."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    app = make_app(DOORWARD_MODE="OFF")
    DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 3) == [200] * 3


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"stoer": "memory://"}, "stoer"),
        ({"aj": "memory://"}, "aj"),
        ({"app": "app"}, "app"),
        ({"rules": ["5/minute"]}, "rules"),
        ({"aj": client(), "rules": []}, "rules"),
        ({"aj": client(), "store": "memory://"}, "store"),
    ],
)
def test_mistakes_are_found_at_construction(arguments: dict[str, Any], field: str) -> None:
    """Every mistake is an error that names the argument, also without an application."""
    with pytest.raises(ConfigurationError) as caught:
        DoorwardFlask(**arguments)
    assert caught.value.field == field


def test_a_key_that_a_ready_client_has_settled_is_refused() -> None:
    """``DOORWARD_STORE`` beside ``aj`` would have no effect: that is said instead."""
    with pytest.raises(ConfigurationError, match=r"^DOORWARD_STORE: belongs to the client"):
        DoorwardFlask(make_app(DOORWARD_STORE="memory://"), client())


def test_the_client_is_at_hand_inside_an_application() -> None:
    """``guard.client`` is the current application's: a test or an operator resets a client with it."""
    app, guard = protected(limit(1))
    statuses(app, 1)
    with app.app_context():
        guard.client.reset("127.0.0.1")
    assert statuses(app, 1) == [200]


def test_a_subclass_of_flask_is_an_application() -> None:
    """Applications may extend Flask, also where it is hooked into."""

    class Application(Flask):
        def preprocess_request(self) -> Any:
            return "its own answer"

    app = Application("application")
    DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 2) == [200, 429]
