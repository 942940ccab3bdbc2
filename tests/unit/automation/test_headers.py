"""What the examiner makes of the headers beside the agent."""

from __future__ import annotations

import pytest

from doorward.automation import Examiner
from doorward.context import RequestContext
from doorward.requests import from_environ, from_scope

CHROME_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
FIREFOX_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
    "Safari/605.1.15"
)
PHONE_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
VIEW_AGENT = (
    "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/119.0.6045.66 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/438.0.0.33.118;]"
)
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

# As each browser asks for a page over TLS, in its order.
CHROME = {
    "host": "example.com",
    "sec-ch-ua": '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Windows"',
    "upgrade-insecure-requests": "1",
    "user-agent": CHROME_AGENT,
    "accept": PAGE,
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-user": "?1",
    "sec-fetch-dest": "document",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-US,en;q=0.9",
}
CHROME_FETCH = {
    "host": "example.com",
    "content-length": "20",
    "sec-ch-ua-platform": '"Windows"',
    "user-agent": CHROME_AGENT,
    "sec-ch-ua": CHROME["sec-ch-ua"],
    "content-type": "application/json",
    "sec-ch-ua-mobile": "?0",
    "accept": "*/*",
    "origin": "https://example.com",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "referer": "https://example.com/",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-US,en;q=0.9",
}
FIREFOX = {
    "host": "example.com",
    "user-agent": FIREFOX_AGENT,
    "accept": PAGE,
    "accept-language": "de,en-US;q=0.7,en;q=0.3",
    "accept-encoding": "gzip, deflate, br",
    "upgrade-insecure-requests": "1",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
}
SAFARI = {
    "host": "example.com",
    "sec-fetch-dest": "document",
    "user-agent": SAFARI_AGENT,
    "accept": PAGE,
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "accept-language": "en-GB,en;q=0.9",
    "accept-encoding": "gzip, deflate, br",
}
VIEW = {
    "user-agent": VIEW_AGENT,
    "accept": PAGE,
    "accept-encoding": "gzip, deflate",
    "accept-language": "pt-BR,pt;q=0.9",
    "x-requested-with": "com.facebook.katana",
}
BRAVE = CHROME | {"sec-ch-ua": '"Brave";v="131", "Chromium";v="131", "Not_A Brand";v="24"', "sec-gpc": "1"}
EDGE = CHROME | {
    "user-agent": CHROME_AGENT + " Edg/131.0.0.0",
    "sec-ch-ua": '"Microsoft Edge";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
}
OPERA = CHROME | {
    "user-agent": CHROME_AGENT + " OPR/116.0.0.0",
    "sec-ch-ua": '"Opera";v="116", "Chromium";v="131", "Not_A Brand";v="24"',
}
PREFETCH = CHROME | {"sec-purpose": "prefetch", "purpose": "prefetch"}
DESKTOP_SITE = CHROME | {
    "user-agent": CHROME_AGENT.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64"),
    "sec-ch-ua-platform": '"Android"',
}
TOOLS_PLAY_PHONE = CHROME | {
    "user-agent": PHONE_AGENT,
    "sec-ch-ua-mobile": "?1",
    "sec-ch-ua-platform": '"iOS"',
}
HUMAN = [CHROME, CHROME_FETCH, FIREFOX, SAFARI, VIEW, BRAVE, EDGE, OPERA, PREFETCH, DESKTOP_SITE, TOOLS_PLAY_PHONE]
PLAIN_HTTP = ("user-agent", "accept", "accept-language", "accept-encoding", "upgrade-insecure-requests")


def as_scope(headers, scheme="https", method="GET"):
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return from_scope({"type": "http", "method": method, "path": "/", "scheme": scheme, "headers": lines})


def examined(headers, *, ordered=True, **more):
    return Examiner().examine(as_scope(headers, **more), ordered=ordered)


def reasons(headers, **more):
    return [finding.reason for finding in examined(headers, **more).findings]


