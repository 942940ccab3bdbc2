"""On real servers: HTTP/1.1 and HTTP/2, hostile bytes, bombs, several workers, and the end."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.app import doubles
from tests.service.app.conftest import DECIDE, figures_of
from tests.service.app.running import ROOT, Running, answer_on, request, until

from doorward.service.server.metrics import Totals

HEAD = {"authorization": f"Bearer {doubles.KEY}", "content-type": "application/json"}
MiB = 2**20
ANSWERED = 'doorward_service_requests_total{method="Decide",code="ok"}'


def decide(running: Running, body: bytes = b"{}", **headers: str) -> httpx.Response:
    return httpx.post(running.url + DECIDE, content=body, headers={**HEAD, **headers}, timeout=30)


def test_it_answers(running: Running) -> None:
    """Calls over HTTP/1.1, on one connection: more than the thousand after which hypercorn's default would hang up."""
    message = request("Content-Length: 2") + b"{}"
    with running.connect() as connection, connection.makefile("rb") as reader:
        for _ in range(1_050):
            connection.sendall(message)
            assert reader.readline().startswith(b"HTTP/1.1 200")
            length = 0
            while (line := reader.readline()) != b"\r\n":
                name, _, value = line.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            assert json.loads(reader.read(length))["decision"]["conclusion"] == "CONCLUSION_ALLOW"


def test_http_2_in_clear_text(tmp_path: Path) -> None:
    """hypercorn takes HTTP/2 from clients that begin with it, which @arcjet/node does; 50 calls on one connection."""

    async def calls(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(http1=False, http2=True, base_url=url, headers=HEAD, timeout=30) as client:
            return await asyncio.gather(*[client.post(DECIDE, content=b"{}") for _ in range(50)])

    with Running(tmp_path) as running:
        answers = asyncio.run(calls(running.url))
    assert {(answer.http_version, answer.status_code) for answer in answers} == {("HTTP/2", 200)}


CHUNKED = "Transfer-Encoding: chunked"
HOSTILE = {
    "no body at all": (request("Content-Length: 0"),),
    "chunked and a length": (request(CHUNKED, "Content-Length: 2"), b"2\r\n{}\r\n0\r\n\r\n"),
    "two lengths": (request("Content-Length: 2", "Content-Length: 3"), b"{} "),
    "a list of lengths": (request("Content-Length: 2, 2"), b"{}"),
    "a signed length": (request("Content-Length: +2"), b"{}"),
    "a negative length": (request("Content-Length: -2"), b"{}"),
    "a length in hexadecimal": (request("Content-Length: 0x2"), b"{}"),
    "an endless length": (request("Content-Length: " + "9" * 30), b"{}"),
    "a chunk without a size": (request(CHUNKED), b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of too much": (request(CHUNKED), b"fffffffffffffffff\r\n{}"),
    "an unknown coding": (request("Transfer-Encoding: chunked, gzip"), b"2\r\n{}\r\n0\r\n\r\n"),
    "a space before the colon": (request("Transfer-Encoding : chunked"), b"0\r\n\r\n"),
    "a folded line": (request("X-A: 1", "  Content-Length: 2"), b"{}"),
    "a bare line feed": (request("X-A: 1\nContent-Length: 2"), b"{}"),
    "a zero byte": (request("X-A: a\0b", "Content-Length: 2"), b"{}"),
    "no protocol": (b"POST /\r\n\r\n",),
    "garbage": (bytes(range(256)) * 20,),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),),
    "a preface and nonsense": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,),
    "an absolute target": (request("Content-Length: 2", path="http://127.0.0.1/metrics", method="GET"), b"{}"),
    "headers without end": (request("X-A: " + "a" * 200_000),),
    "a thousand headers": (request(*[f"X-{n}: a" for n in range(5000)]),),
}

# RFC 9112 section 2.2 lets a server take a bare line feed; RFC 9110 section 8.6 a list of equal lengths.
UNAMBIGUOUS = ("an absolute target", "a list of lengths", "a thousand headers", "a bare line feed")


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.replace(" ", "-"))
def test_hostile_http(running: Running, case: str) -> None:
    """Whatever comes is answered with a refusal or a hang-up: never a 5xx of ours, a decision or a trace."""
    with running.connect() as connection:
        try:
            for piece in HOSTILE[case]:
                connection.sendall(piece)
            connection.shutdown(1)
        except OSError:
            pass
        connection.settimeout(30)
        answer = answer_on(connection)
    if answer is not None:
        status, body = answer
        assert status in (200, 400, 401, 403, 404, 405, 413, 415, 429, 431, 499, 501) or body == b"", answer
        assert b"Traceback" not in body
        # A decision came only of what can be read in one way.
        assert status != 200 or case in UNAMBIGUOUS, answer
    assert decide(running).status_code == 200
    assert "Traceback" not in running.log.read_text()


def test_what_is_behind_a_body_is_no_request(running: Running) -> None:
    """Bytes behind a refused, unread body are not read as the next request."""
    inner = request("Content-Length: 2") + b"{}"
    with running.connect() as connection:
        connection.sendall(request("Content-Length: 90000000", key="wrong") + inner * 50)
        received = bytearray()
        connection.settimeout(1)
        try:
            while piece := connection.recv(65536):
                received += piece
        except OSError:
            pass
    assert received.count(b"HTTP/1.1 ") == 1
    assert b" 401 " in received[:20]
    assert b"decision" not in received


