"""How values travel: query strings, forms, JSON and multipart, each in the variants that clients really write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

from .model import Draft

Pairs = Sequence[tuple[str, str]] | Mapping[str, str]

# What browsers leave alone in the query of a typed URL, beside letters and digits.
_RAW_IN_QUERY = "-._~!$'()*,;:@/?"
# What PHP, and what Go and Rails escape in JSON; these characters stand in strings only.
_JSON_ESCAPES = (
    *((),) * 8,
    (("/", "\\/"),),
    (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")),
)
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart form."""

    field: str
    filename: str
    content_type: str
    content: bytes


def letters(rng: Random, count: int, alphabet: str = _ALPHANUMERIC) -> str:
    """`count` characters of `alphabet`."""
    return "".join(rng.choices(alphabet, k=count))


def hexadecimal(rng: Random, count: int) -> str:
    """`count` hexadecimal digits."""
    return letters(rng, count, "0123456789abcdef")


def query_string(rng: Random, pairs: Pairs) -> str:
    """A query as forms (`+`), scripts (everything encoded) and address bars (much left alone) write it."""
    encode = rng.choice((quote_plus, lambda text: quote(text, safe=""), lambda text: quote(text, safe=_RAW_IN_QUERY)))
    return "&".join(f"{quote(name, safe='[]._-')}={encode(value)}" for name, value in _items(pairs))


def get(rng: Random, path: str, pairs: Pairs) -> Draft:
    """A GET request with a query."""
    return Draft("GET", path, query_string(rng, pairs))


def form(rng: Random, path: str, pairs: Pairs) -> Draft:
    """A form as browsers post it; some scripts encode spaces as %20."""
    encode = rng.choice((quote_plus, quote_plus, quote_plus, lambda text: quote(text, safe="")))
    body = "&".join(f"{quote_plus(name)}={encode(value)}" for name, value in _items(pairs))
    charset = rng.choice(("", "", "; charset=UTF-8"))
    return Draft("POST", path, "", {"Content-Type": f"application/x-www-form-urlencoded{charset}"}, body.encode())


def json_body(rng: Random, value: object) -> bytes:
    """JSON with or without escapes, compact, spaced or indented."""
    indent, separators = rng.choice(((None, (",", ":")), (None, (",", ":")), (None, None), (2, None)))
    text = json.dumps(value, ensure_ascii=chance(rng, 0.35), indent=indent, separators=separators)
    for character, escaped in rng.choice(_JSON_ESCAPES):
        text = text.replace(character, escaped)
    return text.encode("utf-8", "surrogatepass")


def post_json(
    rng: Random, path: str, value: object, method: str = "POST", content_type: str = "application/json"
) -> Draft:
    """A JSON value."""
    return Draft(method, path, "", {"Content-Type": content_type}, json_body(rng, value))


def multipart(rng: Random, path: str, pairs: Pairs, files: Sequence[Upload] = ()) -> Draft:
    """A multipart form with the boundaries that browsers and libraries choose."""
    boundary = _boundary(rng)
    parts = [_part(f'form-data; name="{_quoted(name)}"', "", value.encode()) for name, value in _items(pairs)]
    parts += [
        _part(f'form-data; name="{file.field}"; filename="{_quoted(file.filename)}"', file.content_type, file.content)
        for file in files
    ]
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    return Draft("POST", path, "", {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body)


def submit(rng: Random, path: str, pairs: Pairs) -> Draft:
    """Fields through a form, JSON, multipart or a query, whichever the application happens to use."""
    match rng.choices(("form", "json", "multipart", "get"), (45, 35, 12, 8))[0]:
        case "form":
            return form(rng, path, pairs)
        case "json":
            return post_json(rng, path, dict(_items(pairs)))
        case "multipart":
            return multipart(rng, path, pairs)
        case _:
            return get(rng, path, pairs)


def post_text(path: str, text: str, content_type: str, method: str = "POST") -> Draft:
    """A text of another format as the whole body."""
    return Draft(method, path, "", {"Content-Type": content_type}, text.encode())


def chance(rng: Random, part: float) -> bool:
    """True in `part` (0..1) of the calls."""
    return rng.random() < part


def _items(pairs: Pairs) -> list[tuple[str, str]]:
    return list(pairs.items() if isinstance(pairs, Mapping) else pairs)


def _boundary(rng: Random) -> str:
    return rng.choice(
        (
            f"----WebKitFormBoundary{letters(rng, 16)}",
            f"---------------------------{letters(rng, 29, '0123456789')}",
            f"----geckoformboundary{hexadecimal(rng, 32)}",
            hexadecimal(rng, 32),
        )
    )


def _part(disposition: str, content_type: str, content: bytes) -> bytes:
    head = f"Content-Disposition: {disposition}\r\n" + (f"Content-Type: {content_type}\r\n" if content_type else "")
    return head.encode() + b"\r\n" + content


def _quoted(name: str) -> str:
    # As the HTML standard says: 4.10.22.8, multipart/form-data.
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
