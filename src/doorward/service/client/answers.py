"""What the service's replies say: JSON, or an error of the Connect protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from doorward.errors import ServiceError
from doorward.printable import printable
from doorward.service.client.breaking import Refused

if TYPE_CHECKING:
    from doorward.service.client.transport import Reply

_CODES = frozenset(
    {
        "aborted",
        "already_exists",
        "canceled",
        "data_loss",
        "deadline_exceeded",
        "failed_precondition",
        "internal",
        "invalid_argument",
        "not_found",
        "out_of_range",
        "permission_denied",
        "resource_exhausted",
        "unauthenticated",
        "unavailable",
        "unimplemented",
        "unknown",
    }
)
_KEY_REFUSED = (401, 403)


def body_of(reply: Reply) -> bytes:
    """The body of a reply that is an answer.

    Raises:
        Refused: It is an error.
        ServiceError: It is none of the service's.
    """
    if reply.status != 200:
        raise _refusal(reply)
    if not _is_json(reply):
        raise ServiceError("the answer of the decision service is not JSON; is it one?")
    return reply.body


def check_json(body: bytes) -> bytes:
    """``body``, if it is a JSON object.

    Raises:
        ServiceError: It is not.
    """
    if not isinstance(_parsed(body), dict):
        raise ServiceError("the answer of the decision service is not the JSON that was expected")
    return body


def _is_json(reply: Reply) -> bool:
    return reply.content_type.partition(";")[0].strip().lower() == "application/json"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refusal(reply: Reply) -> Refused:
    """As the Connect protocol (connectrpc.com/docs/protocol, Error) has them: a code, and a message for people."""
    said = _parsed(reply.body) if _is_json(reply) else None
    code = said.get("code") if isinstance(said, dict) else None
    message = said.get("message") if isinstance(said, dict) else None
    code = code if isinstance(code, str) and code in _CODES else ""
    text = printable(message) if isinstance(message, str) else ""
    what = "refuses the key" if reply.status in _KEY_REFUSED else "answered with an error"
    details = ", ".join(part for part in (f"HTTP {reply.status}", code) if part)
    return Refused(f"the decision service {what} ({details})" + (f": {text}" if text else ""), code, reply.status)


__all__ = ["body_of", "check_json"]
