"""The filter rule: what follows from its expressions, how it is built, and how a client runs it."""

from __future__ import annotations

import pytest
from tests.unit.filters.views import facts, view

from doorward import ConfigurationError, Doorward, FilterReason, Mode, RequestContext, UnknownArgument, filter_request
from doorward.ids import rule_id
from doorward.rules.base import Phase
from doorward.rules.filters import FilterRule

CHROME = 'http.request.headers["user-agent"] ~ "Chrome"'
FIREFOX = 'http.request.headers["user-agent"] ~ "Firefox"'
UNKNOWN = "ip.src.vpn"


@pytest.mark.parametrize(
    ("lists", "conclusion", "matched", "undetermined"),
    [
        ({"allow": [CHROME]}, "ALLOW", (CHROME,), ()),
        ({"allow": [FIREFOX]}, "DENY", (), ()),
        ({"deny": [CHROME]}, "DENY", (CHROME,), ()),
        ({"deny": [FIREFOX]}, "ALLOW", (), ()),
        ({"allow": [UNKNOWN]}, "DENY", (), (UNKNOWN,)),
        ({"deny": [UNKNOWN]}, "ALLOW", (), (UNKNOWN,)),
        ({"allow": [FIREFOX, UNKNOWN, CHROME]}, "ALLOW", (CHROME,), (UNKNOWN,)),
        (
            {"deny": [FIREFOX, UNKNOWN, CHROME, "len(http.host) gt 0"]},
            "DENY",
            (CHROME, "len(http.host) gt 0"),
            (UNKNOWN,),
        ),
        ({"deny": CHROME}, "DENY", (CHROME,), ()),
    ],
)
def test_what_follows_from_the_expressions(lists, conclusion, matched, undetermined) -> None:
    """One match decides; what cannot be told does not match, and is listed."""
    outcome = filter_request(**lists).evaluate(view())
    assert outcome.conclusion == conclusion
    assert outcome.reason == FilterReason(matched, undetermined)
    assert (outcome.ttl, outcome.weight, outcome.ends) == (0.0, 0.0, frozenset())


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({}, "takes expressions in either allow or deny; neither has an expression"),
        ({"allow": [], "deny": ()}, "neither has an expression"),
        ({"allow": [CHROME], "deny": [CHROME]}, "both are given"),
        ({"allow": [""]}, r"allow\[0\]: must be a filter expression, not ''"),
        ({"allow": [CHROME, 1]}, r"allow\[1\]: must be a filter expression, not 1"),
        ({"deny": 1}, "deny: must be a filter expression or a list of them, not 1"),
        ({"deny": [CHROME, "http.hots"]}, r"deny\[1\]: 1:1: http.hots is unknown; did you mean http.host\?"),
        ({"deny": [CHROME] * 11}, "deny: takes at most 10 expressions"),
        ({"deny": [CHROME], "mode": "LIFE"}, "mode: must be"),
    ],
)
def test_a_mistake_is_an_error_at_construction(lists, problem: str) -> None:
    """It names the list, and the expression by its place."""
    with pytest.raises(ConfigurationError, match=problem):
        filter_request(**lists)


def test_an_unknown_keyword_is_answered_with_the_accepted_ones() -> None:
    """The builder's own first."""
    with pytest.raises(
        UnknownArgument, match=r"filter_request takes no such argument. Did you mean deny\? Accepted: allow"
    ):
        filter_request(denny=[CHROME])


def test_every_common_argument_is_kept() -> None:
    """And without a name it is called after what it is."""
    rule = filter_request(deny=[CHROME], mode="dry_run", on_error="deny", paths=["/a"], methods=["post"])
    assert (rule.mode, rule.name, rule.on_error, rule.paths, rule.methods) == (
        Mode.DRY_RUN, "filter", "deny", ("/a",), ("POST",)
    )  # fmt: skip
    assert filter_request(deny=[CHROME], name="no-chrome").name == "no-chrome"
    assert (FilterRule.kind, FilterRule.phase, FilterRule.effort) == ("FILTER", Phase.LOCAL, 10)


