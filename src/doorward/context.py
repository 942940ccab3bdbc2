"""The normalized request: what every rule sees, whatever framework it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doorward.body_fields import BodyFields

Text = str | bytes

_USUALLY_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_FRAMING = frozenset(["content-length", "transfer-encoding", b"content-length", b"transfer-encoding"])
_NO_LENGTH = ("0", b"0", "", b"")

_PROTECTED = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)

_LOOKS_BEFORE_INDEX = 3
"""Of most requests a cookie or two are looked for: that is cheaper than to take them all apart."""


class Body(NamedTuple):
    """As much of a request's body as was held.

    Attributes:
        data: The bytes as the client sent them: never inflated, never decoded.
        complete: False when there was more than the limit, so that what follows was not scanned.
    """

    data: bytes
    complete: bool


NO_BODY = Body(b"", True)


class Headers:
    """Header lines in the order they came; names without case, every value kept, nothing decoded before it is read.

    Args:
        lines: Pairs of name and value, text (latin-1) or bytes; or a mapping.
    """

    __slots__ = ("_index", "_lines")

    def __init__(self, lines: Iterable[tuple[Text, Text]] | Mapping[Text, Text] = ()) -> None:
        self._lines = lines
        self._index: dict[str, list[Text]] | None = None

    def values(self, name: str) -> Sequence[str]:
        """Every value of the header ``name``, in order; empty when it is absent."""
        index = self._index
        if index is None:
            index = self._index = self._indexed()
        found = index.get(name.lower())
        if found is None:
            return ()
        return [value if isinstance(value, str) else value.decode("latin-1") for value in found]

    def picked(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """The lines of the headers ``names``, which are in lower case."""
        wanted = frozenset(names)
        return [(name, value) for name, value in self if name in wanted]

    def get(self, name: str, default: str = "") -> str:
        """The first value of the header ``name``."""
        values = self.values(name)
        return values[0] if values else default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.values(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Pairs of lower-case name and value, in the order they came."""
        for name, value in self._pairs():
            yield text(name.lower()), text(value)

    def __len__(self) -> int:
        return sum(1 for _ in self._pairs())

    def as_given(self) -> Iterable[tuple[Text, Text]]:
        """Pairs of name and value as they were given: of bytes or text, in any case, in the order they came."""
        return self._pairs()

    def _pairs(self) -> Iterable[tuple[Text, Text]]:
        # A list or tuple is read in place; an iterator would be gone after one reading.
        if not isinstance(self._lines, list | tuple):
            given: Any = self._lines
            self._lines = list(given.items() if isinstance(given, Mapping) else given)
        return self._lines

    def _indexed(self) -> dict[str, list[Text]]:
        index: dict[str, list[Text]] = {}
        for name, value in self._pairs():
            lower = name.lower()
            key = lower if isinstance(lower, str) else lower.decode("latin-1")  # not text(): each call counts
            if key in index:
                index[key].append(value)
            else:
                index[key] = [value]
        return index


