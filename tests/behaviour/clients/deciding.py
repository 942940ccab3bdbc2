"""A decision service of real parts on a real server in this process, whose clock is set by hand."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

import uvicorn
from tests.behaviour.clients.base import AppUnderTest

from doorward.service.server import log_api
from doorward.service.server.application import create_app
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.keys import Keys, NewKey
from doorward.service.server.log_file import LogFile
from doorward.service.server.log_reader import LogFileReader
from doorward.service.server.parts import Parts
from doorward.service.server.ports import LogQuery, LogRecord
from doorward.service.server.reputation import Reputation
from doorward.service.server.settings import ServiceSettings
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

DEADLINE = 30.0
PATIENT = 20.0
"""Seconds for a call to the service: one that is well must not seem away because the computer is busy."""
BETWEEN_TESTS = 7 * 86_400.0


def until(condition: Callable[[], Any], what: str) -> Any:
    """What ``condition`` answers, once that is something."""
    ends = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < ends, what
        time.sleep(0.01)
    return found


class CountingKeys(Keys):
    """The keys, and how often one was shown: how often the service was called. What is added is good at once."""

    calls = 0

    def add(self, site: str, **more: Any) -> NewKey:
        made = super().add(site, **more)
        self._looked = float("-inf")
        return made

    def find(self, token: str) -> Any:
        self.calls += 1
        return super().find(token)


class DecidingService:
    """``doorward.service`` behind uvicorn; each :meth:`for_application` has a site, and hours, of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.settings = ServiceSettings(folder=folder, store="memory://", pages=False)
        self._numbers = itertools.count()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.keys = CountingKeys(self.settings.keys_path, clock=self.clock)
        app = create_app(self.settings, self._opened)
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})

    def _opened(self, settings: ServiceSettings) -> Parts:
        store = MemoryStore(clock=self.clock)
        self.log = LogFile(settings.log_path, clock=self.clock)
        self.reader = LogFileReader(settings.log_path, clock=self.clock)
        self.evaluator = Evaluator(
            store,
            self.log,
            clock=self.clock,
            timeout=PATIENT,
            store_timeout=PATIENT,
            reputation=Reputation(on=False),  # what one test does must not have another's visitors refused
        )
        return Parts(
            keys=self.keys,
            evaluator=self.evaluator,
            store=store,
            routes=log_api.routes(self.reader, self.keys),
            warm=self._warm,
            close=[self.evaluator.aclose, self.log.close, self.keys.close],
        )

    async def _warm(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.evaluator.warm()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the evaluator answers, whose place is the service's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def __enter__(self) -> Self:
        self.keys.add("first")
        self._thread.start()
        until(lambda: self._server.started or not self._thread.is_alive(), "the service did not start")
        assert self._server.started
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(DEADLINE)
        self._listening.close()

    def for_application(self) -> Site:
        """A site of its own, a week after all others."""
        self.clock.advance(BETWEEN_TESTS)
        return Site(self, f"site-{next(self._numbers)}")


class Site:
    """What one application and the service say of each other."""

    def __init__(self, service: DecidingService, name: str) -> None:
        self.service = service
        self.name = name
        self.options: dict[str, Any] = {
            "service": service.url,
            "key": service.keys.add(name).token,
            "clock": service.clock,
            "timeout": PATIENT,
        }

    @property
    def calls(self) -> int:
        """Calls of all applications so far."""
        return self.service.keys.calls

    def known(self, most: int = 100, **query: Any) -> list[LogRecord]:
        """Decisions that the service keeps, the newest first."""
        assert self.service.log.flush()
        return self.service.reader.latest(LogQuery(site=self.name, **query), most)

    def told(self, app: AppUnderTest) -> None:
        """Wait until the service has been told all: reports, and charges to take back."""
        assert app.aj.runtime.service.flush(DEADLINE), app.aj.health()

    def ban(self, ip: str, seconds: float) -> None:
        """Have the service refuse a visitor everywhere."""
        self.service.run(self.service.evaluator.ban(ip, seconds, "a test"))

    def unban(self, ip: str) -> None:
        """Lift that."""
        assert self.service.run(self.service.evaluator.unban(ip))
