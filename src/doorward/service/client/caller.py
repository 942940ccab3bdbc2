"""Asks the service, and stops asking while it does not answer: nobody's visitor waits for a service that is down.

Who asks gets an answer or a :class:`~doorward.errors.ServiceError`, and nothing else. After so many failures in a row
all are refused at once, until a probe in the background, which no visitor waits for, finds the service well.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from doorward.chance import chance
from doorward.errors import ServiceError
from doorward.locks import lock_over_forks
from doorward.service.client.answers import body_of, check_json
from doorward.service.client.breaking import PROBE_SECONDS, Away, Refused, is_held_against, retry_seconds
from doorward.service.client.sharing import Shared
from doorward.service.client.transport import Call
from doorward.service.client.trouble import NotAsked, TooLate

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.service.client.transport import Reply, Transport

T = TypeVar("T")

MOST_IN_FLIGHT = 32
FAILURES = 5
PATIENCE = 0.1
_REMIND_SECONDS = 1.0
_NEARLY = 0.9
"""Of the deadline."""


class _State:
    """Of one process: what was in flight in the parent of a fork is not in flight in its child."""

    def __init__(self, clock: Callable[[], float], random: Callable[[], float], failures: int) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.away = Away(clock, random, failures)
        self.shared = Shared()
        self.in_flight = 0
        self.reminded = -math.inf
        self.counts: dict[str, int] = dict.fromkeys(("calls", "failures", "refused", "busy", "probes"), 0)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1


class Caller:
    """Asks through a transport. Thread safe, for any event loops, and safe over forks.

    A :class:`~doorward.service.client.reporter.Reporter` has to be made for it: its thread does the probes.

    Args:
        transport: How bytes get there and back.
        clock: Monotonic seconds.
        random: A number from 0 to 1.
        on_change: Takes a sentence when the service is given up, and when it is back.
        most_in_flight: Calls at once, from threads and event loops together; one more fails at once.
        failures: One after the other, after which the service is given up.
        patience: Seconds. A call that had less than that and was late says nothing about the service: a visitor whose
            request takes long before the service is asked could otherwise switch it off.

    Attributes:
        on_away: Called when there is something to probe; what it raises is swallowed.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chance,
        on_change: Callable[[str], object] = lambda _: None,
        most_in_flight: int = MOST_IN_FLIGHT,
        failures: int = FAILURES,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._transport = transport
        self._arguments = clock, random, failures
        self._clock = clock
        self._on_change = on_change
        self._most = most_in_flight
        self._lock = lock_over_forks()
        self._current = _State(*self._arguments)
        self.on_away: Callable[[], object] = lambda: None

    # --- asking

    def call(self, path: str, body: bytes, seconds: float, *, shareable: bool = False) -> bytes:
        """The answer to a question, a JSON object; as :meth:`ask`."""
        return self.ask(path, body, seconds, check_json, shareable=shareable)

    async def acall(self, path: str, body: bytes, seconds: float, *, shareable: bool = False) -> bytes:
        """As :meth:`call`, awaiting."""
        return await self.aask(path, body, seconds, check_json, shareable=shareable)

    def ask(self, path: str, body: bytes, seconds: float, read: Callable[[bytes], T], *, shareable: bool = False) -> T:
        """What ``read`` makes of the answer to a question.

        Args:
            path: Below the service's URL.
            body: JSON.
            seconds: For all of it.
            read: Makes something of the answer's bytes. What it raises is held against the service.
            shareable: Whether the answer to the same question, asked at the same time, will do.

        Raises:
            ServiceError: There is none. :class:`~doorward.service.client.trouble.NotAsked`: nothing was sent.
        """
        state, call = self._state(), Call(path, body, seconds)
        if not shareable:
            return self._ask(state, call, read)
        return state.shared.do((path, body, read), lambda: self._ask(state, call, read), seconds)

    async def aask(
        self, path: str, body: bytes, seconds: float, read: Callable[[bytes], T], *, shareable: bool = False
    ) -> T:
        """As :meth:`ask`, awaiting."""
        state, call = self._state(), Call(path, body, seconds)
        if not shareable:
            return await self._aask(state, call, read)
        return await state.shared.ado((path, body, read), lambda: self._aask(state, call, read), seconds)

    def _ask(self, state: _State, call: Call, read: Callable[[bytes], T]) -> T:
        began = self._enter(state)
        try:
            return self._understood(state, self._transport.send(call), read)
        except Exception as error:
            raise self._failed(state, error, began, call.seconds) from None
        finally:
            self._leave(state)

    async def _aask(self, state: _State, call: Call, read: Callable[[bytes], T]) -> T:
        began = self._enter(state)
        try:
            return self._understood(state, await self._transport.asend(call), read)
        except Exception as error:
            raise self._failed(state, error, began, call.seconds) from None
        except BaseException:
            # One that is cancelled so late was not cancelled by a visitor who left.
            if self._clock() - began >= _NEARLY * call.seconds:
                self._failed(state, TooLate(), began, call.seconds)
            raise
        finally:
            self._leave(state)

    # --- before and after

    def _enter(self, state: _State) -> float:
        if state.away.cause:
            self._remind(state)
            state.count("refused")
            raise NotAsked(f"the decision service is not asked for now: {state.away.cause}")
        with state.lock:
            if state.in_flight < self._most:
                state.in_flight += 1
                state.counts["calls"] += 1
                return self._clock()
            state.counts["busy"] += 1
        raise NotAsked(f"{self._most} calls to the decision service are in flight; this one is not made")

    def _leave(self, state: _State) -> None:
        with state.lock:
            state.in_flight -= 1

    def _understood(self, state: _State, reply: Reply, read: Callable[[bytes], T]) -> T:
        try:
            answer = read(body_of(reply))
        except Refused:
            if reply.status == 429 and (seconds := retry_seconds(reply.retry_after)):
                self._obey(state, seconds)
            raise
        if state.away.breaker.succeeded():
            self._is_back(state)
        return answer

    def _failed(self, state: _State, error: Exception, began: float, seconds: float) -> ServiceError:
        state.count("failures")
        error.__traceback__ = error.__context__ = None  # as in ``explained``
        if not isinstance(error, ServiceError):
            error = ServiceError(f"the decision service's answer cannot be used: {type(error).__name__}")
        if isinstance(error, Refused) and (state.away.is_unwanted or not is_held_against(error.status)):
            return error
        if isinstance(error, NotAsked) or (isinstance(error, TooLate) and seconds < self._patience):
            return error
        if state.away.breaker.failed(str(error), began):
            self._is_away(state, str(error))
        return error

    # --- away and back

    def _obey(self, state: _State, seconds: float) -> None:
        news = not state.away.is_unwanted
        state.away.obey(seconds, f"it asked to be left alone for {seconds:.0f} s")
        if news:
            self.tell(f"the decision service takes no more questions for now: {state.away.cause}")

    def _is_away(self, state: _State, cause: str) -> None:
        state.away.since, state.reminded = self._clock(), -math.inf
        self.tell(f"the decision service is given up until it is back: {cause}")
        self._remind(state)

    def _is_back(self, state: _State) -> None:
        gone, state.away.since = state.away.since, self._clock()
        self.tell(f"the decision service is back after {state.away.since - gone:.1f} s")

    def _remind(self, state: _State) -> None:
        """Have the service probed. Said again now and then: the thread that was told may have been lost."""
        now = self._clock()
        if state.away.breaker.closed or now - state.reminded < _REMIND_SECONDS:
            return
        state.reminded = now
        with contextlib.suppress(Exception):
            self.on_away()

    def tell(self, message: str) -> None:
        """Have whoever looks after this application know of something."""
        with contextlib.suppress(Exception):
            self._on_change(message)

    # --- what the reporter does

    @property
    def is_away(self) -> bool:
        """Whether calls are refused now."""
        return bool(self._state().away.cause)

    def away_for(self) -> float | None:
        """Seconds until calls may go through, or :meth:`probe` is due; None where they go through."""
        return self._state().away.wait()

    def probe(self, path: str, body: bytes) -> bool:
        """Find out whether the service is back, if that is due; whether calls go through now."""
        state = self._state()
        if not state.away.breaker.begin_probe():
            return state.away.breaker.closed
        state.count("probes")
        try:
            self._understood(state, self._transport.send(Call(path, body, PROBE_SECONDS)), check_json)
        except Exception as error:
            self._probed(state, error)
        return state.away.breaker.closed

    def _probed(self, state: _State, error: Exception) -> None:
        """A service that finds fault with the probe itself is there."""
        if isinstance(error, Refused) and not is_held_against(error.status):
            if state.away.breaker.succeeded():
                self._is_back(state)
        else:
            state.away.breaker.failed(str(error) if isinstance(error, ServiceError) else type(error).__name__)

    def warm(self) -> None:
        """Connect, where the transport knows how to.

        Raises:
            ServiceError: That failed.
        """
        warm = getattr(self._transport, "warm", None)
        if warm is not None:
            warm()

    # --- for whoever looks

    def figures(self) -> dict[str, int | str | float]:
        """How this process stands.

        ``calls`` made, ``failures`` among them, ``refused`` while the service was away, ``busy``: refused as too many
        were in flight, ``shared`` answers of another call, ``probes``, ``opened``: how often the service was given up,
        ``in_flight``, ``state`` (``closed``, ``open``, ``half open``, ``asked to wait``), ``cause`` of that, and
        ``since`` how many seconds ago it began.
        """
        state = self._state()
        away = state.away
        phase = "asked to wait" if away.breaker.closed and away.is_unwanted else away.breaker.phase.value
        return {
            **state.counts,
            "shared": state.shared.count,
            "opened": away.breaker.opened,
            "in_flight": state.in_flight,
            "state": phase,
            "cause": away.cause,
            "since": max(0.0, self._clock() - away.since),
        }

    def _state(self) -> _State:
        state = self._current
        return state if state.pid == os.getpid() else self._start_anew()

    def _start_anew(self) -> _State:
        with self._lock:
            if self._current.pid != os.getpid():
                self._current = _State(*self._arguments)
            return self._current


__all__ = ["Caller"]
