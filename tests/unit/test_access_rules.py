"""``allow``, ``deny`` and ``weigh``: by address, by what is known about it, by expression, by path and method."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.filters.views import facts, view
from tests.unit.walking import PEER, Says, denies, limit

from doorward import (
    ConfigurationError,
    Doorward,
    Mode,
    RequestContext,
    RuleReason,
    UnknownArgument,
    allow,
    deny,
    sliding_window,
    weigh,
)
from doorward.client_ip import canonical
from doorward.reason import BotReason
from doorward.rules.access import AccessRule
from doorward.rules.base import Phase
from doorward.testing import FakeClock


def message(rule: AccessRule, **parts) -> str | None:
    """Why the rule denies; None where it does not."""
    outcome = rule.evaluate(view(**parts))
    assert isinstance(outcome.reason, RuleReason)
    return outcome.reason.message if outcome.conclusion == "DENY" else None


@pytest.mark.parametrize(
    ("item", "ip", "found"),
    [
        ("192.0.2.1", "192.0.2.1", "the address is 192.0.2.1"),
        ("192.0.2.1", "192.0.2.2", None),
        ("192.0.2.0/24", "192.0.2.255", "the address is in 192.0.2.0/24"),
        ("192.0.2.1..192.0.2.9", "192.0.2.5", "the address is in 192.0.2.1..192.0.2.9"),
        ("2001:DB8::/32", "2001:db8::1", "the address is in 2001:DB8::/32"),
        ("dead:beef::/32", "dead:beef::1", "the address is in dead:beef::/32"),
        (" ::ffff:192.0.2.1 ", "192.0.2.1", "the address is ::ffff:192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.7", "the address is in ::ffff:192.0.2.0/120"),
        ("::/0", "192.0.2.1", None),
        ("0.0.0.0/0", "", None),
    ],
)
def test_addresses_networks_and_ranges(item: str, ip: str, found: str | None) -> None:
    """Of both families; IPv4 in IPv6 is IPv4."""
    assert message(deny(ip=[item]), ip=ip) == found


@pytest.mark.parametrize(
    ("items", "about", "found"),
    [
        (["tor"], facts("tor"), "the address is a Tor exit (a tor list)"),
        (["TOR", "Abuse"], facts("abuse"), "the address is listed for abuse (a abuse list)"),
        (["vpn"], facts("vpn"), "the address is a VPN (a vpn list)"),
        (["proxy"], facts("proxy"), "the address is an open proxy (a proxy list)"),
        (["hosting"], facts("hosting"), "the address is at a hosting provider (a hosting list)"),
        (["relay"], facts("relay"), "the address is a privacy relay (a relay list)"),
        (["crawler"], facts("crawler"), "the address is a crawler's (a crawler list)"),
        (["reserved"], facts("reserved"), "the address is reserved (a reserved list)"),
        (["tor"], facts("vpn", known="tor"), None),
        (["tor"], facts(), None),
        (["country:DE"], facts(country="DE"), "the address is in country DE"),
        (["Country: de"], facts(country="DE"), "the address is in country DE"),
        (["country:DE"], facts(country="AT"), None),
        (["country:DE"], facts(), None),
        (["asn:64500"], facts(asn="64500"), "the address is in AS64500"),
        (["ASN:as64500"], facts(asn="64500"), "the address is in AS64500"),
        (["asn:64500"], facts(asn="6450"), None),
        (["asn:64500"], facts(), None),
        ("tor", facts("tor"), "the address is a Tor exit (a tor list)"),
    ],
)
def test_what_is_known_about_an_address(items, about, found: str | None) -> None:
    """The reason names the list; what there is no data for does not match."""
    assert message(deny(ip=items), about=about) == found


def test_one_of_several_addresses_is_enough() -> None:
    """Whatever sort they are of."""
    rule = deny(ip=["country:DE", "192.0.2.0/24", "tor", "asn:1"])
    assert message(rule, ip="192.0.2.1") == "the address is in 192.0.2.0/24"
    assert message(rule, about=facts("tor")) == "the address is a Tor exit (a tor list)"
    assert message(rule, about=facts(known="tor", country="AT", asn="2")) is None


def test_all_conditions_have_to_hold() -> None:
    """``ip``, every ``where``, and path and method."""
    rule = deny(
        ip=["192.0.2.0/24"], where=['http.request.method eq "POST"', 'http.request.headers["x"] eq "1"'], paths=["/a"]
    )
    request = {"ip": "192.0.2.1", "method": "POST", "headers": [("x", "1")], "path": "/a"}
    assert message(rule, **request) == (
        'the address is in 192.0.2.0/24 and http.request.method eq "POST" holds '
        'and http.request.headers["x"] eq "1" holds'
    )
    for other in ({"ip": "192.0.3.1"}, {"method": "GET"}, {"headers": [("x", "2")]}):
        assert message(rule, **{**request, **other}) is None
    assert not rule.applies_to(view(**{**request, "path": "/b"}).request)


def test_what_cannot_be_told_does_not_match_and_says_so() -> None:
    """In the result, for whoever wonders."""
    reason = deny(where="ip.src.vpn").evaluate(view()).reason
    assert reason == RuleReason("deny", "could not tell ip.src.vpn")
    assert deny(where="ip.src eq 1.1.1.1").evaluate(view()).reason == RuleReason("deny", "does not match")


def test_a_repeated_value_refuses_but_does_not_permit() -> None:
    """``deny`` and ``weigh`` go by some reading of the request, ``allow`` by all of them."""
    request = view(query="role=user&role=admin")
    for role in ("user", "admin"):
        where = f'http.request.uri.args["role"] eq "{role}"'
        assert deny(where=where).evaluate(request).conclusion == "DENY"
        assert weigh(2, where=where).evaluate(request).weight == 2.0
        assert allow(where=where).evaluate(request).ends == frozenset()


def test_a_path_alone_is_a_condition() -> None:
    """Or a method."""
    assert message(deny(paths=["/internal/*"])) == "the path and the method match"
    assert message(deny(methods=["TRACE"])) == "the path and the method match"


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (deny, "deny: needs a condition, or it would be about every request"),
        (lambda: deny(mode="LIVE", paths=[]), "deny: needs a condition"),
        (allow, "allow: needs a condition"),
        (lambda: weigh(1), "weigh: needs a condition"),
        (lambda: deny(ip=[]), "ip: is empty, and would match nobody"),
        (lambda: deny(ip=None, paths=["/a"]), "ip: must be a list of text, not None"),
        (lambda: deny(ip=[b"tor"]), "ip: b'tor' is unknown"),
        (lambda: deny(ip=[""]), "ip: '' is unknown"),
        (lambda: deny(ip=["tro"]), r"ip: 'tro' is unknown; did you mean tor\?; accepted are addresses"),
        (lambda: deny(ip=["abuser"]), r"did you mean abuse\?"),
        (lambda: deny(ip=["contry:DE"]), r"'contry:DE' is unknown; did you mean country\?"),
        (lambda: deny(ip=["country:GER"]), "a code of two letters"),
        (lambda: deny(ip=["country:UK"]), 'the United Kingdom is "country:GB"'),
        (lambda: deny(ip=["asn:4294967296"]), "an AS is a number up to 4294967295"),
        (lambda: deny(ip=["asn:DTAG"]), "an AS is a number"),
        (lambda: deny(ip=["192.0.2.1/24"]), r"'192.0.2.1/24' is no address or network \(.*host bits set\)"),
        (lambda: deny(ip=["192.0.2.1:80"]), "is no address or network"),
        (lambda: deny(ip=["192.0.2.9..192.0.2.1"]), "ends before it begins"),
        (lambda: deny(ip=["fe80::1%eth0"]), "has a zone"),
        (lambda: deny(where=[]), "where: has no expression"),
        (lambda: deny(where=["oops"]), r"where\[0\]: 1:1: oops is unknown"),
        (lambda: weigh(0, ip="tor"), "weight: must be a number other than 0, not 0"),
        (lambda: weigh(float("nan"), ip="tor"), "weight: must be a number other than 0"),
        (lambda: weigh(True, ip="tor"), "weight: must be a number other than 0"),
        (lambda: weigh("1", ip="tor"), "weight: must be a number other than 0"),
        (lambda: allow(ip="tor", ends=["BOTS"]), "ends: 'BOTS' is no kind of rule that can be ended; BOT, CHALLENGE"),
        (lambda: allow(ip="tor", ends="BOT"), "ends: must be a list of kinds of rules, not 'BOT'"),
        (lambda: allow(ip="tor", ends=[1]), "ends: '1' is no kind"),
    ],
)
def test_a_mistake_is_an_error_at_construction(build, problem: str) -> None:
    """It names the argument, says what is accepted, and suggests the nearest."""
    with pytest.raises(ConfigurationError, match=problem):
        build()


@pytest.mark.parametrize(
    ("build", "own"), [(allow, "ends"), (lambda **o: weigh(1, **o), "weight"), (deny, "characteristics")]
)
def test_an_unknown_keyword_is_answered_with_the_accepted_ones(build, own: str) -> None:
    """By the builder's name."""
    with pytest.raises(UnknownArgument, match=rf"ipp: \w+ takes no such argument. Did you mean ip\? Accepted: .*{own}"):
        build(ipp=["tor"])


