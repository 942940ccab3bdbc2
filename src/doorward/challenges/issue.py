"""One challenge that was posed: everything that has to be known when the answer comes, in a signed token."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.challenges.tokens import Purpose, Refused
from doorward.levels import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.tokens import Signer

LONGEST_TARGET = 4_000
"""Characters of a path with its query; who asks for more gets the page, and starts again from the front page without
JavaScript."""

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
        detail: What its kind has to know again when the answer comes. Signed, and no secret: the client can read it.
        doubt: How much of the weight was found in answers to challenges before it in the row.
        keeps: Digest of the form that its page keeps, to be sent once it is passed; empty for none.
        reference: Id of the decision that led to it, by which an operator finds it.
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
    detail: Mapping[str, Any] = _NOTHING
    doubt: float = 0.0
    keeps: str = ""
    reference: str = ""


def signed(issue: Issue, signer: Signer, now_ms: int, ttl_ms: int, bound_to: str) -> Issue:
    """``issue`` with its times and its token."""
    body = {
        "i": issue.id,
        "k": issue.kind,
        "l": int(issue.level),
        "w": issue.weight,
        "t": issue.target,
        "a": issue.attempt,
        **({"d": dict(issue.detail)} if issue.detail else {}),
        **({"s": issue.doubt} if issue.doubt else {}),
        **({"f": issue.keeps} if issue.keeps else {}),
        **({"r": issue.reference} if issue.reference else {}),
    }
    token = signer.sign(Purpose.CHALLENGE, body, now_ms, ttl_ms, bound_to)
    return issue._replace(issued_ms=now_ms, expires_ms=now_ms + ttl_ms, token=token)


def opened(token: str, signer: Signer, now_ms: int, bound_to: str, *, late_ms: int = 0) -> Issue:
    """The challenge that a token is of; also for ``late_ms`` after its end, to go on from where it was.

    Raises:
        Refused: It is none that can be passed now, by this client.
    """
    found = signer.open(Purpose.CHALLENGE, token, now_ms, bound_to, late_ms=late_ms)
    body = found.body
    try:
        return Issue(
            body["i"],
            body["k"],
            Level(body["l"]),
            body["w"],
            body["t"],
            body["a"],
            found.issued_ms,
            found.expires_ms,
            token,
            detail=body.get("d", _NOTHING),
            doubt=body.get("s", 0.0),
            keeps=body.get("f", ""),
            reference=body.get("r", ""),
        )
    except (KeyError, ValueError):  # signed by a version of ours to come
        raise Refused("malformed") from None
