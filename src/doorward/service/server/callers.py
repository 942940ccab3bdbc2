"""Who asks: keys of applications, what is done about wrong ones, and how much each key may ask for."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.async_driver import AsyncPorts
from doorward.effects import Algorithm, CountHits, Hit
from doorward.errors import DataError
from doorward.rules.limits import text_quotas
from doorward.service.server.connect import ConnectError, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from doorward.effects import Verdict
    from doorward.offload import Offload
    from doorward.service.server.metrics import Metrics
    from doorward.service.server.parts import FindsKeys
    from doorward.service.server.ports import Site
    from doorward.stores.base import AsyncStore, Store

LONGEST_TOKEN = 256
WRONG_PER_MINUTE = 20
"""Wrong keys of one peer that are answered as such."""
MINUTE = 60.0
HOLD_SECONDS = 1.0
MOST_HELD_BACK = 64
MOST_PEERS = 10_000
QUOTA_SHARE = 0.25
"""Of a decision's time, for the store to say whether the key has quota left."""


class Callers:
    """Tells whose request it is.

    Every key is looked up, also that of a peer that has sent many wrong ones: applications behind one address must not
    be locked out by one of them, or by whoever shares it. A key has too many bits to be guessed at any speed; what is
    limited is what guessing costs here. Beyond :data:`WRONG_PER_MINUTE` a peer is told that it is refused for a while,
    a second late, so that a connection gets through no more than one guess a second.

    Args:
        keys: Finds keys. Compares in constant time.
        peer: The other end of a request, for counting wrong keys.
        metrics: Counts them.
    """

    def __init__(self, keys: FindsKeys, peer: Callable[[Request], str], metrics: Metrics) -> None:
        self._keys = keys
        self._peer = peer
        self._metrics = metrics
        self._wrong: OrderedDict[str, _Count] = OrderedDict()
        self._held_back = 0

    async def site(self, request: Request) -> Site:
        """Whose request it is.

        Raises:
            ConnectError: Nobody's.
        """
        token = _token(request.headers.getlist("authorization"))
        try:
            site = self._keys.find(token) if token else None
        except DataError:
            raise ConnectError("unavailable", "keys cannot be read now", headers=retry_after(1)) from None
        if site is not None:
            return site
        self._metrics.add("keys_refused", "wrong" if token else "missing")
        if token and self._is_too_often(self._peer(request)):
            await self._hold_back()
            raise ConnectError("resource_exhausted", "too many wrong keys; wait a minute", headers=retry_after(MINUTE))
        raise ConnectError(
            "unauthenticated",
            "the key is wrong" if token else "a key is needed: Authorization: Bearer …",
            headers={"www-authenticate": "Bearer"},
        )

    def _is_too_often(self, peer: str) -> bool:
        now, wrong = time.monotonic(), self._wrong
        began, times = wrong.pop(peer, _Count(now, 0))
        if now - began >= MINUTE:
            began, times = now, 0
        wrong[peer] = _Count(began, times + 1)
        if len(wrong) > MOST_PEERS:
            wrong.popitem(last=False)
        return times >= WRONG_PER_MINUTE

    async def _hold_back(self) -> None:
        if self._held_back >= MOST_HELD_BACK:
            return  # who has so many connections is not to fill this worker with waiting requests
        self._held_back += 1
        try:
            await asyncio.sleep(HOLD_SECONDS)
        finally:
            self._held_back -= 1


def no_limiter() -> Any:
    """There is none: nothing is counted in this process while the store fails."""


class _Count(NamedTuple):
    """Wrong keys since a time."""

    began: float
    times: int


def _token(headers: Sequence[str]) -> str:
    """The bearer token (RFC 6750 section 2.1); empty where there is none, or what cannot be one."""
    if len(headers) != 1:
        return ""
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    usable = len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token
    return token if scheme.lower() == "bearer" and usable else ""


class Quotas:
    """How many decisions a key may ask for, counted in the shared store.

    A store that fails lets through, and is counted: the quota protects the service, not a visitor.

    Args:
        store: The store.
        offload: Threads for one that blocks.
        metrics: Counts failures.
    """

    def __init__(self, store: Store | AsyncStore, offload: Callable[[], Offload], metrics: Metrics) -> None:
        self._store: Store | AsyncStore = getattr(store, "aio", None) or store
        self._offload = offload
        self._metrics = metrics

    async def has_room(self, site: Site, reports: int, seconds: float) -> bool:
        """Charge reports, apart from decisions; whether they are to be looked at.

        Those beyond the quota are dropped without a word: an error would make a client stay away with its decisions.
        """
        return not await self._waits(site, "reports", reports, seconds)

    async def charge(self, site: Site, seconds: float) -> None:
        """Charge one decision.

        Raises:
            ConnectError: ``resource_exhausted``: the key has had all that it may.
        """
        waits = await self._waits(site, "quota", 1, seconds)
        if waits:
            raise ConnectError("resource_exhausted", "the key's quota is used up", headers=retry_after(max(waits)))

    async def _waits(self, site: Site, what: str, cost: int, seconds: float) -> list[float]:
        """Charge a quota; the seconds to wait for room, where there is none."""
        if not site.quota:
            return []
        hits = [hit._replace(cost=cost) for hit in _hits(what, site.name, site.key_id, site.quota)]
        verdicts = await self._counted(hits, seconds * QUOTA_SHARE)
        waits = [verdict.retry_after for verdict in verdicts if not verdict.admitted]
        if waits:
            self._metrics.add("quota_refused")
        return waits

    async def _counted(self, hits: Sequence[Hit], seconds: float) -> Sequence[Verdict]:
        ports = AsyncPorts(self._store, no_limiter, self._offload, max(seconds, 0.001))
        try:
            verdicts: Sequence[Verdict] = await ports.perform(CountHits(hits))
        except Exception:
            self._metrics.add("store_failures")
            return ()
        return verdicts


@lru_cache(maxsize=1024)
def _hits(what: str, site: str, key_id: str, quota: str) -> Sequence[Hit]:
    return [
        Hit(f"doorward.{what}:{site}:{key_id}:{each.label}"[:512], each.algorithm, each.max, each.interval)
        for each in text_quotas(quota, Algorithm.SLIDING_WINDOW, "quota")
    ]


__all__ = ["Callers", "Quotas", "no_limiter"]
