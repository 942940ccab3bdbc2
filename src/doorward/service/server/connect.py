"""The Connect protocol, unary calls over HTTP: what a request's head says, and what errors look like.

Source: the Connect protocol specification, "Unary-Request", "Unary-Response" and "Error Codes". Responses are never
compressed: they are small, and every client takes ``identity``.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal, NamedTuple, cast, get_args

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

Code = Literal[
    "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied",
    "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable",
    "data_loss", "unauthenticated",
]  # fmt: skip
CODES: tuple[Code, ...] = get_args(Code)
STATUS: dict[Code, int] = {
    "canceled": 499,
    "unknown": 500,
    "invalid_argument": 400,
    "deadline_exceeded": 504,
    "not_found": 404,
    "already_exists": 409,
    "permission_denied": 403,
    "resource_exhausted": 429,
    "failed_precondition": 400,
    "aborted": 409,
    "out_of_range": 400,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
    "data_loss": 500,
    "unauthenticated": 401,
}
"""HTTP status by code, as the specification's table has it."""

JSON, PROTO = "application/json", "application/proto"
LONGEST_TIMEOUT = 60.0
"""Seconds. Whoever asks for more gets this."""
VERSION, TIMEOUT = "connect-protocol-version", "connect-timeout-ms"

LEAST_RESERVE, MOST_RESERVE, RESERVE_SHARE = 0.01, 0.25, 0.1


class ConnectError(Exception):
    """An answer that is an error.

    Args:
        code: Of the protocol.
        message: In English. Never holds bytes of the request.
        status: The HTTP status, where it is not the code's own.
        headers: Further ones.
    """

    def __init__(
        self, code: Code, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.status = STATUS[code] if status is None else status
        self.headers = headers or {}

    def response(self) -> Response:
        """What is sent."""
        body = json.dumps({"code": self.code, "message": self.message}, ensure_ascii=True).encode()
        return Response(body, self.status, {"cache-control": "no-store", **self.headers}, JSON)


class Head(NamedTuple):
    """What the head of a request says about the call.

    Attributes:
        binary: Whether messages are protobuf, not JSON.
        gzip: Whether the body is compressed.
        seconds: That the client waits; None where it does not say.
    """

    binary: bool
    gzip: bool
    seconds: float | None


def read_head(request: Request) -> Head:
    """Check the head of a unary call.

    Raises:
        ConnectError: It is none, or none that is understood here.
    """
    if request.method != "POST":
        raise ConnectError("unimplemented", "only POST is answered here", status=405, headers={"allow": "POST"})
    if _one(request, "content-length") is not None and "transfer-encoding" in request.headers:
        # RFC 9112 section 6.1: what two servers may read differently may be refused.
        raise ConnectError("invalid_argument", "the body has two lengths")
    if _one(request, VERSION) not in (None, "1"):
        raise ConnectError("invalid_argument", f"{VERSION} must be 1")
    return Head(_binary(request), _gzip(request), _seconds(_one(request, TIMEOUT)))


def _one(request: Request, name: str) -> str | None:
    """The value of a header that may be there once."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise ConnectError("invalid_argument", f"there is more than one {name}")
    return values[0].strip() if values else None


def _binary(request: Request) -> bool:
    kind, _, parameters = (_one(request, "content-type") or "").lower().partition(";")
    kind, parameters = kind.strip(), parameters.replace('"', "").replace(" ", "")
    if kind == PROTO and not parameters:
        return True
    if kind == JSON and parameters in ("", "charset=utf-8"):
        return False
    # The specification: 415, and Accept-Post says what would have been taken.
    raise ConnectError(
        "unimplemented",
        f"content-type must be {JSON} or {PROTO}",
        status=415,
        headers={"accept-post": f"{JSON}, {PROTO}"},
    )


def _gzip(request: Request) -> bool:
    encoding = (_one(request, "content-encoding") or "identity").lower()
    if encoding not in ("identity", "gzip"):
        # The specification: unimplemented, naming what is supported.
        raise ConnectError(
            "unimplemented", "content-encoding must be gzip or identity", headers={"accept-encoding": "gzip, identity"}
        )
    return encoding == "gzip"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ConnectError("invalid_argument", f"{TIMEOUT} must be a whole number of at most 10 digits")
    return min(int(text) / 1000, LONGEST_TIMEOUT)


def evaluation_seconds(total: float | None, elapsed: float, default: float) -> float:
    """What the evaluator may spend of the time that a client waits.

    A tenth is kept back, at least 10 ms and at most 250 ms: the client's clock has run since before it connected, and
    the answer has to be written, sent and read. At 10 ms the event loop of a busy worker comes round; more than 250 ms
    a network that is fit for asking per request does not take.

    Args:
        total: Seconds that the client waits; None where it did not say.
        elapsed: Seconds since the request's head was here.
        default: Where the client did not say.

    Raises:
        ConnectError: Nothing is left.
    """
    if total is None:
        return default
    left = total - min(MOST_RESERVE, max(LEAST_RESERVE, total * RESERVE_SHARE)) - elapsed
    if left <= 0:
        raise ConnectError("deadline_exceeded", "nothing was left of the time that the client gives")
    return left


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to come back: whole seconds, from 1."""
    return {"retry-after": str(max(1, math.ceil(min(seconds, 10**9))))}


def code_of(status: int) -> Code:
    """The code for an HTTP status that something else than a call came to; the specification's reverse table."""
    known = {400: "internal", 401: "unauthenticated", 403: "permission_denied", 404: "not_found",
             405: "unimplemented", 429: "unavailable", 502: "unavailable", 503: "unavailable",
             504: "unavailable"}  # fmt: skip
    return cast("Code", known.get(status, "unknown"))


__all__ = ["CODES", "JSON", "PROTO", "Code", "ConnectError", "Head", "evaluation_seconds", "read_head", "retry_after"]
