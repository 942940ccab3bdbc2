"""P13: the cookies of clearances: for whom they are, and what is made of hostile ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.clearing import IP, Site, asked, kept
from tests.challenges.pages.quick import Typed

from doorward.client_ip import ClientIPPolicy, Proxies

HOUR = 3600
TO_THE_TOP: dict[str, Any] = {"challenges": {"kinds": ["wait", "work", Typed()]}}


def test_the_cookie_is_for_this_host_and_https_alone() -> None:
    """Where that can be; over HTTP no browser would take it."""
    written = Site().written()
    assert written.startswith("__Host-doorward=")
    assert written.partition("; ")[2] == "Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"
    plain = Site().written(scheme="http")
    assert plain.startswith("doorward=")
    assert plain.partition("; ")[2] == "Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"
    wide = Site(challenges={"domain": "shop.example", "lifetime": "1h"}).written()
    assert wide.startswith("__Secure-doorward=")
    assert wide.partition("; ")[2] == "Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Domain=shop.example; Secure"
    assert Site(challenges={"secure": True}).written(scheme="http").startswith("__Host-doorward=")
    assert Site(challenges={"secure": False}).written(scheme="https").startswith("doorward=")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_whole_way_by_cookie(scheme: str) -> None:
    """Challenged, passed, let in."""
    site = Site()
    cookie = site.passed(scheme=scheme)
    assert site.get("/x", cookie, scheme=scheme).status == 200
    assert site.get("/x", scheme=scheme).status == 403


def test_a_sibling_subdomains_cookie_does_not_replace_ours() -> None:
    """Over HTTPS a name that anybody below the domain may set is not even read; over HTTP there is no other."""
    site = Site(challenges={"bind": ["address"]})
    token = site.token()
    assert site.get("/x", f"doorward={token}").status == 403
    assert site.get("/x", f"doorward={token}", scheme="http").status == 200
    assert site.get("/x", f"__Secure-doorward={token}").status == 403
    assert site.get("/x", f"doorward=evil; doorward=evil2; __Host-doorward={token}; doorward=evil3").status == 200


PROXIED = [
    ("private", "10.0.0.1", {"x-forwarded-proto": ["https"]}, "https"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["http, https"]}, "https"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["https", "http"]}, "http"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["HTTPS"]}, "https"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["javascript"]}, "http"),
    ("private", "10.0.0.1", {"x-forwarded-proto": [""]}, "http"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["x" * 100_000]}, "http"),
    ("private", "10.0.0.1", {"x-forwarded-proto": ["https," + "x" * 100_000]}, "http"),
    ("private", "10.0.0.1", {}, "http"),
    ("private", "", {"x-forwarded-proto": ["https"]}, "https"),
    ("private", "198.51.100.7", {"x-forwarded-proto": ["https"]}, "http"),
    ((), "10.0.0.1", {"x-forwarded-proto": ["https"]}, "http"),
    (("198.51.100.7",), "198.51.100.7", {"x-forwarded-proto": ["https"]}, "https"),
    (("198.51.100.7",), "::ffff:198.51.100.7", {"x-forwarded-proto": ["https"]}, "https"),
    (("198.51.100.7",), "10.0.0.1", {"x-forwarded-proto": ["https"]}, "http"),
    (1, "198.51.100.7", {"x-forwarded-proto": ["http, https"]}, "https"),
    (2, "198.51.100.7", {"x-forwarded-proto": ["https, http"]}, "https"),
    (2, "198.51.100.7", {"x-forwarded-proto": ["https"]}, "http"),
    ("private", "10.0.0.1", {"forwarded": ["for=1.2.3.4;proto=https"]}, "https"),
    ("private", "10.0.0.1", {"forwarded": ['proto="HTTPS";for=1.2.3.4, for=10.0.0.2']}, "http"),
    ("private", "10.0.0.1", {"forwarded": ["for=1.2.3.4;proto=https;proto=http"]}, "http"),
    (Proxies("private", "forwarded"), "10.0.0.1", {"x-forwarded-proto": ["https"]}, "http"),
    (
        Proxies("private", "forwarded"),
        "10.0.0.1",
        {"x-forwarded-proto": ["http"], "forwarded": ["proto=https"]},
        "https",
    ),
]


@pytest.mark.parametrize(("proxies", "peer", "headers", "scheme"), PROXIED)
def test_a_scheme_is_believed_only_of_trusted_proxies(
    proxies: Any, peer: str, headers: dict[str, list[str]], scheme: str
) -> None:
    """humanify 1.4: X-Forwarded-Proto was taken from anybody."""
    policy = ClientIPPolicy(proxies)
    assert policy.scheme(peer, lambda name: headers.get(name, ()), "http") == scheme


def test_cookies_are_secure_behind_a_proxy_that_ends_tls() -> None:
    """The server sees HTTP; the client's browser does not."""
    behind = {"ip": "10.0.0.1", "scheme": "http", "HTTP_X_FORWARDED_FOR": IP, "HTTP_X_FORWARDED_PROTO": "https"}
    site = Site()
    written = site.written(**behind)
    assert written.startswith("__Host-doorward=")
    assert "Secure" in written
    assert site.get("/x", kept(written), **behind).status == 200
    assert site.written(scheme="http", HTTP_X_FORWARDED_PROTO="https").startswith("doorward=")