def test_a_rule_says_what_it_reads_about_addresses() -> None:
    """So that missing data can be warned of."""
    rule = deny(ip=["tor", "country:DE", "192.0.2.1"], where='ip.src.asnum.name contains "x"')
    assert rule.reads() == {"tor", "country", "asn_name"}
    assert deny(ip=["192.0.2.1"], paths=["/a"]).reads() == frozenset()


def test_addresses_alone_look_nothing_up() -> None:
    """What is known about the address is not asked for where no rule wants it."""

    class Refuses:
        def about(self, address: str):
            raise AssertionError("asked")

    assert deny(ip=["192.0.2.1"]).evaluate(view()._replace(addresses=Refuses())).conclusion == "ALLOW"


def test_ids_tell_rules_apart() -> None:
    """By action, conditions, effect, path and method; equal rules have equal ids."""
    rules = [
        deny(ip=["tor"]), deny(ip=["tor", "vpn"]), allow(ip=["tor"]), allow(ip=["tor"], ends=["BOT"]),
        weigh(1, ip="tor"), weigh(2, ip="tor"), deny(where="ip.src.tor"), deny(ip=["tor"], paths=["/a"]),
        deny(ip=["tor"], methods=["GET"]),
    ]  # fmt: skip
    assert len({rule.rule_id(Mode.LIVE) for rule in rules}) == len(rules)
    assert deny(ip=["TOR"]).rule_id(Mode.LIVE) == deny(ip="tor").rule_id(Mode.LIVE)


