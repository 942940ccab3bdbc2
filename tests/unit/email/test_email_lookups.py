"""What an e-mail rule asks the DNS and the avatar service, and what it makes of their answers and their silence."""

from __future__ import annotations

import hashlib

import pytest
from tests.unit.email.doubles import NO_SUCH_NAME, NOTHING, SILENCE, Listed, Network, records, rule, types, view

from doorward import Conclusion
from doorward.errors import ResolverError
from doorward.rules.base import Outcome

ALLOW, DENY = Conclusion.ALLOW, Conclusion.DENY
MX = ("company.example", "MX")
A, AAAA = ("company.example", "A"), ("company.example", "AAAA")
ADDRESS = "Ann@Company.example"


def mail(**more):
    return rule(**{"deny": ["NO_MX_RECORDS"], "asking": True, **more})


def test_mx_records_are_enough() -> None:
    """A domain that names its mail servers receives mail; nothing else is asked."""
    network = Network({MX: records("mx1.company.example", "mx2.company.example")})
    outcome = network.outcome(mail(), ADDRESS)
    assert (outcome.conclusion, types(outcome), network.asked) == (ALLOW, [], [MX])


def test_a_thousand_mx_records_are_as_good_as_one() -> None:
    """However many there are, they are not walked."""
    many = records(*(f"mx{number}.company.example" for number in range(1000)))
    assert Network({MX: many}).outcome(mail(), ADDRESS).conclusion is ALLOW


def test_a_name_that_does_not_exist_receives_no_mail() -> None:
    """NXDOMAIN ends it: there are no addresses to ask for."""
    network = Network({MX: NO_SUCH_NAME})
    outcome = network.outcome(mail(), ADDRESS)
    assert (outcome.conclusion, types(outcome), network.asked) == (DENY, ["NO_MX_RECORDS"], [MX])
    assert outcome.reason.detail == "the domain cannot receive mail"


def test_a_null_mx_says_that_there_is_no_mail() -> None:
    """RFC 7505: one record, whose host is the root."""
    network = Network({MX: records("")})
    assert types(network.outcome(mail(), ADDRESS)) == ["NO_MX_RECORDS"]
    assert network.asked == [MX]


def test_a_null_mx_among_others_is_none() -> None:
    """RFC 7505 section 3 forbids it; the other servers still take mail."""
    assert types(Network({MX: records("", "mx.company.example")}).outcome(mail(), ADDRESS)) == []


@pytest.mark.parametrize(
    ("ipv4", "ipv6"),
    [(records("192.0.2.1"), NOTHING), (NOTHING, records("2001:db8::1")), (SILENCE, records("2001:db8::1"))],
)
def test_a_domain_with_an_address_is_its_own_mail_server(ipv4, ipv6) -> None:
    """RFC 5321 section 5.1: the implicit MX; one family is enough, also when the other cannot be asked."""
    network = Network({MX: NOTHING, A: ipv4, AAAA: ipv6})
    assert network.outcome(mail(), ADDRESS).conclusion is ALLOW
    assert network.asked == [MX, A, AAAA]


@pytest.mark.parametrize("host", ["localhost", "localhost.localdomain", "mail.localhost"])
def test_a_host_that_is_always_this_one_takes_no_mail(host) -> None:
    """RFC 6761 section 6.3; nor does it beside a null MX. A second host does, and no address makes up for it."""
    network = Network({MX: records(host, "")})
    assert types(network.outcome(mail(), ADDRESS)) == ["NO_MX_RECORDS"]
    assert network.asked == [MX]
    assert types(Network({MX: records(host, "mx.company.example")}).outcome(mail(), ADDRESS)) == []


@pytest.mark.parametrize(
    ("ipv4", "ipv6"),
    [("127.0.0.1", "::1"), ("127.255.255.254", "::"), ("0.0.0.0", "::ffff:127.0.0.1"), ("0.0.0.0", "::ffff:0.0.0.0")],
)
def test_an_address_that_is_always_this_host_receives_no_mail(ipv4, ipv6) -> None:
    """What a domain that is parked points to; one address of another host is enough."""
    own = {MX: NOTHING, A: records(ipv4), AAAA: records(ipv6)}
    assert types(Network(own).outcome(mail(), ADDRESS)) == ["NO_MX_RECORDS"]
    for other in ({A: records(ipv4, "192.0.2.1")}, {AAAA: records(ipv6, "2001:db8::1")}):
        assert types(Network({**own, **other}).outcome(mail(), ADDRESS)) == []


