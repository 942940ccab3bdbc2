"""One request, from what somebody typed: a URL, header lines, a body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from doorward.context import Body, RequestContext
from doorward.errors import ConfigurationError
from doorward.forwarded import canonical
from doorward.layer import body_limit
from doorward.patterns import METHODS
from doorward.printable import printable
from doorward.requests import without_line_end

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_URL = 65_536
MOST_HEADERS = 500
LONGEST_HEADERS = 2**20
LONGEST_BODY = 64 * 2**20
_SCHEMES = ("http", "https", "ws", "wss")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_KEPT = "%/:@!$&'()*+,;=~?[]{}|^`\\\"<>-._"
"""What is sent as it was typed; servers decode the rest alike."""


def asked_request(
    url: str,
    *,
    method: str = "",
    headers: Sequence[str] = (),
    peer: str = "",
    body: bytes | None = None,
    configured_limit: int | None = None,
) -> RequestContext:
    """The request as rules would see it behind a server.

    Args:
        url: ``https://shop.example/signup?x=1``, or a path alone.
        method: GET, and POST with a body, where it is empty.
        headers: Lines as ``Name: value``. Host and Content-Length are added where they are missing.
        peer: The other end of the connection: an address, or empty for none.
        body: The whole body; as much of it is held as middleware would hold.
        configured_limit: The client's ``body_limit``.

    Raises:
        ConfigurationError: Something in it is nothing that HTTP carries.
    """
    scheme, host, path, query = _parts(url)
    lines = [_line(line) for line in _few(headers)]
    _add_missing(lines, host, body)
    request = RequestContext(
        method=_method(method or ("GET" if body is None else "POST")),
        scheme=scheme,
        path=without_line_end(unquote(path)),
        query=query,
        headers=lines,
        peer=_peer(peer),
        raw_path=path + (f"?{query}" if query else ""),
    )
    _hold(request, body or b"", configured_limit)
    return request


def _hold(request: RequestContext, body: bytes, configured: int | None) -> None:
    if len(body) > LONGEST_BODY:
        raise ConfigurationError("--body", f"has more than {LONGEST_BODY} bytes")
    limit = body_limit(request, configured)
    request.hold(Body(body[:limit], len(body) <= limit))


def _add_missing(lines: list[tuple[str, str]], host: str, body: bytes | None) -> None:
    names = {name.lower() for name, _ in lines}
    if host and "host" not in names:
        lines.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(("Content-Length", str(len(body))))


def _parts(url: str) -> tuple[str, str, str, str]:
    """Scheme, host, path and query, percent-encoded as they are sent."""
    if len(url) > LONGEST_URL:
        raise _wrong_url(f"has more than {LONGEST_URL} characters")
    if _CONTROL.search(url):
        raise _wrong_url(f"must not hold spaces, line breaks or control characters: {printable(url, 60)!r}")
    if url.startswith("/"):
        path, _, query = url.partition("#")[0].partition("?")
        return "http", "localhost", _encoded(path), _encoded(query)
    try:
        found = urlsplit(url)
    except ValueError as error:
        raise _wrong_url(f"is none: {printable(str(error), 80)}") from None
    if found.scheme.lower() not in _SCHEMES or not _HOST.fullmatch(found.netloc):
        accepted = "https://shop.example/signup?x=1, or a path such as /signup?x=1"
        raise _wrong_url(f"must be like {accepted}; not {printable(url, 60)!r}")
    return found.scheme.lower(), found.netloc, _encoded(found.path or "/"), _encoded(found.query)


def _encoded(text: str) -> str:
    return quote(text, safe=_KEPT, encoding="utf-8", errors="surrogateescape")


def _method(method: str) -> str:
    if not _TOKEN.fullmatch(method) or len(method) > 20:
        raise ConfigurationError(
            "--method", f"must be a method such as {', '.join(sorted(METHODS)[:4])}, not {printable(method, 40)!r}"
        )
    return method.upper()


def _few(headers: Sequence[str]) -> Sequence[str]:
    if len(headers) > MOST_HEADERS or sum(map(len, headers)) > LONGEST_HEADERS:
        raise ConfigurationError(
            "--header", f"takes at most {MOST_HEADERS} lines of {LONGEST_HEADERS} characters in all"
        )
    return headers


def _line(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name.strip()):
        raise ConfigurationError("--header", f"must be 'Name: value', not {printable(line, 60)!r}")
    sent = _as_sent(value.strip(" \t"))
    if not _FIELD_VALUE.fullmatch(sent):
        where = f"{printable(name.strip(), 40)}: its value"
        raise ConfigurationError("--header", f"{where} must not hold line breaks or control characters")
    return name.strip(), sent


def _as_sent(value: str) -> str:
    """Octets as latin-1, as servers hand them on: what is typed is UTF-8."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("latin-1")


def _peer(text: str) -> str:
    if text and canonical(text) is None:
        raise ConfigurationError("--ip", f"must be an IP address, not {printable(text, 60)!r}")
    return text


def _wrong_url(problem: str) -> ConfigurationError:
    return ConfigurationError("--url", problem)


__all__ = ["asked_request"]
