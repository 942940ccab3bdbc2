"""The rate-limit algorithms: pure functions over one small state per key, shared by every store in Python.

Times are whole nanoseconds and nothing is rounded on the way, so each promise below holds to the nanosecond.

=============== ===================================================================== ======================
algorithm       promise                                                               state
=============== ===================================================================== ======================
fixed window    never over ``max`` in a clock-aligned window                          int
token bucket    in any span ``t`` at most ``max + t * max / interval``                int
sliding window  never over ``max`` in any half-open span ``(t, t + interval]``        bytes, at most 272
=============== ===================================================================== ======================

Rules that hold for all three:

1. A *decision* takes ``(state, limit, interval, cost, now)`` and answers an :data:`Outcome`; it changes nothing. The
   caller keeps the new state, or throws it away. A cost of 0 only looks.
2. A refusal has no new state, so a refused client never prolongs its refusal. Waiting the ``retry`` of a refusal is
   enough and one nanosecond less is not, if nobody else charges meanwhile.
3. A cost above ``limit`` can never be admitted; its ``retry`` is the time until as much as possible is free.
4. Every state says when it expires (:func:`expiry_of`) without its plan; an expired state is as good as none.
5. A state that expires more than two intervals from now was written before the clock stepped back, and counts as
   none: no step can lock a client out for longer. A smaller step back leaves the counter standing still.
6. A state of another algorithm counts as none; one of another plan is read as well as it goes, and never raises.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf, nextafter
from struct import Struct
from typing import TYPE_CHECKING

from doorward.effects import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doorward.effects import Hit

State = int | bytes
"""What is kept of one key between hits."""

Outcome = tuple[State | None, int, int, int]
"""New state (None: refused), units left and nanoseconds to the reset (both after the charge), nanoseconds to retry."""

COUNT_BITS = 64
"""An int state is ``expiry << COUNT_BITS | count``: ``max`` and ``cost`` must stay below 2**64."""
COUNT_MASK = (1 << COUNT_BITS) - 1

GROUPS = 32
"""Entries in the log of a sliding window. More admit more, and cost memory; see :func:`sliding_window`."""

_WORD = 8
_FIRST_TIME = 2 * _WORD
_pack_header = Struct("=qq").pack
_unpack_head = Struct("=qqq").unpack_from
_pack_time = Struct("=q").pack
_unpack_time = Struct("=q").unpack_from


def expiry_of(state: State) -> int:
    """The nanosecond at which ``state`` is as good as none."""
    if isinstance(state, int):
        return state >> COUNT_BITS
    expiry: int = _unpack_time(state)[0]
    return expiry


def seconds(nanoseconds: int) -> float:
    """A duration as a float that never falls short of it."""
    result = nanoseconds / 1e9
    while result * 1e9 < nanoseconds:
        result = nextafter(result, inf)
    return result


def fixed_window(state: State | None, limit: int, interval: int, cost: int, now: int) -> Outcome:
    """Count within windows that start at multiples of ``interval``. State: the window's end, and the count."""
    if type(state) is int and 0 < (ahead := (state >> COUNT_BITS) - now) <= 2 * interval:
        count = state & COUNT_MASK
    else:
        ahead = interval - now % interval
        count = 0
    left = limit - count
    if cost > left:
        return None, max(0, left), ahead, ahead if count else 0
    return (now + ahead) << COUNT_BITS | (count + cost), left - cost, ahead, 0


