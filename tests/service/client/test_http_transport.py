"""The transport: what it sends, which connections it uses again, and how long it waits."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import random
import socket
import threading
import warnings

import pytest
from tests.chaos.http_server import Chaos, echo, late_echo, reply, saying
from tests.chaos.left_over import until
from tests.conftest import SOAK
from tests.service.client.ways import KEY, PATH, Way, blocking, run_threads

import doorward
from doorward.errors import ServiceError
from doorward.service.client.deadline_network import Deadline, DeadlineStream
from doorward.service.client.exchange import Exchange
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.lines import MOST_IDLE_SECONDS
from doorward.service.client.transport import Call
from doorward.service.client.trouble import TooLate

# --- what is sent


def test_a_request_says_what_it_should_and_no_more(ask: Way) -> None:
    """The headers of the Connect protocol and the key; no compression is accepted; a prefix of the URL stays."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url + "/doorward/", KEY)
        (answer,) = ask(transport, seconds=5.0)
        transport.close()
    first, *lines = server.heads[0].decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == f"POST /doorward{PATH} HTTP/1.1"
    assert 4_000 < int(headers.pop("Connect-Timeout-Ms")) <= 5_000
    assert headers == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": f"doorward/{doorward.__version__}",
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connect-Protocol-Version": "1",
        "Content-Length": "7",
    }
    assert (answer.status, answer.content_type, answer.body) == (200, "application/json", b'{"n":0}')


def test_no_proxy_of_the_environment_is_used(ask: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be handed the key."""
    with Chaos(echo) as server, Chaos(echo) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        transport = HttpTransport(server.url, KEY)
        ask(transport, 2)
        transport.close()
        assert (server.arrived, proxy.accepted) == (2, 0)


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_log_line_is_written(level: str, ask: Way, caplog: pytest.LogCaptureFixture) -> None:
    """One decision is one record at most, and that is not the transport's; not even DEBUG of httpcore has the key."""
    caplog.set_level(level)
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        ask(transport, 2)
        transport.close()
    found = [record for record in caplog.records if record.name != "asyncio"]
    assert {record.name for record in found} <= ({"httpcore.http11"} if level == "DEBUG" else set())
    assert not any(KEY in record.getMessage() for record in found)


# --- which connections are used again


def test_a_connection_is_used_again(ask: Way) -> None:
    """One for those who ask one after the other."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        ask(transport, 30)
        assert (server.arrived, server.accepted) == (30, 1)
        transport.close()
        until(lambda: server.open == 0)


def test_one_that_the_server_has_closed_costs_no_call(ask: Way) -> None:
    """It is seen before anything is sent over it."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        closing = saying(reply(b"{}"))

        def answer_and_close(chaos: Chaos, connection: socket.socket, body: bytes) -> bool:
            closing(chaos, connection, body)
            return False

        server.mode = answer_and_close
        answers = []

        async def main() -> None:
            for number in range(20):
                answers.append(await transport.asend(Call(PATH, b'{"n":%d}' % number, 5.0)))
                while server.open:  # noqa: ASYNC110  (a state of the server)
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0.01)  # the loop is to hear of it as well

        if ask is blocking:
            for number in range(20):
                answers.append(transport.send(Call(PATH, b'{"n":%d}' % number, 5.0)))
                until(lambda: server.open == 0)
        else:
            run_threads([lambda: asyncio.run(main())])
        assert [answer.status for answer in answers] == [200] * 20
        transport.close()


