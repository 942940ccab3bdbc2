"""P22: an e-mail address costs little whatever it is, and what the DNS does not say is not taken for an answer.

Work is counted, not timed: characters that are looked at, calls of the parser, questions to the name server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import email_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer

from doorward import AsyncDoorward, Decision, Doorward, EmailReason, RequestContext, email_syntax, validate_email
from doorward.email_syntax import LONGEST_ADDRESS, LONGEST_LOCAL_PART, parse
from doorward.intelligence import domains
from doorward.rules.email import EmailType

MEGABYTE = 10**6
SOON = 0.05
RECOMMENDED = validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"])
CLOSED = validate_email(deny=["NO_MX_RECORDS"], on_error="deny")
SYNTAX = validate_email(deny=[])
LISTS = validate_email(deny=["DISPOSABLE", "FREE"])
REQUEST = RequestContext(peer="203.0.113.9")

Protect = Callable[..., Decision]


def blocking(rules: list[Any], email: Any, **options: Any) -> Decision:
    with Doorward(rules, **options) as aj:
        return aj.protect(REQUEST, email=email)


def awaiting(rules: list[Any], email: Any, **options: Any) -> Decision:
    async def decide() -> Decision:
        async with AsyncDoorward(rules, **options) as aj:
            return await aj.protect(REQUEST, email=email)

    return asyncio.run(decide())


@pytest.fixture(params=[blocking, awaiting], ids=["sync", "async"])
def protect(request: pytest.FixtureRequest) -> Protect:
    way: Protect = request.param
    return way


def types(decision: Decision) -> list[str]:
    reason = decision.results[0].reason
    assert isinstance(reason, EmailReason), reason
    return [str(found) for found in reason.email_types]


# --- Any string


READS = ("__contains__", "__iter__", "__getitem__", "__str__", "__repr__", "__format__", "__hash__", "__eq__")


def _refused(text: str, *_: object) -> Any:
    raise AssertionError(f"somebody reads {len(text)} characters")


def _found(text: str, name: str) -> Any:
    if name in ("__class__", "__len__"):
        return str.__getattribute__(text, name)
    raise AssertionError(f"somebody calls {name} of {len(text)} characters")


Unread: Any = type("Unread", (str,), {"__getattribute__": _found, **dict.fromkeys(READS, _refused)})
"""Text whose length may be asked for, and no character of it."""


class Calls:
    """Counts what the parser of the library is shown."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.real = email_validator.validate_email

    def __call__(self, email: str, **options: Any) -> Any:
        self.lengths.append(len(email))
        return self.real(email, **options)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    counted = Calls()
    monkeypatch.setattr(email_syntax, "validate_email", counted)
    return counted


FILLINGS = [
    "a",
    "@",
    ".",
    '"',
    "\\",
    " ",
    "\n",
    "[",
    "<",
    "é",
    "\u202e",
    "\U0001f600",
    "\ud800",
    "xn--a.",
    "a@b.",
    "a.",
]


@pytest.mark.parametrize("length", [LONGEST_ADDRESS + 1, 1000, MEGABYTE])
def test_p22_no_character_of_what_is_too_long_is_looked_at(protect: Protect, calls: Calls, length: int) -> None:
    """P22: 255 characters or a million: only their number is asked for, and the library never sees them."""
    decision = protect([SYNTAX], Unread("a" * length))
    assert types(decision) == ["INVALID"]
    assert decision.is_denied()
    assert decision.status == 400
    assert calls.lengths == []


@pytest.mark.parametrize("filling", FILLINGS, ids=ascii)
def test_p22_a_megabyte_of_anything_is_no_address(calls: Calls, filling: str) -> None:
    """P22: whatever it is made of; what is said of it does not grow with it."""
    decision = blocking([RECOMMENDED], f"a{filling * (MEGABYTE // len(filling))}@b.example")
    assert types(decision) == ["INVALID"]
    assert calls.lengths == []
    assert len(decision.to_json()) < 2000


@given(st.text(max_size=40), st.integers(1, 60), st.sampled_from(["", "@", "@a.example", "@[1.2.3.4]"]))
def test_p22_the_library_sees_at_most_the_longest_address_once(piece: str, times: int, end: str) -> None:
    """P22: its work, which is not ours to bound, is that for 254 characters."""
    counted = Calls()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(email_syntax, "validate_email", counted)
        parse(piece * times + end)
    assert len(counted.lengths) <= 1
    assert all(length <= LONGEST_ADDRESS for length in counted.lengths)