@pytest.mark.parametrize("headers", HUMAN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_browsers(headers, method):
    """Pages, fetches, forms and prefetches of today's browsers are not automated."""
    assert not examined(headers, method=method).automated


@pytest.mark.parametrize("headers", HUMAN)
def test_browsers_over_plain_http(headers):
    """Over plain HTTP browsers send no client hints and no fetch metadata: that proves nothing."""
    kept = {name: value for name, value in headers.items() if name in PLAIN_HTTP}
    assert examined(kept, scheme="http").weight == 0


@pytest.mark.parametrize("headers", HUMAN)
@pytest.mark.parametrize("removed", ["accept", "accept-language", "accept-encoding", "sec-ch-ua", "sec-fetch-mode"])
def test_proxies_may_remove_a_header(headers, removed):
    """A proxy that removes one header makes nobody a robot."""
    assert not examined({name: value for name, value in headers.items() if name != removed}).automated


@pytest.mark.parametrize("headers", HUMAN)
def test_proxies_may_sort_headers(headers):
    """A proxy that sorts the headers makes nobody a robot, nor adds evidence."""
    assert examined(dict(sorted(headers.items()))) == examined(headers, ordered=False)


def test_through_wsgi():
    """An environ gives the same answer as a scope without its order."""
    for headers in HUMAN:
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        request = from_environ({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https"} | environ)
        found = Examiner().examine(request)
        assert sorted(found.findings) == sorted(examined(headers, ordered=False).findings)


def without(*names):
    return {name: value for name, value in CHROME.items() if name not in names}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (CHROME | {"sec-ch-ua": '"Chromium";v="99"'}, "says it is Chrome 131, its client hints say 99"),
        (CHROME | {"sec-ch-ua-platform": '"Linux"'}, "says it runs on Windows, its client hints say Linux"),
        (CHROME | {"sec-ch-ua": '"HeadlessChrome";v="131"'}, "names a headless browser in its client hints"),
        (FIREFOX | {"sec-ch-ua": '"Chromium";v="131"'}, "says it is Firefox, yet sends the client hints of Chrome"),
        (SAFARI | {"sec-ch-ua": '"Chromium";v="131"'}, "says it is Safari, yet sends the client hints of Chrome"),
        (FIREFOX | {"from": "wobble@example.com"}, "says whom to write to about it (From)"),
        (CHROME | {"signature-agent": '"https://x.example"'}, "signs its requests as a robot (Signature-Agent)"),
    ],
)
def test_contradictions_that_suffice(headers, reason):
    """What no browser says of itself is enough alone."""
    assert reason in reasons(headers)
    assert examined(headers).automated


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (CHROME | {"sec-ch-ua": "wobble"}, "sends malformed client hints"),
        (CHROME | {"sec-ch-ua-mobile": "yes"}, "sends malformed client hints"),
        (CHROME | {"sec-ch-ua-mobile": "?1"}, "says it is on a phone in one place, and not in another"),
        (CHROME | {"sec-fetch-site": "wobble"}, "sends fetch metadata that no browser does"),
        (CHROME | {"sec-fetch-mode": "cors"}, "says that a person asked for something else than a page"),
        (without("sec-fetch-site"), "sends half of the fetch metadata that browsers send"),
        (CHROME | {"accept": "*/*"}, "asks for a page without accepting one"),
        (
            CHROME | {"user-agent": CHROME_AGENT.replace("131", "70")},
            "says it is Chrome 70, which sent no fetch metadata",
        ),
        (without("accept"), "sends no Accept, as browsers do"),
        (without("accept-language"), "names no language, as browsers do"),
        (CHROME | {"accept-language": "*"}, "names no language, as browsers do"),
        (without("accept-encoding"), "accepts no compression, as browsers do"),
        (without("sec-fetch-mode", "sec-fetch-site"), "sends no fetch metadata, as Chrome does over TLS"),
        (without("sec-ch-ua"), "sends no client hints, as Chrome does over TLS"),
    ],
)
def test_evidence(headers, reason):
    """Every other contradiction and absence is named."""
    assert reason in reasons(headers)


def test_order_is_weak_evidence():
    """Chrome's headers in the order of Firefox are noted, where the order is the client's."""
    mixed = {name: CHROME.get(name, "") for name in ("user-agent", "accept", "accept-language", "accept-encoding")}
    assert "sends its headers in another order than Chrome" in reasons(mixed)
    assert "sends its headers in another order than Chrome" not in reasons(mixed, ordered=False)
    assert not examined(mixed, scheme="http").automated