def test_common_arguments_are_kept() -> None:
    """And without a name a rule is called after what it does."""
    rule = deny(ip="tor", mode="DRY_RUN", on_error="deny", name="no-tor")
    assert (rule.mode, rule.on_error, rule.name) == (Mode.DRY_RUN, "deny", "no-tor")
    assert [allow(ip="tor").name, deny(ip="tor").name, weigh(1, ip="tor").name] == ["allow", "deny", "weigh"]
    assert (AccessRule.kind, AccessRule.phase) == ("RULE", Phase.ACCESS)


def test_ends_are_what_is_said_in_any_case() -> None:
    """Bots and challenges where nothing is said; nothing for a request that does not match."""
    assert allow(ip="127.0.0.1").evaluate(view()).ends == {"BOT", "CHALLENGE"}
    assert allow(ip="127.0.0.1", ends=["rate-limit", "Bot"]).evaluate(view()).ends == {"RATE_LIMIT", "BOT"}
    assert allow(ip="127.0.0.2").evaluate(view()).ends == frozenset()


# --- in a client


class NoBots(Says):
    """Denies everybody as a bot."""

    kind = "BOT"


def client(*rules, **options) -> Doorward:
    return Doorward(list(rules), clock=FakeClock(), **options)


def here(**parts) -> RequestContext:
    return RequestContext(peer=PEER, **parts)


