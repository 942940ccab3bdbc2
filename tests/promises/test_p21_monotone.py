"""P21: adding something benign to a request never turns a refusal into an admission."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.behaviour.doubles import Opener, Refuser

from doorward import Decision, Doorward, RequestContext, rate_limit, sliding_window
from doorward.testing import FakeClock

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).filter(lambda word: word[0].isalpha())
BENIGN = st.tuples(WORD.map(lambda word: f"x-benign-{word}"), st.text("abc 123;=,/", max_size=30))
HEADERS = st.lists(BENIGN, max_size=8)
PARAMETERS = st.lists(st.tuples(WORD, WORD), max_size=8).map(lambda pairs: "&".join("=".join(pair) for pair in pairs))
BASE = [("Host", "shop.example"), ("X-Key", "k"), ("Cookie", "session=1; theme=dark"), ("User-Agent", "test")]


def limited() -> Doorward:
    """A client whose limits have one request left for one client, by several characteristics."""
    return Doorward(
        [
            Opener(path="/nowhere"),
            Refuser(),
            sliding_window(max=1, interval="1m", methods=["GET"]),
            sliding_window(max=1, interval="1m", characteristics=['http.request.headers["x-key"]', "http.host"]),
            sliding_window(max=1, interval="1m", characteristics=['http.request.cookie["session"]']),
            *rate_limit("1/minute", paths=["/a*"]),
        ],
        clock=FakeClock(),
        limits={"/api/*": "1/minute"},
    )


def ask(aj: Doorward, path: str, headers: Any = (), query: str = "", order: int = 0) -> Decision:
    lines = [*BASE[order:], *headers, *BASE[:order]]
    return aj.protect(RequestContext(peer="203.0.113.9", path=path, headers=lines, query=query))


@given(headers=HEADERS, query=PARAMETERS, order=st.integers(0, 4), path=st.sampled_from(["/", "/a", "/api/x", "/b"]))
def test_p21_a_used_up_limit_stays_used_up(headers: Any, query: str, order: int, path: str) -> None:
    """P21: further headers and parameters, and another order of the lines, give no second allowance."""
    aj = limited()
    assert ask(aj, path).is_allowed()
    assert ask(aj, path, headers, query, order).is_denied()


@given(headers=HEADERS, before=PARAMETERS, after=PARAMETERS)
def test_p21_a_refused_request_stays_refused(headers: Any, before: str, after: str) -> None:
    """P21: what a rule refuses, it refuses with anything benign around it."""
    assert ask(limited(), "/b", headers, f"{before}&attack&{after}").is_denied()


@given(headers=HEADERS, query=PARAMETERS)
def test_p21_what_comes_after_a_header_is_no_new_client(headers: Any, query: str) -> None:
    """P21: repeating a characteristic's header with the same value is the same client."""
    aj = limited()
    ask(aj, "/", headers, query)
    names = [(name.upper(), value) for name, value in headers]
    assert ask(aj, "/", names, query).is_denied()


@given(left=st.lists(st.sampled_from(["8.8.8.8", "1.2.3.4", "junk", "10.0.0.9", "::1", ""]), max_size=5))
def test_p21_forwarding_headers_from_outside_give_no_new_client(left: list[str]) -> None:
    """P21: whatever a client writes left of what our proxy appends, it is the same client; a public peer is itself."""
    aj = Doorward([sliding_window(max=1, interval="1m")], clock=FakeClock())
    for peer, chain in (("10.0.0.1", "203.0.113.9"), ("198.51.100.7", "203.0.113.9")):
        plain = RequestContext(peer=peer, headers=[("X-Forwarded-For", chain)])
        dressed = RequestContext(peer=peer, headers=[("X-Forwarded-For", ", ".join([*left, chain]))])
        assert aj.protect(plain).is_allowed()
        assert aj.protect(dressed).is_denied()
