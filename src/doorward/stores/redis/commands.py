"""What a store asks of the server, and what the answers mean: shared by the blocking and the awaiting store. Pure.

The server works in whole microseconds. Intervals are rounded up to them, so that no window ever admits more than its
``max``; a refusal ends on a whole microsecond, never sooner than it should.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.effects import Algorithm, Hit, Verdict
from doorward.errors import StoreError
from doorward.stores.algorithms import seconds
from doorward.stores.redis.resp import ErrorReply, Garbage
from doorward.stores.redis.scripts import Script, script

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.effects import Charge

MICROSECOND = 1_000
LONGEST = 100 * 365 * 86_400.0
"""Seconds: what an endless ``ttl`` is cut to."""
BANS_AT_ONCE = 500
SCAN_COUNT = 1_000
_PLANS = 1_024

_LETTERS = {
    Algorithm.FIXED_WINDOW: "f",
    Algorithm.TOKEN_BUCKET: "t",
    Algorithm.SLIDING_WINDOW: "s",
    Algorithm.BAN: "b",
}
_FINGERPRINT = re.compile(r":([0-9a-f]{24})[^:]*$")
_GLOB = re.compile(r"([*?\[\]\\])")
_REFUSED, _CHARGED, _ROOM = 0, 1, 2
_new = tuple.__new__
_TIME = 8
_TOLD = Struct("<Bddd")
_LARGEST = 2.0**53
_unpack_time = Struct("<d").unpack_from
_pack_hit = Struct("<dddddI?c").pack
_pack_charge = Struct("<ddddddc").pack


class Call(NamedTuple):
    """One command, or one call of a script.

    Attributes:
        key: The key that says which node of a Cluster it belongs to; None where any will do.
        parts: The command, or the script's number of keys, keys and arguments.
        script: The script.
    """

    key: bytes | None
    parts: tuple[bytes, ...]
    script: Script | None = None

    def words(self, *, whole: bool = False) -> tuple[bytes, ...]:
        """What to send; the ``whole`` script where the server does not know it."""
        if self.script is None:
            return self.parts
        return (b"EVAL", self.script.source, *self.parts) if whole else (b"EVALSHA", self.script.sha, *self.parts)


class Names:
    """The names of keys in the server.

    Args:
        namespace: What they all begin with.
        tagged: Whether a key names, in braces, what decides about its node: on a Cluster, the client's fingerprint,
            so that all counters of one client are in one place.
    """

    def __init__(self, namespace: str, *, tagged: bool) -> None:
        self._namespace = namespace
        self.tagged = tagged
        self._plain = f"{namespace}:"
        self.ban_list = f"{namespace}:bans".encode()
        self.probe = f"{namespace}:probe".encode()

    def counter(self, key: str) -> bytes:
        """A counter's."""
        return self._name("c", key)

    def ban(self, key: str) -> bytes:
        """A ban's."""
        return self._name("b", key)

    def tally(self, key: str) -> bytes:
        """A sum's."""
        return self._name("t", key)

    def value(self, key: str) -> bytes:
        """A value's or mark's."""
        return self._name("v", key)

    def counted(self, prefix: str) -> bytes:
        """The pattern of counters and sums that begin so."""
        tag = "{*}" if self.tagged else ""
        return f"{_escaped(self._plain)}{tag}[ct]:{_escaped(prefix)}*".encode("utf-8", "surrogatepass")

    def _name(self, kind: str, key: str) -> bytes:
        if self.tagged:
            return f"{self._plain}{{{tag_of(key)}}}{kind}:{key}".encode("utf-8", "surrogatepass")
        return f"{self._plain}{kind}:{key}".encode("utf-8", "surrogatepass")


def tag_of(key: str) -> str:
    """The fingerprint in a key; something as even for keys that have none."""
    found = _FINGERPRINT.search(key)
    return found[1] if found else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _escaped(text: str) -> str:
    return _GLOB.sub(r"\\\1", text)


