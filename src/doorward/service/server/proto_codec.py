"""Binary protobuf, which Arcjet's SDKs speak, to and from the proto3 JSON mapping. Needs the extra ``arcjet``.

The messages live in a pool of their own: Arcjet's SDK has messages of the same names in the pool that a process shares,
and one process may have both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

try:
    from google.protobuf import json_format
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import DecodeError, Message
    from google.protobuf.message_factory import GetMessageClass
except ImportError as error:
    raise ImportError("binary protobuf needs: pip install 'doorward[arcjet]'") from error

from doorward.service.server.decide_pb2 import DESCRIPTORS

RequestKind = Literal["DecideRequest", "ReportRequest"]
ResponseKind = Literal["DecideResponse", "ReportResponse"]

LONGEST: Final = 64 * 1024 * 1024
"""Bytes of a message, as the largest limit of bodies that the service's settings take; by default it is far less."""

MOST_PARTS: Final = 200_000
"""Messages, items of lists and entries of maps in a request: a byte or two are enough for one, and each takes time."""

_PACKAGE = "proto.decide.v1alpha1"


def decode(kind: RequestKind, data: bytes) -> bytes:
    """A request in JSON, without the fields, and members of oneofs, that ``decide.proto`` does not have.

    Raises:
        ValueError: It is no such message, or too large a one.
    """
    if len(data) > LONGEST:
        raise ValueError(f"a {kind} has at most {LONGEST} bytes")
    try:
        message = _class_of(kind).FromString(data)
    except DecodeError:
        raise ValueError(f"the body is no {kind}") from None
    if len(data) > MOST_PARTS < _parts(message):
        raise ValueError(f"a {kind} has at most {MOST_PARTS} messages, items and entries")
    try:
        return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()
    except (json_format.Error, ValueError, RecursionError):
        # A time that is out of its range, or a call in a stack that is nearly full.
        raise ValueError(f"the body is no {kind} that can be read") from None


def encode(kind: ResponseKind, message: dict[str, Any]) -> bytes:
    """The bytes of an answer that is in the proto3 JSON mapping.

    Raises:
        ValueError: The answer has fields or values that ``decide.proto`` does not have.
    """
    try:
        filled = json_format.ParseDict(message, _class_of(kind)())
    except json_format.Error as error:
        raise ValueError(f"this {kind} cannot be sent: {error}") from None
    return filled.SerializeToString()


@cache
def _class_of(kind: str) -> type[Message]:
    return GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{kind}"))


@cache
def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTORS).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _parts(message: Message) -> int:
    """How many there are, without going far beyond ``MOST_PARTS``."""
    count, waiting = 1, [message]
    while waiting and count <= MOST_PARTS:
        for _, value in waiting.pop().ListFields():
            within = _within(value)
            count += len(within)
            if count <= MOST_PARTS:
                waiting.extend(part for part in within if isinstance(part, Message))
    return count


def _within(value: Any) -> Sequence[Any]:
    if isinstance(value, Message):
        return (value,)
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


__all__ = ["LONGEST", "MOST_PARTS", "RequestKind", "ResponseKind", "decode", "encode"]
