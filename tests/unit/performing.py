"""Effects performed by both drivers, in a flow that asks for nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from doorward.async_driver import AsyncPorts, run_async
from doorward.drivers import SyncPorts, run
from doorward.network import Network
from doorward.offload import Offload
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

SOON, LATE = 0.05, 20.0


def asks(*effects: Any):
    """A flow that asks for one effect after the other and returns what it heard; errors too."""
    heard: list[Any] = []
    for effect in effects:
        try:
            heard.append((yield effect))
        except Exception as error:
            heard.append(error)
    return heard


def blocking(network: Network | None, *effects: Any, timeout: float = LATE) -> list[Any]:
    store = MemoryStore(clock=FakeClock())
    return run(asks(*effects), SyncPorts(store, MemoryStore, Offload, timeout, network=network))


def awaiting(network: Network | None, *effects: Any, timeout: float = LATE) -> list[Any]:
    store = MemoryStore(clock=FakeClock())
    return asyncio.run(run_async(asks(*effects), AsyncPorts(store, MemoryStore, Offload, timeout, network=network)))
