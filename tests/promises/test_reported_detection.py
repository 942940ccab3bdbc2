"""Weaknesses of other packages in what this one does about bots, addresses, e-mail and filters: one test each.

Each docstring names the document of ``reference/`` and the item there: ``arcjet.md``, ``vouch.md`` (flask-Vouch,
tollbooth, is-crawler, django-waf), ``humanify-nobot.md`` (flask-Humanify, flask-NoBot).
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer, reverse

from doorward import (
    BotCategory,
    ConfigurationError,
    Decision,
    Doorward,
    RequestContext,
    allow,
    deny,
    detect_bot,
    filter_request,
    is_spoofed_bot,
    protect_signup,
    validate_email,
)
from doorward.errors import ResolverError
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.library import Library
from doorward.testing import FakeClock, ScriptedResolver

Lines = Iterable[tuple[Any, Any]]

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ACCEPTS: list[tuple[str, str]] = [
    ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-US,en;q=0.9"),
]
HINTS: list[tuple[str, str]] = [
    ("Sec-CH-UA", '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"'),
    ("Sec-CH-UA-Mobile", "?0"),
    ("Sec-CH-UA-Platform", '"Windows"'),
    ("Sec-Fetch-Site", "none"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
]
PUBLISHED, STRANGER = "66.249.66.1", "9.9.9.9"
PEOPLE_ONLY = detect_bot(allow=[])
SEARCH_ONLY = detect_bot(allow=["CATEGORY:SEARCH_ENGINE"])


def decide(rules: Any, lines: Lines = (), **parts: Any) -> Decision:
    options: dict[str, Any] = {
        name: parts.pop(name) for name in ("resolver", "timeout", "proxies", "mode") if name in parts
    }
    inputs = {name: parts.pop(name) for name in ("email",) if name in parts}
    request = RequestContext(**{"peer": STRANGER, "headers": list(lines), **parts})
    options = {"resolver": ScriptedResolver({}), "clock": FakeClock(), **options}
    with Doorward(rules if isinstance(rules, list | tuple) else [rules], **options) as aj:
        return aj.protect(request, **inputs)


def person(agent: str, more: Lines = ()) -> list[tuple[str, str]]:
    return [("User-Agent", agent), *ACCEPTS, *more]


# --- Bots by name


@pytest.mark.parametrize("listed", [BotCategory.SEARCH_ENGINE, "CATEGORY:SEARCH_ENGINE", "search_engine"])
def test_arcjet_10_1_1_an_allowed_category_lets_its_bots_pass(listed: str) -> None:
    """arcjet.md 10.1, 1: ``allow=[BotCategory.SEARCH_ENGINE]`` denied Googlebot, and ``deny=`` of it never matched."""
    assert decide(detect_bot(allow=[listed]), person(GOOGLEBOT), peer=PUBLISHED).is_allowed()
    assert decide(detect_bot(deny=[listed]), person(GOOGLEBOT), peer=PUBLISHED).is_denied()


@pytest.mark.parametrize("query", ["a=b", "?a=b", "=", "%", "a=b&a=c"])
def test_arcjet_10_1_2_a_query_switches_nothing_off(query: str) -> None:
    """arcjet.md 10.1, 2 (arcjet-py#4, #5): any query string led past the local rules for bots and filters."""
    lines = [("User-Agent", "curl/8.5.0"), ("X-Plan", "free")]
    assert decide(PEOPLE_ONLY, lines, query=query).reason.is_bot()
    denied = decide(filter_request(deny=['http.request.headers["x-plan"] eq "free"']), lines, query=query)
    assert denied.reason.is_filter()


def test_arcjet_10_1_2_nor_does_a_header_of_several_lines() -> None:
    """arcjet.md 10.1, 2: the same for headers with a list of values."""
    lines = [("User-Agent", "curl/8.5.0"), ("Accept", "a"), ("Accept", "b"), ("X-Plan", "x"), ("X-Plan", "free")]
    assert decide(PEOPLE_ONLY, lines).is_denied()
    assert decide(filter_request(deny=['http.request.headers["x-plan"] eq "free"']), lines).is_denied()


@pytest.mark.parametrize("agent", ["my-random-crawler/1.0", "bot", "crawler", "Java/11", "undici", None, ""])
def test_arcjet_2_6_general_names_and_no_name_are_found(agent: str | None) -> None:
    """arcjet.md 2.6: generic tokens, Java, undici were not detected, and a request without an agent passed."""
    lines = ACCEPTS if agent is None else person(agent)
    assert decide(PEOPLE_ONLY, lines).is_denied()


@pytest.mark.parametrize("name", ["CULR", "CATEGORY:NOPE", "CATEGORY:SEARCH", "googlebott"])
def test_arcjet_2_6_an_unknown_bot_is_an_error_at_once(name: str) -> None:
    """arcjet.md 2.6: an unknown id was ignored, an unknown category an error of every request."""
    with pytest.raises(ConfigurationError, match="allow"):
        detect_bot(allow=[name])


@pytest.mark.parametrize("mode", ["LIVE", "DRY_RUN"])
def test_arcjet_10_2_a_spoofed_bot_of_a_dry_run_is_nobodys_business(mode: str) -> None:
    """arcjet.md 10.2 (arcjet-py#216): applications that ask ``is_spoofed_bot`` denied what a dry run had found."""
    decision = decide(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"], mode=mode), person(GOOGLEBOT))
    assert [is_spoofed_bot(result) for result in decision.results] == [mode == "LIVE"]
    assert decision.is_denied() is (mode == "LIVE")


@pytest.mark.parametrize(
    "agent",
    [
        "Googlebot",
        "Googlebot/2.1",
        GOOGLEBOT,
        "bingbot/2.0",
        "DuckDuckBot/1.1",
        "Applebot/0.1",
        f"{CHROME} Googlebot/2.1",
    ],
)
def test_vouch_0_5_a_search_engines_name_alone_opens_nothing(agent: str) -> None:
    """vouch.md 0, 5 and 2; humanify-nobot.md 2.3 and 5, 26: ``User-Agent: Googlebot`` passed from any address."""
    for rule in (PEOPLE_ONLY, SEARCH_ONLY):
        assert decide(rule, person(agent)).is_denied()
    spoofed = decide(SEARCH_ONLY, person(agent)).results[0].reason
    assert spoofed.spoofed  # type: ignore[attr-defined]


@pytest.mark.parametrize("agent", ["WhatsApp", "WhatsApp/2.23 A", "Feedly/1.0 (+http://www.feedly.com/fetcher.html)",
                                   "UptimeRobot", "Opera/9.80"])  # fmt: skip
def test_vouch_0_5_no_name_is_a_password(agent: str) -> None:
    """vouch.md 0, 5: an agent of these and nothing else was answered 200 by default rules."""
    assert decide(PEOPLE_ONLY, [("User-Agent", agent)]).is_denied()


@pytest.mark.parametrize("agent", ["curl/8.5.0", "python-requests/2.32.3", "sqlmap/1.8#stable (https://sqlmap.org)", "",
                                   "Googlebot", "aiohttp/3.9", "okhttp/4.12.0", "node"])  # fmt: skip
def test_vouch_4_tools_are_refused(agent: str) -> None:
    """vouch.md 4; humanify-nobot.md 2.3 and 3: curl, requests, sqlmap, aiohttp, okhttp, node were answered 200."""
    assert decide(PEOPLE_ONLY, [("User-Agent", agent), ("Accept", "*/*")]).is_denied()


def test_vouch_1_2_a_library_is_called_by_its_name() -> None:
    """vouch.md 1.2: python-httpx was refused as a vulnerability scanner."""
    decision = decide(PEOPLE_ONLY, [("User-Agent", "python-httpx/0.27.0")])
    assert decision.reason.denied == ("PYTHON_HTTPX",)  # type: ignore[attr-defined]


def test_humanify_1_5_bots_are_chosen_one_by_one() -> None:
    """humanify-nobot.md 1.5: bots were all or nothing, without categories."""
    rule = detect_bot(deny=["CATEGORY:AI"])
    assert decide(rule, [("User-Agent", "GPTBot/1.2")]).is_denied()
    assert decide(rule, [("User-Agent", "curl/8.5.0")]).is_allowed()


# --- People


PEOPLE = {
    "Naver's app": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
        "NAVER(inapp; search; 2000; 12.9.1; 15PRO)"
    ),
    "Sogou on a phone": (
        "Mozilla/5.0 (Linux; U; Android 13; zh-cn; M2012K11AC Build/TKQ1.220829.002) AppleWebKit/537.36 (KHTML, like "
        "Gecko) Version/4.0 Chrome/94.0.4606.71 Mobile Safari/537.36 SogouMSE,SogouMobileBrowser/6.0.1"
    ),
    "Sogou on a desktop": (
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.221 Safari/537.36 "
        "SE 2.X MetaSr 1.0"
    ),
    "a phone called CUBOT": (
        "Mozilla/5.0 (Linux; Android 9; CUBOT X18 Plus Build/P00610) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/74.0.3729.157 Mobile Safari/537.36"
    ),
    "Opera with Presto": "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.12.388 Version/12.18",
}


@pytest.mark.parametrize("agent", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("rule", [PEOPLE_ONLY, SEARCH_ONLY, detect_bot(allow=[], lists=False)])
def test_vouch_7_10_people_with_odd_browsers_pass(agent: str, rule: Any) -> None:
    """vouch.md 1.2, 3 and 7, 10; humanify-nobot.md 2.3: Naver, Sogou, CUBOT, Presto were bots or impostors."""
    assert decide(rule, person(agent)).is_allowed()


@pytest.mark.parametrize("agent", [CHROME, FIREFOX, SAFARI], ids=["Chrome", "Firefox", "Safari"])
@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/robots.txt", "/healthz", "/shellfish", "/.github/x"])
def test_vouch_0_1_a_browser_gets_every_page(agent: str, path: str) -> None:
    """vouch.md 0, 1 and 7, 2: default rules denied Chrome on every path, others real pages by parts of their names."""
    rules = protect_signup(rate_limit={"interval": "10m", "max": 5}, email={"deny": []})
    assert decide(rules, person(agent), path=path, email="a@mail.example").is_allowed()


def test_vouch_0_6_over_http_no_browser_sends_client_hints() -> None:
    """vouch.md 0, 6: what Chrome sends to trustworthy origins only was missed in every request."""
    assert decide(PEOPLE_ONLY, person(CHROME)).is_allowed()
    assert decide(PEOPLE_ONLY, person(CHROME), scheme="https").is_allowed()


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.7", "172.17.0.1", "192.168.1.4", "::1", "fd00::1", None])
def test_humanify_1_5_an_address_at_home_makes_no_bot(peer: str | None) -> None:
    """humanify-nobot.md 1.5: localhost, Docker and the LAN were always bots."""
    assert decide(PEOPLE_ONLY, person(FIREFOX), peer=peer).is_allowed()


# --- The form of a request


def environ_of(lines: Lines) -> dict[str, Any]:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in lines})
    return {**environ, "REMOTE_ADDR": STRANGER}


