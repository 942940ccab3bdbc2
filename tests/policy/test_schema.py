"""The JSON Schema: current, complete, true of what loads, and wrong of what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.test_loading import OPTIONS as OPTION_VALUES
from tests.policy.test_loading import calls, written

from doorward.policy import PolicyError, load
from doorward.policy.arguments import BUILDERS, OPTIONS, arguments
from doorward.policy.building import KEY
from doorward.policy.schema import schema, schema_text

PUBLISHED = Path(__file__).parents[2] / "docs" / "policy.schema.json"
VALIDATOR = jsonschema_rs.Draft7Validator(schema())


def test_the_published_schema_is_current() -> None:
    """``doorward policy schema > docs/policy.schema.json`` makes it so."""
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text()
    jsonschema_rs.meta.validate(schema())


def test_it_has_every_argument_of_every_builder_with_a_description() -> None:
    """As the signatures have them: also those nested in ``protect_signup``."""
    definitions = schema()["definitions"]
    assert set(definitions) == {*BUILDERS, "condition", "pattern", "values", "request", "examples"}
    for name in BUILDERS:
        properties = definitions[name]["properties"]
        assert set(properties) == {KEY, *arguments(name), "examples"}
        assert all(properties[argument]["description"] for argument in arguments(name)), name
        required = {argument.name for argument in arguments(name).values() if argument.required}
        assert set(definitions[name]["required"]) == {KEY, *required}
    signup = definitions["protect_signup"]["properties"]
    assert set(signup["bots"]["properties"]) == set(arguments("detect_bot"))
    assert set(signup["email"]["properties"]) == set(arguments("validate_email"))
    options = schema()["properties"]["options"]["properties"]
    assert set(options) == set(OPTIONS)
    assert all(option["description"] for option in options.values())


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    call=calls(), options=st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in OPTION_VALUES.items()})
)
def test_what_loads_is_right_by_the_schema(
    tmp_path: Path, call: tuple[str, dict[str, Any]], options: dict[str, Any]
) -> None:
    """An editor never marks what works."""
    document = {"options": options, "rules": [{"rule": call[0], **call[1]}]}
    try:
        load(written(tmp_path, json.dumps(document), "policy.yaml"))
    except PolicyError:
        return
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"rulez": []},
        {"rules": 5},
        {"rules": [{"rule": "sheild"}]},
        {"rules": [{}]},
        {"rules": [{"rule": "sliding_window", "max": 5}]},
        {"rules": [{"rule": "sliding_window", "max": 0, "interval": "1m"}]},
        {"rules": [{"rule": "sliding_window", "max": 5, "interval": "ten"}]},
        {"rules": [{"rule": "sliding_window", "max": 5, "interval": "1m", "windw": 1}]},
        {"rules": [{"rule": "sliding_window", "max": "5", "interval": "1m"}]},
        {"rules": [{"rule": "shield", "mode": "DRYISH"}]},
        {"rules": [{"rule": "shield", "on_error": "local"}]},
        {"rules": [{"rule": "shield", "exclude": [{"pth": "/x"}]}]},
        {"rules": [{"rule": "shield", "paths": ["login"]}]},
        {"rules": [{"rule": "shield", "paths": "/login"}]},
        {"rules": [{"rule": "shield", "methods": ["GTE"]}]},
        {"rules": [{"rule": "detect_bot"}]},
        {"rules": [{"rule": "detect_bot", "allow": [], "deny": []}]},
        {"rules": [{"rule": "validate_email", "deny": ["DISPOSABEL"]}]},
        {"rules": [{"rule": "protect_signup", "email": {"deny": ["x"]}}]},
        {"rules": [{"rule": "protect_signup", "rate_limit": {"max": 5}}]},
        {"rules": [{"rule": "deny"}]},
        {"rules": [{"rule": "weigh", "ip": "tor", "weight": 0}]},
        {"rules": [{"rule": "fixed_window", "max": 1, "window": 1, "count_when": 99}]},
        {"options": {"mode": "x"}},
        {"options": {"store": "memory://"}},
        {"options": {"thresholds": {"CHALENGE": 1}}},
        {"options": {"ipv6_prefix": 129}},
    ],
    ids=lambda document: json.dumps(document)[:70],
)
def test_what_is_wrong_is_wrong_by_the_schema(tmp_path: Path, document: dict[str, Any]) -> None:
    """An editor marks what the loader refuses."""
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(PolicyError):
        load(written(tmp_path, json.dumps(document), "policy.yaml"))