def test_one_that_was_idle_for_long_is_not_used(ask: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers close theirs after five seconds: a request that meets that on its way would be lost."""
    assert 0 < MOST_IDLE_SECONDS < 5
    monkeypatch.setattr("doorward.service.client.lines.MOST_IDLE_SECONDS", 0.0)
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        ask(transport, 3)
        transport.close()
        assert server.accepted == 3


FORGED = reply(b'{"n":"forged"}')


def test_a_second_reply_behind_the_first_ends_the_connection(ask: Way) -> None:
    """It would be taken for the answer to the next question."""

    def twice(server: Chaos, connection: socket.socket, body: bytes) -> bool:
        connection.sendall(reply(body) + FORGED)
        return True

    with Chaos(twice) as server:
        transport = HttpTransport(server.url, KEY)
        assert [answer.body for answer in ask(transport, 20)] == [b'{"n":%d}' % number for number in range(20)]
        assert server.accepted == 20
        transport.close()


def test_a_reply_in_chunks_is_read_and_ends_the_connection(ask: Way) -> None:
    """Where it ends is known to the parser only: nobody finds out here whether something follows it."""
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'
    for behind in (b"", chunked, FORGED, b"HTTP/1.1 200 OK\r\n"):
        with Chaos(saying(chunked + behind)) as server:
            transport = HttpTransport(server.url, KEY)
            assert [answer.body for answer in ask(transport, 3)] == [b'{"a":1}'] * 3
            assert server.accepted == 3
            transport.close()


def test_the_end_of_a_connection_ends_a_reply_that_does_not_say_how_long_it_is(ask: Way) -> None:
    """As HTTP has it; what is said in advance is passed over."""
    with Chaos(saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}", keep=False)) as server:
        transport = HttpTransport(server.url, KEY)
        assert [answer.body for answer in ask(transport, 2)] == [b"{}"] * 2
        transport.close()


def test_one_that_says_something_while_it_is_idle_is_not_used() -> None:
    """Blocking and awaiting: nobody has asked."""
    go = threading.Event()

    def later(server: Chaos, connection: socket.socket, body: bytes) -> bool:
        connection.sendall(reply(body))
        go.wait(30)
        connection.sendall(FORGED)
        return True

    async def main(transport: HttpTransport) -> None:
        await transport.asend(Call(PATH, b"{}", 5.0))
        line = next(iter(transport._process.loops[asyncio.get_running_loop()].lines.open))
        go.set()
        async with asyncio.timeout(30):
            while line.is_quiet():  # noqa: ASYNC110  (a state of the connection)
                await asyncio.sleep(0.001)
        assert (await transport.asend(Call(PATH, b'{"n":2}', 5.0))).body == b'{"n":2}'

    with Chaos(later) as server:
        transport = HttpTransport(server.url, KEY)
        transport.send(Call(PATH, b"{}", 5.0))
        line = next(iter(transport._process.lines.open))
        assert line.is_quiet()
        go.set()
        until(lambda: not line.is_quiet())
        assert transport.send(Call(PATH, b'{"n":1}', 5.0)).body == b'{"n":1}'
        go.clear()
        run_threads([lambda: asyncio.run(main(transport))])
        transport.close()


def test_cancelled_calls_leave_no_answer_to_others() -> None:
    """The bug of redis-py in 2023: a connection whose caller had left gave its answer to the next one."""
    times = 3_000 if SOAK else 300
    rng = random.Random(7)
    wrong: list[tuple[int, bytes]] = []

    async def one(transport: HttpTransport, number: int) -> None:
        body = json.dumps({"n": number, "after": rng.choice([0, 0.001, 0.003])}).encode()
        with contextlib.suppress(TooLate):
            answer = await transport.asend(Call(PATH, body, rng.choice([5.0, 5.0, 0.002])))
            if answer.body != body:
                wrong.append((number, answer.body))

    async def main(transport: HttpTransport) -> None:
        for round_ in range(times // 20):
            tasks = [asyncio.create_task(one(transport, 20 * round_ + number)) for number in range(20)]
            await asyncio.sleep(rng.random() * 0.006)
            leaving = rng.sample(tasks, 10)
            for task in leaving:
                task.cancel()
            for task in rng.sample(leaving, 5):
                await asyncio.sleep(0)
                task.cancel()  # again, while it is busy with the first
            for task, result in zip(tasks, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
                assert result is None or (isinstance(result, asyncio.CancelledError) and task in leaving), result
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all(line.is_quiet() for line in transport._process.loops[asyncio.get_running_loop()].lines.open)

    with Chaos(late_echo) as server:
        transport = HttpTransport(server.url, KEY)
        run_threads([lambda: asyncio.run(main(transport))])
        assert wrong == []
        assert server.arrived > times / 3
        until(lambda: server.open == 0)
        transport.close()


def test_calls_that_are_too_late_leave_no_answer_to_others(ask: Way) -> None:
    """The same by deadlines."""
    numbers = itertools.count()

    def sometimes_late(server: Chaos, connection: socket.socket, body: bytes) -> bool:
        server.stopped.wait(0.08 if next(numbers) % 3 == 0 else 0)
        connection.sendall(reply(body))
        return True

    with Chaos(sometimes_late) as server:
        transport = HttpTransport(server.url, KEY)
        for seconds in (0.04, 0.04, 5.0):
            for number, answer in enumerate(ask(transport, 12, seconds=seconds)):
                assert isinstance(answer, ServiceError) or answer.body == b'{"n":%d}' % number
        transport.close()


# --- the deadline


def test_a_transport_that_nobody_closes_warns_of_nothing() -> None:
    """Applications need not close what protects them."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        transport.send(Call(PATH, b"{}", 5.0))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            del transport
            gc.collect()
        assert [each for each in seen if issubclass(each.category, ResourceWarning)] == []
        until(lambda: server.open == 0)


class Slow:
    """A socket whose every operation takes a second of the clock, and notes the time-out that it is given."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.given: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.given.append(seconds)

    def send(self, data: memoryview) -> int:
        self.clock[0] += 1
        return 1

    def recv(self, size: int) -> bytes:
        self.clock[0] += 1
        return b"x"

    def close(self) -> None:
        pass


def test_every_operation_is_given_what_is_left_of_the_whole() -> None:
    """And none begins when nothing is."""
    clock = [100.0]
    slow = Slow(clock)
    stream = DeadlineStream(slow)
    stream.exchange = Exchange(100)
    stream.deadline = Deadline(4.5, lambda: clock[0])
    stream.write(b"ab")
    stream.read(1)
    assert slow.given == [4.5, 3.5, 2.5]
    stream.read(1)
    stream.read(1)
    with pytest.raises(TimeoutError):
        stream.read(1)
    assert slow.given == [4.5, 3.5, 2.5, 1.5, 0.5]


def test_an_address_that_leads_nowhere_leaves_another_its_share(ask: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not tried first by the next connection."""
    from tests.chaos.http_server import full_backlog

    with Chaos(echo) as server, full_backlog() as nowhere:
        asked = []

        def both(*_: object, **__: object) -> list[tuple[object, ...]]:
            asked.append(1)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (nowhere, server.port)]

        monkeypatch.setattr(socket, "getaddrinfo", both)
        transport = HttpTransport("http://service.example", KEY)
        assert [answer.status for answer in ask(transport, 1, seconds=2.0)] == [200]
        preferred = transport._process.names.best_first(transport._process.names.begin().result(5))
        assert preferred[0].where == ("127.0.0.1", server.port)
        transport.close()
