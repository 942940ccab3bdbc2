"""Humanify's filters as rules: what it documents works, and each way in which it left a route open is closed."""

from __future__ import annotations

from typing import Any

import pytest

from doorward import ConfigurationError, Doorward, RequestContext
from doorward.address_facts import NO_ADDRESS_DATA
from doorward.compat.humanify import humanify_filter
from doorward.rules.access import AccessRule, ChallengeRule
from doorward.rules.base import View


def matches(rule: AccessRule, path: str = "/", endpoint: str | None = None, **request: Any) -> bool:
    """Whether a filter is about a request."""
    given = {} if endpoint is None else {"endpoint": endpoint}
    return rule.matches(View(RequestContext(path=path, **request), "192.0.2.9", {}, given, NO_ADDRESS_DATA))


# --- the reference's section 5


def test_13_a_glob_is_never_dropped_also_with_re2() -> None:
    """``/admin/*`` became an expression that RE2 refuses, and was left out: a bot got 200."""
    aj = Doorward([humanify_filter(url_patterns="/admin/*", action="deny_access")])
    for path in ("/admin/", "/admin/users", "/admin/a/b"):
        assert aj.protect(RequestContext(path=path, peer="192.0.2.9")).is_denied()
    assert aj.protect(RequestContext(path="/", peer="192.0.2.9")).is_allowed()


def test_14_exemptions_are_anchored() -> None:
    """``/health`` exempted ``/admin/health`` and ``/admin/healthcare-records``."""
    exempt = ["/health", "/status", "/ping", "/favicon.ico", "/robots.txt", "/.well-known/*"]
    rule = humanify_filter(exclude_patterns=exempt, action="deny")
    for path in ("/admin/health", "/admin/healthcare-records", "/orders/status/1", "/secret/robots.txt",
                 "/private/.well-known/y", "/healthz", "/pingpong"):  # fmt: skip
        assert matches(rule, path)
    for path in ("/health", "/status", "/ping", "/robots.txt", "/.well-known/x"):
        assert not matches(rule, path)


def test_14_what_is_too_complex_is_an_error_and_never_skipped() -> None:
    """There, a pattern that failed the gate was skipped with a warning, and its route was open."""
    for patterns in ("re:(", "regex:[", "re:" + "a" * 2000):
        with pytest.raises(ConfigurationError):
            humanify_filter(url_patterns=patterns)
    many = "regex:/(" + "|".join(f"part{number}" for number in range(40)) + ")"
    assert matches(humanify_filter(url_patterns=many), "/part39")


@pytest.mark.parametrize("name", ["X-App", "x-app", "X-APP"])
def test_14_filters_of_headers_match(name: str) -> None:
    """The README's own example never did."""
    rule = humanify_filter(request_filters={f"headers.{name}": "regex:^mobile"})
    assert matches(rule, headers=[("x-App", "mobile/2")])
    assert not matches(rule, headers=[("x-app", "a mobile")])
    assert not matches(rule)


def test_15_expressions_are_linear_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """``(a|a)*b`` passed the gate, and took 4.25 s on 24 characters; filters of requests had no gate at all."""
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    for filters in ({"url_patterns": "regex:/(a|a)*b"}, {"request_filters": {"args.x": "regex:(a|a)*b"}}):
        with pytest.raises(ConfigurationError, match="is refused"):
            humanify_filter(**filters)  # type: ignore[arg-type]


# --- its section 1.8


def test_an_expression_that_looks_like_a_glob_is_asked_about() -> None:
    r"""``api\..*``, the repository's example, was taken for a glob, and matched nothing."""
    with pytest.raises(ConfigurationError, match=r"looks like a regular expression: write 'regex:api"):
        humanify_filter(endpoint_patterns=r"api\..*")
    rule = humanify_filter(endpoint_patterns=r"regex:^api\.")
    assert matches(rule, endpoint="api.users")
    assert not matches(rule, endpoint="my.api.users")


