"""The two ways to ask: blocking and awaiting. Whoever takes far longer than any deadline fails its test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Protocol

from doorward.errors import ServiceError
from doorward.service.client.caller import Caller
from doorward.service.client.transport import Call, Transport

WATCHDOG = 40.0
KEY = "dw_test_key_0123456789"
PATH = "/proto.decide.v1alpha1.DecideService/Decide"


class Way(Protocol):
    """Asks ``times`` times, ``at_once`` of them together; the answers, or errors."""

    def __call__(self, what: Any, times: int = 1, *, at_once: int = 1, seconds: float = 0.5) -> list[Any]: ...


def _ask(what: Transport | Caller, number: int, seconds: float) -> Any:
    body = b'{"n":%d}' % number
    try:
        if isinstance(what, Caller):
            return what.call(PATH, body, seconds)
        return what.send(Call(PATH, body, seconds))
    except ServiceError as error:
        return error.with_traceback(None)  # it would lead to the list of all answers, and that to it


async def _aask(what: Transport | Caller, number: int, seconds: float) -> Any:
    body = b'{"n":%d}' % number
    try:
        if isinstance(what, Caller):
            return await what.acall(PATH, body, seconds)
        return await what.asend(Call(PATH, body, seconds))
    except ServiceError as error:
        return error.with_traceback(None)


def blocking(what: Any, times: int = 1, *, at_once: int = 1, seconds: float = 0.5) -> list[Any]:
    answers: list[Any] = []

    def work(part: int) -> None:
        for number in range(part, times, at_once):
            answers.append(_ask(what, number, seconds))

    run_threads([lambda part=part: work(part) for part in range(at_once)], times * seconds)
    return answers


def awaiting(what: Any, times: int = 1, *, at_once: int = 1, seconds: float = 0.5) -> list[Any]:
    answers: list[Any] = []

    async def work(part: int) -> None:
        for number in range(part, times, at_once):
            answers.append(await _aask(what, number, seconds))

    async def main() -> None:
        async with asyncio.timeout(WATCHDOG + 2 * times * seconds):
            await asyncio.gather(*[work(part) for part in range(at_once)])
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

    run_threads([lambda: asyncio.run(main())], 2 * WATCHDOG + times * seconds)
    return answers


def run_threads(works: list[Callable[[], object]], more: float = 0.0) -> None:
    """Do all at once; an error of one of them is the caller's."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(WATCHDOG + 2 * more)
        assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]


WAYS = [blocking, awaiting]
