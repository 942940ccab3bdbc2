"""Conversations with servers as generators: they yield what to send, and are sent what came back.

One loop that blocks and one that awaits perform them, so that what follows from an answer exists once. Nothing that
may have been carried out is ever sent twice: only what a server has *refused* is, to where it says, or with the whole
script where it did not know that.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import StoreError
from doorward.stores.redis.commands import refusal
from doorward.stores.redis.resp import ErrorReply, Garbage, pack
from doorward.stores.redis.routing import Node, Router, address_of
from doorward.stores.redis.target import CLUSTER, SENTINEL, SINGLE

if TYPE_CHECKING:
    from doorward.stores.redis.commands import Call

MOST_ROUNDS = 6
_READ_ONLY = "READONLY"


class Batch(NamedTuple):
    """Bytes for one server.

    Attributes:
        node: Whom to send them to.
        data: Commands.
        replies: How many come back.
        share: The part of the time left that may be spent on it: somebody else can be asked too.
        probing: Send it although the server is known to be down.
    """

    node: Node
    data: bytes
    replies: int
    share: float = 1.0
    probing: bool = False


Outcome = list[Any] | StoreError
"""Replies, or why there are none."""

Talk = Generator[Sequence[Batch], Sequence[Outcome], Any]


class _Step(NamedTuple):
    node: Node
    whole: bool = False
    asking: bool = False


def ask(router: Router, calls: Sequence[Call]) -> Generator[Sequence[Batch], Sequence[Outcome], list[Any]]:
    """A reply for each call, or the :class:`StoreError` why there is none."""
    if not router.located:
        yield from locate(router)
    results: list[Any] = [None] * len(calls)
    steps = _begin(router, calls, results)
    for _ in range(MOST_ROUNDS):
        if not steps:
            return results
        by_node: dict[Node, list[int]] = {}
        for place, step in steps.items():
            by_node.setdefault(step.node, []).append(place)
        batches = [_batch(node, places, steps, calls) for node, places in by_node.items()]
        outcomes = yield batches
        ahead: dict[int, _Step] = {}
        for places, outcome in zip(by_node.values(), outcomes, strict=True):
            _take_in(router, places, steps, outcome, results, ahead)
        steps = ahead
    for place in steps:
        results[place] = StoreError("the Cluster sends us from node to node")
    return results


def _begin(router: Router, calls: Sequence[Call], results: list[Any]) -> dict[int, _Step]:
    steps = {}
    for place, call in enumerate(calls):
        try:
            steps[place] = _Step(router.owner(call.key or b""))
        except StoreError as error:
            results[place] = error
    return steps


def _batch(node: Node, places: Sequence[int], steps: dict[int, _Step], calls: Sequence[Call]) -> Batch:
    pieces = []
    for place in places:
        if steps[place].asking:
            pieces.append(pack(b"ASKING"))
        pieces.append(pack(*calls[place].words(whole=steps[place].whole)))
    return Batch(node, b"".join(pieces), len(pieces))


def _take_in(
    router: Router,
    places: Sequence[int],
    steps: dict[int, _Step],
    outcome: Outcome,
    results: list[Any],
    ahead: dict[int, _Step],
) -> None:
    replies = iter(outcome if isinstance(outcome, list) else [])
    for place in places:
        if isinstance(outcome, StoreError):
            results[place] = outcome
            continue
        if steps[place].asking:
            next(replies)
        reply = next(replies)
        if not isinstance(reply, ErrorReply):
            results[place] = reply
            continue
        try:
            ahead[place] = _after(router, steps[place], reply)
        except StoreError as error:
            results[place] = error


def _after(router: Router, step: _Step, error: ErrorReply) -> _Step:
    """What to try after a refusal.

    Raises:
        StoreError: Nothing.
    """
    if error.code == "NOSCRIPT" and not step.whole:
        return step._replace(whole=True)
    if error.code in {"MOVED", "ASK"} and router.target.kind == CLUSTER:
        slot, address = address_of(error.text.split(" "), step.node)
        node = router.node(address)
        if error.code == "MOVED":
            router.moved(slot, node)
        return _Step(node, whole=step.whole, asking=error.code == "ASK")
    raise refusal(error)


def is_outage(reply: object) -> bool:
    """Whether an answer means that this server, over this connection, will not serve again."""
    return isinstance(reply, ErrorReply) and reply.code == _READ_ONLY


def locate(router: Router, *, probing: bool = False) -> Talk:
    """Find out where keys belong.

    Raises:
        StoreError: Nobody says.
    """
    question = pack(b"CLUSTER", b"SLOTS")
    if router.target.kind == SENTINEL:
        question = pack(b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", router.target.service.encode())
    why = StoreError("nobody was asked")
    # Those that hold keys know, too, and may be up where all those that the URL names are not.
    asked = list(dict.fromkeys([*router.entries, *(router.owners() if router.target.kind == CLUSTER else ())]))
    asked.sort(key=lambda node: not node.breaker.closed)
    for place, node in enumerate(asked):
        batch = Batch(node, question, 1, share=1 / (len(asked) - place), probing=probing)
        (outcome,) = yield [batch]
        try:
            router.learn(_reply(outcome), node)
        except StoreError as error:
            why = error
        else:
            return
    raise StoreError(f"cannot find out where the primary is: {why}")


def _reply(outcome: Outcome) -> Any:
    if isinstance(outcome, StoreError):
        raise outcome
    (reply,) = outcome
    if isinstance(reply, ErrorReply):
        raise refusal(reply)
    return reply


def probe(router: Router, node: Node, key: bytes) -> Talk:
    """See whether a server that was down serves again; asks anew who does where that may have changed.

    Raises:
        StoreError: It does not.
    """
    if router.target.kind != SINGLE and not node.sentinel:
        yield from locate(router, probing=True)
        if not router.is_needed(node):
            router.forget(node)
            return
    if node.sentinel or router.target.kind == CLUSTER:
        question = pack(b"PING")
    else:
        # A write: what has become a replica answers to PING.
        question = pack(b"SET", key, b"", b"PX", b"1000")
    (outcome,) = yield [Batch(node, question, 1, probing=True)]
    if _reply(outcome) not in {b"OK", b"PONG"}:
        raise Garbage("the server's answer makes no sense")
