"""Which server a key belongs to: the one there is, the primary that Sentinel names, or the owner of a Cluster's slot.

Nothing here talks to a server; :mod:`doorward.stores.redis.talk` does the asking.
"""

from __future__ import annotations

import binascii
import threading
import time
from typing import TYPE_CHECKING, Any

from doorward.chance import chance
from doorward.errors import StoreError
from doorward.stores.outage import Breaker
from doorward.stores.redis.resp import Garbage
from doorward.stores.redis.target import CLUSTER, SENTINEL, Address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.stores.redis.target import Target

SLOTS = 16_384
_MOST_NODES = 2_000


def slot_of(key: bytes) -> int:
    """The slot of a key of a Cluster: CRC16 (XMODEM) of its hash tag, or of all of it (the Cluster specification)."""
    start = key.find(b"{")
    if start >= 0 and (end := key.find(b"}", start + 1)) > start + 1:
        key = key[start + 1 : end]
    return binascii.crc_hqx(key, 0) % SLOTS


class Node:
    """One server, as one process sees it.

    Attributes:
        address: Where it listens.
        sentinel: Whether it is a Sentinel.
        breaker: Whether it is known to be down.
        generation: Goes up when its connections are not to be used again.
    """

    __slots__ = ("address", "breaker", "generation", "sentinel")

    def __init__(self, address: Address, *, sentinel: bool = False) -> None:
        self.address = address
        self.sentinel = sentinel
        self.generation = 0
        self.breaker = Breaker(time.monotonic, chance)

    def check(self) -> None:
        """Raise at once if the server is known to be down.

        Raises:
            StoreError: It is.
        """
        if not self.breaker.closed:
            raise StoreError(f"the server is known to be down: {self.breaker.cause}")

    def failed(self, cause: str, began: float) -> bool:
        """A conversation failed; whether that is news. Its other connections are not worth a try either."""
        self.generation += 1
        return self.breaker.failed(cause, began)


class Router:
    """The servers of a target, as far as one process knows them. Safe from any thread.

    Args:
        target: What the URL names.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._nodes: dict[tuple[Address, bool], Node] = {}
        self._slots: list[Node | None] = []
        self.entries = [self.node(address, sentinel=target.kind == SENTINEL) for address in target.addresses]
        self._primary = self.entries[0] if target.kind not in {CLUSTER, SENTINEL} else None

    def node(self, address: Address, *, sentinel: bool = False) -> Node:
        """The server at ``address``; always the same object."""
        with self._lock:
            found = self._nodes.get((address, sentinel))
            if found is None:
                if len(self._nodes) >= _MOST_NODES:
                    raise StoreError(f"the server names over {_MOST_NODES} others")
                found = self._nodes[address, sentinel] = Node(address, sentinel=sentinel)
            return found

    @property
    def located(self) -> bool:
        """Whether it is known where keys belong."""
        return self._primary is not None or bool(self._slots)

    def owner(self, key: bytes) -> Node:
        """Where ``key`` belongs.

        Raises:
            StoreError: Nobody has its slot.
        """
        if self._primary is not None:
            return self._primary
        owner = self._slots[slot_of(key)]
        if owner is None:
            raise StoreError("the Cluster has no node for this key")
        return owner

    def owners(self) -> list[Node]:
        """All servers that hold keys."""
        if self._primary is not None:
            return [self._primary]
        return list(dict.fromkeys([node for node in self._slots if node is not None]))

    def nodes(self) -> list[Node]:
        """All servers that were ever spoken to, and are not forgotten."""
        with self._lock:
            return list(self._nodes.values())

    def forget(self, node: Node) -> None:
        """A server that is not part of it any more."""
        with self._lock:
            self._nodes.pop((node.address, node.sentinel), None)

    def is_needed(self, node: Node) -> bool:
        """Whether anything depends on a server: it holds keys, or tells who does."""
        return node in self.entries or node in self.owners()

    def moved(self, slot: int, node: Node) -> None:
        """A slot has another owner."""
        if 0 <= slot < len(self._slots):
            self._slots[slot] = node

    def learn(self, reply: object, asked: Node) -> None:
        """Take in the answer to ``CLUSTER SLOTS``, or of a Sentinel.

        Raises:
            StoreError: It makes no sense.
        """
        if self.target.kind == SENTINEL:
            self._primary = self.node(_primary_of(reply, self.target.service))
        elif self.target.kind == CLUSTER:
            self._slots = _slots_of(reply, asked, self.node)


def _primary_of(reply: object, service: str) -> Address:
    match reply:
        case [bytes(host), bytes(port)] if port.isdigit():
            return Address(host.decode("utf-8", "replace"), int(port))
        case None:
            raise StoreError(f"the Sentinel knows no group {service!r}")
    raise Garbage("the Sentinel's answer makes no sense")


def _slots_of(reply: object, asked: Node, node: Callable[[Address], Node]) -> list[Node | None]:
    slots: list[Node | None] = [None] * SLOTS
    for item in reply if isinstance(reply, list) else [reply]:
        match item:
            case [int(first), int(last), [host, int(port), *_], *_] if 0 <= first <= last < SLOTS:
                owner = node(Address(_host(host, asked), port))
                slots[first : last + 1] = [owner] * (last + 1 - first)
            case _:
                raise Garbage("the Cluster's answer makes no sense")
    if not any(slots):
        raise StoreError("the Cluster has given its slots to nobody")
    return slots


def _host(host: Any, asked: Node) -> str:
    """A node that does not know its own name is where it was asked."""
    return (
        host.decode("utf-8", "replace") if isinstance(host, bytes) and host not in {b"", b"?"} else asked.address.host
    )


def address_of(words: Sequence[str], asked: Node) -> tuple[int, Address]:
    """Slot and address of a redirection such as ``MOVED 3999 127.0.0.1:6381``.

    Raises:
        StoreError: It makes no sense.
    """
    if len(words) == 2 and words[0].isdigit():
        host, _, port = words[1].rpartition(":")
        if port.isdigit() and 1 <= int(port) <= 65535:
            return int(words[0]), Address(host or asked.address.host, int(port))
    raise Garbage("the Cluster's answer makes no sense")
