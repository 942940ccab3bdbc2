"""P21: nothing benign that is added to a request, and no order of its lines, gets a bot or an address past a rule."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import Decision, Doorward, RequestContext, allow, deny, detect_bot, filter_request, weigh
from doorward.automation.headers import LOOKED_AT
from doorward.testing import FakeClock, ScriptedResolver

Lines = list[tuple[str, str]]

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

BROWSER: Lines = [
    ("User-Agent", CHROME),
    ("Accept", "text/html,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Sec-CH-UA", '"Chromium";v="120", "Not_A Brand";v="24"'),
    ("Sec-CH-UA-Mobile", "?0"),
    ("Sec-CH-UA-Platform", '"Windows"'),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-User", "?1"),
    ("Upgrade-Insecure-Requests", "1"),
]

SIGNS: dict[str, tuple[str, str]] = {
    "headless": ("Sec-CH-UA", '"HeadlessChrome";v="120"'),
    "another system": ("Sec-CH-UA-Platform", '"iOS"'),
    "another version": ("Sec-CH-UA", '"Chromium";v="88"'),
    "signed": ("Signature-Agent", '"https://agent.example"'),
    "from": ("From", "operator@agent.example"),
}
"""Lines that give a browser away, each enough alone."""

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).filter(lambda word: word[0].isalpha())
HARMLESS = st.lists(
    st.tuples(
        st.one_of(
            WORD.map(lambda word: f"x-benign-{word}"),
            st.sampled_from(["Cache-Control", "DNT", "Referer", "Origin", "Priority", "Via", "Cookie"]),
        ),
        st.text("abc 123;=,/", max_size=30),
    ),
    max_size=6,
)


def decide(aj: Doorward, lines: Any, **parts: Any) -> Decision:
    return aj.protect(RequestContext(**{"scheme": "https", "peer": "9.9.9.9", "headers": lines, **parts}))


def replaced(sign: tuple[str, str]) -> Lines:
    """A browser's headers with a line that gives it away."""
    kept = [line for line in BROWSER if line[0] != sign[0]]
    return [*kept, sign]


PEOPLE_ONLY = Doorward([detect_bot(allow=[])], clock=FakeClock())
SOME_BOTS = Doorward(
    [detect_bot(allow=["CATEGORY:SEARCH_ENGINE", "CATEGORY:PREVIEW"])], resolver=ScriptedResolver({}), clock=FakeClock()
)
NO_TOOLS = Doorward([detect_bot(deny=["CATEGORY:PROGRAMMATIC", "CATEGORY:TOOL"])], clock=FakeClock())


def test_the_browser_passes_and_each_sign_gives_it_away() -> None:
    """What the properties below start from."""
    assert decide(PEOPLE_ONLY, BROWSER).is_allowed()
    assert [name for name, sign in SIGNS.items() if not decide(PEOPLE_ONLY, replaced(sign)).is_denied()] == []


# --- Bots


@given(harmless=HARMLESS, sign=st.sampled_from(sorted(SIGNS)), seed=st.integers(0, 99))
def test_p21_harmless_headers_hide_no_evidence(harmless: Lines, sign: str, seed: int) -> None:
    """P21: what gives a client away does so with any headers around it, in any order of different names."""
    lines = [*replaced(SIGNS[sign]), *harmless]
    random.Random(seed).shuffle(lines)
    assert decide(PEOPLE_ONLY, lines).is_denied()


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    "form", [tuple, lambda line: (line[0].lower().encode(), line[1].encode())], ids=["text", "raw"]
)
def test_p21_the_order_of_two_values_does_not_matter(sign: str, form: Callable[[Any], Any]) -> None:
    """P21: a line that gives a client away does so before and behind a harmless one of the same name."""
    name, _ = SIGNS[sign]
    harmless = [line for line in BROWSER if line[0] == name] or [(name, "x")]
    kept = [form(line) for line in BROWSER if line[0] != name]
    first, second = form(SIGNS[sign]), form(harmless[0])
    assert decide(PEOPLE_ONLY, [*kept, first, second]).is_denied()
    assert decide(PEOPLE_ONLY, [*kept, second, first]).is_denied()


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", ["accept", "sec-fetch-mode", "upgrade-insecure-requests"])
def test_p21_any_number_of_harmless_lines_hides_nothing(sign: str, name: str) -> None:
    """P21: nor do many of a header that is looked at itself."""
    value = next(value for known, value in BROWSER if known.lower() == name)
    assert name in LOOKED_AT
    *others, last = replaced(SIGNS[sign])
    assert decide(PEOPLE_ONLY, [*others, *[(name, value)] * 100, last]).is_denied()


@pytest.mark.parametrize("aj", [PEOPLE_ONLY, SOME_BOTS, NO_TOOLS], ids=["none", "some", "denied"])
@pytest.mark.parametrize("agent", ["curl/8.5.0", "python-requests/2.32.3", "sqlmap/1.8#stable"])
@pytest.mark.parametrize("second", [CHROME, FIREFOX, GOOGLEBOT, "", " ", "Slackbot-LinkExpanding 1.0"])
def test_p21_a_second_agent_is_no_excuse(aj: Doorward, agent: str, second: str) -> None:
    """P21: a refused agent is refused with any other beside it, in either order, once or twice."""
    rest = BROWSER[1:]
    for agents in ([agent, second], [second, agent], [second, agent, second], [agent, second, agent]):
        assert decide(aj, [*[("User-Agent", value) for value in agents], *rest]).is_denied(), agents