def microseconds(duration: float) -> int:
    """A duration that never falls short of ``duration`` seconds."""
    return -int(-min(max(duration, 0.0), LONGEST) * 1_000_000 // 1)


def _number(value: int) -> bytes:
    return b"%d" % value


def call(name: str, keys: Sequence[bytes], *arguments: bytes, algorithms: str = "") -> Call:
    """A call of the script ``name``."""
    return Call(keys[0], (_number(len(keys)), *keys, *arguments), script(name, algorithms))


# Hits


def _plan(hit: Hit) -> tuple[int, int, int, int, int]:
    """Limit, interval, cost, and what the cost adds to a bucket's debt: the product is too long for Lua."""
    _, _, limit, interval, cost, _, _ = hit
    length = -(-interval // MICROSECOND)
    whole, rest = divmod(cost * length, limit) if cost <= limit else (length + 1, 0)
    return limit, length, cost, whole, rest


@lru_cache(_PLANS)
def _packed(plan: tuple[Any, ...]) -> bytes:
    """A hit without its key: an application has few of these."""
    hit = Hit("", *plan)
    return _pack_hit(*_plan(hit), hit.group, hit.dry_run, _LETTERS[hit.algorithm].encode())


def _letters(hits: Iterable[Hit]) -> str:
    return "".join(sorted({_LETTERS[hit.algorithm] for hit in hits}))


def name_of(names: Names, hit: Hit) -> bytes:
    """The name of a hit's key."""
    return names.ban(hit.key) if hit.algorithm is Algorithm.BAN else names.counter(hit.key)


def in_order(hits: Sequence[Hit]) -> list[int]:
    """The places of ``hits`` as the script wants them: groups together, the live ones first."""
    return sorted(range(len(hits)), key=lambda place: (hits[place].dry_run, hits[place].group))


def count(names: Names, hits: Sequence[Hit], now: bytes, *, look: bool = False) -> Call:
    """Charge ``hits``, which are :func:`in_order`, or only look at them."""
    packed = [_packed(hit[1:]) for hit in hits]
    keys = [name_of(names, hit) for hit in hits]
    how = b"1" if look else b"2" if _is_simple(hits) else b"0"
    return call("count", keys, now, how, *packed, algorithms=_letters(hits))


def _is_simple(hits: Sequence[Hit]) -> bool:
    """Whether it is one live limit, with bans in front of it."""
    *bans, last = hits
    if last.dry_run or last.algorithm is Algorithm.BAN:
        return False
    return all([hit.algorithm is Algorithm.BAN and not hit.dry_run and hit.group == last.group for hit in bans])


def verdicts(hits: Sequence[Hit], reply: object) -> list[Verdict]:
    """The answer to :func:`count`.

    Raises:
        StoreError: It makes no sense.
    """
    if not isinstance(reply, bytes) or len(reply) != _TIME + len(hits) * _TOLD.size:
        raise Garbage(f"the server's answer makes no sense: {len(hits)} verdicts were asked for")
    at = _whole(_unpack_time(reply)[0]) * MICROSECOND
    told = _TOLD.iter_unpack(memoryview(reply)[_TIME:])
    return [_verdict(hit, at, *numbers) for hit, numbers in zip(hits, told, strict=True)]


def charged(reply: bytes) -> list[int]:
    """The places of hits that were charged, in an answer that :func:`verdicts` took."""
    return [place for place, flag in enumerate(reply[_TIME :: _TOLD.size]) if flag == _CHARGED]


def _whole(number: float) -> int:
    if not 0.0 <= number < _LARGEST:
        raise Garbage("the server's answer makes no sense: a number is out of range")
    return int(number)


def _verdict(hit: Hit, at: int, flag: int, first: float, second: float, third: float) -> Verdict:
    if flag > _ROOM:
        raise Garbage("the server's answer makes no sense: a hit is neither admitted nor refused")
    left, reset, retry = _whole(first), _whole(second), _whole(third)
    if hit.algorithm is Algorithm.BAN and flag:
        left = hit.max
    elif hit.algorithm is Algorithm.TOKEN_BUCKET:
        left, reset, retry = _bucket(hit, flag, left, reset)
    wait = 0.0 if flag else seconds(retry * MICROSECOND)
    return _new(Verdict, (flag != _REFUSED, left, seconds(reset * MICROSECOND), wait, at))


def _bucket(hit: Hit, flag: int, whole: int, rest: int) -> tuple[int, int, int]:
    """Tokens left, microseconds to the full bucket and to the retry, of a debt: exact, whatever the limit."""
    limit, length = hit.max, -(-hit.interval // MICROSECOND)
    ahead = whole + (rest > 0)
    room = limit * length - whole * limit - rest
    left = max(0, room // length)
    if flag != _REFUSED:
        return left, ahead, 0
    return left, ahead, -((room - hit.cost * length) // limit) if hit.cost <= limit else ahead


def refund(names: Names, charges: Sequence[Charge], now: bytes) -> Call:
    """Take charges of limits back."""
    packed = [_pack_charge(*_plan(hit), at // MICROSECOND, _LETTERS[hit.algorithm].encode()) for hit, at in charges]
    keys = [names.counter(hit.key) for hit, _ in charges]
    return call("refund", keys, now, *packed, algorithms=_letters([hit for hit, _ in charges]))


# Sums, marks and values


def tally(names: Names, key: str, weight: float, window: float, now: bytes) -> Call:
    """Add to a sum."""
    return call("tally", [names.tally(key)], now, repr(float(weight)).encode(), _number(max(1, microseconds(window))))


def tallied(reply: object) -> float:
    """The answer to :func:`tally`.

    Raises:
        StoreError: It makes no sense.
    """
    try:
        return float(reply)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Garbage("the server's answer makes no sense: a sum was asked for") from None


def _milliseconds(ttl: float) -> bytes:
    return _number(max(1, -(-microseconds(ttl) // 1000)))


def mark(names: Names, key: str, ttl: float) -> Call:
    """Set a mark where there is none."""
    name = names.value(key)
    return Call(name, (b"SET", name, b"", b"NX", b"PX", _milliseconds(ttl)))


def put(names: Names, key: str, value: bytes, ttl: float) -> Call:
    """Keep a value."""
    name = names.value(key)
    return Call(name, (b"SET", name, value, b"PX", _milliseconds(ttl)))


def get(names: Names, key: str) -> Call:
    """Read a value."""
    name = names.value(key)
    return Call(name, (b"GET", name))


def delete(names: Names, key: str) -> Call:
    """Forget a value."""
    name = names.value(key)
    return Call(name, (b"DEL", name))


# Bans


def ban(names: Names, key: str, ttl: float, now: bytes) -> list[Call]:
    """Refuse a key; the list of all comes first, so that whoever is banned can be found there."""
    length = _number(microseconds(ttl))
    listed = call("list_ban", [names.ban_list], now, length, key.encode("utf-8", "surrogatepass"))
    return [listed, call("ban", [names.ban(key)], now, length)]


def unban(names: Names, key: str, now: bytes) -> list[Call]:
    """Lift a ban."""
    unlisted = Call(names.ban_list, (b"ZREM", names.ban_list, key.encode("utf-8", "surrogatepass")))
    return [call("unban", [names.ban(key)], now, algorithms="b"), unlisted]


def bans(names: Names, start: int, now: bytes) -> Call:
    """A piece of the list of bans."""
    return call("bans", [names.ban_list], now, _number(start), _number(BANS_AT_ONCE))


def listed(reply: object) -> dict[str, float]:
    """The answer to :func:`bans`: seconds left to each key.

    Raises:
        StoreError: It makes no sense.
    """
    if not isinstance(reply, list) or not all(isinstance(item, bytes) for item in reply) or len(reply) % 2 == 0:
        raise Garbage("the server's answer makes no sense: a list of bans was asked for")
    now, *pairs = reply
    keys = [key.decode("utf-8", "surrogatepass") for key in pairs[::2]]
    return dict(zip(keys, [(float(end) - float(now)) / 1e6 for end in pairs[1::2]], strict=True))


# Housekeeping


def scan(pattern: bytes, cursor: bytes) -> Call:
    """A piece of the keys that match."""
    return Call(None, (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", _number(SCAN_COUNT)))


def scanned(reply: object) -> tuple[bytes, list[bytes]]:
    """The answer to :func:`scan`: where to go on, and keys.

    Raises:
        StoreError: It makes no sense.
    """
    match reply:
        case [bytes(cursor), list(keys)] if all(isinstance(key, bytes) for key in keys):
            return cursor, keys
    raise Garbage("the server's answer makes no sense: keys were asked for")


def unlink(key: bytes) -> Call:
    """Forget a key."""
    return Call(key, (b"UNLINK", key))


def whole(reply: object) -> int:
    """A reply that is a number.

    Raises:
        StoreError: It is not.
    """
    if not isinstance(reply, int):
        raise Garbage("the server's answer makes no sense: a number was asked for")
    return reply


_CAUSES = {
    "READONLY": "the server became a replica, which takes no writes",
    "LOADING": "the server is loading its data",
    "OOM": "the server is out of memory",
    "MISCONF": "the server cannot save its data, and takes no writes",
    "CLUSTERDOWN": "the Cluster is down",
    "MASTERDOWN": "the replica has lost its primary",
    "TRYAGAIN": "the key is moving to another node",
    "NOAUTH": "the server wants a password",
    "WRONGPASS": "the server does not accept the password",
    "NOPERM": "the server does not permit a command",
    "NOREPLICAS": "the server has too few replicas to take writes",
    "BUSY": "the server is busy with a script",
    "WRONGTYPE": "a key in the namespace is not ours",
}


def refusal(error: ErrorReply) -> StoreError:
    """The exception for a reply that is an error."""
    cause = _CAUSES.get(error.code, "the server refused a command")
    return StoreError(f"{cause}: {error.code} {error.text}"[:300])
