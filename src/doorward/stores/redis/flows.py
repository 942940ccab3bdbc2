"""The methods of a store as conversations: see :mod:`doorward.stores.redis.talk`. Neither blocks nor awaits."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.effects import Algorithm, Charge, Hit, Verdict
from doorward.errors import StoreError
from doorward.stores.redis import commands
from doorward.stores.redis.resp import ErrorReply, pack
from doorward.stores.redis.routing import slot_of
from doorward.stores.redis.talk import Batch, Outcome, ask, locate

if TYPE_CHECKING:
    from doorward.stores.redis.commands import Call, Names
    from doorward.stores.redis.routing import Router

T = TypeVar("T")
Flow = Generator[Sequence[Batch], Sequence[Outcome], T]

_SERVER_TIME = b"0"


class Flows:
    """What each method of the store says to the servers.

    Args:
        router: Gives the servers of this process.
        names: The names of keys.
        time: Microseconds since the epoch in place of the server's own time, for tests.
    """

    def __init__(self, router: Callable[[], Router], names: Names, time: Callable[[], int] | None = None) -> None:
        self._router = router
        self._names = names
        self._time = time

    def _now(self) -> bytes:
        return b"%d" % self._time() if self._time is not None else _SERVER_TIME

    def _ask(self, calls: Sequence[Call]) -> Flow[list[Any]]:
        replies = yield from ask(self._router(), calls)
        return replies

    def _ask_all(self, calls: Sequence[Call]) -> Flow[list[Any]]:
        """As ``_ask``, but a failure of one is one of all."""
        replies = yield from ask(self._router(), calls)
        for reply in replies:
            if isinstance(reply, StoreError):
                raise reply
        return replies

    def _one(self, call: Call) -> Flow[Any]:
        (reply,) = yield from self._ask_all([call])
        return reply

    # Counting

    def count(self, hits: Sequence[Hit]) -> Flow[Sequence[Verdict]]:
        """One round trip; on a Cluster one script for each slot, sent together."""
        if len(hits) == 1 and not self._names.tagged:
            reply = yield from self._one(commands.count(self._names, hits, self._now()))
            return commands.verdicts(hits, reply)
        if not hits:
            return []
        order = commands.in_order(hits)
        ordered = [hits[place] for place in order]
        parts = self._parts(ordered)
        if len(parts) == 1:
            reply = yield from self._one(commands.count(self._names, ordered, self._now()))
            answers = commands.verdicts(ordered, reply)
        else:
            answers = yield from self._count_apart(ordered, parts)
        found = dict(zip(order, answers, strict=True))
        return [found[place] for place in range(len(hits))]

    def _parts(self, hits: Sequence[Hit]) -> list[list[int]]:
        """Places of hits whose keys are on one server for certain."""
        if not self._names.tagged:
            return [list(range(len(hits)))]
        parts: dict[int, list[int]] = {}
        for place, hit in enumerate(hits):
            parts.setdefault(slot_of(commands.name_of(self._names, hit)), []).append(place)
        return list(parts.values())

    def _count_apart(self, hits: Sequence[Hit], parts: list[list[int]]) -> Flow[list[Verdict]]:
        """Each part by itself; then what was charged in vain is given back, so that it is all or none."""
        asked = [[hits[place] for place in part] for part in parts]
        replies = yield from self._ask([commands.count(self._names, part, self._now()) for part in asked])
        answers: dict[int, Verdict] = {}
        charged: set[int] = set()
        failure: StoreError | None = None
        for part, own, reply in zip(parts, asked, replies, strict=True):
            if isinstance(reply, StoreError):
                failure = reply
                continue
            answers.update(zip(part, commands.verdicts(own, reply), strict=True))
            charged |= {part[at] for at in commands.charged(reply)}
        vain = charged if failure is not None else charged & _in_vain(hits, answers)
        if vain:
            yield from self._give_back([Charge(hits[place], answers[place].at) for place in sorted(vain)])
        if failure is not None:
            raise failure
        return [_given_back(hits[at], answers[at]) if at in vain else answers[at] for at in range(len(hits))]

    def _give_back(self, charges: Sequence[Charge]) -> Flow[None]:
        """What cannot be given back stays charged: too much is counted then, never too little."""
        yield from self._ask(self._refunds(charges))

    def peek(self, hits: Sequence[Hit]) -> Flow[Sequence[Verdict]]:
        """As ``count``, without charging."""
        if not hits:
            return []
        parts = self._parts(hits)
        asked = [[hits[place] for place in part] for part in parts]
        replies = yield from self._ask_all([commands.count(self._names, p, self._now(), look=True) for p in asked])
        answers: dict[int, Verdict] = {}
        for part, own, reply in zip(parts, asked, replies, strict=True):
            answers.update(zip(part, commands.verdicts(own, reply), strict=True))
        return [answers[place] for place in range(len(hits))]

    def refund(self, charges: Sequence[Charge]) -> Flow[None]:
        """Take charges back."""
        calls = self._refunds([charge for charge in charges if charge.hit.algorithm is not Algorithm.BAN])
        if calls:
            yield from self._ask_all(calls)

    def _refunds(self, charges: Sequence[Charge]) -> list[Call]:
        parts = self._parts([charge.hit for charge in charges])
        return [commands.refund(self._names, [charges[at] for at in part], self._now()) for part in parts if part]

    # Sums, marks and values

    def tally(self, key: str, weight: float, window: float) -> Flow[float]:
        """Add to a sum."""
        reply = yield from self._one(commands.tally(self._names, key, weight, window, self._now()))
        return commands.tallied(reply)

    def add_if_absent(self, key: str, ttl: float) -> Flow[bool]:
        """Set a mark."""
        reply = yield from self._one(commands.mark(self._names, key, ttl))
        return reply is not None

    def get(self, key: str) -> Flow[bytes | None]:
        """Read a value."""
        reply = yield from self._one(commands.get(self._names, key))
        return reply if isinstance(reply, bytes) else None

    def put(self, key: str, value: bytes, ttl: float) -> Flow[None]:
        """Keep a value."""
        yield from self._one(commands.put(self._names, key, value, ttl))

    def delete(self, key: str) -> Flow[None]:
        """Forget a value."""
        yield from self._one(commands.delete(self._names, key))

    # Bans

    def ban(self, key: str, ttl: float) -> Flow[None]:
        """Refuse a key."""
        yield from self._ask_all(commands.ban(self._names, key, ttl, self._now()))

    def unban(self, key: str) -> Flow[bool]:
        """Lift a ban."""
        lifted, _ = yield from self._ask_all(commands.unban(self._names, key, self._now()))
        return commands.whole(lifted) == 1

    def bans(self) -> Flow[Mapping[str, float]]:
        """Who is banned, piece by piece."""
        found: dict[str, float] = {}
        start = 0
        while True:
            reply = yield from self._one(commands.bans(self._names, start, self._now()))
            piece = commands.listed(reply)
            found.update(piece)
            start += len(piece)
            if len(piece) < commands.BANS_AT_ONCE:
                return found

    # Housekeeping

    def reset(self, prefix: str) -> Flow[int]:
        """Forget counters and sums, a piece of the keys of each server at a time."""
        router = self._router()
        if not router.located:
            yield from locate(router)
        forgotten = 0
        pattern = self._names.counted(prefix)
        for node in router.owners():
            cursor = b"0"
            while True:
                (outcome,) = yield [Batch(node, pack(*commands.scan(pattern, cursor).parts), 1)]
                cursor, keys = commands.scanned(_only(outcome))
                if keys:
                    replies = yield from self._ask_all([commands.unlink(key) for key in keys])
                    forgotten += sum([commands.whole(reply) for reply in replies])
                if cursor == b"0":
                    break
        return forgotten

    def stats(self) -> Flow[dict[str, int]]:
        """Figures of the servers; keys are all of theirs, whoever wrote them."""
        router = self._router()
        if not router.located:
            yield from locate(router)
        figures = {"keys": 0, "keys_evicted": 0, "keys_expired": 0, "memory": 0, "servers": 0}
        question = pack(b"DBSIZE") + pack(b"INFO", b"stats") + pack(b"INFO", b"memory")
        outcomes = yield [Batch(node, question, 3) for node in router.owners()]
        for outcome in outcomes:
            if isinstance(outcome, StoreError):
                raise outcome
            size, *infos = [None if isinstance(reply, ErrorReply) else reply for reply in outcome]
            figures["keys"] += size if isinstance(size, int) else 0
            figures["servers"] += 1
            told = _info(b"\n".join([info for info in infos if isinstance(info, bytes)]))
            figures["keys_evicted"] += told.get(b"evicted_keys", 0)
            figures["keys_expired"] += told.get(b"expired_keys", 0)
            figures["memory"] += told.get(b"used_memory", 0)
        name = self._names.ban_list
        bans = yield from self._one(commands.Call(name, (b"ZCARD", name)))
        figures["bans"] = commands.whole(bans)
        return figures


def _in_vain(hits: Sequence[Hit], answers: Mapping[int, Verdict]) -> set[int]:
    """Places of hits whose group was refused elsewhere, or that come after a live one that was."""
    vain: set[int] = set()
    live_refused = False
    groups: dict[tuple[bool, int], list[int]] = {}
    for place, hit in enumerate(hits):
        groups.setdefault((hit.dry_run, hit.group), []).append(place)
    for (dry, _), places in groups.items():  # in order: the live ones first
        refused = not all([answers[place].admitted for place in places])
        if refused or live_refused:
            vain |= set(places)
        live_refused = live_refused or (refused and not dry)
    return vain


def _given_back(hit: Hit, verdict: Verdict) -> Verdict:
    return verdict._replace(remaining=min(hit.max, verdict.remaining + hit.cost))


def _only(outcome: Outcome) -> Any:
    if isinstance(outcome, StoreError):
        raise outcome
    (reply,) = outcome
    if isinstance(reply, ErrorReply):
        raise commands.refusal(reply)
    return reply


def _info(text: bytes) -> dict[bytes, int]:
    pairs = [line.strip().partition(b":") for line in text.split(b"\n")]
    return {name: int(value) for name, _, value in pairs if value.isdigit()}