@given(harmless=HARMLESS, seed=st.integers(0, 99), address=st.sampled_from(["66.249.66.1", "9.9.9.9"]))
def test_p21_a_spoofed_search_engine_stays_one(harmless: Lines, seed: int, address: str) -> None:
    """P21: addresses that a stranger writes into headers, and anything else, verify nobody."""
    claimed = [("X-Forwarded-For", address), ("Forwarded", f"for={address}"), ("X-Real-IP", address)]
    lines = [("User-Agent", GOOGLEBOT), *BROWSER[1:], *claimed, *harmless]
    random.Random(seed).shuffle(lines)
    assert decide(SOME_BOTS, lines, peer="9.9.9.9").is_denied()


# --- Filters and rules on addresses

FILTERED = Doorward(
    [
        filter_request(deny=['http.request.headers["x-plan"] eq "banned"', 'http.request.cookie["tester"] eq "1"']),
        filter_request(deny=['http.request.uri.args["q"] contains "attack" or ip.src in {203.0.113.0/24}']),
        filter_request(deny=['not http.request.headers["x-tenant"] eq "ours"', "len(http.host) gt 12"]),
    ],
    clock=FakeClock(),
)
REFUSED: dict[str, dict[str, Any]] = {
    "header": {"headers": [("X-Plan", "banned")]},
    "cookie": {"headers": [("Cookie", "tester=1")]},
    "argument": {"query": "q=attack"},
    "address": {"peer": "203.0.113.9"},
    "negated": {"headers": [("X-Tenant", "theirs")]},
    "host": {"headers": [("Host", "a-long-name.example")]},
}
BESIDE: Lines = [("X-Plan", "free"), ("Cookie", "tester=0"), ("X-Tenant", "ours"), ("Host", "a.example")]


@given(
    refused=st.sampled_from(sorted(REFUSED)), harmless=HARMLESS, more=st.sets(st.sampled_from(BESIDE)), at=st.booleans()
)
def test_p21_filters_refuse_whatever_stands_beside(refused: str, harmless: Lines, more: set[Any], *, at: bool) -> None:
    """P21: further headers, a second value of the one that decides, and either order of them turn no DENY around."""
    parts = REFUSED[refused]
    own: Lines = parts.get("headers", [])
    added = [*harmless, *sorted(more)]
    lines = [*added, *own] if at else [*own, *added]
    query = "&".join(["q=harmless", parts.get("query", "")][:: 1 if at else -1])
    assert decide(FILTERED, lines, peer=parts.get("peer", "9.9.9.9"), query=query).is_denied()


KEYED = Doorward([filter_request(allow=['http.request.headers["x-key"] matches "^good$"'])], clock=FakeClock())
EXEMPTED = Doorward([allow(where='http.request.headers["x-key"] eq "good"'), detect_bot(allow=[])], clock=FakeClock())


@given(harmless=HARMLESS, second=st.sampled_from(["banned", "", "free", "x" * 9000]), first=st.booleans())
def test_p21_a_second_value_opens_no_door(harmless: Lines, second: str, *, first: bool) -> None:
    """P21: a filter that allows, and an ``allow`` rule, need every value of a header to be the right one."""
    lines = [("X-Key", second), ("X-Key", "good")][:: 1 if first else -1]
    assert decide(KEYED, [*harmless, *lines]).is_denied()
    assert decide(EXEMPTED, [("User-Agent", "curl/8.5.0"), *harmless, *lines]).is_denied()
    assert decide(KEYED, [*harmless, ("X-Key", "good")]).is_allowed()


BY_ADDRESS = [
    Doorward([rule], thresholds={"DENY": 5}, clock=FakeClock())
    for rule in (
        deny(ip=["203.0.113.0/24", "crawler"]),
        weigh(5, ip=["203.0.113.0/24", "crawler"]),
        filter_request(deny=["ip.src.crawler", "ip.src in {203.0.113.0/24}"]),
    )
]


@pytest.mark.parametrize("peer", ["203.0.113.9", "::ffff:203.0.113.9", "66.249.66.1", "2001:4860:4801:10::1"])
@given(harmless=HARMLESS, chain=st.lists(st.sampled_from(["8.8.8.8", "10.0.0.1", "junk", "::1"]), max_size=4))
def test_p21_rules_on_addresses_refuse_whatever_is_claimed(peer: str, harmless: Lines, chain: list[str]) -> None:
    """P21: a public client is what its connection says it is, for ``deny``, ``weigh`` and filters alike."""
    lines = [*harmless, ("X-Forwarded-For", ", ".join(chain)), ("Forwarded", "for=8.8.8.8"), ("X-Real-IP", "8.8.8.8")]
    for aj in BY_ADDRESS:
        assert decide(aj, [], peer=peer).is_denied()
        assert decide(aj, lines, peer=peer).is_denied()
