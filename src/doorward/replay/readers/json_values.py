"""JSON that others wrote, without surprises: of bounded depth, its text as the bytes that the client sent."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from doorward.replay.readers.problems import NO_JSON, TOO_DEEP, NoRequest

_HEX = re.compile(r"\\(?:\\|x([0-9A-Fa-f]{2}))")
_LONGEST_NUMBER = 40

STANDARD = frozenset(
    (  # noqa: SIM905  (a list would be three times as long)
        "accept accept-charset accept-encoding accept-language authorization cache-control connection "
        "content-encoding content-language content-length content-type cookie dnt expect forwarded from host if-match "
        "if-modified-since if-none-match if-range if-unmodified-since keep-alive max-forwards origin pragma priority "
        "proxy-authorization purpose range referer sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest "
        "sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc te trailer transfer-encoding upgrade "
        "upgrade-insecure-requests user-agent via x-api-key x-forwarded-for x-forwarded-host x-forwarded-proto "
        "x-real-ip x-requested-with"
    ).split()
)
"""Names that are known, whether sent or not, where all headers are recorded."""


def loaded(text: str) -> dict[str, Any]:
    r"""The object of a line; also where nginx wrote it without ``escape=json``, with ``\xHH`` in place of bytes.

    Args:
        text: One character a byte.

    Raises:
        NoRequest: It is none.
    """
    if not text.isascii():
        text = text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    try:
        data = json.loads(text, parse_int=_integer)
    except RecursionError as error:
        raise NoRequest(TOO_DEEP) from error
    except ValueError as error:
        if "\\x" not in text:
            raise NoRequest(NO_JSON) from error
        data = _without_hex(text)
    if not isinstance(data, dict):
        raise NoRequest(NO_JSON)
    return data


def _without_hex(text: str) -> Any:
    try:
        return json.loads(_HEX.sub(_as_json, text), parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise NoRequest(NO_JSON) from error


def _as_json(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    code = int(found[1], 16)
    return f"\\u{code if code < 0x80 else 0xDC00 + code:04x}"


def _integer(digits: str) -> int:
    # Long ones take a time that grows with the square of their length, and nothing here is so large.
    return int(digits[:_LONGEST_NUMBER])


def as_sent(text: str) -> str:
    """Text as servers hand it on: one character for each byte of its UTF-8."""
    if text.isascii():
        return text
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("latin-1")


def text_of(value: object) -> str | None:
    """A text or a number as text; None for everything else."""
    if isinstance(value, str):
        return as_sent(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def header_lines(given: object) -> list[tuple[str, str]]:
    """Headers as an object of texts or of lists of texts, as pairs, or as objects with ``name`` and ``value`` (HAR)."""
    if isinstance(given, dict):
        items = [(name, value) for name, values in given.items() for value in _listed(values)]
    elif isinstance(given, list):
        items = [pair for item in given if (pair := _pair(item)) is not None]
    else:
        return []
    lines = [(text_of(name), text_of(value)) for name, value in items]
    return [(name.lower(), value) for name, value in lines if name and value is not None]


def _listed(values: object) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _pair(item: object) -> tuple[Any, Any] | None:
    if isinstance(item, dict):
        return item.get("name"), item.get("value")
    return (item[0], item[1]) if isinstance(item, list) and len(item) == 2 else None


def body_bytes(text: object, encoded: object = None) -> bytes | None:
    """A body, of text or of Base64; None for neither."""
    if isinstance(encoded, str):
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError:
            return None
    if isinstance(text, dict | list):
        return json.dumps(text).encode()
    return as_sent(text).encode("latin-1", "replace") if isinstance(text, str) else None


def status_of(value: object) -> int | None:
    """A status from 100 to 599; None for anything else."""
    text = text_of(value)
    return int(text) if text and len(text) == 3 and text.isdecimal() and "100" <= text <= "599" else None


__all__ = ["STANDARD", "as_sent", "body_bytes", "header_lines", "loaded", "status_of", "text_of"]