def scope_of(lines: Lines) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines]
    return {"type": "http", "method": "GET", "scheme": "http", "path": "/", "query_string": b"", "headers": raw,
            "client": (STRANGER, 1), "state": {}}  # fmt: skip


def contexts(lines: list[tuple[str, str]]) -> list[Any]:
    """The same headers in every form in which they may come."""
    written: list[Any] = [
        lines,
        [(name.lower(), value) for name, value in lines],
        [(name.upper(), value) for name, value in lines],
        [(name.encode(), value.encode("latin-1")) for name, value in lines],
        [(name.encode().lower() if number % 2 else name.encode(), value) for number, (name, value) in enumerate(lines)],
    ]
    mapping: Any = dict(lines)
    by_hand = [RequestContext(peer=STRANGER, headers=headers) for headers in written]
    return [*by_hand, RequestContext(peer=STRANGER, headers=mapping), environ_of(lines), scope_of(lines)]


HEADLESS = [("Sec-CH-UA", '"HeadlessChrome";v="131", "Chromium";v="131"'), *HINTS[1:]]
BY_FORM = {
    "Chrome": (person(CHROME, HINTS), False),
    "Firefox": (person(FIREFOX), False),
    "headless": (person(CHROME, HEADLESS), True),
    "signed": (person(CHROME, [("Signature-Agent", '"https://a.example"')]), True),
    "curl": ([("User-Agent", "curl/8.5.0"), ("Accept", "*/*")], True),
    "nothing": ([("Accept", "*/*")], True),
}