@pytest.mark.parametrize("filling", ["é", "\U0001f600", "\u0301"])
def test_p22_lengths_are_octets(calls: Calls, filling: str) -> None:
    """P22: RFC 5321 section 4.5.3.1 counts octets; a long local part does not reach the library either."""
    assert parse(filling * LONGEST_LOCAL_PART + "@a.example").problem
    assert parse("a@" + filling * (LONGEST_ADDRESS // 2) + ".example").problem
    assert calls.lengths == []


@pytest.mark.parametrize("domain", ["gmail." + "x." * 100 + "com", "a" * 240, "a." * 120 + "com", "gmial.com"])
def test_p22_a_suggestion_looks_at_short_names_only(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    """P22: what a refused domain may have been meant to be is looked for as many times as it has letters, to 32."""
    cut: list[int] = []
    real = domains._keys

    def counted(name: str) -> set[str]:
        cut.append(len(name))
        return real(name)

    monkeypatch.setattr(domains, "_keys", counted)
    decision = blocking([SYNTAX], f"a b@{domain}")
    assert decision.is_denied()
    assert cut == ([len(domain)] if len(domain) <= 32 else [])
    assert ("gmail.com" in decision.to_json()) is (domain == "gmial.com")


# --- Letters that look alike, and international domains


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("a@mailinator.com", ["DISPOSABLE"]),
        ("a@MAILINATOR.com", ["DISPOSABLE"]),
        ("a@\uff4d\uff41\uff49\uff4c\uff49\uff4e\uff41\uff54\uff4f\uff52.com", ["DISPOSABLE"]),  # full width
        ("a@mailinator\u3002com", ["DISPOSABLE"]),  # ideographic full stop
        ("a@\U0001d426ailinator.com", ["DISPOSABLE"]),  # mathematical bold m
        ("a@mail\u00adinator.com", ["INVALID"]),  # soft hyphen, which nobody sees
        ("a@x.\u24dc\u24d0\u24d8\u24db\u24d8\u24dd\u24d0\u24e3\u24de\u24e1.com", ["DISPOSABLE"]),  # circled
        ("a@gma\u0131l.com", []),  # dotless i: another domain, of somebody else
        ("a@gm\u0430il.com", []),  # Cyrillic a
        ("a@\u0261mail.com", []),  # script g
        ("a@GMAIL.com", ["FREE"]),
        ("a@gmail.com.", ["INVALID"]),
        ("a@gmail.com\u200b", ["INVALID"]),  # zero width space
        ("a@gma\u200dil.com", ["INVALID"]),  # zero width joiner
        ("a@\u202emoc.liamg", ["INVALID"]),  # right-to-left override
        ("a\u202e@gmail.com", ["INVALID"]),
        ("a@\u05d0a.com", ["INVALID"]),  # a right-to-left label may not end with a Latin letter (RFC 5893)
        ("a@xn--a.com", ["INVALID"]),  # no Punycode of anything
        ("a@xn--\u00e9.com", ["INVALID"]),
        ("a@\u2488com", ["INVALID"]),  # "1." as one character, which would make another domain of it
    ],
    ids=ascii,
)
def test_p22_alike_is_not_the_same(protect: Protect, email: str, expected: list[str]) -> None:
    """P22: domains are compared as their A-labels, after UTS 46: what is another domain is not taken for its double."""
    assert types(protect([LISTS], email)) == expected


ZONES: Any = {
    "mail.example": {"MX": ["10 mx.mail.example."]},
    "xn--bcher-kva.example": {"MX": ["10 mx.example."]},
    "null.example": {"MX": ["0 ."], "A": ["192.0.2.1"]},
    "web.example": {"A": ["192.0.2.1"]},
    "empty.example": {"TXT": ['"nothing"']},
    "many.example": {"MX": [f"{number} mx{number}.many.example." for number in range(1000)]},
    "nulls.example": {"MX": ["0 .", *[f"{number} mx{number}.example." for number in range(1, 1000)]]},
    "alias.example": {"CNAME": ["mail.example."]},
    "here.example": {"CNAME": ["there.example."]},
    "there.example": {"CNAME": ["here.example."]},
    **{f"c{number}.example": {"CNAME": [f"c{number + 1}.example."]} for number in range(30)},
}


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer(ZONES) as running:
        yield running


def asked(protect: Protect, server: DnsServer, email: str, **options: Any) -> Decision:
    return protect([RECOMMENDED], email, resolver=server.address, **{"timeout": 10.0, **options})


@pytest.mark.parametrize(
    ("domain", "question"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),  # u and a combining diaeresis
    ],
)
def test_p22_international_domains_are_asked_for_by_their_a_labels(
    protect: Protect, server: DnsServer, domain: str, question: str
) -> None:
    """P22: one domain, however it is written, is one question."""
    assert asked(protect, server, f"j\u00f6rg@{domain}").is_allowed()
    assert server.questions == [(question, "MX", "udp")]


