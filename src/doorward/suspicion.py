"""Suspicion that adds up: what each request of a client weighs is summed in the store, and the sum refuses it.

Functions over a :class:`~doorward.walk.Walk`. The sum sinks to nothing within the rule's window, so that what was
long ago weighs little. At the threshold the client is barred for the window: by a ban under the rule's own key, which
:mod:`doorward.counting` asks about together with the limits, in the one call to the store.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, cast

from doorward.decision import Conclusion
from doorward.effects import Algorithm, AskStore, Hit
from doorward.errors import StoreError
from doorward.printable import describe
from doorward.reason import ShieldReason
from doorward.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.bound import Bound
    from doorward.effects import Effect
    from doorward.fingerprint import Fingerprint
    from doorward.walk import Walk

_NANOSECONDS = 1e9
_DIGITS = 6
"""Weights are decimal fractions, and ten times 0.3 has to be 3."""


class Summing(Protocol):
    """A rule whose suspicion adds up: ``sums_up`` is True."""

    threshold: float
    window: float


def add_up(walk: Walk) -> Generator[Effect, Any, None]:
    """Add what was found suspicious to the client's sum, and bar the client where that reaches the threshold."""
    assert walk.suspected is not None
    bound, weight = walk.suspected
    walk.suspected = None
    rule = cast("Summing", bound.rule)
    try:
        fingerprints = bound.identity.fingerprints(walk.request, walk.ip, walk.inputs.characteristics)
        if fingerprints[0].missing and walk.deferring:
            walk.progress.waiting = {**walk.progress.waiting, bound: weight}
            return
        for fingerprint in fingerprints:
            key = bound.key("", fingerprint)
            left = yield from _barred_for(walk, key)
            if left > 0.0:  # what a refused client sends does not prolong its refusal
                _refused(walk, bound, fingerprint, left)
                continue
            _note_missing(walk, bound, fingerprint)
            total = yield AskStore("tally", (key, weight, rule.window))
            if round(total, _DIGITS) >= rule.threshold:
                yield AskStore("ban", (key, rule.window))
                _bar(walk, bound, fingerprint, rule.window)
    except Exception as error:
        _not_added(walk, bound, error)


def add_up_waiting(walk: Walk) -> Generator[Effect, Any, None]:
    """Add up what has waited for the application to say whose request it is."""
    waiting, walk.progress.waiting = walk.progress.waiting, {}
    for bound, weight in waiting.items():
        if weight and not walk.denied:
            walk.suspected = bound, weight
            yield from add_up(walk)


def _barred_for(walk: Walk, key: str) -> Generator[Effect, Any, float]:
    """Seconds for which a client is refused already: another process may have done it, or this rule is a dry run."""
    bans = walk.engine.bans
    if bans is not None and not bans:
        return 0.0
    (verdict,) = yield AskStore("peek", ([Hit(key, Algorithm.BAN, 1, 1)],))
    return 0.0 if verdict.admitted else float(verdict.retry_after)


def _note_missing(walk: Walk, bound: Bound, fingerprint: Fingerprint) -> None:
    found = walk.progress.result(bound)
    if fingerprint.missing and found is not None:
        walk.progress.noteworthy = True
        note = _missing(fingerprint)
        walk.record(bound, found._replace(note="; ".join(filter(None, [found.note, note]))))


def _missing(fingerprint: Fingerprint) -> str:
    names = ", ".join(fingerprint.missing)
    return f"{names} not given to protect: counted by address instead" if names else ""


def _refused(walk: Walk, bound: Bound, fingerprint: Fingerprint, left: float) -> None:
    """The client was refused already: that goes before what this request holds, as where it is remembered."""
    walk.progress.barring |= {bound}
    reason = bound.rule.barred(left)
    found, ttl = str(fingerprint), math.ceil(left)
    walk.record(bound, bound.result(Conclusion.DENY, reason, fingerprint=found, ttl=ttl, note=_missing(fingerprint)))


def _bar(walk: Walk, bound: Bound, fingerprint: Fingerprint, window: float) -> None:
    """The threshold is reached: this request is refused too."""
    walk.progress.barring |= {bound}  # nobody has to ask the store about it any more
    if not bound.dry:
        key = bound.key("", fingerprint)
        refusal = Refusal(walk.now_ns + int(window * _NANOSECONDS), 1, 0)
        walk.engine.refusals.remember(key, refusal, walk.now_ns, walk.engine.refusals.epoch)
    found = walk.progress.result(bound)
    reason = found.reason if found is not None else None
    if isinstance(reason, ShieldReason):
        reason = reason._replace(shield_triggered=True, suspicious=True, retry_seconds=window)
        note = found.note if found else ""
        result = bound.result(Conclusion.DENY, reason, fingerprint=str(fingerprint), ttl=int(window), note=note)
        walk.record(bound, result)


def _not_added(walk: Walk, bound: Bound, error: Exception) -> None:
    """The store failed. What the rule found in this request stands, unless failures are to deny."""
    found = walk.progress.result(bound)
    walk.progress.noteworthy = True
    if walk.engine.watch is not None:
        walk.engine.watch.call_failed()
    if bound.on_error == "deny" or found is None:
        walk.fail(bound, StoreError(describe(error)))
    elif found.conclusion is not Conclusion.DENY:
        note = f"suspicion could not be added up: {describe(error)}"
        walk.record(bound, found._replace(note=note))
    error.with_traceback(None)