# --- hostile cookies

HOSTILE = {
    "thousands of ours": "; ".join(["__Host-doorward=AQIAAAAA"] * 5000),
    "thousands of others": "; ".join(f"c{n}=v" for n in range(5000)),
    "8 kB": "__Host-doorward=" + "A" * 8192,
    "1 MB": "__Host-doorward=" + "A" * 1_000_000,
    "not ASCII": "__Host-doorward=\xff\xfe\xe9",
    "nulls": "__Host-doorward=\0\0\0; \0=\0",
    "no name": "=; ==;;;; ; =",
    "quotes": '__Host-doorward="""""',
    "line ends": "__Host-doorward=A\r\nSet-Cookie: x=y",
    "names only": "__Host-doorward; doorward",
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_p13_hostile_cookies_are_refused_cheaply(case: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P13: they raise nothing, and cost no more than a few MACs."""
    from doorward.challenges import tokens

    macs: list[int] = []
    digest = tokens._mac
    monkeypatch.setattr(tokens, "_mac", lambda *given: (macs.append(1), digest(*given))[1])
    site = Site()
    site.aj.runtime.gatekeeper.gate  # noqa: B018  (keys are derived when it is made)
    macs.clear()
    request = asked(cookie=HOSTILE[case], scheme=scheme)
    assert site.aj.clearance(request) is None
    assert len(macs) <= 4
    assert site.get("/x", HOSTILE[case], scheme=scheme).status == 403
    assert "error" not in str(site.aj.health()["counts"])


@given(st.text(max_size=200))
def test_p13_cookies_of_any_kind_let_nobody_in(text: str) -> None:
    """P13: whatever is in the header."""
    assert SITE.aj.clearance(asked(cookie=f"__Host-doorward={text}")) is None
    assert SITE.aj.clearance(asked(cookie=text)) is None


SITE = Site()


def test_what_is_kept_at_hand_is_bounded() -> None:
    """By number, and by length; and what was forged is not kept."""
    from doorward.challenges import passes

    site = Site(challenges={"bind": ["agent"]})
    known = site.aj.runtime.gatekeeper.gate.passes._known
    for number in range(passes.MOST_KNOWN + 10):
        agent = f"agent {number}"
        cookie = f"__Host-doorward={site.token(agent=agent)}"
        assert site.aj.clearance(asked(agent=agent, cookie=cookie)) is not None
        assert len(known) <= passes.MOST_KNOWN
    known.clear()
    agent = "a" * 2000
    assert site.aj.clearance(asked(agent=agent, cookie=f"__Host-doorward={site.token(agent=agent)}")) is not None
    assert site.aj.clearance(asked(cookie="__Host-doorward=" + "A" * 100)) is None
    assert not known
