"""A transport that answers by a script, and a clock that is set by hand."""

from __future__ import annotations

import asyncio
import threading

from doorward.service.client.transport import Call, Reply


class Hand:
    """Monotonic seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """Answers what the script says, its last line again and again; waits for the gate where there is one."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.gate: threading.Event | None = None
        self.calls = self.most = 0
        self.bodies: list[bytes] = []
        self._now = 0
        self._lock = threading.Lock()

    def send(self, call: Call) -> Reply:
        answer = self._next(call)
        if self.gate is not None:
            self.gate.wait(30)
        return self._given(answer)

    async def asend(self, call: Call) -> Reply:
        answer = self._next(call)
        try:
            while self.gate is not None and not self.gate.is_set():  # noqa: ASYNC110  (set by threads)
                await asyncio.sleep(0.001)
        except BaseException:
            self._now -= 1
            raise
        return self._given(answer)

    def _next(self, call: Call) -> object:
        with self._lock:
            self.calls += 1
            self._now += 1
            self.most = max(self.most, self._now)
            self.bodies.append(call.body)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _given(self, answer: object) -> Reply:
        with self._lock:
            self._now -= 1
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Reply)
        return answer
