"""``shield(...)``: what it takes, what it refuses, and the id of the rule that it makes."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from doorward import ConfigurationError, Doorward, RequestContext, shield
from doorward.attacks.evidence import Family
from doorward.decision import Mode
from doorward.testing import FakeClock

SCRIPT = quote("<script>alert(1)</script>")


def rule_id(**options: Any) -> str:
    return shield(**options).rule_id(Mode.LIVE)


def denied(request: RequestContext, **options: Any) -> bool:
    return Doorward([shield(**options)], clock=FakeClock()).protect(request).is_denied()


def get(path: str, query: str = "", **more: Any) -> RequestContext:
    return RequestContext(path=path, query=query, peer="203.0.113.9", **more)


@pytest.mark.parametrize(
    ("options", "field", "accepted"),
    [
        ({"threshold": 0}, "threshold", "a number above 0"),
        ({"threshold": -1.0}, "threshold", "a number above 0"),
        ({"threshold": math.nan}, "threshold", "a number above 0"),
        ({"threshold": math.inf}, "threshold", "a number above 0"),
        ({"threshold": True}, "threshold", "a number above 0"),
        ({"threshold": "3"}, "threshold", "a number above 0"),
        ({"threshold": 1e9}, "threshold", "a number above 0"),
        ({"window": 0}, "window", "0"),
        ({"window": -5}, "window", "-5"),
        ({"window": "soon"}, "window", "10m"),
        ({"window": None}, "window", "None"),
        ({"paranoia": 0}, "paranoia", "1, 2 or 3"),
        ({"paranoia": 4}, "paranoia", "1, 2 or 3"),
        ({"paranoia": True}, "paranoia", "1, 2 or 3"),
        ({"paranoia": "1"}, "paranoia", "1, 2 or 3"),
        ({"body": 1}, "body", "True or False"),
        ({"when": "later"}, "when", '"before" or "after"'),
        ({"exclude": "/editor"}, "exclude", "a list"),
        ({"exclude": {"path": "/editor"}}, "exclude", "a list"),
        ({"exclude": [7]}, "exclude", "path patterns and mappings"),
        ({"exclude": [{}]}, "exclude", "path patterns and mappings"),
        ({"exclude": [{"paths": "/editor"}]}, "exclude", "path, parameter, family, carries"),
        ({"exclude": [{"path": 7}]}, "exclude", "a pattern or a list"),
        ({"exclude": [{"path": ["no-slash("]}]}, "exclude", "no-slash"),
        ({"exclude": [{"parameter": 7}]}, "exclude", "a name"),
        ({"exclude": [{"family": "SQLI"}]}, "exclude", "SQL, NOSQL"),
        ({"exclude": [{"family": 7}]}, "exclude", "a name or a list"),
        ({"exclude": [{"family": [7]}]}, "exclude", "SQL, NOSQL"),
        ({"exclude": [{"carries": "poems"}]}, "exclude", '"code"'),
        ({"on_error": "local"}, "on_error", "allow, deny"),
        ({"mode": "LOUD"}, "mode", "DRY_RUN"),
        ({"treshold": 3}, "treshold", "threshold"),
    ],
    ids=lambda value: re.sub(r"[^\w.-]+", "_", str(value))[:40] if isinstance(value, dict) else "",
)
def test_mistakes_name_the_field_and_what_is_accepted(options: Any, field: str, accepted: str) -> None:
    """At construction."""
    with pytest.raises(ConfigurationError) as raised:
        shield(**options)
    assert field in str(raised.value)
    assert accepted in str(raised.value)


def test_it_takes_keywords_only() -> None:
    """As every rule."""
    with pytest.raises(TypeError):
        shield(3.0)  # type: ignore[misc]


def test_it_needs_no_configuration() -> None:
    """The defaults are those of the documentation."""
    rule = shield()
    assert (rule.threshold, rule.window, rule.body, rule.when, rule.exclude, rule.paranoia) == (
        5.0, 600.0, True, "before", (), 1,
    )  # fmt: skip


def test_windows_are_durations() -> None:
    """Seconds, text or timedelta."""
    assert {shield(window=each).window for each in (90, "90s", "1m30s", timedelta(seconds=90))} == {90.0}


def test_the_id_is_stable() -> None:
    """Equal rules have equal ids, in every process; defaults written out are defaults."""
    assert (
        rule_id() == rule_id() == rule_id(threshold=5, window="10m", exclude=[], paranoia=1, body=True, when="before")
    )
    exclude = [{"path": "/a", "family": "XSS"}]
    assert rule_id(exclude=exclude) == rule_id(exclude=[dict(exclude[0])])


def test_the_id_tells_rules_apart() -> None:
    """Whatever changes what it finds or adds up changes the id, and so starts a sum of its own."""
    options: list[dict[str, Any]] = [
        {}, {"threshold": 4}, {"window": "5m"}, {"paranoia": 2}, {"body": False}, {"when": "after"},
        {"exclude": ["/a"]}, {"exclude": ["/b"]}, {"exclude": [{"path": "/a"}]}, {"exclude": [{"parameter": "a"}]},
        {"paths": ["/a"]}, {"methods": ["POST"]},
    ]  # fmt: skip
    ids = {rule_id(**each) for each in options}
    assert len(ids | {shield().rule_id(Mode.DRY_RUN)}) == len(options) + 1


# --- exclude


def test_a_path_can_be_left_alone() -> None:
    """By a pattern; nothing in those requests is looked at."""
    exclude = ["/admin/*"]
    assert not denied(get("/admin/pages", f"q={SCRIPT}"), exclude=exclude)
    assert denied(get("/pages", f"q={SCRIPT}"), exclude=exclude)


def test_a_parameter_can_be_left_alone() -> None:
    """With what is below it; not what only begins like it."""
    exclude: Any = [{"parameter": "html"}]
    json_type = [("content-type", "application/json")]
    nested = b'{"html": {"text": ["<script>alert(1)</script>"]}}'
    assert not denied(get("/", f"html={SCRIPT}"), exclude=exclude)
    assert not denied(get("/", method="POST", headers=json_type, body=nested), exclude=exclude)
    assert denied(get("/", f"html5={SCRIPT}"), exclude=exclude)
    assert denied(get("/", f"html=1&q={SCRIPT}"), exclude=exclude)


def test_a_family_can_be_left_alone() -> None:
    """In any case of letters, alone or in a list; others are still found."""
    for family in ("XSS", "xss", ["SQL", "XSS"], Family.XSS):
        assert not denied(get("/", f"q={SCRIPT}"), exclude=[{"family": family}])
    assert denied(get("/", f"q={SCRIPT}"), exclude=[{"family": "SHELL"}])


def test_all_that_is_given_has_to_apply() -> None:
    """Path, parameter and family together are narrower than each."""
    exclude: Any = [{"path": ["/a", "/b"], "parameter": "q", "family": "XSS"}]
    expected = {"/a?q": False, "/b?q": False, "/c?q": True, "/a?p": True}
    for where, is_denied in expected.items():
        path, _, name = where.partition("?")
        assert denied(get(path, f"{name}={SCRIPT}"), exclude=exclude) is is_denied, where


def test_a_parameter_may_carry_code() -> None:
    """``carries="code"`` leaves out what code would be taken for, and nothing else."""
    exclude: Any = [{"parameter": "source", "carries": "code"}]
    assert not denied(get("/", f"source={SCRIPT}"), exclude=exclude)
    assert denied(get("/", f"other={SCRIPT}"), exclude=exclude)
    assert denied(
        get("/", f"source={quote('${jndi:ldap://x.example/a}')}"), exclude=[{"parameter": "source", "family": "XSS"}]
    )


def test_what_is_excluded_in_one_place_is_found_in_another() -> None:
    """The same query again, on a path that nobody excluded: what was passed once is not taken for clean."""
    aj = Doorward([shield(exclude=[{"path": "/editor", "parameter": "q"}])], clock=FakeClock())
    paths = ("/editor", "/search", "/editor")
    header = [("x-html", "<script>alert(1)</script>")]
    assert [aj.protect(get(path, f"q={SCRIPT}")).is_denied() for path in paths] == [False, True, False]
    by_header = Doorward([shield(exclude=[{"path": "/editor", "parameter": "x-html"}])], clock=FakeClock())
    assert [by_header.protect(get(path, headers=header)).is_denied() for path in paths] == [False, True, False]


def test_paths_and_methods_narrow_the_rule() -> None:
    """As of every rule: elsewhere it has not run."""
    aj = Doorward([shield(paths=["/api/*"], methods=["POST"])], clock=FakeClock())
    requests = [get(path, f"q={SCRIPT}", method=method) for path in ("/api/a", "/b") for method in ("POST", "PUT")]
    decisions = [aj.protect(request) for request in requests]
    assert [decision.is_denied() for decision in decisions] == [True, False, False, False]
    assert [decision.results[0].state.value for decision in decisions] == ["RUN", *["NOT_RUN"] * 3]
