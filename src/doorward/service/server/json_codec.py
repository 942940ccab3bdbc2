"""Messages from JSON and back, in the proto3 JSON mapping; strict, and bounded in time.

As the mapping asks for, a name that stands twice is refused, and so are NaN, infinities, lone surrogates and bytes that
are no UTF-8; null is the same as not there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from doorward.service.server.connect import ConnectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.service.messages import Message

M = TypeVar("M", bound="Message")

DEEPEST = 200
"""Of arrays and objects in each other: what pydantic's parser takes. Messages have at most a dozen."""
MOST_VALUES = 200_000
"""Of names, strings and separators in one message. What a visitor chooses ends up in one string, or in headers, of
which 256 KiB, the most that a usual server takes (waitress), hold fewer: four for each of 43,000. So many keep
everybody waiting for some 200 ms, and only whoever has a key can send them at will."""
LONGEST_PROBLEM = 200

# Possessive, and matching also what has no end: a message of quotes only is read once, not once for each of them.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def decode(kind: type[M], body: bytes) -> M:
    """Read a message.

    Raises:
        ConnectError: ``invalid_argument``: it is none. The message names the field, and nothing of what was in it.
    """
    if len(body) > MOST_VALUES:
        _check_values(body)
    # Brackets in strings count too: what has few of them cannot be deep, and the parsers need not be asked both.
    if body.count(b"[") + body.count(b"{") > DEEPEST or _SURROGATE.search(body):
        _check_syntax(body)
    try:
        tree = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise _refused("the message is not UTF-8") from None
    except (ValueError, RecursionError):
        raise _refused("the message is no JSON") from None
    if not isinstance(tree, dict):
        raise _refused("the message must be a JSON object")
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise _refused(_problem(error)) from None


def encode(message: Mapping[str, Any]) -> bytes:
    """Write a message."""
    return _as_json(message).encode()


# json.dumps would make an encoder for each message.
_as_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def _refused(problem: str) -> ConnectError:
    return ConnectError("invalid_argument", problem)


def _check_values(body: bytes) -> None:
    """Refuse what has so many values that reading it would keep everybody waiting.

    The parsers let go of the interpreter only when they are done; this loop does not keep it.
    """
    count = end = 0
    for string in _STRING.finditer(body):
        start = string.start()
        count += 1 + _separators(body, end, start)
        end = string.end()
        if count > MOST_VALUES:
            break
    if count + _separators(body, end, len(body)) > MOST_VALUES:
        raise _refused(f"the message has more than {MOST_VALUES:,} values")


def _separators(body: bytes, start: int, end: int) -> int:
    if end - start < 3:  # ":" or "," as a rule
        return 1
    return body.count(b",", start, end) + body.count(b"[", start, end) + body.count(b"{", start, end)


def _check_syntax(body: bytes) -> None:
    try:
        from_json(body, allow_inf_nan=False, cache_strings=False)
    except ValueError:
        raise _refused("the message is no JSON, or too deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refused("a name stands twice in one object of the message")
    if None in found.values():
        return {name: value for name, value in pairs if value is not None}
    return found


def _constant(_name: str) -> NoReturn:
    raise _refused("numbers must be finite")


def _problem(error: ValidationError) -> str:
    """What is wrong with the first field, by our own words and names only."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # Parts of the path that are names of a map are the client's bytes.
    names = [str(part) for part in first["loc"] if isinstance(part, int) or part in _NAMES]
    return f"{'.'.join(names) or 'the message'}: {first['type'].replace('_', ' ')}"[:LONGEST_PROBLEM]


def _names() -> frozenset[str]:
    from doorward.service import messages

    kinds = [getattr(messages, name) for name in messages.__all__]
    return frozenset(field.alias or name for kind in kinds for name, field in getattr(kind, "model_fields", {}).items())


_NAMES = _names()

__all__ = ["decode", "encode"]