def test_large_bodies_are_refused_unread(running: Running) -> None:
    """A length over the limit is refused by its head alone; a body that lies about nothing is stopped at the limit."""
    assert running.raw(request("Content-Length: 500000000"))[0] == 429  # type: ignore[index]
    chunk = b"100000\r\n" + b" " * MiB + b"\r\n"
    before = running.memory()
    answer = running.raw(request(CHUNKED), *[chunk] * 40)
    assert answer is None or answer[0] == 429
    assert running.memory() - before < 40 * MiB


def test_a_drip_is_ended(running: Running) -> None:
    """A body that does not arrive within the client's own time is given up on; others go on meanwhile."""
    with running.connect() as connection:
        connection.sendall(request("Content-Length: 1000", "Connect-Timeout-Ms: 300") + b"{")
        assert decide(running).status_code == 200
        answer = answer_on(connection)
    assert answer is not None
    assert (answer[0], json.loads(answer[1])["code"]) == (504, "deadline_exceeded")


def test_gzip_bombs(tmp_path: Path) -> None:
    """A kilobyte that inflates to a gigabyte is refused, and costs no memory, also 20 at a time."""
    bomb = gzip.compress(gzip.compress(bytes(400 * MiB), 9), 9)
    bomb = gzip.decompress(bomb)  # 400 KiB of gzip for 400 MiB
    with Running(tmp_path) as running:
        decide(running, gzip.compress(b"{}" + b" " * MiB), **{"content-encoding": "gzip"})
        before = running.memory()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: decide(running, bomb, **{"content-encoding": "gzip"}), range(20)))
        grown = running.memory() - before
    assert {answer.status_code for answer in answers} <= {429, 503}
    assert grown < 150 * MiB, f"{grown / MiB:.0f} MiB"


def test_work_on_large_bodies_does_not_keep_others(running: Running) -> None:
    """While bodies of megabytes are read, small calls come in between: more than one for each of the large."""
    body = b'{"x":[' + b'{"a":[]},' * 12_000 + b'1],"details":{"email":"' + b"a" * 3 * MiB + b'"}}'
    done = threading.Event()
    codes: list[int] = []

    def large() -> None:
        codes.extend(decide(running, body).status_code for _ in range(5))
        done.set()

    thread = threading.Thread(target=large)
    thread.start()
    small = 0
    while not done.is_set():
        assert decide(running).status_code == 200
        small += 1
    thread.join()
    assert codes == [200] * 5
    assert small > 5


def test_figures_of_several_workers_never_go_back(tmp_path: Path) -> None:
    """Each scrape has what all workers have written; what one that was killed had counted stays."""

    def scraped() -> float:
        return figures_of(running.get("/metrics").text).get(ANSWERED, 0)

    with Running(tmp_path, workers=2) as running:
        for _ in range(40):
            assert decide(running).status_code == 200
        until(lambda: scraped() == 40, "the workers' figures did not add up")
        seen = [scraped() for _ in range(10)]
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        assert len(children) == 2
        subprocess.run(["kill", "-9", children[0]], check=True)
        until(lambda: "ended with -9" in running.log.read_text(), "the death was not seen")
        for _ in range(5):
            assert decide(running).status_code == 200
            seen.append(scraped())
        until(lambda: scraped() == 45, "the figures of the workers that are left did not add up")
        assert seen == sorted(seen)
        assert running.stop() == 0
    with Running(tmp_path, workers=1) as running:
        assert scraped() == 45


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_the_end(tmp_path: Path, server: str, workers: int, number: int) -> None:
    """A signal ends it with status 0; what is in work is answered, and counted."""
    with Running(tmp_path, server=server, workers=workers) as running:
        with running.connect() as connection:
            body = b'{"details":{"correlationId":"sleep:0.5"}}'
            connection.sendall(request(f"Content-Length: {len(body)}", "Connection: close") + body)
            until(lambda: "asleep" in running.log.read_text(), "the call did not arrive")
            running.process.send_signal(number)
            answer = answer_on(connection)
        assert answer is not None
        assert answer[0] == 200
        assert running.process.wait(30) == 0
        assert "Traceback" not in running.log.read_text()
    figures = Totals(tmp_path / "service" / "metrics.sqlite").read()
    assert figures["requests", ("Decide", "ok")] == 1


def test_not_ready_comes_first(tmp_path: Path) -> None:
    """With time to drain, a worker that is told to stop is not ready, and still answers."""
    with Running(tmp_path, drain="3") as running:
        assert running.get("/health/ready").status_code == 200
        running.process.send_signal(signal.SIGTERM)
        until(lambda: running.get("/health/ready").status_code == 503, "it stayed ready")
        assert decide(running).status_code == 200
        running.process.send_signal(signal.SIGTERM)  # no longer
        assert running.process.wait(30) == 0


def test_workers_that_cannot_start_are_given_up_on(tmp_path: Path) -> None:
    """A mistake that only a worker finds ends all, with its line, and with a status that is not 0."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "counters").mkdir()  # where the table should be
    environ = {
        "PYTHONPATH": f"{ROOT}/src:{ROOT}/adapters:{ROOT}",
        "DOORWARD_SERVICE_FOLDER": str(folder),
        "PATH": "/bin",
    }
    for workers, status in (("1", 2), ("2", 1)):
        done: Any = subprocess.run(
            [sys.executable, "-m", "tests.service.app.doubles", "0", workers],
            cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert "store: " in done.stderr
        assert "Traceback" not in done.stderr