@pytest.mark.parametrize(
    "number", range(8), ids=["Title", "lower", "UPPER", "bytes", "mixed", "mapping", "WSGI", "ASGI"]
)
@pytest.mark.parametrize(("lines", "refused"), BY_FORM.values(), ids=BY_FORM)
def test_vouch_0_6_headers_have_no_case(lines: list[tuple[str, str]], number: int, *, refused: bool) -> None:
    """vouch.md 0, 6, 2 and 7, 10: rules misfired by the case of names, and differently under WSGI and ASGI."""
    rules = [PEOPLE_ONLY, filter_request(deny=['http.request.headers["Signature-Agent"] contains "a.example"'])]
    aj = Doorward(rules, clock=FakeClock())
    assert aj.protect(contexts(lines)[number]).is_denied() is refused


# --- Filters


@pytest.mark.parametrize("expression", ['matches ".*"', 'matches "^$"', 'eq ""', 'wildcard "*"', 'ne "x"', 'le "z"'])
def test_vouch_0_1_an_absent_header_matches_nothing(expression: str) -> None:
    """vouch.md 0, 1 and 7, 2: an absent header was read as empty, ``.*`` matched it, and everybody was denied."""
    field = 'http.request.headers["cf-worker"]'
    for source in (f"{field} {expression}", f"not {field} {expression}"):
        decision = decide(filter_request(deny=[source]), person(CHROME))
        assert decision.is_allowed()
        assert decision.results[0].reason.undetermined_expressions == (source,)  # type: ignore[attr-defined]
    assert decide(filter_request(deny=[f"len({field}) eq 0"]), person(CHROME)).is_denied()


