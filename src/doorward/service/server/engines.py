"""The rules of requests, ready to be asked: built once for each site and each set of rules, off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.bound import Bound, distinct
from doorward.decision import Conclusion, Mode, RuleResult, State
from doorward.errors import ConfigurationError, DataError, DoorwardError
from doorward.fingerprint import IP
from doorward.printable import describe, printable
from doorward.reason import ErrorReason
from doorward.rules.limits import Limit
from doorward.service.server import rules as wire
from doorward.service.server.asked import identity_of
from doorward.service.server.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.engine import Engine
    from doorward.rules.base import Rule
    from doorward.runtime import Runtime
    from doorward.service.messages import DecideRequest
    from doorward.service.messages import Rule as WireRule

MOST_ENGINES = 1_000
MOST_OF_SITE = 200
"""Of one site, so that one whose rules are different in each request does not push out everybody's."""
MOST_WAITING = 20
"""Sets of rules of one site that wait to be built."""
_THREADS = 2
_LONGEST_MESSAGE = 300
_PLAIN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class Slot(NamedTuple):
    """One rule of a request.

    Attributes:
        bound: The rule; None where it cannot be built.
        failed: Its result where it cannot.
        rule_id: As the client knows it.
        names: Its characteristics, as they were sent.
        kind: Of the rule, as in ``Rule.kind``.
    """

    bound: Bound | None
    failed: RuleResult | None
    rule_id: str
    names: Sequence[str]
    kind: str


class Built(NamedTuple):
    """The rules of a request: what asks them, and one slot for each, in their order."""

    engine: Engine
    slots: tuple[Slot, ...]


class Busy(DoorwardError):
    """More is to be built than is good for the others."""


class _Turn:
    """One at a time of a site."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


class Engines:
    """Engines by site and rules. For one event loop.

    Args:
        runtime: What they share: store, clock, data, what is known about the store.
        most: Kept in all; the one that was not used for longest goes, of the site that was not heard of for longest.
        most_of_site: Kept of one site.
    """

    def __init__(self, runtime: Runtime, *, most: int = MOST_ENGINES, most_of_site: int = MOST_OF_SITE) -> None:
        self._runtime = runtime
        self._most = most
        self._most_of_site = most_of_site
        self._sites: OrderedDict[str, OrderedDict[bytes, Built]] = OrderedDict()
        self._kept = 0
        self._tasks: dict[tuple[str, bytes], asyncio.Task[Built]] = {}
        self._turns: dict[str, _Turn] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "doorward-rules")
        self.built = 0

    def __len__(self) -> int:
        return self._kept

    @property
    def sites(self) -> int:
        """Sites of which engines are kept."""
        return len(self._sites)

    def find(self, site: str, request: DecideRequest) -> Built | None:
        """The engine for the rules of a request, where there is one."""
        own = self._sites.get(site)
        if own is None:
            return None
        key = _key(request)
        found = own.get(key)
        if found is not None:
            own.move_to_end(key)
            self._sites.move_to_end(site)
        return found

    async def build(self, site: str, request: DecideRequest) -> Built:
        """Build it on a thread: once, however many requests wait for it, and one at a time of a site.

        Who does not want to wait any longer is cancelled; the building goes on for the next request.

        Raises:
            Busy: Too many others of this site are being built.
        """
        key = _key(request)
        task = self._tasks.get((site, key))
        if task is None:
            turn = self._turns.setdefault(site, _Turn())
            if turn.waiting >= MOST_WAITING:
                raise Busy(f"{MOST_WAITING} other sets of rules are being built for this site already")
            task = self._tasks[site, key] = asyncio.create_task(self._build(site, key, request, turn))
            task.add_done_callback(_look)
        return await asyncio.shield(task)

    async def _build(self, site: str, key: bytes, request: DecideRequest, turn: _Turn) -> Built:
        turn.waiting += 1
        try:
            async with turn.lock:
                loop = asyncio.get_running_loop()
                built = await loop.run_in_executor(self._threads, assemble, self._runtime, site, request)
            self._keep(site, key, built)
            return built
        finally:
            self._tasks.pop((site, key), None)
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(site, None)

    def _keep(self, site: str, key: bytes, built: Built) -> None:
        self.built += 1
        own = self._sites.setdefault(site, OrderedDict())
        if key not in own:
            self._kept += 1
        own[key] = built
        self._sites.move_to_end(site)
        if len(own) > self._most_of_site:
            own.popitem(last=False)
            self._kept -= 1
        while self._kept > self._most:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        site, own = next(iter(self._sites.items()))
        own.popitem(last=False)
        self._kept -= 1
        if not own:
            del self._sites[site]

    def close(self) -> None:
        """Let threads end; what they still build is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look(task: asyncio.Task[Built]) -> None:
    """Whoever waited may be gone; then nobody else looks at what went wrong."""
    if not task.cancelled():
        task.exception()