@pytest.mark.parametrize("silent", [A, AAAA])
def test_an_address_of_this_host_does_not_hide_silence(silent) -> None:
    """The other family might have led elsewhere."""
    answers = {MX: NOTHING, A: records("127.0.0.1"), AAAA: records("::1"), silent: SILENCE}
    with pytest.raises(ResolverError, match="no server has answered"):
        Network(answers).outcome(mail(), ADDRESS)


def test_an_address_that_is_none_is_an_error() -> None:
    """A user's resolver may give anything."""
    with pytest.raises(ResolverError, match="gave 'mx' as an address"):
        Network({MX: NOTHING, A: records("mx"), AAAA: NOTHING}).outcome(mail(), ADDRESS)


class Providers(Listed):
    """Knows one provider, which is free."""

    def kinds_of(self, domain: str) -> frozenset[str]:
        return frozenset({"free", "provider"}) if domain == "gmail.com" else frozenset()


@pytest.mark.parametrize(
    "answers",
    [
        {("gmail.com", "MX"): NO_SUCH_NAME},
        {("gmail.com", "MX"): records("")},
        {("gmail.com", "MX"): records("localhost")},
        {("gmail.com", "MX"): NOTHING, ("gmail.com", "A"): NOTHING, ("gmail.com", "AAAA"): NOTHING},
        {("gmail.com", "MX"): NOTHING, ("gmail.com", "A"): records("0.0.0.0"), ("gmail.com", "AAAA"): NOTHING},
    ],
)
def test_a_dns_that_denies_mail_to_a_well_known_provider_is_not_believed(answers) -> None:
    """A DNS that lies, or a filter, must not turn all its users away: it is an error, as silence is."""
    with pytest.raises(ResolverError, match="the DNS denies mail to a well-known provider"):
        Network(answers).outcome(mail(domains=Providers()), "a@gmail.com")


def test_a_well_known_provider_is_asked_about_like_others() -> None:
    """And passes when it has its servers; another domain in the same DNS is refused."""
    network = Network({("gmail.com", "MX"): records("mx.gmail.com"), MX: NO_SUCH_NAME})
    assert network.outcome(mail(domains=Providers()), "a@gmail.com").conclusion is ALLOW
    assert types(network.outcome(mail(domains=Providers()), ADDRESS)) == ["NO_MX_RECORDS"]


def test_without_mx_and_address_there_is_no_mail() -> None:
    """A name that exists for something else."""
    assert types(Network({MX: NOTHING, A: NOTHING, AAAA: NO_SUCH_NAME}).outcome(mail(), ADDRESS)) == ["NO_MX_RECORDS"]


@pytest.mark.parametrize(
    "answers",
    [{MX: SILENCE}, {MX: NOTHING, A: NOTHING, AAAA: SILENCE}, {MX: NOTHING, A: SILENCE, AAAA: NOTHING}],
)
def test_silence_is_an_error_and_never_no_mail(answers) -> None:
    """What could not be asked says nothing about the domain."""
    with pytest.raises(ResolverError, match="no server has answered"):
        Network(answers).outcome(mail(), ADDRESS)


@pytest.mark.parametrize("address", ["nobody", "a@throwaway.example"])
def test_what_is_refused_already_is_not_asked_about(address) -> None:
    """Syntax and lists come first: no packet for them."""
    outcome = mail(deny=["DISPOSABLE", "NO_MX_RECORDS"]).evaluate(view(address))
    assert isinstance(outcome, Outcome)
    assert outcome.conclusion is DENY


def test_a_domain_literal_is_not_asked_about() -> None:
    """An IP address needs no name."""
    network = Network({})
    assert network.outcome(mail(allow_domain_literal=True), "a@[192.0.2.1]").conclusion is ALLOW


