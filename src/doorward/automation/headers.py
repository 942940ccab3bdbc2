"""Evidence in the other headers: what contradicts the browser that the agent says it is.

What is there and contradicts proves much. What is absent proves little: client hints and Sec-Fetch are sent to
trustworthy origins only (Fetch Metadata section 2, UA Client Hints section 3), proxies remove headers, private
browsers reduce them. Connection and TE are not looked at, because every proxy writes its own (RFC 9110 section 7.6.1),
nor which Accept belongs to which browser, which changes with every kind of request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.automation.evidence import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doorward.automation.claim import Claim

LOOKED_AT = (
    "user-agent",
    "accept",
    "accept-language",
    "accept-encoding",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "upgrade-insecure-requests",
    "upgrade",
    "x-forwarded-proto",
    "from",
    "signature-agent",
)
"""The headers that an examination reads, in lower case."""

BRAND = re.compile(r'"([^"]{1,64})"\s{0,4};\s{0,4}v="(\d{1,5})')
"""One brand and its version in Sec-CH-UA (W3C UA Client Hints section 3.1)."""

_SITES = frozenset({"none", "same-origin", "same-site", "cross-site"})
_MODES = frozenset({"navigate", "nested-navigate", "cors", "no-cors", "same-origin", "websocket", "webtransport"})
_PLATFORMS = frozenset({"Windows", "macOS", "Linux", "Chrome OS", "Chromium OS", "Android", "iOS"})
_ALIKE = frozenset({"Linux", "Chrome OS", "Chromium OS", "Android", ""})
"""Chrome on Android says Linux in its agent when asked for the desktop site; Chrome OS runs Android's apps."""

_FETCH_SINCE = {"Chrome": 80, "Firefox": 90, "Safari": 17}
_ORIGIN_SINCE = {"Chrome": 80, "Firefox": 70, "Safari": 13}
"""Since when at the latest every POST has an Origin (Fetch standard, section 3.2), and mostly a Referer too."""
_FETCH_BEFORE = {"Chrome": 76, "Firefox": 90, "Safari": 16}


class Sent(NamedTuple):
    """The headers of a request.

    Attributes:
        values: By name in lower case, the first value of each.
        order: The names in the order of the client; empty when that is unknown.
        secure: Whether the request came over TLS, by the word of anybody: nobody gains by claiming it.
        plain: Whether it is a GET, HEAD or POST, and no handshake or preflight, which browsers send with fewer headers.
        from_nowhere: Whether it is a POST that names neither Origin nor Referer.
    """

    values: Mapping[str, str]
    order: tuple[str, ...]
    secure: bool
    plain: bool
    from_nowhere: bool = False


def contradictions(sent: Sent, claim: Claim | None) -> Iterator[Finding]:
    """Evidence in the headers beside the agent."""
    if "@" in sent.values.get("from", ""):
        yield Finding(1.0, "says whom to write to about it (From)")
    if "signature-agent" in sent.values:
        yield Finding(1.0, "signs its requests as a robot (Signature-Agent)")
    if claim is not None:
        yield from _hints(sent.values, claim)
        yield from _fetch(sent.values, claim)
        if sent.plain:
            yield from _page(sent.values)
            yield from _missing(sent, claim)
        yield from _order(sent.order, claim)


def _hints(values: Mapping[str, str], claim: Claim) -> Iterator[Finding]:
    """Evidence in client hints (W3C UA Client Hints), which only Chrome and its descendants send."""
    hints = values.get("sec-ch-ua")
    if hints is None:
        return
    brands = {name.lower(): int(version) for name, version in BRAND.findall(hints[:512])}
    if any(["headless" in name for name in brands]):
        yield Finding(1.0, "names a headless browser in its client hints")
    if claim.family != "Chrome":
        # The developer tools of Chrome play an iPhone like this.
        weight = 0.3 if claim.system == "iOS" else 1.0
        yield Finding(weight, f"says it is {claim.family}, yet sends the client hints of Chrome")
        return
    version = brands.get("chromium")
    if not brands and hints.strip():
        yield Finding(0.7, "sends malformed client hints")
    elif version is not None and version != claim.version:
        # Apps keep the agent of an old web view while the web view is renewed.
        weight = 0.5 if claim.embedded else 1.0
        yield Finding(weight, f"says it is Chrome {claim.version}, its client hints say {version}")
    yield from _platform(values, claim)


