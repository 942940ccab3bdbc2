"""Performs conversations by blocking: the pool, the deadline, and the thread that finds out when a server is back."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from doorward.errors import DeadlineExceeded, StoreError
from doorward.locks import lock_over_forks
from doorward.offload import Offload
from doorward.printable import printable
from doorward.stores.redis.routing import Node, Router
from doorward.stores.redis.talk import Batch, Outcome, is_outage, probe
from doorward.stores.redis.wires import Wire, left_until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.stores.redis.library import Library
    from doorward.stores.redis.target import Target

T = TypeVar("T")
BECAME_REPLICA = "it became a replica"


class Link(NamedTuple):
    """One connection, and the generation of its server's connections that it belongs to."""

    connection: Any
    wire: Wire
    generation: int


class Pool:
    """The connections of one process to one server: those that are idle, and how many there are.

    To take an idle one and to give it back needs no lock, which costs more than all the rest of it.

    Args:
        most: Connections.
    """

    def __init__(self, most: int) -> None:
        self.idle: deque[Link] = deque()
        self._most = most
        self._open = 0
        self._waiting = 0
        self._changed = threading.Condition()

    def take(self, ends: float) -> Link | None:
        """The connection that was used last, or None: the caller may open one.

        Raises:
            StoreError: None became free in time.
        """
        try:
            return self.idle.pop()
        except IndexError:
            return self._take_slowly(ends)

    def _take_slowly(self, ends: float) -> Link | None:
        with self._changed:
            self._waiting += 1  # before looking: whoever gives one back looks at it afterwards
            try:
                while not self.idle:
                    if self._open < self._most:
                        self._open += 1
                        return None
                    if not self._changed.wait(left_until(ends)):
                        raise DeadlineExceeded(f"all {self._most} connections to the server are in use")
                return self.idle.pop()
            except IndexError:
                raise DeadlineExceeded(f"all {self._most} connections to the server are in use") from None
            finally:
                self._waiting -= 1

    def give(self, link: Link) -> None:
        """Put a connection back."""
        self.idle.append(link)
        if self._waiting:
            with self._changed:
                self._changed.notify()

    def drop(self, link: Link | None) -> None:
        """Close a connection that was taken; None if it was never opened."""
        if link is not None:
            _close(link)
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def empty(self) -> None:
        """Close those that are idle."""
        while True:
            try:
                link = self.idle.pop()
            except IndexError:
                return
            self.drop(link)


