r"""Which requests a setting is for: patterns of paths, and of methods and paths.

====================  ==========================================================================================
``/login``            exactly this path
``/users/*/edit``     ``*`` is any run of characters without "/", also none
``/api/*``            everything below: "/api/", "/api/a/b"; not "/api", nor "/apix"
``**/export``         ``**`` is anything, "/" too; so is ``*`` at the start, where paths have their "/"
``/report-?.pdf``     ``?`` is one character except "/"
``re:/v\d+/.*``        a regular expression for the whole path; so is a compiled ``re.Pattern``
====================  ==========================================================================================

Where methods are taken too, they come first: ``POST /login``, ``GET,HEAD /static/*``. Patterns are case-sensitive, as
paths are, and see the path as the framework routes it: decoded, without the query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "DEFAULT_EXEMPT",
    "MAX_TEXT",
    "Exemption",
    "PathPattern",
    "RouteMatcher",
    "compile_path",
    "compile_regex",
    "is_plain_path",
]

MAX_SOURCE = 1_000
"""Characters of a pattern."""
MAX_TEXT = 8_192
"""Characters of a text that a pattern is tried on."""

# RFC 9110 section 9, RFC 5789 (PATCH), RFC 4918 (WebDAV) and the QUERY draft.
METHODS = frozenset({
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY",
    "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "UNLOCK",
})  # fmt: skip
_REGEX_PREFIXES = ("re:", "regex:")
_METHODS_FIRST = re.compile(r"([A-Za-z]+(?: ?, ?[A-Za-z]+)*) +(?=\S)")
_WILDCARD = re.compile(r"\*+|\?")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A compiled pattern of paths; get one from :func:`compile_path`.

    Attributes:
        source: What the user wrote.
        matches: Whether the pattern is for a path. Takes linear time and never raises.
        flags: Those of a compiled ``re.Pattern``; None otherwise.
    """

    source: str
    matches: Callable[[str], bool] = field(compare=False, repr=False)
    flags: int | None = None


class Exemption(NamedTuple):
    """Requests that no rule needs to look at, and why."""

    reason: str
    methods: tuple[str, ...]
    patterns: tuple[str, ...]

    def routes(self) -> tuple[str, ...]:
        """The patterns with their methods, as :class:`RouteMatcher` takes them."""
        return tuple(f"{','.join(self.methods)} {pattern}" for pattern in self.patterns)


DEFAULT_EXEMPT: tuple[Exemption, ...] = (
    # Not "/status": applications show orders, jobs and users there.
    Exemption(
        "health check: an orchestrator that is refused restarts the application",
        ("GET", "HEAD"),
        ("/health", "/healthz", "/healthcheck", "/health/live", "/health/ready", "/livez", "/readyz", "/ping"),
    ),
    Exemption(
        # With a dot: "/<user>/profile" is a route, and a user may be called "static".
        "static file: a page loads dozens at once, and they hold nothing to protect",
        ("GET", "HEAD"),
        ("/static/**.*", "/assets/**.*", "/favicon.ico"),
    ),
    # Not all of "/.well-known": webfinger and openid answer questions about users.
    Exemption(
        "file for robots: a bot that is refused its rules cannot keep them",
        ("GET", "HEAD"),
        ("/robots.txt", "/.well-known/security.txt"),
    ),
    Exemption("certificate renewal (RFC 8555)", ("GET", "HEAD"), ("/.well-known/acme-challenge/*",)),
)
"""What middleware leaves alone by default. For plain paths only: see :func:`is_plain_path`."""


def is_plain_path(path: str) -> bool:
    r"""Whether a path means the same to every router, file system and proxy.

    False for what some of them rewrite: empty and dot segments, "\\", "%" (still encoded after decoding), ";" and
    anything unprintable. An exemption must only ever be for plain paths, or "/static/../login" is exempt.
    """
    return (
        path.startswith("/")
        and path.isprintable()
        and "//" not in path
        and "%" not in path
        and ";" not in path
        and "\\" not in path
        and ("/." not in path or _DOT_SEGMENT.search(path) is None)
    )