def test_a_denied_request_says_what_matched() -> None:
    """With status 403, a reason of type RULE, and without being counted."""
    limited = limit()
    aj = client(limited, deny(ip=["203.0.113.0/24"], name="office"))
    decision = aj.protect(here())
    assert (decision.is_denied(), decision.status, decision.reason.type) == (True, 403, "RULE")
    assert decision.reason.explain() == "office: the address is in 203.0.113.0/24"
    assert decision.results[0].state == "NOT_RUN"
    assert aj.protect(RequestContext(peer="198.51.100.1")).is_allowed()


def test_an_allowed_client_passes_bots_but_not_limits() -> None:
    """The default of ``ends``."""
    aj = client(NoBots(does=denies), sliding_window(max=1, interval=60), allow(ip=[PEER]))
    first, second = aj.protect(here()), aj.protect(here())
    assert first.is_allowed()
    assert first.results[0].state == "NOT_RUN"
    assert second.is_denied()
    assert second.reason.is_rate_limit()
    assert aj.protect(RequestContext(peer="198.51.100.1")).is_denied()


def test_an_allow_rule_can_end_limits() -> None:
    """Where it says so."""
    aj = client(sliding_window(max=1, interval=60), allow(ip=[PEER], ends=["RATE_LIMIT"]))
    assert [aj.protect(here()).is_allowed() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("ends", [["BOT"], ["RULE"]])
def test_a_later_deny_holds_unless_it_is_ended(ends: list[str]) -> None:
    """Rules of the application's own are asked in their order."""
    aj = client(allow(ip=[PEER], ends=ends), deny(paths=["/a"]))
    assert aj.protect(here(path="/a")).is_denied() is (ends == ["BOT"])


def test_weights_add_up_to_what_the_threshold_says() -> None:
    """Each rule says what it added."""
    aj = client(weigh(3, ip=[PEER]), weigh(4.5, paths=["/a"]), thresholds={"DENY": 7})
    light, heavy = aj.protect(here(path="/b")), aj.protect(here(path="/a"))
    assert light.is_allowed()
    assert light.results[0].reason == RuleReason("weigh", f"the address is {PEER}", 3.0)
    assert heavy.is_denied()
    assert heavy.reason.weight == 7.5


def test_a_dry_run_ends_and_denies_nothing() -> None:
    """It is only said."""
    aj = client(allow(ip=[PEER], mode="DRY_RUN"), NoBots(does=denies, mode="DRY_RUN"), deny(ip=PEER, mode="DRY_RUN"))
    decision = aj.protect(here())
    assert decision.is_allowed()
    assert decision.dry_run == "deny"
    assert [result.state for result in decision.results] == ["DRY_RUN"] * 3


def test_reasons_are_of_their_own_type() -> None:
    """Not a bot's, which the skipped rule would have given."""
    reason = client(allow(ip=[PEER]), deny(ip=[PEER])).protect(here()).reason
    assert reason.is_rule()
    assert not isinstance(reason, BotReason)


@given(st.one_of(st.text(max_size=50), st.ip_addresses().map(str)))
def test_no_address_makes_a_rule_fail(ip: str) -> None:
    """Whatever text it is: it matches both halves of its family, or neither."""
    found = [
        deny(ip=[half]).evaluate(view(ip=ip)).conclusion == "DENY" for half in ("0.0.0.0/1", "128.0.0.0/1", "::/0")
    ]
    assert sum(found) == (canonical(ip) is not None)


@given(st.text(max_size=40))
def test_any_item_is_understood_or_refused(item: str) -> None:
    """Nothing but a ConfigurationError, and no item that means nothing."""
    refused, rule = "", None
    try:
        rule = deny(ip=[item])
    except ConfigurationError as error:
        refused = error.field
    assert refused == "ip" if rule is None else rule.matchers
