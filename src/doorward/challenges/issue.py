"""One challenge that was posed: everything that has to be known when the answer comes, in a signed token."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.challenges.tokens import Purpose, Refused
from doorward.levels import Level

if TYPE_CHECKING:
    from doorward.challenges.tokens import Signer

LONGEST_TARGET = 4_000
"""Characters of a path with its query; who asks for more gets the page, and starts again from the front page without
JavaScript."""
MOST_RENEWED = 8
"""Times in a row of challenges that a person may ask for another question instead of answering."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Issue(NamedTuple):
    """A challenge.

    Attributes:
        id: Its own, random, 22 characters; redeemed once.
        kind: Name of its kind.
        level: What it shows when it is passed.
        weight: The request's sum of weights, by which kinds set their difficulty.
        target: Where the client wanted to go: a path of this site with its query.
        attempt: How many challenges in a row this is, from 1.
        issued_ms: When it was posed, in milliseconds since the Unix epoch.
        expires_ms: Until when it can be passed.
        token: Itself, signed; empty before it is.
        keeps: Digest of the form that its page keeps, to be sent once it is passed; empty for none.
        reference: Id of the decision that led to it, by which an operator finds it.
        detail: What its kind has to know again when the answer comes. Signed, and no secret: the client can read it.
        doubt: How much of the weight was found in answers to challenges before it in the row.
        renewed: How often in the row another question was asked for instead of answering.
    """

    id: str
    kind: str
    level: Level
    weight: float = 0.0
    target: str = "/"
    attempt: int = 1
    issued_ms: int = 0
    expires_ms: int = 0
    token: str = ""
    keeps: str = ""
    reference: str = ""
    detail: Mapping[str, Any] = _NOTHING
    doubt: float = 0.0
    renewed: int = 0


def signed(issue: Issue, signer: Signer, now_ms: int, ttl_ms: int, bound_to: str) -> Issue:
    """``issue`` with its times and its token."""
    values = (issue.id, issue.kind, int(issue.level), issue.weight, issue.target, issue.attempt)
    body: dict[str, object] = dict(zip(_FIELDS, values, strict=True))
    more = {"f": issue.keeps, "r": issue.reference, "d": dict(issue.detail), "s": issue.doubt, "n": issue.renewed}
    body |= {name: value for name, value in more.items() if value}
    token = signer.sign(Purpose.CHALLENGE, body, now_ms, ttl_ms, bound_to)
    return issue._replace(issued_ms=now_ms, expires_ms=now_ms + ttl_ms, token=token)


def opened(token: str, signer: Signer, now_ms: int, bound_to: str, *, late_ms: int = 0) -> Issue:
    """The challenge that a token is of; also for ``late_ms`` after its end, to go on from where it was.

    Raises:
        Refused: It is none that can be passed now, by this client.
    """
    found = signer.open(Purpose.CHALLENGE, token, now_ms, bound_to, late_ms=late_ms)
    id_, kind, level, weight, target, attempt = [found.body.get(name) for name in _FIELDS]
    keeps, reference = [found.body.get(name, "") for name in ("f", "r")]
    detail, doubt, renewed = found.body.get("d", _NOTHING), found.body.get("s", 0.0), found.body.get("n", 0)
    # Signed by a version of ours to come, where they are anything else.
    if not (
        isinstance(id_, str)
        and isinstance(kind, str)
        and isinstance(weight, int | float)
        and isinstance(target, str)
        and isinstance(attempt, int)
        and isinstance(keeps, str)
        and isinstance(reference, str)
        and isinstance(detail, Mapping)
        and isinstance(doubt, int | float)
        and isinstance(renewed, int)
    ):
        raise Refused("malformed")
    times = (found.issued_ms, found.expires_ms)
    said = (id_, kind, level_of(level), float(weight), target, attempt)
    return Issue(*said, *times, token, keeps, reference, detail, float(doubt), renewed)


def level_of(value: object) -> Level:
    """The level that a genuine token names.

    Raises:
        Refused: There is none of that number.
    """
    if not isinstance(value, int) or value not in _LEVELS:
        raise Refused("malformed")
    return Level(value)


_FIELDS: tuple[str, ...] = ("i", "k", "l", "w", "t", "a")
_LEVELS = frozenset(int(level) for level in Level)
