"""Bots, e-mail addresses and what is known about addresses, in every framework, with a real name server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.behaviour.clients.base import AppUnderTest, Lines, MakeApp, Reply
from tests.dns.server import ALL, DnsServer, reverse, servfail, silent

from doorward import deny, detect_bot, filter_request, protect_signup, validate_email

FIREFOX: Lines = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
)
GOOGLEBOT: Lines = (("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),)
PUBLISHED = "66.249.66.1"
NAMED, NAMELESS, LYING, FOREIGN = "9.9.9.1", "9.9.9.2", "9.9.9.3", "9.9.9.4"
NAMED_6, UNNAMED_6 = "2620:fe::9", "2620:fe::10"


def crawler(address: str) -> str:
    return f"crawl-{address.replace('.', '-')}.googlebot.com"


ZONES: Any = {
    "mail.example": {"MX": ["10 mx.mail.example."], "A": ["192.0.2.1"]},
    "web.example": {"A": ["192.0.2.2"]},
    "web6.example": {"AAAA": ["2001:db8::2"]},
    "null.example": {"MX": ["0 ."], "A": ["192.0.2.3"]},
    "text.example": {"TXT": ['"nothing else"']},
    reverse(NAMED): {"PTR": [f"{crawler(NAMED)}."]},
    crawler(NAMED): {"A": [NAMED]},
    reverse(LYING): {"PTR": [f"{crawler(LYING)}."]},
    crawler(LYING): {"A": [NAMED]},
    reverse(FOREIGN): {"PTR": ["crawl-9-9-9-4.googlebot.com.attacker.example."]},
    reverse(NAMED_6): {"PTR": ["crawl-1-1-1-1.googlebot.com."]},
    "crawl-1-1-1-1.googlebot.com": {"AAAA": [NAMED_6]},
    reverse(UNNAMED_6): {"PTR": ["crawl-1-1-1-1.googlebot.com."]},
}


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsServer]:
    """A name server."""
    with DnsServer(ZONES) as server:
        yield server


@pytest.fixture
def dead_dns() -> Iterator[DnsServer]:
    """A name server that never answers."""
    with DnsServer(ZONES) as server:
        server.behave(ALL, silent)
        yield server


def result(reply: Reply, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = reply.json()["ruleResults"][number]
    return found


def conclusion(reply: Reply) -> str:
    return str(reply.json()["conclusion"]).removeprefix("CONCLUSION_")


def signs_up(app: AppUnderTest, email: str, *, headers: Lines = FIREFOX, **more: Any) -> Reply:
    return app.get(f"/handler?email={quote(email)}", headers=headers, **more)


# --- the sign-up


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("ada@mail.example", "ALLOW"),
        ("ada@web.example", "ALLOW"),  # RFC 5321 section 5.1: its address takes the mail
        ("ada@web6.example", "ALLOW"),
        ("ada@null.example", "DENY NO_MX_RECORDS"),  # RFC 7505
        ("ada@text.example", "DENY NO_MX_RECORDS"),
        ("ada@nowhere.example", "DENY NO_MX_RECORDS"),
        ("ada@mailinator.com", "DENY DISPOSABLE"),
        ("ada@deep.mailinator.com", "DENY DISPOSABLE"),
        ("ada@@mail.example", "DENY INVALID"),
    ],
)
def test_the_recommended_sign_up(make: MakeApp, dns: DnsServer, email: str, expected: str) -> None:
    """People with an address that can be reached pass; every other conclusion says why."""
    app = make(*protect_signup(), resolver=dns.address)
    reply = signs_up(app, email)
    types = result(reply, 2)["reason"]["email"]["emailTypes"]
    assert " ".join([conclusion(reply), *(name.removeprefix("EMAIL_TYPE_") for name in types)]) == expected


def test_the_sixth_attempt_is_refused(make: MakeApp, dns: DnsServer) -> None:
    """Attempts count when the domain turns out to have no mail, too."""
    app = make(*protect_signup(), resolver=dns.address, layer={"enforce": False})
    emails = ["ada@mail.example", "ada@nowhere.example"] * 3
    replies = [signs_up(app, email).json() for email in emails]
    assert [set(reply["reason"]) for reply in replies[:5:2]] == [{"rateLimit"}] * 3
    assert replies[5]["conclusion"] == "CONCLUSION_DENY"
    assert set(replies[5]["reason"]) == {"rateLimit"}


def test_the_middleware_refuses_a_program_before_the_handler(make: MakeApp, dns: DnsServer) -> None:
    """Bots are found in middleware; what it answers does not say how."""
    app = make(*protect_signup(), resolver=dns.address)
    reply = signs_up(app, "ada@mail.example", headers=[("User-Agent", "curl/8.5.0"), ("Accept", "*/*")])
    assert reply.status == 403
    assert b"bot" not in reply.body.lower()
    assert b"curl" not in reply.body.lower()


def test_a_failing_resolver_is_an_error_and_never_no_mail(make: MakeApp) -> None:
    """The decision lets in, says that less was checked, and names the rule."""
    with DnsServer(ZONES) as server:
        server.behave(ALL, servfail)
        reply = signs_up(make(*protect_signup(), resolver=server.address), "ada@mail.example")
    assert conclusion(reply) == "ERROR"
    assert "error" in result(reply, 2)["reason"]
    assert result(reply, 0)["conclusion"] == "CONCLUSION_ALLOW"


def test_a_black_hole_costs_the_deadline_and_denies_where_that_is_wanted(make: MakeApp, dead_dns: DnsServer) -> None:
    """Fail closed: reason ERROR, which says that the DNS gave no answer in time."""
    rule = validate_email(deny=["NO_MX_RECORDS"], on_error="deny")
    reply = signs_up(make(rule, resolver=dead_dns.address, timeout=0.05), "ada@mail.example")
    assert conclusion(reply) == "DENY"
    assert "deadline of 0.05 s" in result(reply)["reason"]["error"]["message"]


# --- verified, spoofed, could not check


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLISHED, "ALLOW verified"),
        (f"::ffff:{PUBLISHED}", "ALLOW verified"),
        (NAMED, "ALLOW verified"),
        (NAMED_6, "ALLOW verified"),
        (NAMELESS, "DENY spoofed"),
        (LYING, "DENY spoofed"),
        (FOREIGN, "DENY spoofed"),
        (UNNAMED_6, "DENY spoofed"),
        ("203.0.113.9", "DENY spoofed"),  # documentation: nobody crawls from there
    ],
)
def test_a_search_engine_is_believed_when_its_address_says_so(
    make: MakeApp, dns: DnsServer, address: str, expected: str
) -> None:
    """By its operator's ranges, else by a name that leads there and back."""
    app = make(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]), resolver=dns.address, layer={"enforce": False})
    reply = app.get("/handler", headers=GOOGLEBOT, peer=address)
    reason = result(reply)["reason"]["botV2"]
    flags = [flag for flag in ("verified", "spoofed") if reason[flag]]
    assert " ".join([conclusion(reply), *flags]) == expected