def compile_path(pattern: str | re.Pattern[str], *, field: str = "paths", overlong: bool = False) -> PathPattern:
    """Compile one pattern of paths.

    Args:
        pattern: See the table of this module.
        field: What to name in an error.
        overlong: What a regular expression answers for a path of more than ``MAX_TEXT`` characters. It must be the
            side that protects: False (the default) where a match exempts, True where a match brings a rule on.
            Globs have no such limit.

    Raises:
        ConfigurationError: The pattern cannot be compiled, can never match, or is a regular expression that could take
            more than linear time.
    """
    if isinstance(pattern, re.Pattern):
        matches = _compile_safe(pattern, field=field, whole=True, overlong=overlong)
        return PathPattern(pattern.pattern, matches, pattern.flags)
    if not isinstance(pattern, str):
        raise ConfigurationError(field, f"takes str or re.Pattern, not {type(pattern).__name__}")
    for prefix in _REGEX_PREFIXES:
        if pattern.startswith(prefix):
            matches = _compile_safe(pattern.removeprefix(prefix), field=field, whole=True, overlong=overlong)
            return PathPattern(pattern, matches)
    if pattern != pattern.strip():
        raise ConfigurationError(field, f"{pattern!r} begins or ends with white space, and would match nothing")
    return PathPattern(pattern, _compile_glob(pattern, field))


def compile_regex(source: str | re.Pattern[str], *, field: str, overlong: bool = False) -> Callable[[str], bool]:
    """A predicate: whether the expression is found anywhere in a text. Takes linear time and never raises.

    Args:
        source: Python syntax, or a compiled pattern with its flags.
        field: What to name in an error.
        overlong: The answer for texts of more than ``MAX_TEXT`` characters; make it the side that protects.

    Raises:
        ConfigurationError: The expression cannot be compiled, or could take more than linear time.
    """
    return _compile_safe(source, field=field, whole=False, overlong=overlong)


def _compile_safe(pattern: str | re.Pattern[str], *, field: str, whole: bool, overlong: bool) -> Callable[[str], bool]:
    # Imported when a regular expression turns up: few applications write any.
    from doorward.regex_safety import compile_safe

    return compile_safe(pattern, field=field, whole=whole, overlong=overlong)


class _Route(NamedTuple):
    position: int
    methods: frozenset[str] | None
    pattern: PathPattern


class RouteMatcher:
    """Patterns of paths, each for every method or for those that it names.

    Args:
        patterns: As :func:`compile_path` takes them, with methods before them if wanted.
        field: What to name in an error.
        overlong: See :func:`compile_path`.

    Raises:
        ConfigurationError: See :func:`compile_path`; or a method is unknown.
    """

    __slots__ = ("_exact", "_others")

    def __init__(self, patterns: Iterable[str | re.Pattern[str]], *, field: str, overlong: bool = False) -> None:
        if isinstance(patterns, str | re.Pattern):
            raise ConfigurationError(field, "takes a list of patterns, not a single one")
        self._exact: dict[str, list[_Route]] = {}
        others: list[_Route] = []
        for position, pattern in enumerate(patterns):
            methods, rest = split_methods(pattern, field)
            if overlong and methods is not None and "GET" in methods:
                methods |= {"HEAD"}  # frameworks route it to the same view
            route = _Route(position, methods, compile_path(rest, field=field, overlong=overlong))
            if isinstance(rest, str) and _is_literal(rest):
                self._exact.setdefault(rest, []).append(route)
            else:
                others.append(route)
        self._others = tuple(others)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._exact or self._others)

    def match(self, method: str, path: str) -> str | None:
        """The first pattern that is for this request, as it was written but for its methods; None if there is none.

        The method may be in any case: some frameworks route "post" as "POST".
        """
        found: _Route | None = None
        for route in self._exact.get(path, ()):
            if route.methods is None or method.upper() in route.methods:
                found = route
                break
        for position, methods, pattern in self._others:
            if found is not None and found.position < position:
                break
            if pattern.matches(path) and (methods is None or method.upper() in methods):
                return pattern.source
        return None if found is None else found.pattern.source


