"""A form that was sent and challenged: kept in the page, so that it can be sent again once the challenge is passed.

Nothing of it is stored on the server. What the page keeps is under the MAC of the challenge's token, as a digest, so
that nobody can have a visitor send what that visitor's own browser has not sent to this site from a page of this site:
a form of another site's is never kept, since sending it again from here would make it look like one of our own.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode

from doorward.challenges.arrivals import Arrival, arrival, from_here
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.context import RequestContext

LONGEST_FORM = 64 * 1024
"""Bytes of a body that is kept."""
LONGEST_KEPT = 3 * LONGEST_FORM
"""Characters of a kept form: of what is no ASCII, three for each byte."""
MOST_FIELDS = 1000
FIELD = "doorward-form"
"""Name of the field of the page's own form that holds it."""

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_LETTERS = {"u": URLENCODED, "m": MULTIPART}

_LOST = re.compile("[\x00\ud800-\udfff]")
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:\s*form-data;\s*name="([^"\r\n]*)"', re.IGNORECASE)
_UNQUOTED = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))
"""As browsers write names (WHATWG HTML, "multipart form data")."""


class Kept(NamedTuple):
    """A form.

    Attributes:
        kind: How it is encoded: a media type.
        fields: Names and values, in order.
        text: All of it, to be written into a page.
    """

    kind: str
    fields: tuple[tuple[str, str], ...]
    text: str

    def inputs(self) -> Markup:
        """Its fields, hidden."""
        return join([_input(name, value) for name, value in self.fields])


def worth_reading(request: RequestContext) -> bool:
    """Whether the body of a challenged request is one that could be kept: before it is read."""
    if request.method != "POST" or _kind(request) is None or request.headers.get("content-encoding"):
        return False
    length = request.headers.get("content-length").strip()
    if length and not (length.isdecimal() and len(length) <= 6 and int(length) <= LONGEST_FORM):
        return False
    return arrival(request) is Arrival.PAGE and from_here(request)


def kept_form(request: RequestContext) -> Kept | None:
    """The form that a request brings, where it can be sent again to the letter; else None."""
    body = request.body
    if not worth_reading(request) or body is None or not request.body_complete or len(body) > LONGEST_FORM:
        return None
    kind = _kind(request)
    fields = _pairs(body) if kind == URLENCODED else _parts(body, request.headers.get("content-type"))
    if kind is None or fields is None or not all(_survives(text) for field in fields for text in field):
        return None
    text = _written(kind, fields)
    return Kept(kind, tuple(fields), text) if len(text) <= LONGEST_KEPT else None


def restored(text: str) -> Kept | None:
    """The form of a :attr:`Kept.text`; None where it is none."""
    letter, _, encoded = text.partition(":")
    if letter not in _LETTERS or len(text) > LONGEST_KEPT:
        return None
    fields = _pairs(encoded.encode("utf-8", "replace"))
    return None if fields is None else Kept(_LETTERS[letter], tuple(fields), text)


def kind_of(text: str) -> str:
    """How the form of a :attr:`Kept.text` is encoded."""
    return _LETTERS[text[0]]


def digest(text: str) -> str:
    """What stands for a kept form in a token: 22 characters."""
    return urlsafe_b64encode(sha256(text.encode("utf-8", "replace")).digest()[:16]).rstrip(b"=").decode()


def hidden_input(name: str, value: str) -> Markup:
    """One hidden field. Line ends and tabs as references: a parser of HTML would put others in their place."""
    return _input(name, value)


def _input(name: str, value: str) -> Markup:
    # Not as visible text, as `fill` would have it: this is to be sent on as it is.
    return fill('<input type="hidden" name="{n}" value="{v}">', n=_attribute(name), v=_attribute(value))


def _attribute(text: str) -> Markup:
    return Markup(escape(text).replace("\r", "&#13;").replace("\n", "&#10;"))


def _written(kind: str, fields: Sequence[tuple[str, str]]) -> str:
    letter = next(letter for letter, known in _LETTERS.items() if known == kind)
    return f"{letter}:{urlencode(fields)}"


def _survives(text: str) -> bool:
    """Whether text can stand in a page and come back: HTML knows no NUL, UTF-8 no half of a pair."""
    return _LOST.search(text) is None


def _kind(request: RequestContext) -> str | None:
    kind = request.headers.get("content-type").partition(";")[0].strip().lower()
    return kind if kind in _LETTERS.values() else None


def _pairs(data: bytes) -> list[tuple[str, str]] | None:
    try:
        # What is not UTF-8 could not be sent again byte by byte from a page that is.
        return parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        return None


def _parts(data: bytes, content_type: str) -> list[tuple[str, str]] | None:
    found = _BOUNDARY.search(content_type)
    if found is None:
        return None
    try:
        return list(_read(data, (found[1] or found[2]).encode()))
    except ValueError:
        return None


def _read(data: bytes, boundary: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart body (RFC 7578) as browsers write it. Raises ValueError for any other, and files."""
    before, *parts = (b"\r\n" + data).split(b"\r\n--" + boundary)
    if before or not parts or parts[-1] not in (b"--\r\n", b"--") or len(parts) > MOST_FIELDS:
        raise ValueError("not as browsers write it")
    for part in parts[:-1]:
        head, end, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.fullmatch(head)
        if not part.startswith(b"\r\n") or not end or name is None:
            raise ValueError("a file, or not as browsers write it")
        yield _name(name[1].decode()), value.decode()


def _name(text: str) -> str:
    for quoted, plain in _UNQUOTED:
        text = text.replace(quoted, plain)
    return text