def test_what_could_not_be_checked_is_neither(make: MakeApp, dead_dns: DnsServer) -> None:
    """With the DNS dead the claim is let through, as an error that names the bot; nothing else changes."""
    app = make(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]), resolver=dead_dns.address, timeout=0.05)
    reply = app.get("/handler", headers=GOOGLEBOT, peer=NAMED)
    assert conclusion(reply) == "ERROR"
    assert "could not check GOOGLE_CRAWLER" in result(reply)["reason"]["error"]["message"]
    assert conclusion(app.get("/handler", headers=FIREFOX, peer=NAMED)) == "ALLOW"
    assert conclusion(app.get("/handler", headers=GOOGLEBOT, peer=PUBLISHED)) == "ALLOW"


def test_what_could_not_be_checked_is_refused_where_that_is_wanted(make: MakeApp, dead_dns: DnsServer) -> None:
    """``on_error="deny"``: 503."""
    rule = detect_bot(allow=["CATEGORY:SEARCH_ENGINE"], on_error="deny")
    app = make(rule, resolver=dead_dns.address, timeout=0.05)
    assert app.get("/handler", headers=GOOGLEBOT, peer=NAMED).status == 503


def test_a_search_engine_is_looked_up_once_for_all_layers(make: MakeApp) -> None:
    """Middleware asks; the handler's ``protect`` has the answer."""
    with DnsServer(ZONES) as server:
        app = make(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]), resolver=server.address)
        assert conclusion(app.get("/handler", headers=GOOGLEBOT, peer=NAMED)) == "ALLOW"
        assert server.asked[reverse(NAMED), "PTR"] == 1


# --- what is known about the address


def test_labels_decide(make: MakeApp) -> None:
    """``deny(ip=[…])`` and filters read the same data as ``decision.ip``."""
    rules = [deny(ip=["crawler"], name="no-crawlers"), filter_request(deny=["ip.src.crawler"], mode="DRY_RUN")]
    app = make(*rules, layer={"enforce": False})
    crawling, other = (app.get("/handler", peer=peer).json() for peer in (PUBLISHED, "203.0.113.9"))
    assert [reply["conclusion"] for reply in (crawling, other)] == ["CONCLUSION_DENY", "CONCLUSION_ALLOW"]
    assert crawling["ipDetails"]["isCrawler"] is True
    assert other["ipDetails"]["isReserved"] is True


def test_a_query_does_not_switch_bots_and_filters_off(make: MakeApp) -> None:
    """Arcjet 1.4.0 skipped both for every request with a query (reference: arcjet.md 10.1, 2)."""
    rules = [detect_bot(deny=["CURL"]), filter_request(deny=['http.request.uri.args["q"] eq "x"'])]
    app = make(*rules)
    assert app.get("/echo?a=b", headers=[("User-Agent", "curl/8.5.0")]).status == 403
    assert app.get("/echo?q=x", headers=FIREFOX).status == 403
    assert app.get("/echo?q=y", headers=FIREFOX).status == 200


def test_an_email_of_none_is_invalid(make: MakeApp, dns: DnsServer) -> None:
    """What a form or a JSON body without the field comes to must not get past the rules for addresses."""
    app = make(validate_email(deny=["FREE"]), resolver=dns.address)
    reply = app.get("/handler?email=none", headers=FIREFOX)
    assert conclusion(reply) == "DENY"
    assert result(reply)["reason"]["email"]["emailTypes"] == ["EMAIL_TYPE_INVALID"]