def token_bucket(state: State | None, limit: int, interval: int, cost: int, now: int) -> Outcome:
    """A bucket of ``limit`` tokens that fills evenly, from empty to full within ``interval``.

    This is the generic cell rate algorithm (ITU-T I.371): the state is the time at which the bucket will be full.
    That time is a fraction with the denominator ``limit``, so the state holds it rounded up, and what the rounding
    added in the low bits. ``debt`` is what is missing from a full bucket, in nanoseconds times ``limit``.
    """
    if type(state) is int and 0 < (ahead := (state >> COUNT_BITS) - now) <= 2 * interval:
        debt = ahead * limit - (state & COUNT_MASK)
    else:
        ahead = debt = 0
    room = interval * limit - debt - cost * interval
    if room < 0:
        left = max(0, room // interval + cost)
        return None, left, ahead, -(room // limit) if cost <= limit else ahead
    debt += cost * interval
    ahead = -(-debt // limit)
    return (now + ahead) << COUNT_BITS | (ahead * limit - debt), room // interval, ahead, 0


def sliding_window(state: State | None, limit: int, interval: int, cost: int, now: int) -> Outcome:
    """A log of admissions in at most 32 groups; only the newest group may be partial.

    A group stands for ``size = ceil(limit / 32)`` units and carries the time of its *last* one, so that no unit is
    ever forgotten early. Up to a limit of 32 a group is one unit and the log exact.

    Above that it admits at least 31/32 of what an exact log does, whatever the traffic (hits of cost 1): only the
    group that straddles the edge of the window is counted too long, by at most ``size - 1`` units, so a refusal means
    that the last interval saw at least ``limit - size + 1`` admissions. Cut time backwards into intervals that end in
    a refusal: an exact log admitted at most ``limit`` in each, and between them nothing was refused.

    State, in native 8-byte words: expiry, units in the newest group, then the groups' times, oldest first.
    """
    if type(state) is not bytes:
        return _first_groups(limit, interval, cost, now)
    expiry, newest, oldest = _unpack_head(state)
    ahead = expiry - now
    if not 0 < ahead <= 2 * interval:
        return _first_groups(limit, interval, cost, now)
    at = now if ahead <= interval else expiry - interval
    start = _FIRST_TIME if oldest > at - interval else _first_live(state, at - interval)
    size = (limit + GROUPS - 1) // GROUPS
    left = limit - ((len(state) - start) // _WORD - 1) * size - newest
    if cost > left:
        if left < 0 or cost > limit:
            return None, max(0, left), ahead, ahead
        last_to_go = min(start + (cost - left - 1) // size * _WORD, len(state) - _WORD)
        return None, left, ahead, _unpack_time(state, last_to_go)[0] + interval - now
    if not cost:
        return state, left, ahead, 0
    if newest < size:
        kept = state[start:-_WORD]
    else:
        kept = state[start:]
        newest = 0
    full = (newest + cost - 1) // size
    header = _pack_header(at + interval, newest + cost - full * size)
    return header + kept + _pack_time(at) * (full + 1), left - cost, at + interval - now, 0


def _first_live(state: bytes, edge: int) -> int:
    """Where in ``state`` the first time after ``edge`` is."""
    return bisect_right(memoryview(state).cast("q"), edge, _FIRST_TIME // _WORD) * _WORD


def _first_groups(limit: int, interval: int, cost: int, now: int) -> Outcome:
    if cost > limit or not cost:
        return None, limit, 0, 0
    size = (limit + GROUPS - 1) // GROUPS
    full = (cost - 1) // size
    state = _pack_header(now + interval, cost - full * size) + _pack_time(now) * (full + 1)
    return state, limit - cost, interval, 0


DECIDE: Mapping[Algorithm, Callable[[State | None, int, int, int, int], Outcome]] = {
    Algorithm.FIXED_WINDOW: fixed_window,
    Algorithm.TOKEN_BUCKET: token_bucket,
    Algorithm.SLIDING_WINDOW: sliding_window,
}
"""The decision of each algorithm that counts."""


def refund(state: State, hit: Hit, at: int, now: int) -> State | None:
    """Take back a charge made at ``at``, as far as it still weighs; None if nothing is left.

    Each unit that is taken back is one that weighs no longer than the charge's own would have, so that no window ever
    holds more than ``max`` units that were admitted and not taken back.
    """
    return _REFUND[hit.algorithm](state, hit, at, now)


def _refund_fixed(state: State, hit: Hit, at: int, _now: int) -> State | None:
    if not isinstance(state, int):
        return state
    end = state >> COUNT_BITS
    if not end - hit.interval <= at < end:
        return state
    count = (state & COUNT_MASK) - hit.cost
    return end << COUNT_BITS | count if count > 0 else None


def _refund_bucket(state: State, hit: Hit, at: int, now: int) -> State | None:
    """A token of the charge that has flowed back by itself since is not given a second time."""
    if not isinstance(state, int):
        return state
    debt = ((state >> COUNT_BITS) - now) * hit.max - (state & COUNT_MASK)
    debt -= max(0, hit.cost * hit.interval - max(0, now - at) * hit.max)
    if debt <= 0:
        return None
    ahead = -(-debt // hit.max)
    return (now + ahead) << COUNT_BITS | (ahead * hit.max - debt)


def _refund_sliding(state: State, hit: Hit, at: int, now: int) -> State | None:
    """Take the units from the first group that can hold them; later units move up, each to a time not before its own.

    Were ``a[i] <= b[i]`` the sorted true times and the times they are counted at, the unit taken away is ``a[p]`` and
    ``b[q]`` with ``q <= p``: the order holds for those that stay.
    """
    if not isinstance(state, bytes) or at + hit.interval <= now:
        return state
    _, newest, *times = memoryview(state).cast("q").tolist()
    size = (hit.max + GROUPS - 1) // GROUPS
    if newest > size:
        return state
    start = bisect_left(times, at) * size
    units = (len(times) - 1) * size + newest
    taken = max(0, min(hit.cost, units - start))
    units -= taken
    if units <= 0:
        return None
    last_units = [min(end, units) - 1 for end in range(size, units + size, size)]
    moved = [times[(last + taken if last >= start else last) // size] for last in last_units]
    header = _pack_header(moved[-1] + hit.interval, units - (len(moved) - 1) * size)
    return header + b"".join(map(_pack_time, moved))


_REFUND: Mapping[Algorithm, Callable[[State, Hit, int, int], State | None]] = {
    Algorithm.FIXED_WINDOW: _refund_fixed,
    Algorithm.TOKEN_BUCKET: _refund_bucket,
    Algorithm.SLIDING_WINDOW: _refund_sliding,
}


Tally = tuple[int, int, float, float]
"""Expiry, the number of the current half window, what fell into it, and what fell into the one before."""


def add_weight(tally: Tally | None, weight: float, window: int, now: int) -> tuple[Tally, float]:
    """Add to a sum that sinks to nothing within ``window`` nanoseconds; the new tally and its sum.

    The sum is that of the current and the former half window (aligned to the clock): all of the last half window,
    nothing older than a window, and nothing twice. It is never more than was really added within ``window``.
    """
    half = max(1, window // 2)
    number = now // half
    current = former = 0.0
    if tally is not None:
        _, then, held, before = tally
        if then == number:
            current, former = held, before
        elif then == number - 1:
            former = held
    current += weight
    return ((number + 2) * half, number, current, former), current + former