class Process:
    """What one process has open. Never shared with another: a child of a fork makes its own.

    Args:
        target: What the URL names.
        library: Makes connections.
        timeout: Seconds for one exchange, whatever the servers do.
        probe_key: Where probes write.
    """

    def __init__(self, target: Target, library: Library, timeout: float, probe_key: bytes) -> None:
        self.pid = os.getpid()
        self.router = Router(target)
        self._library = library
        self._timeout = timeout
        self._most = target.max_connections
        self._probe_key = probe_key
        self._lock = threading.Lock()
        self._pools: dict[Node, Pool] = {}
        # Connecting is handed to a thread: no time-out ends the look-up of a name, or all of a TLS handshake.
        self._connecting = Offload()
        self._healer: threading.Thread | None = None
        self._closed = threading.Event()
        self.opened = 0

    # Conversations

    def run(self, talk: Generator[Sequence[Batch], Sequence[Outcome], T], *, piecewise: bool = False) -> T:
        """Perform ``talk``; within the timeout, or ``piecewise`` each exchange within it."""
        ends = time.monotonic() + self._timeout
        try:
            batches = next(talk)
            while True:
                outcomes = self.exchange(batches, ends)
                batches = talk.send(outcomes)
                if piecewise:
                    ends = time.monotonic() + self._timeout
        except StopIteration as stop:
            result: T = stop.value
            return result

    def exchange(self, batches: Sequence[Batch], ends: float) -> list[Outcome]:
        """Send to all, then read from all."""
        if self._closed.is_set():
            raise StoreError("the store is closed")
        began = time.monotonic()
        sent = [self._send(batch, began, ends) for batch in batches]
        return [
            link if isinstance(link, StoreError) else self._receive(batch, link, began, ends)
            for batch, link in zip(batches, sent, strict=True)
        ]

    def _send(self, batch: Batch, began: float, ends: float) -> Link | StoreError:
        node = batch.node
        ends = _share(batch, ends)
        pool = self._pool(node)
        try:
            if not batch.probing:
                node.check()
            link = pool.take(ends)
        except StoreError as error:
            return error
        try:
            if link is None or not self._is_good(node, link):
                if link is not None:
                    _close(link)
                    link = None
                link = self._connect(node, ends)
            link.wire.send(batch.data, ends)
        except BaseException as error:
            pool.drop(link)
            return self._failed(node, error, began)
        return link

    def _receive(self, batch: Batch, link: Link, began: float, ends: float) -> Outcome:
        node = batch.node
        pool = self._pool(node)
        try:
            replies = link.wire.receive(batch.replies, _share(batch, ends))
        except BaseException as error:
            pool.drop(link)
            return self._failed(node, error, began)
        if any([is_outage(reply) for reply in replies]):
            pool.drop(link)
            self.note_failure(node, BECAME_REPLICA, began)
            return replies
        # Probes close the breaker themselves, when all of what they ask has been answered as it should.
        if not batch.probing:
            node.breaker.succeeded()
        if link.generation != node.generation or self._closed.is_set():
            pool.drop(link)
        else:
            pool.give(link)
        return replies

    def _failed(self, node: Node, error: BaseException, began: float) -> StoreError:
        """The outcome of a conversation that went wrong.

        Raises:
            BaseException: It is none of the server's doing.
        """
        if not isinstance(error, Exception):
            raise error
        if not isinstance(error, StoreError):
            error = StoreError(f"the client library failed: {type(error).__name__}")
        self.note_failure(node, str(error), began)
        error.__traceback__ = None
        return error

    def note_failure(self, node: Node, cause: str, began: float) -> None:
        """Nobody waits for this server any more, until it is found to be back."""
        node.failed(cause, began)
        self._pool(node).empty()
        if not node.breaker.closed:
            self._heal()

    # Connections

    def _pool(self, node: Node) -> Pool:
        return self._pools.get(node) or self._pools.setdefault(node, Pool(self._most))

    def _is_good(self, node: Node, link: Link) -> bool:
        return link.generation == node.generation and link.wire.is_quiet()

    def _connect(self, node: Node, ends: float) -> Link:
        generation = node.generation
        wire = Wire(self._library, ends)
        connection = self._library.connection(wire, node.address, left_until(ends), sentinel=node.sentinel)
        self.opened += 1
        future = self._connecting.submit(connection.connect)
        try:
            future.result(left_until(ends))
        except TimeoutError:
            # The thread's connection closes itself when nobody refers to it any more.
            future.cancel()
            raise DeadlineExceeded("the connection to the server could not be made within the deadline") from None
        except StoreError:
            raise
        except Exception as error:
            connection.disconnect()
            raise StoreError(unconnected(node, error)) from None
        return Link(connection, wire, generation)

    # Outages

    def _heal(self) -> None:
        with self._lock:
            if self._closed.is_set() or (self._healer is not None and self._healer.is_alive()):
                return
            self._healer = threading.Thread(target=self._watch, name="doorward-redis-outage", daemon=True)
            self._healer.start()

    def _watch(self) -> None:
        """Try the servers that are down, until none is; requests never do, so that they do not wait for it."""
        while True:
            down = self._down()
            if not down:
                with self._lock:
                    # Whoever reports a failure after this look starts another thread.
                    down = self._down()
                    if not down:
                        self._healer = None
                        return
            if self._closed.wait(min([max(0.001, node.breaker.wait()) for node in down])):
                return
            self._probe_at_once([node for node in down if node.breaker.begin_probe()])

    def _down(self) -> list[Node]:
        return [node for node in self.router.nodes() if not node.breaker.closed]

    def _probe_at_once(self, nodes: Sequence[Node]) -> None:
        """One that is silent must not keep another, which is back, from being asked."""
        threads = [threading.Thread(target=self._probe, args=(node,), daemon=True) for node in nodes[1:]]
        for thread in threads:
            thread.start()
        for node in nodes[:1]:
            self._probe(node)
        for thread in threads:
            thread.join()

    def _probe(self, node: Node) -> None:
        try:
            self.run(probe(self.router, node, self._probe_key))
        except Exception as error:
            node.breaker.failed(str(error) if isinstance(error, StoreError) else type(error).__name__)
        else:
            node.breaker.succeeded()

    def close(self) -> None:
        """Close what is idle; what is in use closes when it comes back."""
        self._closed.set()
        self._connecting.close()
        for pool in list(self._pools.values()):
            pool.empty()

    def figures(self) -> dict[str, int]:
        """How this process stands."""
        nodes = self.router.nodes()
        return {
            "connections_idle": sum([len(pool.idle) for pool in self._pools.values()]),
            "connections_opened": self.opened,
            "servers_down": sum([not node.breaker.closed for node in nodes]),
            "outages": sum([node.breaker.opened for node in nodes]),
        }


class Processes:
    """The :class:`Process` of whichever process asks."""

    def __init__(self, target: Target, library: Library, timeout: float, probe_key: bytes) -> None:
        self._arguments = target, library, timeout, probe_key
        self._lock = lock_over_forks()
        self._current = Process(*self._arguments)
        self._closed = False

    def current(self) -> Process:
        """That of this process.

        Raises:
            StoreError: The store is closed.
        """
        current = self._current
        if current.pid != os.getpid():
            current = self._start_anew()
        if self._closed:
            raise StoreError("the store is closed")
        return current

    def _start_anew(self) -> Process:
        with self._lock:
            if self._current.pid != os.getpid():
                before, self._current = self._current, Process(*self._arguments)
                # Only the descriptors, which the fork has copied: the library sees that the connections are not ours.
                before.close()
            return self._current

    def close(self) -> None:
        """Close the connections of this process."""
        self._closed = True
        if self._current.pid == os.getpid():
            self._current.close()


def _share(batch: Batch, ends: float) -> float:
    if batch.share == 1.0:
        return ends
    now = time.monotonic()
    return now + (ends - now) * batch.share


def _close(link: Link) -> None:
    link.connection.disconnect()


def unconnected(node: Node, error: Exception) -> str:
    """Why a connection could not be made, in one line that holds no secret: libraries put none into their messages."""
    return f"cannot connect to {node.address}: {printable(str(error)) or type(error).__name__}"
