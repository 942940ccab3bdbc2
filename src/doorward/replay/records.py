"""A request as a log recorded it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.context import RequestContext

EVERYTHING = frozenset({"*"})
"""In :attr:`Recorded.known`: the recording has all of the request."""
EVERY_HEADER = "header *"
"""In :attr:`Recorded.known` beside names: all headers were recorded, so that one that is not there was not sent. No
header has this name."""
NOTHING_SAID: Mapping[str, str] = MappingProxyType({})


class Source(NamedTuple):
    """Where a request was recorded.

    Attributes:
        file: As the user named the file; ``-`` is standard input.
        line: Line from 1; of a HAR file the entry's number.
    """

    file: str
    line: int


class Told(NamedTuple):
    """What doorward itself decided at the time, where its own log says so.

    Attributes:
        conclusion: ALLOW, DENY, CHALLENGE or ERROR.
        rule: The rule that decided; empty where none did, or the log does not say.
        dry_run: The dry-run rule that would have decided; empty for none.
        why: The reason, as the log has it.
        decision: The decision's id.
    """

    conclusion: str
    rule: str = ""
    dry_run: str = ""
    why: str = ""
    decision: str = ""


class Recorded(NamedTuple):
    """One request of a recording.

    Attributes:
        at_ns: When it came, in nanoseconds since the Unix epoch.
        request: What is known of it. Its peer is the client's address where the log names one, ``body`` is None where
            none was recorded.
        known: What the recording keeps of a request beside time, address, method and path: names of headers in lower
            case (or :data:`EVERY_HEADER`), ``query``, ``body``; :data:`EVERYTHING` for all. What is not in it was not
            recorded, which is not the same as not sent: no rule is asked that needs it.
        source: Where it was recorded.
        status: What the application answered then; None where that was not recorded.
        inputs: What the application gave to ``protect``, such as ``{"email": …}``, where that was recorded.
        told: What doorward decided then.
    """

    at_ns: int
    request: RequestContext
    known: frozenset[str]
    source: Source
    status: int | None = None
    inputs: Mapping[str, str] = NOTHING_SAID
    told: Told | None = None
