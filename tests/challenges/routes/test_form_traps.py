"""Traps in forms: a field that nobody sees, and the time that a person takes."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward import AsyncDoorward, ConfigurationError, Doorward, RequestContext, form_trap
from doorward.challenges.forms import TOKEN_FIELD
from doorward.testing import FakeClock

DAY = 86400.0


def request(agent: str = "Firefox", ip: str = "203.0.113.5") -> RequestContext:
    return RequestContext(
        method="POST", scheme="https", host="shop.example", path="/", query="", headers=[("User-Agent", agent)], peer=ip
    )


class Shop:
    """A client, its clock, and the form that it shows."""

    def __init__(self, *rules: Any, **options: Any) -> None:
        self.clock = FakeClock()
        self.aj = Doorward(rules, clock=self.clock, **{"secret": "a secret that nobody knows", **options})

    def shown(self, name: str = "sign-up") -> dict[str, str]:
        """The fields as a browser sends them."""
        html = str(self.aj.form_fields(request(), name))
        return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', html))

    def why(self, form: Any, name: str = "sign-up", asked: RequestContext | None = None, **more: Any) -> str:
        return self.aj.check_form(form, asked or request(), name, **more).why


def trap_of(form: dict[str, str]) -> str:
    (trap,) = set(form) - {TOKEN_FIELD}
    return trap


def test_a_persons_form_passes() -> None:
    """Filled in after a while, with the trap left alone."""
    shop = Shop()
    form = shop.shown()
    shop.clock.advance(5.0)
    assert shop.aj.check_form({**form, "email": "a@b.example"}, request(), "sign-up") == ("", 5.0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda form: {**form, trap_of(form): "cheap pills"}, "filled"),
        (lambda form: {TOKEN_FIELD: form[TOKEN_FIELD]}, "absent"),
        (lambda form: {}, "missing"),
        (lambda form: None, "missing"),
        (lambda form: {**form, TOKEN_FIELD: ""}, "missing"),
        (lambda form: {**form, TOKEN_FIELD: form[TOKEN_FIELD][:-2]}, "forged"),
        (lambda form: {**form, TOKEN_FIELD: "x"}, "malformed"),
        (lambda form: {**form, TOKEN_FIELD: 7}, "malformed"),
        (lambda form: {**form, TOKEN_FIELD: ["x"]}, "malformed"),
    ],
)
def test_what_is_wrong_is_said(change: Any, why: str) -> None:
    """Every form that no person sends, by a code."""
    shop = Shop()
    form = shop.shown()
    shop.clock.advance(5.0)
    assert shop.why(change(form)) in (why, "malformed" if why == "forged" else why)


def test_too_early_by_the_servers_clock() -> None:
    """Regression (NoBot): the time was what the client said."""
    shop = Shop()
    form = shop.shown()
    assert shop.why(form) == "too_early"
    shop.clock.advance(1.4)
    assert shop.why(form) == "too_early"
    shop.clock.advance(0.2)
    assert shop.why(form) == ""
    assert shop.why(form, min_seconds=10) == "too_early"


def test_a_form_of_yesterday_is_expired() -> None:
    """Who comes back after a day is shown the form again."""
    shop = Shop()
    form = shop.shown()
    shop.clock.advance(DAY + 1)
    assert shop.why(form) == "expired"


def test_over_midnight_the_form_that_was_shown_counts() -> None:
    """Names change daily; a form that was shown before is checked by its own."""
    shop = Shop()
    form = shop.shown()
    shop.clock.advance(DAY - 10)
    assert trap_of(shop.shown()) != trap_of(form)
    assert shop.why(form) == ""


def test_a_token_is_for_one_form_one_browser_and_one_site() -> None:
    """Of another form, of another agent, of another secret: none of them. Another address is the same person."""
    shop, other = Shop(), Shop(secret="another secret, of another site")
    form = shop.shown()
    shop.clock.advance(5.0)
    assert shop.why(form, "log-in") == "other_form"
    assert shop.why(form, asked=request("Chrome")) == "forged"
    assert other.why(form) == "forged"
    assert shop.why(form, asked=request(ip="198.51.100.9")) == ""


def test_tokens_of_other_purposes_are_none() -> None:
    """A challenge's token is no form's (Vouch: one key and no type for everything)."""
    shop = Shop()
    gate = shop.aj.runtime.gatekeeper.gate
    issue = gate.pose(request(), "203.0.113.5", gate.level_for(0), shop.clock.now_ns() // 1_000_000)
    assert shop.why({TOKEN_FIELD: issue.token}) == "forged"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_nobody_sees_hears_or_tabs_to_the_field() -> None:
    """Hidden from screens, screen readers and the tab order; with a label, and no style that a CSP would forbid."""
    html = str(Shop().aj.form_fields(request(), '"><script>'))
    reader = _Reader()
    reader.feed(html)
    (_, outer), _, (_, trap), (_, token) = reader.tags
    assert outer == {"hidden": None, "aria-hidden": "true"}
    assert (trap["tabindex"], trap["autocomplete"], trap["type"]) == ("-1", "off", "text")
    assert token["type"] == "hidden"
    assert "style" not in html
    assert "<script" not in html


@pytest.mark.parametrize(
    ("options", "form", "conclusion"),
    [
        ({}, None, "DENY"),
        ({"action": "challenge"}, None, "CHALLENGE"),
        ({"action": "weigh", "weight": 5}, None, "ALLOW"),
        ({}, "shown", "ALLOW"),
        ({"action": "challenge"}, "shown", "ALLOW"),
    ],
)
def test_as_a_rule(options: Any, form: Any, conclusion: str) -> None:
    """``protect(request, form=…)``: the rule says what follows."""
    shop = Shop(form_trap(**options))
    given_form = shop.shown() if form else None
    shop.clock.advance(5.0)
    decision = shop.aj.protect(request(), form=given_form)
    assert decision.conclusion == conclusion


def test_as_a_rule_awaited() -> None:
    """The same for code that awaits."""
    aj = AsyncDoorward([form_trap()], clock=FakeClock(), secret="s" * 40)
    assert asyncio.run(aj.protect(request(), form={})).is_denied()


def test_middleware_leaves_the_rule_open() -> None:
    """Without the form the rule is not asked by middleware, and an error of its own in ``protect``."""
    shop = Shop(form_trap())
    decision = shop.aj.protect(request())
    assert decision.is_errored()
    assert "form= was not given" in decision.explain()


@pytest.mark.parametrize(
    "options",
    [
        {"min_seconds": -1},
        {"min_seconds": "2"},
        {"action": "ban"},
        {"action": "weigh"},
        {"weight": 3},
        {"weight": True},
    ],
)
def test_mistakes_are_named(options: Any) -> None:
    """Every wrong argument is an error where the rule is built."""
    with pytest.raises(ConfigurationError):
        form_trap(**options)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200) | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(token=ANY, more=st.dictionaries(st.text(max_size=10), ANY, max_size=4))
def test_nothing_that_is_sent_raises_or_passes(token: Any, more: Any) -> None:
    """Wrong types, huge and empty values: a code, never an exception, never a pass."""
    assert Shop().why({**more, TOKEN_FIELD: token})


@pytest.mark.parametrize("form", [7, "text", [1], object()])
def test_what_is_no_form_at_all_is_malformed(form: Any) -> None:
    """An application that hands over nonsense is told so by a code."""
    assert Shop().why(form) in ("malformed", "missing")