@pytest.mark.parametrize(
    "library",
    [
        {"accept": "*/*", "accept-encoding": "gzip, deflate", "connection": "keep-alive"},
        {"accept-encoding": "gzip"},
        {"accept": "*/*", "accept-language": "*", "sec-fetch-mode": "cors", "accept-encoding": "br, gzip, deflate"},
    ],
)
def test_libraries_with_the_agent_of_a_browser(library):
    """The usual headers of HTTP libraries give away the agent of a browser over TLS."""
    assert examined({"host": "example.com", "user-agent": CHROME_AGENT} | library).automated


def test_curl_with_the_agent_of_a_browser_over_plain_http():
    """There is less to compare, but no browser names no language and takes no compression either."""
    found = examined({"user-agent": CHROME_AGENT, "accept": "*/*"}, scheme="http")
    assert found.automated


def test_a_library_with_the_agent_of_a_browser_over_plain_http():
    """One that takes compression is noted; when it posts, and does not say from where, it is found."""
    headers = {"user-agent": CHROME_AGENT, "accept": "*/*", "accept-encoding": "gzip, deflate"}
    assert 0 < examined(headers, scheme="http").weight < 1
    assert examined(headers, scheme="http", method="POST").automated
    assert not examined({**headers, "origin": "null"}, scheme="http", method="POST").automated


def test_a_form_from_a_browser_that_says_not_from_where():
    """Privacy tools remove Origin and Referer: by itself it is not enough."""
    headers = {"user-agent": CHROME_AGENT, "accept": "*/*", "accept-encoding": "gzip", "accept-language": "en"}
    assert 0 < examined(headers, scheme="http", method="POST").weight < 1


def test_tls_is_known_behind_a_proxy():
    """X-Forwarded-Proto counts without trust: who claims it only shows more."""
    headers = {"user-agent": CHROME_AGENT, "accept": "*/*", "accept-encoding": "gzip", "accept-language": "en"}
    assert "sends no client hints, as Chrome does over TLS" not in reasons(headers, scheme="http")
    behind = {**headers, "x-forwarded-proto": "https"}
    assert "sends no client hints, as Chrome does over TLS" in reasons(behind, scheme="http")


def test_each_proxy_on_the_way_may_say_how_it_was_asked():
    """Several lines that differ are theirs, not the client's."""
    lines = [(name.encode(), value.encode()) for name, value in CHROME.items()]
    lines += [(b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"http")]
    scope = {"type": "http", "path": "/", "scheme": "http", "headers": lines}
    assert not Examiner().examine(from_scope(scope), ordered=True).automated


def test_the_handshake_of_a_websocket_under_wsgi():
    """There the scheme is https; browsers send less with it."""
    handshake = {"user-agent": CHROME_AGENT, "accept-encoding": "gzip", "accept-language": "en", "upgrade": "websocket"}
    assert not examined(handshake, scheme="https").automated


@pytest.mark.parametrize("agent", ["Firefox", "Safari", "Chrome/140", "Firefox/128.0", "Chrome Safari"])
def test_the_name_of_a_browser_alone(agent):
    """All agents of these begin otherwise."""
    assert examined({"user-agent": agent, "accept": "*/*"}).automated


def test_web_views_may_differ_in_version():
    """Apps keep the agent of an old web view: another version in its client hints is weak evidence."""
    headers = VIEW | {"sec-ch-ua": '"Android WebView";v="131", "Chromium";v="131"'}
    assert "says it is Chrome 119, its client hints say 131" in reasons(headers)
    assert not examined(headers).automated


@pytest.mark.parametrize(("method", "scheme"), [("OPTIONS", "https"), ("GET", "wss")])
def test_handshakes_send_fewer_headers(method, scheme):
    """Preflights and websocket handshakes are not asked for what browsers leave out of them."""
    assert reasons({"user-agent": CHROME_AGENT}, method=method, scheme=scheme) == []


def test_apps_need_no_browser_headers():
    """An app is not held to what browsers send."""
    assert reasons({"user-agent": "MyBank/4.1 (iPhone; iOS 17.1)"}) == []


def test_names_in_any_case():
    """Requests made by hand name their headers as they like."""
    headers = {name.title(): value for name, value in CHROME.items()} | {"Sec-Ch-Ua": '"Chromium";v="99"'}
    for lines in (list(headers.items()), headers):
        assert Examiner().examine(RequestContext(scheme="https", headers=lines)).automated
