"""The e-mail rule where it asks nobody: syntax, what is known about domains, and what its lists make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.email.doubles import found, rule, types, view

from doorward import Conclusion, ConfigurationError, Mode
from doorward.ids import rule_id
from doorward.rules.base import Outcome, Phase
from doorward.rules.email import EmailRule, EmailRuleWithLookups, EmailType

ALLOW, DENY = Conclusion.ALLOW, Conclusion.DENY


@pytest.mark.parametrize("lists", [{"deny": []}, {"allow": ["INVALID"]}, {"allow": list(EmailType)}])
def test_no_list_lets_an_invalid_address_pass(lists) -> None:
    """What is no address is refused even by a rule that allows INVALID, as with Arcjet."""
    outcome = found(rule(**lists), "nobody")
    assert (outcome.conclusion, types(outcome)) == (DENY, ["INVALID"])
    assert outcome.reason.detail == "there is no @"


@pytest.mark.parametrize(
    ("domain", "kind"),
    [("throwaway.example", "DISPOSABLE"), ("free.example", "FREE"), ("alias.example", "RELAY")],
)
def test_what_is_denied_is_refused_and_what_is_not_is_told(domain, kind) -> None:
    """The types are in the reason whether the rule denies them or not."""
    denied, told = found(rule(deny=[kind]), f"a@{domain}"), found(rule(deny=["INVALID"]), f"a@{domain}")
    assert (denied.conclusion, told.conclusion) == (DENY, ALLOW)
    assert types(denied) == types(told) == [kind]
    assert denied.reason.detail
    assert told.reason.detail == ""


@pytest.mark.parametrize("address", ["a@FREE.example", "a@Free.Example", "A@free.EXAMPLE"])
def test_case_does_not_matter(address) -> None:
    """Arcjet's own check takes GMAIL.com for something else than gmail.com."""
    assert types(found(rule(deny=["FREE"]), address)) == ["FREE"]


def test_what_a_rule_refuses_can_be_asked() -> None:
    """INVALID always; the rest by its list."""
    free, none = rule(deny=["FREE"]), rule(allow=[])
    assert [str(item) for item in EmailType if free.refuses(item)] == ["INVALID", "FREE"]
    assert [str(item) for item in EmailType if not none.refuses(item)] == ["RELAY"]


def test_under_an_allow_list_other_types_are_refused() -> None:
    """An address of a type that is not listed is refused; one of none passes."""
    only_free = rule(allow=["FREE"])
    assert found(only_free, "a@free.example").conclusion is ALLOW
    assert found(only_free, "a@throwaway.example").conclusion is DENY
    assert found(only_free, "a@company.example").conclusion is ALLOW


def test_a_relay_is_refused_by_name_only() -> None:
    """An allow list that does not list RELAY lets it pass."""
    outcome = found(rule(allow=[]), "a@alias.example")
    assert (outcome.conclusion, types(outcome)) == (ALLOW, ["RELAY"])


def test_a_mistyped_domain_comes_with_what_was_meant() -> None:
    """A person is told; the suggestion is one of our own names, never the client's bytes."""
    assert found(rule(deny=[]), "a@gmail,com").reason.detail.endswith("did you mean gmail.com?")
    assert found(rule(deny=[]), "a@gmailcom").reason.detail == "the domain has no dot; did you mean gmail.com?"


def test_nothing_is_suggested_for_a_good_address() -> None:
    """A domain that looks like another's is nobody's mistake unless it is refused."""
    assert found(rule(deny=[]), "a@gmial.com").reason.detail == ""


def test_a_refused_provider_is_not_taken_for_a_slip() -> None:
    """Who is refused for a free address did not mistype it."""
    assert "did you mean" not in found(rule(deny=["FREE"]), "a@gmail.com").reason.detail


def test_a_domain_literal_is_of_no_type() -> None:
    """An IP address in the domain's place is in no list."""
    outcome = found(rule(allow=[], allow_domain_literal=True), "a@[192.0.2.1]")
    assert (outcome.conclusion, types(outcome)) == (ALLOW, [])


@pytest.mark.parametrize("value", [None, 5, b"a@b.example", ["a@b.example"], object(), float("nan")])
def test_what_is_no_text_is_no_address(value) -> None:
    """Whatever an application hands over comes to a refusal, not to an error."""
    outcome = found(rule(deny=[]), value)
    assert (types(outcome), outcome.reason.detail) == (["INVALID"], "it is not text")


@given(st.one_of(st.text(max_size=400), st.text('@.[]<>()"\\ \0\r\na1-é', max_size=80)))
def test_any_text_comes_to_an_outcome_that_repeats_none_of_it(text) -> None:
    """The detail is one of our own sentences, whatever the address is."""
    outcome = rule(deny=["FREE"]).evaluate(view(text))
    assert isinstance(outcome, Outcome)
    assert outcome.reason.detail.isascii()
    assert not ({"[", "]", "<", ">", "(", ")", '"', "\\", "\0", "\r", "\n"} & set(outcome.reason.detail))


def test_the_id_is_that_of_arcjets_sdks() -> None:
    """The fields and their order are those of its rule ids, so that equal rules have equal ids."""
    fields = [
        ("type", "EMAIL"),
        ("version", 0),
        ("mode", "LIVE"),
        ("allow", []),
        ("deny", ["DISPOSABLE", "NO_MX_RECORDS"]),
        ("requireTopLevelDomain", True),
        ("allowDomainLiteral", False),
    ]
    assert rule(deny=["NO_MX_RECORDS", "DISPOSABLE"]).rule_id(Mode.LIVE) == rule_id(fields)


@pytest.mark.parametrize(
    "other",
    [
        {"deny": ["FREE"]},
        {"allow": []},
        {"deny": [], "require_top_level_domain": False},
        {"deny": [], "allow_domain_literal": True},
        {"deny": [], "disposable": "wide"},
        {"deny": [], "gravatar": "https://avatars.example"},
        {"deny": [], "paths": ["/signup"]},
        {"deny": [], "methods": ["POST"]},
    ],
)
def test_another_rule_has_another_id(other) -> None:
    """But for a list that is empty: Arcjet's ids do not tell ``allow=[]`` and ``deny=[]`` apart."""
    same = other == {"allow": []}
    assert (rule(**other).rule_id(Mode.LIVE) == rule(deny=[]).rule_id(Mode.LIVE)) is same


@pytest.mark.parametrize("lists", [{}, {"deny": [], "allow": []}])
def test_exactly_one_list_is_needed(lists) -> None:
    """Neither and both are mistakes."""
    with pytest.raises(ConfigurationError, match="allow, deny: "):
        rule(**lists)


def test_the_engine_is_told_what_to_expect() -> None:
    """A local rule that needs the address; it waits only where it looks something up."""
    assert (EmailRule.kind, EmailRule.phase, EmailRule.needs) == ("EMAIL", Phase.LOCAL, "email")
    assert (EmailRule.waits, EmailRule.looks_up) == (False, False)
    assert (EmailRuleWithLookups.waits, EmailRuleWithLookups.looks_up) == (True, True)
