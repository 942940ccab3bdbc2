"""Calls as the Connect protocol has them: what is answered, with which code, and what is never said."""

from __future__ import annotations

import gzip
import json
import logging
import sys
import zlib
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.service.app import doubles
from tests.service.app.conftest import DECIDE, REPORT, Desk

from doorward.errors import DataError
from doorward.service.server.connect import CODES, STATUS, ConnectError, evaluation_seconds


def named(body: bytes) -> str:
    return f"{len(body)}-{zlib.crc32(body):08x}"


def refused(response: Any, status: int, code: str) -> str:
    """Check an error; its message."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"code", "message"}
    return str(response.json()["message"])


def test_a_decision_is_answered(serving: Any) -> None:
    """The answer is the evaluator's, as JSON; it was asked for the key's application, with the time that is left."""

    async def check(desk: Desk) -> None:
        response = await desk.call(
            b'{"details":{"ip":"203.0.113.9","path":"/x"},"rules":[{"shield":{"mode":"MODE_LIVE"}}]}'
        )
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json()["decision"]["conclusion"] == "CONCLUSION_ALLOW"
        ((site, request, seconds),) = desk.parts.evaluator.asked
        assert (site.name, request.details.ip, request.rules[0].shield.mode, seconds) == (
            "shop",
            "203.0.113.9",
            "LIVE",
            0.4,
        )

    serving(check)


def test_a_report_is_answered(serving: Any) -> None:
    """What is reported gets to the evaluator, and is answered with an empty message."""

    async def check(desk: Desk) -> None:
        response = await desk.call(b'{"decision":{"id":"lreq_1","conclusion":"CONCLUSION_DENY"}}', path=REPORT)
        assert (response.status_code, response.json()) == (200, {})
        assert desk.parts.evaluator.reported[0][1].decision.id == "lreq_1"

    serving(check)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_type": "text/plain"}, 415, "unimplemented"),
        ({"content_type": "application/json; charset=latin-1"}, 415, "unimplemented"),
        ({"content_type": "application/connect+json"}, 415, "unimplemented"),
        ({"content_type": "application/grpc"}, 415, "unimplemented"),
        ({"content_encoding": "br"}, 501, "unimplemented"),
        ({"content_encoding": "gzip, gzip"}, 501, "unimplemented"),
        ({"content_encoding": "gzip"}, 400, "invalid_argument"),
        ({"connect_protocol_version": "2"}, 400, "invalid_argument"),
        ({"connect_timeout_ms": "-1"}, 400, "invalid_argument"),
        ({"connect_timeout_ms": "1e3"}, 400, "invalid_argument"),
        ({"connect_timeout_ms": "12345678901"}, 400, "invalid_argument"),
        ({"connect_timeout_ms": "0"}, 504, "deadline_exceeded"),
        ({"connect_timeout_ms": "5"}, 504, "deadline_exceeded"),
        ({"authorization": ""}, 401, "unauthenticated"),
        ({"authorization": "Basic ZG9vcg=="}, 401, "unauthenticated"),
        ({"authorization": "Bearer wrong"}, 401, "unauthenticated"),
        ({"authorization": "Bearer " + "a" * 100_000}, 401, "unauthenticated"),
    ],
    ids=lambda value: next(iter(value.values()))[:20] if isinstance(value, dict) else None,
)  # fmt: skip
def test_heads_that_are_refused(serving: Any, headers: dict[str, str], status: int, code: str) -> None:
    """Each mistake in the head has its code, and the evaluator is not asked."""

    async def check(desk: Desk) -> None:
        refused(await desk.call(**headers), status, code)
        assert not desk.parts.evaluator.asked

    serving(check)


@pytest.mark.parametrize("headers", [
    {"content_type": 'application/json; charset="UTF-8"'}, {"content_encoding": "identity"},
    {"connect_protocol_version": "1"}, {"connect_timeout_ms": "1000"}, {"authorization": f"bearer  {doubles.KEY}"},
], ids=lambda headers: next(iter(headers)))  # fmt: skip
def test_heads_that_are_taken(serving: Any, headers: dict[str, str]) -> None:
    """What the protocol allows is taken."""

    async def check(desk: Desk) -> None:
        assert (await desk.call(**headers)).status_code == 200

    serving(check)


def test_other_methods_and_paths(serving: Any) -> None:
    """405 and 404, in JSON, with what would be taken."""

    async def check(desk: Desk) -> None:
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"):
            response = await desk.client.request(method, DECIDE)
            assert (response.status_code, response.headers["allow"]) == (405, "POST")
        refused(await desk.call(path="/nowhere"), 404, "not_found")
        refused(await desk.call(path=DECIDE + "/"), 404, "unimplemented")
        refused(await desk.call(path=DECIDE.replace("/Decide", "/Other")), 404, "unimplemented")
        refused(await desk.client.post("/health/live"), 405, "unimplemented")

    serving(check)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[]", b"null", b"1", b'"x"', b"[" * 100_000, b'{"a":' * 100_000, b"[" * 300 + b"]" * 300,
        b'{"details":{"headers":' + b'{"a":' * 150 + b"1" + b"}" * 152, b'{"a":NaN}', b'{"a":[Infinity]}',
        b'{"a":-Infinity}', b'{"a":1,"a":2}', b'{"details":{"ip":"","ip":""}}', b'{"rules":{}}', b'{"rules":[1]}',
        b'{"rules":[{"shield":{"mode":{}}}]}', b'{"details":{"body":"a"}}', b'{"details":{"headers":{"a":1}}}',
        b'{"sdkVersion":"\\ud800"}', b'{"x":["\\udfff"]}', b'{"sdkVersion":"\xff"}', b"\xff\xfe{\x00}\x00", b"{}\x00",
        b'{"rules":[' + b"{}," * 60 + b"{}]}", b'{"a":' + b"9" * 5000 + b"}", b'{"x":[' + b"1," * 300_000 + b"1]}",
        b'{"x":["' + b'\\"' * 200_000, b'{"sdkVersion":"' + b"a" * 300 + b'"}', b"\xef\xbb\xbf{}",
    ],
    ids=named,
)  # fmt: skip
def test_bodies_that_are_refused(serving: Any, body: bytes) -> None:
    """Whatever is no message is an invalid argument, and nothing of it is said back."""

    async def check(desk: Desk) -> None:
        message = refused(await desk.call(body), 400, "invalid_argument")
        assert len(message) < 250
        assert "aaaa" not in message
        if b'"rules"' not in body:  # reports are read without them
            refused(await desk.call(body, path=REPORT), 400, "invalid_argument")
        assert not desk.parts.evaluator.asked

    serving(check)


def test_names_of_the_client_are_not_said_back(serving: Any) -> None:
    """The path of a mistake has our own names only: keys of a map are what a visitor sent."""

    async def check(desk: Desk) -> None:
        message = refused(await desk.call(b'{"details":{"headers":{"x-secret-name":[]}}}'), 400, "invalid_argument")
        assert message == "details.headers: string type"

    serving(check)


@pytest.mark.parametrize("body", [
    b'{"rules":null,"details":{"ip":null}}', b'{"unknown":[[[1]]],"details":{"newField":{}}}',
    '{"details":{"email":"ä\U0001f600@example.org"}}'.encode(), b'{"details":{"email":"\\ud83d\\ude00"}}',
    b'{"rules":[{"rateLimit":{"units":"18446744073709551615","max":4294967295}}]}', b'{"sdkStack":3}',
    b'{"details":{"email":"' + b"a,[{" * 400_000 + b'"}}',
    b'{"details":{"headers":{' + b",".join(b'"%05d":""' % number for number in range(43_000)) + b"}}}",
], ids=named)  # fmt: skip
def test_bodies_that_are_taken(serving: Any, body: bytes) -> None:
    """What the proto3 JSON mapping allows is a message; a visitor's own text may look as it likes."""

    async def check(desk: Desk) -> None:
        assert (await desk.call(body)).status_code == 200

    serving(check)