def _key(request: DecideRequest) -> bytes:
    """A name for all that an engine is made of."""
    text = request.__pydantic_serializer__.to_json(request, include={"rules", "characteristics"})
    return hashlib.sha256(text + (b"own" if request.client else b"")).digest()


def assemble(runtime: Runtime, site: str, request: DecideRequest) -> Built:
    """Build the rules of a request, each by itself, and what asks them."""
    slots: list[Slot] = []
    taken: set[str] = set()
    for rule in request.rules:
        slots.append(_slot(runtime, site, request, rule, slots, taken))
    base = runtime.engine
    engine = base.with_bound([slot.bound for slot in slots if slot.bound is not None])
    _reach_out(runtime, [bound.rule for bound in engine.bound])
    return Built(engine, tuple(slots))


def _slot(
    runtime: Runtime, site: str, request: DecideRequest, rule: WireRule, before: Sequence[Slot], taken: set[str]
) -> Slot:
    own = bool(request.client)
    names = wire.characteristics_of(rule, request.characteristics)
    try:
        made = timed(wire.build(rule, request.characteristics, own=own))
        bound = _bind(runtime, site, made, distinct(made.name or made.kind.lower(), taken))
    except Exception as error:
        return _failed(runtime, rule, error, names, request)
    bound.set_apart([slot.bound for slot in before if slot.bound is not None])
    shown = bound.rule_id if own else wire.arcjet_id(rule, request.characteristics)
    return Slot(bound, None, shown, names, made.kind)


def _bind(runtime: Runtime, site: str, rule: Rule, name: str) -> Bound:
    settings = runtime.settings
    identity = identity_of(tuple(rule.characteristics) or (IP,), settings.ipv6_prefix)
    assert rule.mode is not None
    return Bound(
        rule,
        client=key_of_site(site),
        name=name,
        mode=Mode.DRY_RUN if settings.override == "DRY_RUN" else rule.mode,
        on_error="local" if isinstance(rule, Limit) else "allow",
        identity=identity,
    )


def key_of_site(site: str) -> str:
    """A site's name as the beginning of its keys in the store: no site's is the beginning of another's."""
    if 0 < len(site) <= 64 and _PLAIN_NAMES.issuperset(site):
        return site
    return f"~{hashlib.sha256(site.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _failed(runtime: Runtime, rule: WireRule, error: Exception, names: Sequence[str], request: DecideRequest) -> Slot:
    """A rule that cannot be built: an error of that rule alone."""
    if isinstance(error, ConfigurationError):
        message = printable(str(error), _LONGEST_MESSAGE)
    else:
        message = "the rule could not be built"
        _say(runtime, error)
    state = State.RUN if wire.mode_of(rule) is Mode.LIVE else State.DRY_RUN
    shown = wire.arcjet_id(rule, request.characteristics)
    result = RuleResult(rule.name, shown, state, Conclusion.ERROR, ErrorReason(message))
    return Slot(None, result, shown, names, "ERROR")


def _say(runtime: Runtime, error: Exception) -> None:
    if isinstance(error, DataError):
        runtime.journal.warn("rule", describe(error))
    else:
        runtime.journal.swallowed("building a rule", error)


def _reach_out(runtime: Runtime, rules: Sequence[Rule]) -> None:
    """Have ready what rules need that ask other hosts."""
    asking = [rule for rule in rules if rule.looks_up]
    network: Any = runtime.network
    if asking and network is not None:
        network.warm(web=any([rule.asks_web() for rule in asking]))


__all__ = ["Built", "Busy", "Engines", "Slot", "assemble", "key_of_site"]