class RequestContext:
    """One request, as rules see it.

    Args:
        method: As sent; compared without case.
        scheme: ``http``, ``https``, ``ws`` or ``wss``.
        host: The authority; the Host header when None.
        path: As the framework routes it: decoded, without the root path.
        query: Raw, without ``?``.
        headers: Pairs of name and value, or :class:`Headers`.
        peer: Address of the other end of the connection; None or empty for a Unix socket.
        body: The body when it is at hand, else None.
        raw_path: The path as sent, where the server tells.

    Attributes:
        framed: Whether a body would announce itself in the header lines, as it must in HTTP/1 (RFC 9112 section 6.3).
        root_path: The path below which the application is mounted (ASGI ``root_path``, WSGI ``SCRIPT_NAME``).
        client_id: The signed id that the client has brought back; empty without a valid one, or where no rule counts
            by it.
        as_sent: Whether the header lines are in the order in which the client sent them, their names as bytes in lower
            case: in ASGI scopes they are. A WSGI environ has lost it, and who writes a request down does not know it.
    """

    # Defaults on the class, not in __init__: most requests are allowed without any of these being looked at.
    body: bytes | None = None
    body_complete: bool = False
    raw_path: str | None = None
    as_sent: bool = False
    framed: bool = False
    root_path: str = ""
    client_id: str = ""
    _host: str | None = None
    _headers: Headers | None = None
    _cookies: dict[str, list[str]] | None = None
    _cookie_lines: Sequence[str] | None = None
    _cookie_looks = 0
    _query_values: dict[str, list[str]] | None = None
    _body_fields: BodyFields | None = None
    _agents: Sequence[str] | None = None

    def __init__(
        self,
        *,
        method: str = "GET",
        scheme: str = "http",
        host: str | None = None,
        path: str = "/",
        query: str = "",
        headers: Headers | Iterable[tuple[Text, Text]] | Mapping[Text, Text] = (),
        peer: str | None = None,
        body: bytes | None = None,
        raw_path: str | None = None,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.path = path
        self.query = query
        self.lines = headers
        self.peer = peer
        if body is not None:
            self.hold(Body(body, True))
        if raw_path is not None:
            self.raw_path = raw_path
        if host is not None:
            self._host = host

    def __repr__(self) -> str:
        return f"RequestContext(method={self.method!r}, path={self.path!r}, peer={self.peer!r})"

    @property
    def headers(self) -> Headers:
        """The header lines."""
        if self._headers is None:
            self._headers = self.lines if isinstance(self.lines, Headers) else Headers(self.lines)
        return self._headers

    def header_values(self, name: str) -> Sequence[str]:
        """Every value of the header ``name``, in order."""
        return self.headers.values(name)

    def agents(self) -> Sequence[str]:
        """Every value of the User-Agent, which more rules read than any other header."""
        if self._agents is None:
            self._agents = self.headers.values("user-agent")
        return self._agents

    @property
    def host(self) -> str:
        """The authority that the client asked for, port included; empty when it named none."""
        return self._host if self._host is not None else self.headers.get("host")

    def may_have_body(self) -> bool:
        """Whether there is a body, or one may come."""
        if self.body is not None:
            return bool(self.body) or not self.body_complete
        if not self.framed or self.method not in _USUALLY_BODILESS:
            return True
        return any([value not in _NO_LENGTH for name, value in self.headers.as_given() if name.lower() in _FRAMING])

    def hold(self, body: Body) -> None:
        """Keep what was read of the body."""
        self.body = body.data
        self.body_complete = body.complete
        self._body_fields = None

    def cookies(self, name: str) -> Sequence[str]:
        """Every value of the cookie ``name``, in order."""
        lines = self._cookie_lines
        if lines is None:
            lines = self._cookie_lines = self.headers.values("cookie")
        if not lines:
            return ()
        self._cookie_looks += 1
        if self._cookie_looks <= _LOOKS_BEFORE_INDEX:
            return _values_of_cookie(lines, name)
        if self._cookies is None:
            self._cookies = _cookies(lines)
        return self._cookies.get(name, ())

    def query_values(self, name: str) -> Sequence[str]:
        """Every value of the query parameter ``name``, decoded, in order."""
        if self._query_values is None:
            self._query_values = _parameters(self.query)
        return self._query_values.get(name, ())

    def body_fields(self) -> BodyFields:
        """The fields of what is held of the body; for rules that need it (``Rule.needs_body``)."""
        if self._body_fields is None:
            from doorward.body_fields import BodyFields  # imported when a rule first reads a field

            self._body_fields = BodyFields(self)
        return self._body_fields


def text(value: Text) -> str:
    """Header text: bytes are latin-1 (RFC 9110 section 5.5), which decodes whatever comes."""
    return value if isinstance(value, str) else value.decode("latin-1")


def _values_of_cookie(lines: Sequence[str], wanted: str) -> Sequence[str]:
    """The values of one cookie: what :func:`_cookies` has under its name, without looking at the others."""
    found: list[str] = []
    for line in lines:
        for item in line.split(";") if wanted in line else ():
            if wanted in item:
                name, equals, value = item.partition("=")
                if equals and name.strip(" \t") == wanted:
                    found.append(_cookie_value(value.strip(" \t")))
    return found or ()


def _cookies(lines: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        for item in line.split(";"):
            # Only what RFC 6265 calls white space: a name that begins with any other is one that browsers guard from
            # nobody, and must not read as one that begins with "__Host-".
            name, equals, value = item.partition("=")
            if equals:
                found.setdefault(name.strip(" \t"), []).append(_cookie_value(value.strip(" \t")))
    return found


def _cookie_value(value: str) -> str:
    """Without quotes, and what they protect as Python's ``http.cookies`` reads it, and all frameworks with it."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _PROTECTED.sub(_unprotected, inner) if "\\" in inner else inner


def _unprotected(found: re.Match[str]) -> str:
    octal: str | None = found[1]
    return chr(int(octal, 8)) if octal is not None else found[2]


def _parameters(query: str) -> dict[str, list[str]]:
    from urllib.parse import unquote_plus  # imported when a rule first reads a query

    found: dict[str, list[str]] = {}
    for item in query.split("&"):
        if item:
            name, _, value = item.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return found