def test_a_pattern_without_an_anchor_is_an_error() -> None:
    """There it matched anywhere."""
    with pytest.raises(ConfigurationError, match=r"'admin' is not anchored.*'/admin'.*'\*\*admin\*'"):
        humanify_filter(url_patterns=["admin"])


def test_an_unknown_action_is_an_error() -> None:
    """There it was silently no protection."""
    with pytest.raises(ConfigurationError, match="action: must be one of challenge, deny"):
        humanify_filter(url_patterns="/x", action="chalenge")
    with pytest.raises(ConfigurationError, match="url_pattern"):
        humanify_filter(url_pattern="/x")  # type: ignore[call-arg]


def test_json_of_what_is_no_json_does_not_match_and_answers_nothing() -> None:
    """There it was a 415 for every other request."""
    rule = humanify_filter(request_filters={"json.a.b": "1"}, action="deny")
    assert matches(rule, headers=[("content-type", "application/json")], body=b'{"a": {"b": 1}}')
    assert not matches(rule, headers=[("content-type", "text/plain")], body=b"a")
    assert not matches(rule, body=b"")
    assert not matches(rule)


@pytest.mark.parametrize("name", ["values", "get", "items", "keys", "to_dict"])
def test_names_of_parameters_are_no_names_of_methods(name: str) -> None:
    """``args.values`` was the method of the dict."""
    rule = humanify_filter(request_filters={f"args.{name}": "1"})
    assert matches(rule, query=f"{name}=1")
    assert not matches(rule, query="a=1")


def test_a_plain_value_with_a_star_means_a_star() -> None:
    """Request filters have exact texts, lists of them, and expressions."""
    assert not matches(humanify_filter(request_filters={"args.x": "a*"}), query="x=ab")
    assert matches(humanify_filter(request_filters={"args.x": "a*"}), query="x=a*")


def test_all_keys_together() -> None:
    """Endpoint or URL, and all request filters, and no exclusion."""
    rule = humanify_filter(
        endpoint_patterns=["api.*"],
        url_patterns=["/v1/*"],
        exclude_patterns=["/v1/open", "api.health"],
        request_filters={
            "method": ["POST", "PUT"], "headers.x": "regex:^a", "args.x": "1", "cookies.c": ["1", "2"],
            "form.f": "x", "content_type": "application/x-www-form-urlencoded", "host": "a.example",
            "remote_addr": "192.0.2.0/24",
        },
    )  # fmt: skip
    request: dict[str, Any] = {
        "method": "POST", "query": "x=1", "host": "a.example", "body": b"f=x",
        "headers": [("x", "abc"), ("cookie", "c=2"), ("content-type", "application/x-www-form-urlencoded")],
    }  # fmt: skip
    assert isinstance(rule, ChallengeRule)
    assert matches(rule, "/v1/a", endpoint="", **request)
    assert matches(rule, "/other", endpoint="api.users", **request)
    assert not matches(rule, "/other", endpoint="web.users", **request)
    assert not matches(rule, "/v1/open", endpoint="", **request)
    assert not matches(rule, "/v1/a", endpoint="api.health", **request)
    for change in ({"method": "GET"}, {"query": "x=2"}, {"host": "b.example"}, {"body": b"f=y"}, {"headers": []}):
        assert not matches(rule, "/v1/a", endpoint="", **{**request, **change})


@pytest.mark.parametrize("key", ["header.x", "headers", "headers.", "session.x", "args", "is_json"])
def test_keys_that_are_none_are_errors(key: str) -> None:
    """There they never matched."""
    with pytest.raises(ConfigurationError, match="is no key of a request"):
        humanify_filter(request_filters={key: "x"})


def test_actions() -> None:
    """What follows."""
    found = [humanify_filter(url_patterns="/x", action=each).action for each in ("challenge", "deny", "allow", "weigh")]
    assert found == ["CHALLENGE", "DENY", "ALLOW", "WEIGH"]
    assert humanify_filter(url_patterns="/x", action="weigh", weight=-3).weight == -3
