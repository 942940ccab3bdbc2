"""Requests that no browser, library or proxy in common use sends.

Each rule is one of RFC 9110, RFC 9112 or the RFC of the header, and only what breaks it in a way that honest clients do
not is found. One pass over the header lines; most of them are of no interest here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from doorward.attacks.detectors.content_type import ContentTypes
from doorward.attacks.evidence import Finding, Place
from doorward.attacks.excerpt import masked
from doorward.attacks.known import Known
from doorward.context import text
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doorward.attacks.rulebook import Rulebook
    from doorward.context import RequestContext, Text

    Check = Callable[[str, RequestContext], str | None]
    """Of a header's value the rule that it breaks, if it does."""

_USUAL = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEBUGGING = frozenset({"TRACE", "TRACK", "DEBUG", "CONNECT"})
_BODILESS = frozenset({"GET", "HEAD"})
_TARGET = re.compile(r"([a-z][a-z0-9+.-]{1,20})://([^/?#]{0,255})", re.IGNORECASE)
_OVERLONG = re.compile(
    r"(?<!%c[2-9a-f])(?<!%[def][0-9a-f])%c[01]%[89ab][0-9a-f](?!%(?:c[2-9a-f]|[def][0-9a-f]))"  # no letters of ISO 8859
    r"|%e0%[89][0-9a-f]%[89ab]|%f[5-9a-f]%[89ab][0-9a-f]"
)
_WIDE_ESCAPE = re.compile(r"%u(?:ff(?:0[2-9a-f]|1[b-e]|3[be]|5[bd])|221[56]|2044|00[0-7][0-9a-f])", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._:~%-]*+|\[[0-9A-Fa-f:.%]{2,60}[A-Za-z0-9.%]{0,20}\](?::\d{0,5})?")
_LENGTH = re.compile(r"\d{1,19}")
_SAME_LENGTHS = re.compile(r"(\d{1,19})(?:\s{0,4},\s{0,4}\1){1,4}")
_CODINGS = re.compile(
    r"(?:(?:gzip|x-gzip|deflate|compress|x-compress|identity)\s{0,2},\s{0,2}){0,2}(?:chunked|identity)|gzip",
    re.IGNORECASE,
)
_SPAN = re.compile(r"(\d{0,19})-(\d{0,19})")
_RANGES = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,20}\s{0,2}=")
_QUOTED = re.compile(r'"([^"]{0,400})"')
_TOKEN = re.compile(r"[A-Za-z]{1,20}")
_CONTENT_RANGE = re.compile(r"[a-z-]{1,20}[ =:]\s{0,2}[\d*]")
_MOST_RANGES = 8
_LONGEST_NAME = 80

_LONGEST_PATH = 400
_LONGEST_COOKIES = 4_096