@pytest.mark.parametrize("domain", ["anything.invalid", "abc.onion"])
def test_names_that_are_never_in_the_dns_are_not_asked_for(domain) -> None:
    """RFC 6761 section 6.4, and RFC 7686 section 2, which wants no onion name to leave the host."""
    network = Network({})
    assert types(network.outcome(mail(), f"a@{domain}")) == ["NO_MX_RECORDS"]


def test_the_domain_is_asked_for_in_ascii() -> None:
    """IDNA's A-labels, in lower case."""
    network = Network({("xn--bcher-kva.example", "MX"): records("mx")})
    assert network.outcome(mail(), "a@BÜCHER.example").conclusion is ALLOW


def test_an_allow_list_asks_unless_it_lists_no_mx() -> None:
    """Only where the answer can change something."""
    refusing, taking = Network({MX: NO_SUCH_NAME}), Network({})
    assert refusing.outcome(rule(allow=[], asking=True), ADDRESS).conclusion is DENY
    assert taking.outcome(rule(allow=["NO_MX_RECORDS"], asking=True), ADDRESS).conclusion is ALLOW
    assert taking.asked == []


def test_other_types_are_told_beside_what_was_looked_up() -> None:
    """A free address of a domain without mail is both, in the order in which it is found out."""
    network = Network({("free.example", "MX"): NO_SUCH_NAME})
    assert types(network.outcome(mail(), "a@free.example")) == ["FREE", "NO_MX_RECORDS"]


def test_a_mistyped_domain_without_mail_comes_with_what_was_meant() -> None:
    """The usual slip of a person."""
    outcome = Network({("gmial.com", "MX"): NO_SUCH_NAME}).outcome(mail(), "a@gmial.com")
    assert outcome.reason.detail == "the domain cannot receive mail; did you mean gmail.com?"


DIGEST = hashlib.sha256(b"ann@company.example").hexdigest()
AVATAR = f"https://avatars.example/avatar/{DIGEST}?d=404"


def avatars(*more: str):
    return rule(deny=["NO_GRAVATAR", *more], gravatar="https://avatars.example/avatar", asking=True)


@pytest.mark.parametrize(("status", "conclusion"), [(200, ALLOW), (404, DENY)])
def test_an_avatar_is_asked_for_by_hash(status, conclusion) -> None:
    """SHA-256 of the lower-cased address; nothing else of it leaves the host."""
    network = Network({AVATAR: status})
    assert network.outcome(avatars(), ADDRESS).conclusion is conclusion
    assert network.asked == [AVATAR]


@pytest.mark.parametrize("status", [301, 403, 429, 500])
def test_any_other_status_is_an_error(status) -> None:
    """A service that does not answer the question says nothing about the address."""
    with pytest.raises(ResolverError, match=str(status)):
        Network({AVATAR: status}).outcome(avatars(), ADDRESS)


def test_an_allow_list_never_tells_the_avatar_service() -> None:
    """It is asked only where ``deny`` names it."""
    network = Network({MX: records("mx")})
    network.outcome(rule(allow=[], asking=True), ADDRESS)
    assert network.asked == [MX]


def test_the_avatar_service_is_not_told_of_what_is_refused() -> None:
    """A domain without mail ends it before the hash goes out."""
    network = Network({MX: NO_SUCH_NAME})
    assert types(network.outcome(avatars("NO_MX_RECORDS"), ADDRESS)) == ["NO_MX_RECORDS"]
    assert network.asked == [MX]


def test_what_can_be_asked_still_refuses_when_something_else_is_silent() -> None:
    """A refusal that is certain needs no other answer."""
    network = Network({MX: SILENCE, AVATAR: 404})
    assert types(network.outcome(avatars("NO_MX_RECORDS"), ADDRESS)) == ["NO_GRAVATAR"]


def test_when_nothing_refuses_silence_is_an_error() -> None:
    """An avatar says nothing about mail."""
    with pytest.raises(ResolverError):
        Network({MX: SILENCE, AVATAR: 200}).outcome(avatars("NO_MX_RECORDS"), ADDRESS)