@pytest.mark.parametrize("expression", ['ip.src == "9.9.9.9"', 'local.plan eq "free"', 'local["plan"] eq "free"'])
def test_arcjet_6_what_is_documented_parses(expression: str) -> None:
    """arcjet.md 6: quoted addresses and ``local.plan``, as in the documentation, did not parse."""
    aj = Doorward([filter_request(deny=[expression])], clock=FakeClock())
    decision = aj.protect(RequestContext(peer="9.9.9.9"), characteristics={"plan": "free"})
    assert decision.is_denied()


@pytest.mark.parametrize("source", ['http.request.headers["x"] eq', "ip.src ==", "ip.src.nope", "(ip.src.tor", "$list"])
def test_arcjet_6_a_mistyped_filter_is_an_error_with_its_place(source: str) -> None:
    """arcjet.md 6 and 10.2 (arcjet-js#4802): filters were compiled in requests, and their errors not shown."""
    with pytest.raises(ConfigurationError, match=r"deny\[0\]: 1:\d+: "):
        filter_request(deny=[source])


@pytest.mark.parametrize("name", ["x-plan", "X-Plan", "X-PLAN"])
def test_humanify_1_8_a_filter_on_headers_matches(name: str) -> None:
    """humanify-nobot.md 1.8 and 5, 14: filters on headers never matched, although the README had one."""
    rule = filter_request(deny=[f'http.request.headers["{name}"] matches "^fr"'])
    assert decide(rule, [("X-plan", "free")]).is_denied()


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a+)+b", "(a|ab)*c", "^(([a-z])+.)+$"])
def test_humanify_5_15_a_pattern_that_explodes_is_refused_or_runs_in_linear_time(pattern: str) -> None:
    """humanify-nobot.md 5, 13 and 15: one took 4 s for 24 letters, and others were dropped without a word."""
    source = f'http.request.headers["x"] matches "{pattern}"'
    if importlib.util.find_spec("re2") is None:
        with pytest.raises(ConfigurationError, match=r"deny\[0\]"):
            filter_request(deny=[source])
    else:
        assert not decide(filter_request(deny=[source]), [("X", "a" * 5000)]).is_errored()


# --- Verification


def test_vouch_1_2_ipv6_is_compared_as_a_number() -> None:
    """vouch.md 1.2: the texts of IPv6 addresses were compared, and one address has many."""
    host, peer = "crawl-1-1-1-1.googlebot.com", "2620:fe::9"
    resolver = ScriptedResolver({(reverse(peer), "PTR"): [host], (host, "AAAA"): ["2620:00FE:0:0:0:0:0.0.0.9"]})
    assert decide(SEARCH_ONLY, person(GOOGLEBOT), peer=peer, resolver=resolver).is_allowed()


@pytest.mark.parametrize("behaviour", [dns.silent, dns.servfail, dns.refused, dns.garbage])
def test_vouch_7_12_while_the_resolver_is_down_no_real_crawler_is_refused(behaviour: Any) -> None:
    """vouch.md 1.2 and 7, 12: a resolver that failed made an impostor of Googlebot."""
    with DnsServer({}) as server:
        server.behave(ALL, behaviour)
        decision = decide(SEARCH_ONLY, person(GOOGLEBOT), resolver=server.address, timeout=0.05)
    assert decision.is_allowed()
    assert decision.is_errored()
    assert not is_spoofed_bot(decision.results[0])
    assert "could not check GOOGLE_CRAWLER" in decision.reason.explain()


