"""Long bodies: such as are ordinary, of any length asked for, and such as were built to cost much."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote_plus

from benchmarks.submissions import order, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JSON, FORM, TEXT, XML = "application/json", "application/x-www-form-urlencoded", "text/plain", "application/xml"
MULTIPART = "multipart/form-data; boundary=B"
LEAST, MOST = 100, 10_000
"""Characters of a text that counts as written by people, in :func:`_written`."""


class LongBody(NamedTuple):
    """A body and its content type."""

    kind: str
    data: bytes


def _api(size: int) -> LongBody:
    """Orders, each another."""
    records, left, number = list[str](), size - 3, 0
    while left > 0:
        records.append(json.dumps(order(number)))
        left -= len(records[-1]) + 1
        number += 1
    return LongBody(JSON, f"[{','.join(records[:-1])}]".encode())


def _form_text(size: int) -> LongBody:
    """Fields of ten sentences each."""
    rng, fields, left = Random(1), list[str](), size + 1
    while left > 0:
        fields.append(f"field{len(fields)}={quote_plus(sentences(rng, 10))}")
        left -= len(fields[-1]) + 1
    return LongBody(FORM, "&".join(fields[:-1]).encode())


def _prose(size: int) -> LongBody:
    """What people wrote: comments, reviews, mails in nine writing systems, of the suite that must pass."""
    return _one_string(_written(kind="ordinary"), size)


def _markdown(size: int) -> LongBody:
    """Markdown as the suite has it, code and tables in it."""
    return _one_string(_written(source="suite:markdown"), size)


@cache
def _written(kind: str = "", source: str = "") -> str:
    """What people wrote, of the suite of requests that must pass: texts of some length, each once."""
    from tests.attacks.benign import requests

    rows = [row for row in requests() if row.kind == kind or row.source == source]
    texts = [text for row in rows for text in _texts(dict(row.headers), row.body)]
    return "\n\n".join(dict.fromkeys(text for text in texts if LEAST <= len(text) <= MOST and " " in text))


def _texts(headers: Mapping[str, str], body: bytes) -> list[str]:
    kind = headers.get("Content-Type", "")
    if kind.startswith(FORM):
        return [text for _, text in parse_qsl(body.decode("latin-1"))]
    fields = json.loads(body) if kind == JSON and "Content-Encoding" not in headers else {}
    return [text for text in fields.values() if isinstance(text, str)] if isinstance(fields, dict) else []


def _one_string(written: str, size: int) -> LongBody:
    """As much of a text, again and again if need be, as fits into a JSON string as it is."""
    encoded = json.dumps(written, ensure_ascii=False)[1:-1].encode()
    whole = (encoded * (size // len(encoded) + 1))[: size - 64]
    return LongBody(JSON, b'{"text": "' + whole.decode(errors="ignore").rstrip("\\").encode() + b'"}')


TYPICAL: Mapping[str, Callable[[int], LongBody]] = {
    "JSON of an API": _api,
    "form of long fields": _form_text,
    "prose in JSON": _prose,
    "Markdown in JSON": _markdown,
}


def _string(unit: str, size: int) -> LongBody:
    return LongBody(JSON, f'{{"q": "{_pumped(json.dumps(unit)[1:-1], size - 9)}"}}'.encode())


def _strings_of(unit: str, size: int) -> LongBody:
    item = json.dumps((unit * (60 // len(unit) + 1))[:60])
    return LongBody(JSON, f"[{_pumped(item + ',', size - 5)}0]".encode())


def _keys(unit: str, size: int) -> LongBody:
    pairs = ",".join(f'"{unit}{number:06d}":{number % 10}' for number in range((size - 2) // (len(unit) + 11)))
    return LongBody(JSON, f"{{{pairs}}}".encode())


def _field(unit: str, size: int) -> LongBody:
    return LongBody(FORM, f"q={_pumped(quote_plus(unit), size - 2)}".encode())


def _text(unit: str, size: int) -> LongBody:
    return LongBody(TEXT, _pumped(unit, size).encode())


def _xml(unit: str, size: int) -> LongBody:
    return LongBody(XML, f"<a>{_pumped(unit, size - 7)}</a>".encode())


def _multipart(unit: str, size: int) -> LongBody:
    part = f'--B\r\nContent-Disposition: form-data; name="q"\r\n\r\n{(unit * 60)[:60]}\r\n'
    return LongBody(MULTIPART, f"{_pumped(part, size - 5)}--B--".encode())


def _pumped(unit: str, size: int) -> str:
    return unit * (size // len(unit))


BUILT: Mapping[str, tuple[Callable[[str, int], LongBody], str]] = {
    "text of tags without an end": (_text, "<script>"),
    "text of attributes": (_text, "<a b='"),
    "XML of entities": (_xml, "&#x3c;"),
    "XML of template tags": (_xml, "${a.b"),
    "JSON string of escapes": (_string, "\\u003c"),
    "JSON string of commands": (_string, "; cat "),
    "JSON string of Base64": (_string, "QUFB"),
    "JSON strings of look-ups": (_strings_of, "${${"),
    "JSON strings of backslashes": (_strings_of, "\\"),
    "JSON of keys": (_keys, "$k"),
    "form of quotes": (_field, "' or "),
    "form of percent signs": (_field, "%2525"),
    "multipart of brackets": (_multipart, "{{a("),
}
"""How a body is built, and what of."""


def long_body(name: str, size: int) -> LongBody:
    """The body of that name, of at most so many bytes and not much less."""
    if name in TYPICAL:
        return TYPICAL[name](size)
    build, unit = BUILT[name]
    return build(unit, size)