def split_methods(pattern: str | re.Pattern[str], field: str) -> tuple[frozenset[str] | None, str | re.Pattern[str]]:
    if not isinstance(pattern, str) or pattern.startswith(_REGEX_PREFIXES):
        return None, pattern
    prefix = _METHODS_FIRST.match(pattern)
    if prefix is None:
        return None, pattern
    methods = frozenset(name.strip().upper() for name in prefix[1].split(","))
    for unknown in sorted(methods - METHODS):
        from difflib import get_close_matches  # imported where a mistake was made

        near = get_close_matches(unknown, METHODS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigurationError(field, f"{pattern!r} names no HTTP method: {unknown}.{hint}")
    return methods, pattern[prefix.end() :]


def _is_literal(pattern: str) -> bool:
    return pattern.startswith("/") and _WILDCARD.search(pattern) is None


def _compile_glob(pattern: str, field: str) -> Callable[[str], bool]:
    if len(pattern) > MAX_SOURCE:
        raise ConfigurationError(field, f"a pattern has at most {MAX_SOURCE} characters, not {len(pattern)}")
    if not pattern.startswith(("/", "*")):
        raise ConfigurationError(
            field, f"{pattern!r} can match no path: a pattern starts with '/' or '*'; a regular expression with 're:'"
        )
    pieces = tokenize(pattern)
    if all(len(piece) == 1 and piece not in "*?" for piece in pieces):
        return pattern.__eq__
    prefix = "".join(pieces[:-1])
    if pieces[-1] == "**" and "*" not in prefix and "?" not in prefix:
        return lambda path: path.startswith(prefix)
    return _compile_wildcards(pieces)


def tokenize(pattern: str) -> list[str]:
    """Single characters, "?", "*" and "**"; the first and the last star as what they stand for."""
    pieces: list[str] = ["**" if piece.startswith("**") else piece for piece in re.findall(r"(?s)\*+|.", pattern)]
    if pieces[0] == "*":
        pieces[0] = "**"
    if pieces[-1] == "*" and pieces[-2:-1] == ["/"]:
        pieces[-1] = "**"
    return pieces


def _compile_wildcards(pieces: list[str]) -> Callable[[str], bool]:
    from doorward.regex_cost import steps_per_character

    translations = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    source = "".join(translations.get(piece) or re.escape(piece) for piece in pieces)
    regex = re.compile(source, re.DOTALL)
    if steps_per_character(regex, whole=True) is None:
        return _BitGlob(pieces).matches
    return lambda path: regex.fullmatch(path) is not None


class _BitGlob:
    """A glob with stars that would make ``re`` backtrack: all positions at once, one bit each.

    Baeza-Yates and Gonnet, "A New Approach to Text Searching" (1992). Bit i of the state is set if the pieces before
    i match the text so far. A step is a few operations on one integer, whatever the text: linear by construction.
    """

    __slots__ = ("_any", "_final", "_literals", "_single", "_stars")

    def __init__(self, pieces: list[str]) -> None:
        self._final = 1 << len(pieces)
        self._any = self._positions(pieces, "**")
        self._stars = self._any | self._positions(pieces, "*")
        self._single = self._positions(pieces, "?")
        self._literals = {piece: self._positions(pieces, piece) for piece in pieces if piece not in ("**", "*", "?")}

    @staticmethod
    def _positions(pieces: list[str], wanted: str) -> int:
        return sum(1 << index for index, piece in enumerate(pieces) if piece == wanted)

    def matches(self, path: str) -> bool:
        state = self._skip_stars(1)
        for character in path:
            literal = self._literals.get(character, 0)
            if character == "/":
                state = ((state & literal) << 1) | (state & self._any)
            else:
                state = ((state & (literal | self._single)) << 1) | (state & self._stars)
            if not state:
                return False
            state = self._skip_stars(state)
        return bool(state & self._final)

    def _skip_stars(self, state: int) -> int:
        # Once is enough: tokenize leaves no two stars side by side.
        return state | ((state & self._stars) << 1)