def _platform(values: Mapping[str, str], claim: Claim) -> Iterator[Finding]:
    platform = values.get("sec-ch-ua-platform", "").strip(' "')
    alike = platform == claim.system or (platform in _ALIKE and claim.system in _ALIKE)
    if platform in _PLATFORMS and claim.system and not alike:
        weight = 0.5 if claim.embedded else 1.0
        yield Finding(weight, f"says it runs on {claim.system}, its client hints say {platform}")
    mobile = values.get("sec-ch-ua-mobile", "").strip()
    if mobile not in {"", "?0", "?1"}:
        yield Finding(0.7, "sends malformed client hints")
    elif mobile and (mobile == "?1") != claim.mobile:
        yield Finding(0.6, "says it is on a phone in one place, and not in another")


def _fetch(values: Mapping[str, str], claim: Claim) -> Iterator[Finding]:
    """Evidence in fetch metadata (W3C Fetch Metadata Request Headers), which scripts cannot set in a browser."""
    site, mode = values.get("sec-fetch-site"), values.get("sec-fetch-mode")
    user = values.get("sec-fetch-user")
    if site is None and mode is None:
        return
    if site is None or mode is None:
        yield Finding(0.6, "sends half of the fetch metadata that browsers send")
    if (site or "none") not in _SITES or (mode or "cors") not in _MODES or user not in {None, "?1"}:
        yield Finding(0.7, "sends fetch metadata that no browser does")
    if user is not None and mode not in {None, "navigate"}:
        yield Finding(0.7, "says that a person asked for something else than a page")
    if claim.version < _FETCH_BEFORE[claim.family] and not claim.embedded:
        yield Finding(0.7, f"says it is {claim.family} {claim.version}, which sent no fetch metadata")


def _page(values: Mapping[str, str]) -> Iterator[Finding]:
    """Evidence in a request for a page: every browser names HTML in its Accept then."""
    navigates = values.get("sec-fetch-mode") == "navigate" and values.get("sec-fetch-dest") == "document"
    if (navigates or "upgrade-insecure-requests" in values) and "text/html" not in values.get("accept", "text/html"):
        yield Finding(0.8, "asks for a page without accepting one")


def _missing(sent: Sent, claim: Claim) -> Iterator[Finding]:
    """Evidence in what is not there. Some proxies remove some of it: only together is it enough."""
    values = sent.values
    if "accept" not in values:
        yield Finding(0.5, "sends no Accept, as browsers do")
    languages = values.get("accept-language")
    if not languages or languages.strip() == "*":
        yield Finding(0.4 if claim.embedded else 0.6, "names no language, as browsers do")
    if not values.get("accept-encoding"):
        # With no language it is enough: what removes both has not been met with.
        yield Finding(0.4, "accepts no compression, as browsers do")
    if sent.from_nowhere and claim.version >= _ORIGIN_SINCE[claim.family] and not claim.embedded:
        yield Finding(0.5, "posts without saying from where, as browsers do")
    if not sent.secure or claim.embedded:
        return
    fetches = "sec-fetch-mode" in values or "sec-fetch-site" in values
    if claim.version >= _FETCH_SINCE[claim.family] and not fetches:
        yield Finding(0.4, f"sends no fetch metadata, as {claim.family} does over TLS")
    if claim.family == "Chrome" and claim.version >= 90 and "sec-ch-ua" not in values:
        yield Finding(0.3, "sends no client hints, as Chrome does over TLS")


def _order(order: tuple[str, ...], claim: Claim) -> Iterator[Finding]:
    """Evidence in the order of three headers that Chrome and Firefox have kept for ten years.

    Weak, because proxies sort and rebuild what they pass on.
    """
    places = {name: order.index(name) for name in ("accept", "accept-encoding", "accept-language") if name in order}
    if len(places) < 3 or claim.embedded or list(order) == sorted(order):
        return
    accept, encoding, language = places.values()
    if claim.family == "Chrome" and not accept < encoding < language:
        yield Finding(0.3, "sends its headers in another order than Chrome")
    if claim.family == "Firefox" and not accept < language < encoding:
        yield Finding(0.3, "sends its headers in another order than Firefox")
