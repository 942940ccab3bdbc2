"""What the core may ask for. The engine yields these; a driver performs them and sends the answer back.

This is also the vocabulary of the stores: a :class:`Hit` is a question, a :class:`Verdict` its answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.offload import Offload
    from doorward.question import Question


class Algorithm(StrEnum):
    """How a limit counts. ``BAN`` counts nothing: it refuses while its key is banned."""

    FIXED_WINDOW = "FIXED_WINDOW"
    SLIDING_WINDOW = "SLIDING_WINDOW"
    TOKEN_BUCKET = "TOKEN_BUCKET"
    BAN = "BAN"


class Hit(NamedTuple):
    """One counter to charge.

    Attributes:
        key: The counter's name in the store.
        algorithm: How it counts.
        max: The most units a window admits; a token bucket's capacity.
        interval: The window's length in nanoseconds; for a token bucket, the time an empty one takes to fill.
        cost: Units to charge, at least 1.
        group: Hits of one group are charged all or none.
        dry_run: Its group is only looked at when a hit that is not a dry run was refused.
    """

    key: str
    algorithm: Algorithm
    max: int
    interval: int
    cost: int = 1
    group: int = 0
    dry_run: bool = False


class Verdict(NamedTuple):
    """A store's answer to one :class:`Hit`.

    Attributes:
        admitted: Whether this counter has room for the cost.
        remaining: Whole units left after this call.
        reset_after: Seconds until the counter is as good as new: the end of a fixed window, the expiry of the newest
            hit of a sliding one, a full bucket.
        retry_after: Seconds until the same hit could be admitted; 0.0 when it was.
        at: The store's time in nanoseconds. Opaque: hand it back to ``refund``.
    """

    admitted: bool
    remaining: int
    reset_after: float
    retry_after: float
    at: int = 0


class Charge(NamedTuple):
    """A hit that was charged, and when: what ``refund`` takes back."""

    hit: Hit
    at: int


class CountHits(NamedTuple):
    """Charge these counters in one call. Answered with one :class:`Verdict` a hit, in their order.

    Attributes:
        hits: The counters.
        local: Ask the limiter of this process instead of the configured store, which has just failed.
    """

    hits: Sequence[Hit]
    local: bool = False


class ReadBody:
    """Hold the request's body, up to the limit. Answered with a :class:`~doorward.context.Body`."""

    __slots__ = ()


class Pause:
    """Let the event loop run others: a long scan yields this every few milliseconds. Answered with None."""

    __slots__ = ()


class AskStore(NamedTuple):
    """Call a method of the store. Answered with what it returns."""

    method: str
    arguments: tuple[object, ...] = ()


class AskService(NamedTuple):
    """Have the decision service evaluate what is still open.

    Answered with a :class:`~doorward.question.ServiceAnswer`; raises :class:`~doorward.errors.ServiceError` without
    one.
    """

    question: Question


class DnsKind(StrEnum):
    """The kinds of records that rules ask for (RFC 1035 section 3.2.2, RFC 3596)."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    PTR = "PTR"


class ResolveDns(NamedTuple):
    """Ask the DNS. Answered with a :class:`DnsAnswer`; raises :class:`~doorward.errors.ResolverError` without one.

    Attributes:
        name: A domain name in ASCII (A-labels), without the final dot; for PTR one under ``in-addr.arpa`` or
            ``ip6.arpa``.
        kind: The records wanted.
    """

    name: str
    kind: DnsKind


class DnsAnswer(NamedTuple):
    """What the DNS says for certain.

    Attributes:
        exists: False when the name does not (NXDOMAIN).
        records: Addresses in canonical text; for MX the hosts by preference, for PTR the names, in lower case without
            the final dot. A null MX (RFC 7505) is one empty host. Aliases have been followed.
    """

    exists: bool
    records: tuple[str, ...] = ()


class AskWeb(NamedTuple):
    """Send a HEAD request. Answered with the HTTP status; raises ``ResolverError`` without one. Follows no redirect.

    Attributes:
        url: Absolute, ``https`` as a rule; holds nothing that a client chose freely.
    """

    url: str


class Wire(Protocol):
    """The way to one provider of captchas."""

    def send(self, call: Any) -> Any:
        """Its reply, blocking."""
        ...

    async def asend(self, call: Any) -> Any:
        """As :meth:`send`, awaiting."""
        ...


class AskProvider(NamedTuple):
    """Ask a provider of captchas about a response. Answered with its reply; raises whatever ``wire`` does without one.

    The time is the call's own, and not a part of the decision's deadline.

    Attributes:
        wire: Who is asked.
        call: What is sent; its text has no secret.
    """

    wire: Wire
    call: object


class Compute(NamedTuple):
    """Do what keeps a processor busy for milliseconds, such as drawing, without keeping the event loop from others.

    Answered with what the call returns. Who blocks anyway does it where it stands; who awaits has a thread of ``pool``
    do it, and raises ``StoreError`` while all of those are busy.

    Attributes:
        pool: Threads of its own: those of stores that block must be there for stores.
        call: What to do; asks nobody, and ends by itself.
        arguments: Of the call.
    """

    pool: Offload
    call: Callable[..., object]
    arguments: tuple[object, ...] = ()


class Gather(NamedTuple):
    """Perform several at once. Answered with a list of their answers, a :class:`Failed` for each that raised."""

    effects: Sequence[Effect]


class Failed(NamedTuple):
    """An effect of a :class:`Gather` raised this."""

    error: Exception


Effect = CountHits | ReadBody | Pause | AskStore | AskService | ResolveDns | AskWeb | AskProvider | Compute | Gather
