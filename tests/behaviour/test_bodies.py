"""Rules that read bodies get the beginning; the application gets everything, as it came."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
import tracemalloc
from typing import Any

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.clients.drivers import scope_of
from tests.behaviour.doubles import BodySpy

from doorward import AsyncDoorward, sliding_window
from doorward.asgi import DoorwardMiddleware

KIB, MIB = 2**10, 2**20
SCANNED = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/vnd.api+json",
    "application/xml",
    "image/svg+xml",
    "text/plain",
]
OTHER = ["application/octet-stream", "image/png", ""]
noise = random.Random(1)


def body_of(size: int) -> bytes:
    return noise.randbytes(size)


def shown(
    make: MakeApp, body: bytes | list[bytes], *lines: tuple[str, str], **options: object
) -> tuple[bytes | None, bool]:
    """What a rule is shown of a body; that the application got all of it is checked on the way."""
    spy = BodySpy()
    reply = make(spy, **options).post(headers=[line for line in lines if line[1]], body=body)
    whole = body if isinstance(body, bytes) else b"".join(body)
    assert reply.status == 200
    assert reply.json()["sha256"] == hashlib.sha256(whole).hexdigest()
    return spy.bodies[0]


@pytest.mark.parametrize("kind", SCANNED)
def test_a_scanned_type_is_held_up_to_a_mebibyte(make: MakeApp, kind: str) -> None:
    """Forms, JSON, XML and text are held whole up to 1 MiB."""
    body = body_of(MIB)
    assert shown(make, body, ("Content-Type", kind)) == (body, True)


@pytest.mark.parametrize("kind", OTHER)
def test_other_types_are_held_up_to_64_kib(make: MakeApp, kind: str) -> None:
    """Of anything else, 64 KiB are held, and one byte more is no longer complete."""
    body = body_of(64 * KIB)
    assert shown(make, body, ("Content-Type", kind)) == (body, True)
    assert shown(make, body + b"x", ("Content-Type", kind)) == (body, False)


def test_what_is_beyond_the_limit_streams(make: MakeApp) -> None:
    """Three times the limit reaches the application whole; the rule is shown the limit, and that it is not all."""
    body = body_of(3 * MIB)
    assert shown(make, body, ("Content-Type", "text/plain")) == (body[:MIB], False)


@pytest.mark.parametrize(
    "sizes", [[1] * 300, [KIB] * 70, [64 * KIB, 1], [0, 5, 0, 0, 7], [200 * KIB, 200 * KIB]], ids=len
)
def test_a_body_in_pieces_is_put_together(make_chunked: MakeApp, sizes: list[int]) -> None:
    """However a body without a length is cut, rule and application see the same bytes."""
    pieces = [body_of(size) for size in sizes]
    whole = b"".join(pieces)
    assert shown(make_chunked, pieces, ("Content-Type", "application/octet-stream")) == (
        whole[: 64 * KIB],
        len(whole) <= 64 * KIB,
    )


def test_a_body_of_exactly_the_limit_is_complete(make: MakeApp) -> None:
    """The last byte that fits is held; nothing is missing."""
    assert shown(make, b"x" * 100, body_limit=100) == (b"x" * 100, True)


def test_the_limit_can_be_set(make: MakeApp) -> None:
    """``body_limit`` holds for every type."""
    assert shown(make, b"x" * 101, ("Content-Type", "text/plain"), body_limit=100) == (b"x" * 100, False)


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "br", "deflate, gzip", "unknown"])
def test_a_compressed_body_is_never_inflated(make: MakeApp, encoding: str) -> None:
    """A compressed body is not held and not inflated, and is not called complete."""
    bomb = gzip.compress(b"\0" * 10 * MIB, mtime=0)
    held, complete = shown(make, bomb, ("Content-Type", "application/json"), ("Content-Encoding", encoding))
    assert held in (None, b"")
    assert not complete


def test_identity_is_no_compression(make: MakeApp) -> None:
    """``Content-Encoding: identity`` changes nothing."""
    assert shown(make, b"{}", ("Content-Encoding", "identity")) == (b"{}", True)


def test_no_body_is_an_empty_body(make: MakeApp) -> None:
    """A GET is complete with nothing."""
    spy = BodySpy()
    make(spy).get()
    assert spy.bodies == [(b"", True)]


def test_without_a_rule_that_reads_it_the_body_is_not_touched(make: MakeApp) -> None:
    """Limits alone never read: the application is the first to."""
    body = body_of(2 * MIB)
    reply = make(sliding_window(max=9, interval="1m"), body_limit=10).post(body=body)
    assert reply.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_body_is_held_with_limits_and_headers_too(make: MakeApp) -> None:
    """Body rules, conditional limits and headers together still pass every byte."""
    body = body_of(300 * KIB)
    rule = sliding_window(max=9, interval="1m", count_when=401)
    app = make(BodySpy(), rule, layer={"rate_limit_headers": True})
    assert app.post(body=body).json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_refused_body_is_not_read_further(make: MakeApp) -> None:
    """A client over its limit is refused whatever it sends."""
    app = make(BodySpy(), sliding_window(max=1, interval="1m"))
    app.post(body=b"x")
    assert app.post(body=body_of(2 * MIB)).status == 429


async def received(pieces: list[bytes], limit: int) -> list[Any]:
    """What an application receives of a body in pieces of which ``limit`` bytes are held, and of the disconnect."""
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    incoming: list[Any] = [*coming, {"type": "http.disconnect"}]
    seen: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not seen or seen[-1]["type"] != "http.disconnect":
            seen.append(await receive())

    guarded = DoorwardMiddleware(app, AsyncDoorward([BodySpy()], body_limit=limit))
    await guarded(scope_of("/x", method="POST"), receive, None)  # type: ignore[arg-type]
    return seen


def test_what_is_held_is_one_piece_however_it_was_cut() -> None:
    """Pieces of one byte, and empty ones, cost no message each while they are held; those beyond stream as they are."""
    seen = asyncio.run(received([b"a", b"", b"b"] * 50 + [b"cc", b"", b"d"], 100))
    assert [message.get("body") for message in seen] == [b"ab" * 50 + b"cc", b"", b"d", None]
    assert all(message["more_body"] for message in seen[:-1])


def test_empty_pieces_before_a_disconnect_are_not_held() -> None:
    """A client that sends nothing, in many pieces, and leaves."""
    assert asyncio.run(received([b""] * 1000, 100)) == [{"type": "http.disconnect"}]


def test_holding_a_body_in_tiny_pieces_takes_little_more_than_its_size() -> None:
    """Memory is bounded by the limit, not by the number of pieces."""
    limit = 200 * KIB
    tracemalloc.start()
    try:
        held = asyncio.run(_peak_while_holding(limit))
    finally:
        tracemalloc.stop()
    assert held < 3 * limit


async def _peak_while_holding(limit: int) -> int:
    left = limit

    async def receive() -> Any:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b"x", "more_body": left > 0}

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    guarded = DoorwardMiddleware(app, AsyncDoorward([BodySpy()], body_limit=limit))
    before = tracemalloc.get_traced_memory()[0]
    await guarded(scope_of("/x", method="POST"), receive, None)  # type: ignore[arg-type]
    return tracemalloc.get_traced_memory()[1] - before