def test_the_id_is_that_of_arcjets_sdks() -> None:
    """Type, version, mode and the lists in their order there; paths make it another rule."""
    rule = filter_request(deny=[FIREFOX, CHROME])
    fields = [("type", "FILTER"), ("version", 0), ("mode", "LIVE"), ("allow", []), ("deny", [FIREFOX, CHROME])]
    assert rule.rule_id(Mode.LIVE) == rule_id(fields)
    assert rule.rule_id(Mode.LIVE) == filter_request(deny=[CHROME, FIREFOX]).rule_id(Mode.LIVE)
    others = [
        filter_request(allow=[FIREFOX, CHROME]),
        filter_request(deny=[CHROME]),
        filter_request(deny=[FIREFOX, CHROME], paths=["/a"]),
        filter_request(deny=[FIREFOX, CHROME], methods=["GET"]),
    ]
    assert len({rule.rule_id(Mode.LIVE), *(other.rule_id(Mode.LIVE) for other in others)}) == 5


def test_equal_rules_are_equal() -> None:
    """By what was written."""
    assert filter_request(deny=[CHROME]) == filter_request(deny=[CHROME]) != filter_request(deny=[FIREFOX])


def test_a_rule_says_what_it_reads_about_addresses() -> None:
    """By the names of kinds and places, so that missing data can be warned of."""
    rule = filter_request(
        deny=[
            "ip.src.tor or ip.src.abuser",
            'ip.src.country eq "DE" and ip.src.lat gt "1"',
            'ip.src.crawler.name eq ""',
        ]
    )
    assert rule.reads() == {"tor", "abuse", "country", "latitude", "crawler"}
    assert filter_request(deny=["ip.src eq 127.0.0.1"]).reads() == frozenset()


def test_a_rule_says_what_it_reads_of_the_applications_own() -> None:
    """Both spellings."""
    assert filter_request(deny=['local.plan eq "a"', 'local["se ats"] eq "1"']).wants() == {"plan", "se ats"}


def test_a_client_runs_it() -> None:
    """The decision says which expression it was; nothing is remembered for the next request."""
    client = Doorward([filter_request(deny=['http.request.uri.path contains "/wp-"'])])
    denied = client.protect(RequestContext(path="/wp-admin", peer="203.0.113.9"))
    assert (denied.is_denied(), denied.status, denied.ttl) == (True, 403, 0)
    assert denied.reason.is_filter()
    assert denied.reason.matched_expressions == ('http.request.uri.path contains "/wp-"',)
    assert client.protect(RequestContext(path="/", peer="203.0.113.9")).is_allowed()


def test_characteristics_given_to_protect_are_local() -> None:
    """By name."""
    client = Doorward([filter_request(allow=['local.plan in {"pro" "team"}'])])
    request = RequestContext(peer="203.0.113.9")
    assert client.protect(request, characteristics={"plan": "pro"}).is_allowed()
    assert client.protect(RequestContext(peer="203.0.113.9"), characteristics={"plan": "free"}).is_denied()


def test_a_dry_run_only_says_what_it_would_have_done() -> None:
    """As any rule's."""
    decision = Doorward([filter_request(mode="DRY_RUN", deny=[CHROME])]).protect(
        RequestContext(headers=[("user-agent", "Chrome")], peer="203.0.113.9")
    )
    assert decision.is_allowed()
    assert decision.dry_run == "filter"
    assert decision.results[0].conclusion == "DENY"


def test_labels_of_the_address_are_read_through_the_view() -> None:
    """From whatever tells about addresses."""
    rule = filter_request(deny=["ip.src.tor and not ip.src.vpn"])
    assert rule.evaluate(view(about=facts("tor", known="vpn"))).conclusion == "DENY"
    assert rule.evaluate(view(about=facts("tor", "vpn"))).conclusion == "ALLOW"
    assert rule.evaluate(view(about=facts("tor"))).reason.undetermined_expressions