def test_gzip(serving: Any) -> None:
    """Compressed bodies are inflated, up to the limit, small and large; what is no whole gzip is refused."""

    async def check(desk: Desk) -> None:
        async def call(body: bytes) -> Any:
            return await desk.call(body, content_encoding="gzip")

        text = b'{"details":{"email":"' + b"a" * 300_000 + b'"}}'
        for fitting in (b"{}", text):
            assert (await call(gzip.compress(fitting))).status_code == 200
        packed = gzip.compress(text)
        for broken in (packed[:-1], packed[:20], packed + b"x", packed + packed, b"", b"\x1f\x8b" + b"\0" * 40):
            refused(await call(broken), 400, "invalid_argument")
        refused(await call(gzip.compress(b"{" + b" " * 1_000_000 + b"}")), 429, "resource_exhausted")
        assert desk.app.state.service.bodies.held == 0

    serving(check, body_limit=500_000)


def test_the_limit_of_bodies(serving: Any) -> None:
    """A body of the limit is taken; one byte more is refused, whether or not its length was said."""

    async def check(desk: Desk) -> None:
        assert (await desk.call(b"{}" + b" " * 9_998)).status_code == 200
        refused(await desk.call(b"{}" + b" " * 9_999), 429, "resource_exhausted")

        async def dripped() -> Any:
            for _ in range(101):
                yield b" " * 100

        head = {"authorization": f"Bearer {doubles.KEY}", "content-type": "application/json"}
        refused(await desk.client.post(DECIDE, content=dripped(), headers=head), 429, "resource_exhausted")
        assert desk.app.state.service.bodies.held == 0

    serving(check, body_limit=10_000)


