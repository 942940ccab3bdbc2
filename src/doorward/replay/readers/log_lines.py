"""Reads lines of text logs: the Common Log Format, its relatives, and what nginx and Apache are configured to write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError
from doorward.replay.readers.apache import parts_of_apache
from doorward.replay.readers.building import addresses, asked_in, request_lines, request_of
from doorward.replay.readers.line_patterns import Escaping, pattern_of, uses
from doorward.replay.readers.nginx import parts_of_nginx
from doorward.replay.readers.problems import BINARY, NoRequest
from doorward.replay.readers.remembered import Remembered
from doorward.replay.readers.times import clf_ns, epoch_ns, iso_ns
from doorward.replay.records import NOTHING_SAID, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.context import RequestContext
    from doorward.replay.readers.building import Lines
    from doorward.replay.readers.line_patterns import Token
    from doorward.replay.records import Source

COMMON = '%h %l %u %t "%r" %>s %b'
COMBINED = f'{COMMON} "%{{Referer}}i" "%{{User-Agent}}i"'
NAMED = {
    "common": COMMON,
    "combined": COMBINED,
    "vhost_common": f"%v:%p {COMMON}",
    "vhost_combined": f"%v:%p {COMBINED}",
    "nginx main": f'{COMBINED} "%{{X-Forwarded-For}}i"',  # of the configuration that nginx comes with
}

_TIMES = {"msec": epoch_ns, "time_iso8601": iso_ns, "time_local": clf_ns}  # the exact ones first
_row = tuple.__new__
_PLACES = ("request", "target", "path")
_QUICK = frozenset({"ip", "request", "status"})
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "f": "\f"}


class Layout(NamedTuple):
    """Where in the groups of a pattern what is.

    Attributes:
        time: The time.
        ip: The address; -1 where there is none.
        request: The request line; -1 where there is none.
        status: The status; -1 where there is none.
        headers: Names in lower case, and where they are.
        rest: Everything else that has a use; empty for the usual formats.
    """

    time: int
    ip: int
    request: int
    status: int
    headers: tuple[tuple[str, int], ...]
    rest: tuple[tuple[str, int], ...]


class LogFormat:
    """Reads the lines of one format.

    Args:
        name: For people.
        tokens: The parts of a line.
        escaping: How values are written.
        more: Whether lines may go on behind the last part.
        field: The argument that errors name.

    Raises:
        ConfigurationError: It has no time or no path, or its parts cannot be told apart.
    """

    def __init__(
        self,
        name: str,
        tokens: Sequence[Token],
        escaping: Escaping = Escaping.DEFAULT,
        *,
        more: bool = False,
        field: str = "--format",
    ) -> None:
        self.name = name
        found = uses(tokens)
        pattern = pattern_of(tokens, escaping, field)
        self._match = (re.compile(pattern.pattern + "(?: .*)?", re.DOTALL) if more else pattern).fullmatch
        self._layout = _layout(found, field)
        self._moments: Remembered[int] = Remembered(_TIMES[found[self._layout.time]])
        self._escapes = escaping is not Escaping.NONE
        self._absent = escaping.absent
        self.known = known_of(found)
        self._problem = f"it is not in the format {name if len(name) <= 40 else name[:37] + '...'}"

    def parse(self, text: str, source: Source) -> Recorded:
        """The request of a line.

        Raises:
            NoRequest: There is none.
        """
        found = self._match(text)
        if found is None:
            raise NoRequest(BINARY if "\0" in text else self._problem)
        values: Sequence[str] = found.groups()
        if "\\" in text and self._escapes:
            values = [unescaped(value) for value in values]
        time, ip, request, status, names, rest = self._layout
        at_ns = self._moments[values[time]]
        absent = self._absent
        headers = [(name, values[index]) for name, index in names if values[index] != absent]
        peer = addresses[values[ip]] if ip >= 0 else None
        code = values[status] if status >= 0 else ""
        answered = int(code) if len(code) == 3 and code.isdecimal() else None
        if rest:
            built, known = self._of_parts(values, headers, peer)
        else:
            built, known = request_of(request_lines[values[request]], headers, peer), self.known
        # As Recorded(…) does it, which is a function written in Python around this.
        return _row(Recorded, (at_ns, built, known, source, answered, NOTHING_SAID, None))

    def _of_parts(
        self, values: Sequence[str], headers: Lines, peer: str | None
    ) -> tuple[RequestContext, frozenset[str]]:
        """The request of a line that says more than the usual, and what is known of it."""
        said = {use: values[index] for use, index in self._layout.rest if values[index] != self._absent}
        if self._layout.request >= 0:
            said["request"] = values[self._layout.request]
        if "forwarded" in said:
            headers += forwarded(said["forwarded"])
        if "host" in said and not any(name == "host" for name, _ in headers):
            headers.append(("host", said["host"]))
        request = request_of(asked_in(said), headers, peer or addresses[said.get("peer", "")])
        return request, self._known_body(request, said)

    def _known_body(self, request: RequestContext, said: Mapping[str, str]) -> frozenset[str]:
        """What is known, once the body has been put into the request; nginx does not log those that were in files."""
        if "body" not in self.known:
            return self.known
        if "body" not in said and request.method not in ("GET", "HEAD", "OPTIONS"):
            return self.known - {"body"}
        request.body, request.body_complete = said.get("body", "").encode("latin-1", "replace"), True
        return self.known


def _layout(found: Sequence[str], field: str) -> Layout:
    where: dict[str, int] = {}
    for index, use in enumerate(found):
        where.setdefault(use, index)
    time = next((where[use] for use in _TIMES if use in where), -1)
    if time < 0:
        raise ConfigurationError(field, "holds no time: $time_local, $time_iso8601 or $msec; %t of Apache")
    if not any(use in where for use in _PLACES):
        raise ConfigurationError(field, "holds no path: $request, $request_uri or $uri; %r or %U of Apache")
    headers = {use.removeprefix("header "): index for use, index in where.items() if use.startswith("header ")}
    others = where.keys() - _QUICK - _TIMES.keys() - {f"header {name}" for name in headers}
    rest = tuple([(use, where[use]) for use in sorted(others)])
    if "request" not in where and not rest:  # pragma: no cover  (a path is among the rest)
        raise ConfigurationError(field, "holds no path")
    return Layout(
        time,
        where.get("ip", -1),
        where.get("request", -1),
        where.get("status", -1),
        tuple(headers.items()),
        rest,
    )


def known_of(found: Sequence[str]) -> frozenset[str]:
    """What a format with these parts keeps of a request (:attr:`Recorded.known`)."""
    known = {use.removeprefix("header ") for use in found if use.startswith("header ")}
    if any(use in ("request", "target", "query", "?query") for use in found):
        known.add("query")
    for use, name in (("host", "host"), ("body", "body"), ("forwarded", "x-forwarded-for")):
        if use in found:
            known.add(name)
    return frozenset(known)


def forwarded(value: str) -> Lines:
    """The X-Forwarded-For of the request in nginx's ``$proxy_add_x_forwarded_for``, which the peer is added to."""
    before, comma, _ = value.rpartition(", ")
    return [("x-forwarded-for", before)] if comma else []


def unescaped(value: str) -> str:
    r"""A value without the escapes of nginx and Apache: ``\xHH``, ``\"``, ``\\``, ``\n`` …, and those of JSON."""
    return _ESCAPE.sub(_character, value) if "\\" in value else value


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _LETTERS.get(found[3], found[3])


def named(name: str, *, more: bool = False) -> LogFormat:
    """One of :data:`NAMED`."""
    shown = f"{name} and more" if more else name
    return LogFormat(shown, parts_of_apache(NAMED[name], "--format"), more=more)


def of_nginx(text: str, field: str = "--format") -> LogFormat:
    """Lines that nginx writes with this ``log_format``.

    Raises:
        ConfigurationError: It cannot be read.
    """
    tokens, escaping = parts_of_nginx(text, field)
    return LogFormat("of nginx", tokens, escaping, field=field)


def of_apache(text: str, field: str = "--format") -> LogFormat:
    """Lines that Apache writes with this ``LogFormat``.

    Raises:
        ConfigurationError: It cannot be read.
    """
    return LogFormat("of Apache", parts_of_apache(text, field), field=field)


__all__ = ["NAMED", "LogFormat", "forwarded", "known_of", "named", "of_apache", "of_nginx", "unescaped"]
