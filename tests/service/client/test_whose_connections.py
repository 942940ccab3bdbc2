"""Connections of processes, event loops and threads: whose they are, and who closes them."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings

import pytest
from tests.chaos.http_server import CERTIFICATE, Chaos, echo
from tests.chaos.left_over import descriptors, until
from tests.service.client.ways import KEY, PATH, Way, run_threads

from doorward.errors import ServiceError
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.transport import Call


def test_a_forked_child_opens_its_own(ask: Way) -> None:
    """And closes the descriptors that it was given, so that the server sees when the parent closes its own."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        transport.send(Call(PATH, b'{"n":"parent"}', 5.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of the server's: the child uses none
            child = os.fork()
        if child == 0:
            try:
                same = [transport.send(Call(PATH, b'{"n":%d}' % number, 5.0)).body for number in range(3)]
                os._exit(0 if same == [b'{"n":0}', b'{"n":1}', b'{"n":2}'] else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert transport.send(Call(PATH, b'{"n":"parent"}', 5.0)).body == b'{"n":"parent"}'
        assert server.accepted == 2
        transport.close()


def test_loops_that_end_leave_nothing_open() -> None:
    """A loop for each call, as asgiref makes them: its connections are closed with it."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        asyncio.run(transport.asend(Call(PATH, b"{}", 5.0)))
        before = descriptors()
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            for _ in range(20):
                assert asyncio.run(transport.asend(Call(PATH, b"{}", 5.0))).status == 200
            gc.collect()
        until(lambda: server.open == 0)
        until(lambda: descriptors() <= before)
        assert len(transport._process.loops) <= 1
        transport.close()


def test_loops_that_end_without_a_word_are_cleaned_up_after() -> None:
    """By the next one."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(transport.asend(Call(PATH, b"{}", 5.0)))
        loop.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # asyncio's own, of whoever closes a loop like that
            asyncio.run(transport.asend(Call(PATH, b"{}", 5.0)))
            del loop
            gc.collect()
        until(lambda: server.open == 0)
        transport.close()


def test_many_loops_and_threads_at_once() -> None:
    """Each answer is that to its question."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)

        def threads(part: int) -> None:
            for number in range(50):
                body = b'{"n":"%d-%d"}' % (part, number)
                assert transport.send(Call(PATH, body, 20.0)).body == body

        async def tasks(part: int) -> None:
            bodies = [b'{"n":"%d-%d"}' % (part, number) for number in range(50)]
            replies = await asyncio.gather(*[transport.asend(Call(PATH, body, 20.0)) for body in bodies])
            assert [each.body for each in replies] == bodies

        works = [lambda part=part: threads(part) for part in range(4)]
        run_threads([*works, *[lambda part=part: asyncio.run(tasks(part)) for part in range(4, 7)]])
        assert server.arrived == 7 * 50
        transport.close()


def test_uvloop_will_do_as_well() -> None:
    """Where it is installed."""
    uvloop = pytest.importorskip("uvloop")

    async def main(transport: HttpTransport) -> list[bytes]:
        call = Call(PATH, b"{}", 5.0)
        return [(await transport.asend(call)).body for _ in range(3)]

    for tls in (False, True):
        with Chaos(echo, tls=tls) as server:
            transport = HttpTransport(server.url, KEY, verify=str(CERTIFICATE))
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                assert runner.run(main(transport)) == [b"{}"] * 3
            assert server.accepted == 1
            until(lambda: server.open == 0)
            transport.close()


def test_warming_connects_outside_of_any_deadline() -> None:
    """The first call finds a connection."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        transport.warm()
        until(lambda: server.accepted == 1)
        transport.send(Call(PATH, b"{}", 5.0))
        assert server.accepted == 1
        transport.close()


@pytest.mark.parametrize("again", [False, True], ids=["close", "aclose"])
def test_a_closed_transport_sends_nothing(again: bool, ask: Way) -> None:
    """What it had open is closed, in every loop; closing it again does no harm."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)

        async def main() -> None:
            await transport.asend(Call(PATH, b"{}", 5.0))
            if again:
                await transport.aclose()
            else:
                await asyncio.to_thread(transport.close)
            async with asyncio.timeout(30):
                while server.open:  # noqa: ASYNC110  (a state of the server)
                    await asyncio.sleep(0.001)

        transport.send(Call(PATH, b"{}", 5.0))
        run_threads([lambda: asyncio.run(main())])
        assert isinstance(ask(transport)[0], ServiceError)
        transport.close()
        assert server.arrived == 2