def test_vouch_1_2_an_outage_is_not_remembered_as_a_lie() -> None:
    """vouch.md 1.2: the outage of a moment was kept for an hour."""
    host, name = "crawl-9-9-9-9.googlebot.com", reverse(STRANGER)
    script: dict[tuple[str, str], Any] = {(name, "PTR"): ResolverError("SERVFAIL"), (host, "A"): [STRANGER]}
    assert decide(SEARCH_ONLY, person(GOOGLEBOT), resolver=ScriptedResolver(script)).is_errored()
    clock = FakeClock()
    with DnsServer({name: {"PTR": [f"{host}."]}, host: {"A": [STRANGER]}}) as server:
        server.behave(ALL, dns.servfail)
        with Doorward([SEARCH_ONLY], resolver=server.address, clock=clock, timeout=10.0) as aj:
            request = RequestContext(peer=STRANGER, headers=person(GOOGLEBOT))
            assert aj.protect(request).is_errored()
            server.behave(ALL, dns.honest)
            clock.advance(10)
            assert aj.protect(request).conclusion == "ALLOW"


def test_vouch_1_2_asking_about_a_crawler_ends_with_the_deadline() -> None:
    """vouch.md 1.2: look-ups blocked the thread of the request and had no limit of their own."""
    with DnsServer({}) as server:
        server.behave(ALL, dns.silent)
        decision = decide(SEARCH_ONLY, person(GOOGLEBOT), resolver=server.address, timeout=0.05)
    assert "deadline of 0.05 s" in decision.reason.explain()


# --- Addresses


@pytest.mark.parametrize("address", ["8.8.8.8", "3.5.140.2", "104.16.0.1", "20.33.0.1", "2600:1f00::1"])
def test_vouch_3_a_cloud_is_no_crawler(address: str) -> None:
    """vouch.md 3: ranges of crawlers were mixed with whole clouds, so that people behind any of them were refused."""
    decision = decide([deny(ip=["crawler"]), PEOPLE_ONLY, SEARCH_ONLY], person(CHROME), peer=address)
    assert decision.is_allowed()
    assert decision.ip.is_crawler() is False
    assert decide(SEARCH_ONLY, person(GOOGLEBOT), peer=address).is_denied()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("::ffff:10.0.0.1", "private-use"),
        ("2001:db8::1", "documentation"),
        ("ff02::1", "multicast"),
        ("2002:a00:1::", "private-use"),
        ("64:ff9b::10.0.0.1", "private-use"),
    ],
)
def test_nobot_2_3_reserved_addresses_in_every_form(address: str, name: str) -> None:
    """humanify-nobot.md 2.3: mapped private addresses and IPv6 for documentation and multicast were missed."""
    decision = decide(deny(ip=["reserved"]), peer=address, proxies=())
    assert decision.is_denied()
    assert decision.ip.names("reserved") == (name,)


@pytest.mark.parametrize("peer", ["66.249.66.1", "::ffff:66.249.66.1", "::FFFF:42F9:4201"])
def test_vouch_1_4_mapped_addresses_are_looked_up_as_what_they_are(peer: str) -> None:
    """vouch.md 1.4 and 7, 13: an IPv4 client of a dual-stack socket was in no set of networks."""
    assert decide([filter_request(deny=["ip.src in {66.249.64.0/19}"])], peer=peer).is_denied()
    assert decide(deny(ip=["66.249.64.0/19"]), peer=peer).is_denied()
    assert decide(deny(ip=["crawler"]), peer=peer).is_denied()


@pytest.mark.parametrize("chain", ["10.0.0.1, 8.8.8.8", "10.0.0.1, 10.0.0.2, 8.8.8.8", "junk, 10.0.0.1,8.8.8.8"])
@pytest.mark.parametrize("peer", ["10.1.1.1", "8.8.8.8"])
def test_nobot_5_12_a_claimed_address_opens_no_door(chain: str, peer: str) -> None:
    """humanify-nobot.md 5, 12; vouch.md 3: the leftmost address of the chain made rules on networks bypasses."""
    rules = [allow(ip=["10.0.0.0/8"]), PEOPLE_ONLY]
    lines = [("User-Agent", "curl/8.5.0"), ("X-Forwarded-For", chain), ("X-Real-IP", "10.0.0.1")]
    assert decide(rules, lines, peer=peer).is_denied()