class Protocol:
    """Method, target and header lines.

    Args:
        book: The rules of ``protocol.toml``.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} of requests"
        self._rule = book.rule
        self._left_behind = book.patterns
        self._methods = book.words("methods")
        self._kept = book.words("kept")
        self._codings = book.words("codings")
        self._types = ContentTypes(book)
        self._checks = self._table()
        self._names = _spellings(self._checks)
        self._known = Known()

    def examine(self, request: RequestContext) -> Iterator[Finding]:
        """What is wrong with the request."""
        if request.method not in _USUAL:
            yield from self._of_method(request.method)
        target = request.raw_path or request.path
        if target[:1] != "/" or "%" in target or "." in target or "~" in target or "%" in request.query:
            yield from self._of_target(request)
        names, known = self._names, self._known
        seen: dict[str, str] = {}
        for line in request.headers.as_given():
            name = names.get(line[0])
            if name is None:
                name = names.get(line[0].lower(), "")
            if name == "":
                continue
            if name in _ONCE:
                value = text(line[1])
                if seen.setdefault(name, value) != value:
                    yield self._find("repeated", Place.HEADER, name, value)
            if line not in known:
                yield from self._of_header(name, line, request)
        if "content-length" in seen or "transfer-encoding" in seen:
            yield from self._of_body(request, seen)

    def _table(self) -> dict[str, Check]:
        return {
            "host": self._host,
            "content-length": self._length,
            "transfer-encoding": self._transfer_coding,
            "content-type": self._content_type,
            "content-encoding": self._content_coding,
            "content-range": self._content_range,
            "proxy": self._forbidden,
            "request-range": self._forbidden,
            "x-middleware-subrequest": self._subrequest,
            "x-original-url": self._rewritten,
            "x-rewrite-url": self._rewritten,
            "x-http-method-override": self._override,
            "x-http-method": self._override,
            "x-method-override": self._override,
            "range": self._range,
            "lock-token": self._lock_token,
            "if": self._if,
            "connection": self._connection,
            "expect": self._expect,
            "cookie": self._cookie,
            "accept": self._accept,
            "accept-charset": self._accept_charset,
            "accept-encoding": self._accept_encoding,
        }

    def _find(self, rule: str, place: Place, name: str, value: str) -> Finding:
        found = self._rule(rule)
        shown = printable(name, _LONGEST_NAME)
        return Finding(found.family, found.id, found.weight, place, shown, 0, masked(value), found.reason)

    def _of_method(self, method: str) -> Iterator[Finding]:
        upper = method.upper()
        if upper in _DEBUGGING:
            yield self._find("debug_method", Place.REQUEST, "method", method)
        elif upper not in self._methods:
            yield self._find("method", Place.REQUEST, "method", method)

    def _of_target(self, request: RequestContext) -> Iterator[Finding]:
        path = request.raw_path or request.path
        if path[:1] != "/" and (found := _TARGET.match(path)):
            own = found[2].partition(":")[0].lower() == request.host.partition(":")[0].lower()
            yield self._find("own_target" if own else "target", Place.REQUEST, "target", path)
        for part in (path, request.query):
            if "%" in part:
                yield from self._of_escapes(part)
        last = unquote(request.path[-_LONGEST_PATH:]).lower()
        for rule in self._left_behind:
            if rule.pattern is not None and (file := rule.pattern.search(last)):
                yield self._find(rule.id.partition(".")[2], Place.PATH, "", file[0])

    def _of_escapes(self, part: str) -> Iterator[Finding]:
        if _OVERLONG.search(part.lower()):
            yield self._find("wide_slash", Place.REQUEST, "target", part)
        if ("%u" in part or "%U" in part) and _WIDE_ESCAPE.search(part):
            yield self._find("wide_escape", Place.REQUEST, "target", part)

    def _of_header(self, name: str, line: tuple[Text, Text], request: RequestContext) -> Iterator[Finding]:
        value = text(line[1])
        broken = self._checks[name](value.strip(), request) if value else None
        if broken is not None:
            yield self._find(broken, Place.HEADER, name, value)
        elif name not in _OF_THE_REQUEST:
            self._known.remember([(line, len(value))])

    def _of_body(self, request: RequestContext, seen: dict[str, str]) -> Iterator[Finding]:
        """What the headers say about the body, taken together."""
        length, coding = seen.get("content-length"), seen.get("transfer-encoding")
        if length is not None and coding is not None:
            yield self._find("two_lengths", Place.HEADER, "transfer-encoding", coding)
        if request.method in _BODILESS and (coding is not None or (length is not None and length.strip("0 ") != "")):
            if request.method == "HEAD":
                yield self._find("head_body", Place.HEADER, "content-length", length or coding or "")
            elif "urlencoded" in seen.get("content-type", ""):
                yield self._find("form_without_body_method", Place.HEADER, "content-type", seen["content-type"])

    def _host(self, value: str, request: RequestContext) -> str | None:
        return None if _HOST.fullmatch(value) else "host"

    def _length(self, value: str, request: RequestContext) -> str | None:
        return None if _LENGTH.fullmatch(value) or _SAME_LENGTHS.fullmatch(value) else "length"

    def _transfer_coding(self, value: str, request: RequestContext) -> str | None:
        return None if _CODINGS.fullmatch(value) else "transfer_coding"

    def _content_type(self, value: str, request: RequestContext) -> str | None:
        return self._types.problem(value)

    def _forbidden(self, value: str, request: RequestContext) -> str | None:
        return "forbidden"

    def _subrequest(self, value: str, request: RequestContext) -> str | None:
        return "subrequest"

    def _rewritten(self, value: str, request: RequestContext) -> str | None:
        path = value.partition("?")[0]
        return None if path in (request.path, request.raw_path) else "rewritten_target"

    def _override(self, value: str, request: RequestContext) -> str | None:
        return None if _TOKEN.fullmatch(value) and value.upper() not in _DEBUGGING else "override"

    def _range(self, value: str, request: RequestContext) -> str | None:
        spans = _SPAN.findall(value[:2_000])
        if len(spans) == 1 and _RANGES.match(value):
            first, last = spans[0]
            return "range" if first and last and int(last) < int(first) else None
        return "range" if _is_nonsense(spans) or _RANGES.match(value) is None else None

    def _content_range(self, value: str, request: RequestContext) -> str | None:
        plausible = request.method not in _BODILESS and _CONTENT_RANGE.match(value.lower())
        return None if plausible else "content_range"

    def _lock_token(self, value: str, request: RequestContext) -> str | None:
        return None if request.method == "UNLOCK" and value.startswith("<") and value.endswith(">") else "lock"

    def _if(self, value: str, request: RequestContext) -> str | None:
        return None if value.startswith(("(", "<")) and ")" in value else "lock"

    def _connection(self, value: str, request: RequestContext) -> str | None:
        lower = value.lower()
        if lower in ("keep-alive", "close", "upgrade"):
            return None
        options = [option.strip() for option in lower.split(",", 20)]
        if not self._kept.isdisjoint(options) or ("close" in options and "keep-alive" in options):
            return "connection"
        return "repeated_option" if len(set(options)) < len(options) else None

    def _expect(self, value: str, request: RequestContext) -> str | None:
        return None if value.lower() in ("100-continue", "") else "expectation"

    def _content_coding(self, value: str, request: RequestContext) -> str | None:
        codings = [coding.strip() for coding in value.lower().split(",", 8)]
        return None if self._codings.issuperset(codings) else "coding"

    def _cookie(self, value: str, request: RequestContext) -> str | None:
        if "ersion=" not in value or "$version" not in value.lower():
            return None
        quoted = _QUOTED.findall(value[:_LONGEST_COOKIES])
        return "quoted_cookies" if any(["=" in text.partition(";")[2] for text in quoted]) else None

    def _accept(self, value: str, request: RequestContext) -> str | None:
        return "accept" if "charset" in value.lower() and not self._types.knows_charsets_of(value) else None

    def _accept_charset(self, value: str, request: RequestContext) -> str | None:
        return None if self._types.knows_list(value) else "accept"

    def _accept_encoding(self, value: str, request: RequestContext) -> str | None:
        if len(value) < 50:
            return None
        names = [item.partition(";")[0].strip() for item in value.split(",", 32)]
        return "accept" if any([len(name) > 40 or "**" in name for name in names]) else None


def _is_nonsense(spans: list[tuple[str, str]]) -> bool:
    """Whether ranges overlap again and again, or one of them ends before it begins."""
    reached, overlaps = -1, 0
    for first, last in spans:
        if not first:
            continue
        begin, end = int(first), int(last) if last else 1 << 62
        if end < begin:
            return True
        overlaps += begin <= reached
        reached = max(reached, end)
    return overlaps > 1 or (overlaps == 1 and len(spans) > _MOST_RANGES)


def _spellings(checked: Iterable[str]) -> dict[Text, str]:
    """Headers as servers and people write their names; empty for those that need no check."""
    spellings: dict[Text, str] = {}
    wanted = frozenset(checked)
    for name in (*wanted, *_ORDINARY):
        for spelling in (name, name.upper(), name.title(), name.encode()):
            spellings[spelling] = name if name in wanted else ""
    return spellings


_ONCE = frozenset({"host", "content-length", "content-type", "transfer-encoding"})
_OF_THE_REQUEST = frozenset({
    "content-length", "content-range", "x-original-url", "x-rewrite-url", "lock-token",
})  # fmt: skip
"""Headers whose value is another one each time, or is fine with one request and not with the next."""
_ORDINARY = (
    "user-agent", "accept-language", "referer", "origin", "cache-control", "pragma", "upgrade-insecure-requests", "dnt",
    "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest",
    "sec-fetch-user", "sec-gpc", "priority", "te", "authorization", "if-none-match", "if-modified-since", "via",
    "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "x-requested-with",
    "x-request-id", "traceparent", "tracestate", "baggage", "cf-ray", "cf-connecting-ip", "keep-alive", "x-csrf-token",
)  # fmt: skip