def test_too_many_large_bodies_at_once(serving: Any) -> None:
    """What one worker holds of bodies is bounded over all calls; the rest is told to come back."""

    async def check(desk: Desk) -> None:
        bodies = desk.app.state.service.bodies
        with bodies.holding() as held:
            held.add(16 * 10_000 - 1)
            response = await desk.call()
            refused(response, 503, "unavailable")
            assert response.headers["retry-after"] == "1"
        assert (await desk.call()).status_code == 200

    serving(check, body_limit=10_000)


def test_the_time_of_the_client(serving: Any) -> None:
    """The evaluator gets somewhat less than the client waits; a decision that takes longer is given up on."""

    async def check(desk: Desk) -> None:
        await desk.call(connect_timeout_ms="1000")
        seconds = desk.parts.evaluator.asked[-1][2]
        assert 0.5 < seconds <= 0.9
        late = await desk.call(b'{"details":{"correlationId":"sleep:30"}}', connect_timeout_ms="60")
        refused(late, 504, "deadline_exceeded")

    serving(check)


@pytest.mark.parametrize(("total", "elapsed", "left"), [
    (None, 5.0, 0.4), (0.05, 0.0, 0.04), (1.0, 0.0, 0.9), (1.0, 0.5, 0.4), (10.0, 0.0, 9.75),
])  # fmt: skip
def test_what_is_kept_back(total: float | None, elapsed: float, left: float) -> None:
    """A tenth is kept back for the way, at least 10 ms and at most 250 ms."""
    assert evaluation_seconds(total, elapsed, 0.4) == pytest.approx(left)


def test_every_code_has_its_status() -> None:
    """The specification's table is whole, and errors carry it."""
    assert set(CODES) == set(STATUS)
    assert ConnectError("unavailable", "x").response().status_code == 503


def test_failures_are_answered_with_a_reference(serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What fails inside is internal; the log has the reference and the place, and nothing of the request."""

    async def check(desk: Desk) -> None:
        body = b'{"details":{"correlationId":"raise","cookies":"session=hunter2"}}'
        with caplog.at_level(logging.ERROR, "doorward.service"):
            message = refused(await desk.call(body), 500, "internal")
        reference = message.rpartition(" ")[2]
        (record,) = caplog.records
        text = record.getMessage()
        assert reference in text
        assert "RuntimeError in ScriptedEvaluator.decide" in text
        assert "hunter2" not in caplog.text + message
        assert (await desk.metrics())["doorward_service_errors_total"] == 1

    serving(check)


def test_keys_that_cannot_be_read(serving: Any) -> None:
    """While keys cannot be read, calls are unavailable: neither let in, nor told that the key is wrong."""

    async def check(desk: Desk) -> None:
        desk.parts.keys.error = DataError("/srv/keys.sqlite", "is damaged")
        assert "/srv" not in refused(await desk.call(), 503, "unavailable")

    serving(check)


def test_protobuf_without_its_extra(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary messages without protobuf are 415, with what to install."""
    monkeypatch.setitem(sys.modules, "doorward.service.server.proto_codec", None)

    async def check(desk: Desk) -> None:
        response = await desk.call(b"", content_type="application/proto")
        assert "doorward[arcjet]" in refused(response, 415, "unimplemented")

    serving(check)


def test_protobuf(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary messages go through their codec, in both directions; what it refuses is an invalid argument."""

    class Codec:
        @staticmethod
        def decode(kind: str, data: bytes) -> bytes:
            if data == b"bad":
                raise ValueError("what came was bad")
            return json.dumps({"sdkVersion": f"{kind} {data.decode()}"}).encode()

        @staticmethod
        def encode(kind: str, message: dict[str, Any]) -> bytes:
            return f"{kind} {sorted(message)}".encode()

    monkeypatch.setitem(sys.modules, "doorward.service.server.proto_codec", Codec)

    async def check(desk: Desk) -> None:
        response = await desk.call(b"good", content_type="application/proto")
        assert response.headers["content-type"] == "application/proto"
        assert response.content == b"DecideResponse ['decision']"
        assert desk.parts.evaluator.asked[0][1].sdk_version == "DecideRequest good"
        refused(await desk.call(b"bad", content_type="application/proto"), 400, "invalid_argument")
        refused(await desk.call(b"bad", content_type="application/proto", key="wrong"), 401, "unauthenticated")

    serving(check)


def test_one_call_in_work_does_not_keep_others(serving: Any) -> None:
    """Calls are answered side by side, and those beyond what a worker takes are told to come back."""

    async def check(desk: Desk) -> None:
        gate = anyio.Event()
        desk.parts.evaluator.hook = gate.wait
        codes: list[int] = []

        async def call() -> None:
            codes.append((await desk.call()).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(520):
                group.start_soon(call)
            while len(codes) < 8:
                await anyio.lowlevel.checkpoint()
            gate.set()
        assert sorted(set(codes)) == [200, 503]
        assert codes.count(200) == 512

    serving(check)