# --- What the DNS says


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("a@mail.example", []),
        ("a@alias.example", []),
        ("a@web.example", []),
        ("a@null.example", ["NO_MX_RECORDS"]),  # RFC 7505, also where there is an address
        ("a@empty.example", ["NO_MX_RECORDS"]),
        ("a@nowhere.example", ["NO_MX_RECORDS"]),
        ("a@many.example", []),
        ("a@nulls.example", []),  # a null MX beside others means nothing (RFC 7505 section 3)
    ],
)
def test_p22_answers_decide(protect: Protect, server: DnsServer, email: str, expected: list[str]) -> None:
    """P22: what the name server says, with as few questions as it takes."""
    decision = asked(protect, server, email)
    assert types(decision) == expected
    assert decision.is_denied() is bool(expected)
    assert len(server.questions) <= 3


@pytest.mark.parametrize("behaviour", [dns.honest, dns.truncating, dns.times(3, dns.honest)])
def test_p22_a_thousand_mail_servers_are_as_good_as_one(protect: Protect, server: DnsServer, behaviour: Any) -> None:
    """P22: by UDP all at once, and by TCP; a domain that big receives mail."""
    server.behave("many.example", behaviour)
    assert types(asked(protect, server, "a@many.example")) == []
    assert set(server.asked) == {("many.example", "MX")}


def is_an_error_and_nothing_else(decision: Decision) -> bool:
    """Whether it lets pass, and says that it could not be checked."""
    (result,) = decision.results
    named_no_mail = EmailType.NO_MX_RECORDS in decision.to_json()
    return decision.is_errored() and decision.is_allowed() and result.reason.is_error() and not named_no_mail


@pytest.mark.parametrize("email", ["a@here.example", "a@c0.example"], ids=["circle", "chain"])
@pytest.mark.parametrize("behaviour", [dns.honest, dns.only_first_alias])
def test_p22_aliases_without_end_are_an_error(protect: Protect, server: DnsServer, email: str, behaviour: Any) -> None:
    """P22: in one response, and asked for one by one; a bounded number of questions."""
    server.behave(ALL, behaviour)
    assert is_an_error_and_nothing_else(asked(protect, server, email))
    assert len(server.questions) <= 10


FAILING = {
    "silent": dns.silent,
    "servfail": dns.servfail,
    "refused": dns.refused,
    "garbage": dns.garbage,
    "another question": dns.wrong_question,
    "other names": dns.other_names,
    "a referral": dns.referring,
    "hangs up": dns.only_by_tcp(dns.hangs_up),
    "another id": dns.wrong_id,
    "drips": dns.only_by_tcp(dns.drips),
}


@pytest.mark.parametrize("behaviour", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("email", ["a@mail.example", "a@nowhere.example"])
def test_p22_a_dead_dns_is_an_error_and_never_no_mail(
    protect: Protect, server: DnsServer, email: str, behaviour: Any
) -> None:
    """P22: the reason is ERROR, the sign-up goes on, and only ``on_error="deny"`` makes it a refusal: with 503."""
    server.behave(ALL, behaviour)
    assert is_an_error_and_nothing_else(asked(protect, server, email, timeout=SOON))
    closed = protect([CLOSED], email, resolver=server.address, timeout=SOON)
    assert closed.is_denied()
    assert closed.reason.is_error()
    assert closed.status == 503


def test_p22_nobody_listening_is_an_error(protect: Protect) -> None:
    """P22: a port that is closed says no more about a domain than silence."""
    decision = protect([RECOMMENDED], "a@mail.example", resolver=dns.closed_port(), timeout=1.0)
    assert is_an_error_and_nothing_else(decision)


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_p22_half_an_answer_is_an_error(protect: Protect, server: DnsServer, kind: str) -> None:
    """P22: no MX, no address of one kind, and no word about the other: nobody knows."""

    def half(question: dns.Asked) -> Any:
        return dns.servfail(question) if question.kind == kind else dns.honest(question)

    server.behave("empty.example", half)
    assert is_an_error_and_nothing_else(asked(protect, server, "a@empty.example"))


@pytest.mark.parametrize("email", ["a@mailinator.com", "not an address", "a@x.invalid", "a@x.onion"])
def test_p22_what_needs_no_dns_is_refused_while_it_is_dead(protect: Protect, server: DnsServer, email: str) -> None:
    """P22: nothing else changes, and nothing is asked."""
    server.behave(ALL, dns.silent)
    decision = asked(protect, server, email, timeout=SOON)
    assert decision.is_denied()
    assert decision.reason.is_email()
    assert server.questions == []
