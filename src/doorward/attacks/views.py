"""A request, taken apart into values.

A :class:`Source` is a part as it was sent: the path, the query, one header line, the body. Whether a source was seen
before is decided by its key, before it is taken apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.body import body_values
from doorward.attacks.charsets import repaired
from doorward.attacks.evidence import Place, Value
from doorward.attacks.forms import pairs, unquoted, unquoted_chunks
from doorward.attacks.json_tree import BEGINNINGS
from doorward.attacks.nested import json_inside
from doorward.attacks.parts import CHUNK, in_pieces, long_value, telling_names, value
from doorward.context import text

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable, Iterable, Iterator

    from doorward.attacks.parts import Part
    from doorward.context import RequestContext

_PLAIN_PATH = re.compile(r"(?:/[\w.~-]{0,11}+)*+/?+")
_ORDINARY = re.compile(r"(?:/[\w.~-]*+)*+")
_ENCODED = re.compile(r"[A-Za-z0-9+_=-]{12,}+")
_PLAIN_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}")
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_new = tuple.__new__
"""Makes a :class:`Source` or a :class:`Value` in half the time that its constructor takes."""


class Source(NamedTuple):
    """A part of a request.

    Attributes:
        key: Equal for equal parts; None for what is never the same twice.
        size: Characters or bytes.
        values: Takes it apart: values, findings about what could not be taken apart, and
            :data:`~doorward.attacks.parts.PAUSE` where there is much that makes no value.
    """

    key: Hashable
    size: int
    values: Callable[[], Iterable[Part]]


def head(request: RequestContext, known: Container[object]) -> list[Source]:
    """The sources of a request but for its body, without those that are known."""
    sources: list[Source] = []
    decoded, raw = request.path, request.raw_path
    # Some servers tell the whole request target.
    path = raw.partition("?")[0] if raw else decoded
    # Of three parts: a header line has two.
    key = (Place.PATH, path, "")
    if key not in known:
        sources.append(_new(Source, (key, len(path), lambda: path_values(path))))
    if "?" in decoded and decoded != path and (key := (Place.PATH, decoded, "")) not in known:
        sources.append(_new(Source, (key, len(decoded), lambda: path_values(decoded))))
    query = request.query
    if query and (key := (Place.QUERY, query, "")) not in known:
        sources.append(_new(Source, (key, len(query), lambda: pairs(query, Place.QUERY))))
    for given in request.headers.as_given():
        # Some servers hand lines over as lists.
        line = tuple(given)
        if line not in known:
            sources.append(_header(line))
    return sources


def body(request: RequestContext) -> Source | None:
    """The body, if there is any at hand."""
    data = request.body
    if data is None or (not data and request.body_complete):
        return None
    return Source(None, len(data), lambda: body_values(request))


def path_values(path: str) -> Iterator[Part]:
    """The path as a whole and, of a path that is more than plain names, what a route would take for parameters.

    These are: the first segment that is more than a name; all from there on, since an attack may contain slashes; and
    segments that may be encoded.
    """
    if len(path) > CHUNK:
        yield from in_pieces(Place.PATH, "", unquoted_chunks(path))
        return
    if _PLAIN_PATH.fullmatch(path) is not None and path.isascii():
        yield value(Place.PATH, "", path)
        return
    whole = unquoted(path)
    yield value(Place.PATH, "", whole)
    ordinary = _ORDINARY.match(whole)
    assert ordinary is not None
    start = whole.rfind("/", 0, ordinary.end()) + 1 if ordinary.end() < len(whole) else len(whole)
    for number, segment in enumerate(whole[:start].split("/")):
        if len(segment) >= 12:
            yield value(Place.PATH, f"[{number}]", segment)
    if start < len(whole):
        yield from _parameters(whole, start)


def _parameters(path: str, start: int) -> Iterator[Part]:
    number = path.count("/", 0, start)
    if start > 1:
        yield value(Place.PATH, f"[{number}]", path[start:])
    segments = path[start:].split("/")
    for place, segment in enumerate(segments):
        if (place == 0 and len(segments) > 1) or (place and _ENCODED.fullmatch(segment) is not None):
            yield value(Place.PATH, f"[{number + place}]", segment)
        if ";" in segment:
            # Matrix parameters, as servlets have them (RFC 3986 section 3.3).
            for parameter in segment.split(";")[1:]:
                if "=" in parameter:
                    yield value(Place.PATH, f"[{number + place}]", parameter.partition("=")[2])


def _header(line: tuple[str | bytes, ...]) -> Source:
    name, content = line
    return _new(Source, (line, len(content), lambda: header_values(text(name).lower(), text(content))))


def header_values(name: str, content: str) -> Iterator[Part]:
    """A header line; cookies one by one (RFC 6265 section 4.2)."""
    if not content.isascii():
        content = repaired(content)
    if name == "cookie":
        yield from _cookies(content)
        return
    if _PLAIN_HEADER_NAME.fullmatch(name) is None:
        yield value(Place.HEADER, name, name, is_name=True)
    if content.isdigit():
        return
    if len(content) <= CHUNK:
        yield _new(Value, (Place.HEADER, name, content, False, 0))
    else:
        yield from long_value(Place.HEADER, name, content)
    if content[:1] in BEGINNINGS:
        yield from json_inside(Place.HEADER, name, content)
    if name in _CREDENTIALS:
        scheme, _, credentials = content.partition(" ")
        credentials = credentials.strip()
        if scheme.lower() == "basic":
            # What is Base64 as a whole is decoded later.
            yield from long_value(Place.HEADER, name, credentials)
        yield from json_inside(Place.HEADER, name, credentials)


def _cookies(line: str) -> Iterator[Part]:
    names: list[str] = []
    for pair in filter(None, line.split(";")):
        name, equals, content = pair.partition("=")
        name = name.strip()
        names.append(name)
        if not equals:
            continue
        content = content.strip()
        if content[:1] == '"':
            content = content.strip('"')
        if content:
            if len(content) <= CHUNK:
                yield _new(Value, (Place.COOKIE, name, content, False, 0))
            else:
                yield from long_value(Place.COOKIE, name, content)
            if content[0] in BEGINNINGS:
                yield from json_inside(Place.COOKIE, name, content)
    yield from telling_names(Place.COOKIE, names)
