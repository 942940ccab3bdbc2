"""Keeps several workers running on one socket, and ends them together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

WORKER = [sys.executable, "-m", "doorward.service.server.worker"]
POLL_SECONDS = 0.1
YOUNG_SECONDS = 30.0
MOST_YOUNG_DEATHS = 10
"""Workers that died young, one after the other, before all are given up on: they will not run."""
CANNOT_START = 2
"""Status of a worker that found a mistake in its settings or files: another one would find the same."""
ENDING_SECONDS = 20.0


class Supervisor:
    """The workers.

    Args:
        count: How many.
        listener: The socket that they take connections from.
        environ: Added to their environment.

    Raises:
        ConfigurationError: This platform cannot hand a socket to a process.
    """

    def __init__(self, count: int, listener: socket.socket, environ: Mapping[str, str]) -> None:
        if os.name != "posix":
            raise ConfigurationError("--workers", "must be 1 on this platform")
        self._count = count
        self._listener = listener
        # While the store is away, each worker admits its part of a limit: this is where it learns how many there are.
        self._environ = {**os.environ, **environ, "WEB_CONCURRENCY": str(count)}
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._young_deaths = 0
        self._stopping = False

    def run(self) -> int:
        """Run until a signal says to stop; the exit status."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stopping and self._young_deaths < MOST_YOUNG_DEATHS:
                self._tend()
                time.sleep(POLL_SECONDS)
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0 if self._stopping else 1

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _tend(self) -> None:
        for worker, began in list(self._workers.items()):
            if worker.poll() is not None:
                del self._workers[worker]
                young = time.monotonic() - began < YOUNG_SECONDS
                self._young_deaths = self._young_deaths + 1 if young else 0
                if worker.returncode == CANNOT_START:
                    self._young_deaths = MOST_YOUNG_DEATHS
                sys.stderr.write(f"doorward serve: worker {worker.pid} ended with {worker.returncode}\n")
        while len(self._workers) < self._count and self._young_deaths < MOST_YOUNG_DEATHS:
            self._workers[self._started()] = time.monotonic()

    def _started(self) -> subprocess.Popen[bytes]:
        descriptor = self._listener.fileno()
        # A group of its own: Ctrl-C at the keyboard reaches this process only, which passes it on once.
        return subprocess.Popen(  # noqa: S603  (a module of ours)
            [*WORKER, str(descriptor), str(os.getpid())],
            env=self._environ,
            pass_fds=[descriptor],
            process_group=0,
        )

    def _end(self) -> None:
        for worker in self._workers:
            worker.terminate()
        ends = time.monotonic() + ENDING_SECONDS + float(self._environ.get("DOORWARD_SERVICE_DRAIN") or 0)
        for worker in self._workers:
            try:
                worker.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._listener.close()


__all__ = ["Supervisor"]