@pytest.mark.parametrize("address", ["", "x", "1.2.3", "1.2.3.4.5", "1.2.3.4/8", "::g", "9" * 10_000, "\0", "\ud800"])
def test_humanify_1_6_malformed_addresses_harm_nobody(address: str) -> None:
    """humanify-nobot.md 1.6: a malformed address killed the thread that answered; here nothing is known about it."""
    book = AddressBook(Library(), installed_sets=False)
    facts = book.about(address)
    assert facts.known == frozenset()
    assert book.about(PUBLISHED).is_kind("crawler") is True


def test_humanify_1_6_a_kind_without_data_is_unknown_and_warned_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """humanify-nobot.md 1.6: empty lists of abusers were advertised, and everybody was "not listed"."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path))
    decision = decide(deny(ip=["abuse"]))
    assert decision.is_allowed()
    assert decision.ip.is_abuser() is None
    assert "no data about abuse" in caplog.text
    assert "doorward data update" in caplog.text


def test_humanify_5_18_looking_up_starts_no_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """humanify-nobot.md 1.6 and 5, 18; vouch.md 1.4: old data made every look-up start a download, offline too."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path))
    before = threading.active_count()
    clock = FakeClock()
    with Doorward([deny(ip=["crawler"])], clock=clock) as aj:
        for number in range(100):
            clock.advance(10**6)
            assert aj.protect(RequestContext(peer=f"9.9.9.{number}")).is_allowed()
        assert threading.active_count() == before


def test_vouch_1_4_data_says_what_it_is_and_how_old(tmp_path: Path) -> None:
    """vouch.md 1.4 and 3: neither ranges nor names had a date, and no ranges came with the package."""
    sources = [
        source for one in AddressBook(Library(tmp_path), installed_sets=False).sources() for source in one.meta.sources
    ]
    assert sources
    assert all(source.date[:2] == "20" and source.licence for source in sources)


@pytest.mark.parametrize("kind", ["VPN", "vpn", "Vpn"])
def test_humanify_1_5_kinds_have_no_case(kind: str) -> None:
    """humanify-nobot.md 1.5: "CyberGhost" was looked for, "Cyberghost" was in the data, nobody was found."""
    assert deny(ip=[kind]).matchers[0].parameter == deny(ip=["vpn"]).matchers[0].parameter
    assert deny(ip=[kind]).reads() == {"vpn"}


# --- E-mail


def test_arcjet_10_1_8_lists_and_mail_servers_are_known_here() -> None:
    """arcjet.md 10.1, 8 and 2.6: without the service nothing was DISPOSABLE, and nobody asked for mail servers."""
    rule = validate_email(deny=["DISPOSABLE", "NO_MX_RECORDS"])
    resolver = ScriptedResolver({("mail.example", "MX"): ["mx.mail.example"]})
    answers = {
        email: decide(rule, email=email, resolver=resolver).reason
        for email in ("a@mailinator.com", "a@nowhere.example", "a@mail.example")
    }
    found = [getattr(reason, "email_types", ()) for reason in answers.values()]
    assert found == [("DISPOSABLE",), ("NO_MX_RECORDS",), ()]


@pytest.mark.parametrize("email", ["a@gmail.com", "a@GMAIL.com", "a@Yahoo.COM", "A@HotMail.co.uk", "a@AOL.com"])
def test_arcjet_10_1_11_free_domains_have_no_case(email: str) -> None:
    """arcjet.md 10.1, 11: ``GMAIL.com`` was not FREE."""
    assert decide(validate_email(deny=["FREE"]), email=email).is_denied()


@pytest.mark.parametrize(
    "email", ["", "a", "a@b", " a@b.example", "a@b.example\n", "a@@b.example", "a@-e.com", "a..b@c.example"]
)
@pytest.mark.parametrize("lists", [{"allow": ["INVALID"]}, {"deny": []}])
def test_arcjet_2_6_no_list_makes_an_address_of_what_is_none(email: str, lists: dict[str, list[str]]) -> None:
    """arcjet.md 2.6: INVALID whatever the lists say."""
    assert decide(validate_email(**lists), email=email).is_denied()  # type: ignore[arg-type]


def test_arcjet_10_2_a_corrected_address_passes() -> None:
    """arcjet.md 10.2 (arcjet-js#4): a refused address must not be remembered against whoever corrects it."""
    aj = Doorward([validate_email(deny=["DISPOSABLE"])], clock=FakeClock())
    request = RequestContext(peer=STRANGER)
    assert aj.protect(request, email="ada@mailinator.com").is_denied()
    assert aj.protect(request, email="ada@mail.example").is_allowed()
