"""Names for groups of requests: a log knows paths, not the routes of the framework that answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.patterns import RouteMatcher

LONGEST = 200
"""Characters of a name."""
_MOST_SEGMENTS = 12
_MOST_KNOWN = 8_192
_IDENTIFIER = re.compile(
    r"""[0-9]+
    | [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}  # a UUID (RFC 9562)
    | (?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}                 # a hash; words like "facade" have no digit
    | (?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_~=+.-]{20,}(?<!\.html)  # a token, of letters and digits
    | \S{41,}                                           # longer than any word of a route
    | [^/]*@[^/]*                                       # an address of mail: also nobody's business
    """,
    re.VERBOSE,
)
_SUFFIXED = re.compile(r"([0-9]+|[0-9a-fA-F-]{32,36})(\.[a-z]{2,5})")


class RouteNames:
    """Gives requests the names of their routes: ``GET /users/{id}``.

    Paths that the application has declared itself, in ``limits={…}`` and ``paths=[…]``, go first. In all others,
    numbers, UUIDs, hashes and long tokens become ``{id}``. Wrong guesses merge or split groups, nothing else.

    Args:
        declared: Matchers of the application's own patterns; the first that matches names the route.
    """

    def __init__(self, declared: Sequence[RouteMatcher] = ()) -> None:
        self._declared = tuple(declared)
        self._known: dict[tuple[str, str], str] = {}

    def name(self, method: str, path: str) -> str:
        """The name of a request's route."""
        key = (method, path)
        found = self._known.get(key)
        if found is None:
            found = f"{method[:20]} {self._pattern(method, path) or grouped(path)}"
            if len(path) <= LONGEST:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = found
        return found

    def _pattern(self, method: str, path: str) -> str:
        for matcher in self._declared:
            pattern = matcher.match(method, path)
            if pattern is not None:
                return pattern
        return ""


def grouped(path: str) -> str:
    """``path`` with ``{id}`` in place of what is different for each user, order or file."""
    segments = path[: 4 * LONGEST].split("/")
    parts = [_segment(segment) for segment in segments[:_MOST_SEGMENTS]]
    more = ["…"] if len(segments) > _MOST_SEGMENTS else []
    name = "/".join([*parts, *more])
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _segment(text: str) -> str:
    if _IDENTIFIER.fullmatch(text):
        return "{id}"
    suffixed = _SUFFIXED.fullmatch(text)
    return "{id}" + suffixed[2] if suffixed else text


__all__ = ["LONGEST", "RouteNames", "grouped"]
