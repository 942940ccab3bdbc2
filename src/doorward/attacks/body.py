"""A request's body, taken apart by its declared kind and, where that does not fit, by what it looks like.

A body is read in the declared charset and, where that could be a trick, as UTF-8 as well.
"""

from __future__ import annotations

import re
import zlib
from itertools import chain
from typing import TYPE_CHECKING

from doorward.attacks import charsets, unscanned
from doorward.attacks.charsets import Reading
from doorward.attacks.evidence import Place
from doorward.attacks.files import body_parts, is_binary, is_text, is_utf8
from doorward.attacks.forms import pairs
from doorward.attacks.json_text import JsonText
from doorward.attacks.json_tree import Origin, parts_at_once
from doorward.attacks.multipart import Multipart, boundaries
from doorward.attacks.nested import json_inside
from doorward.attacks.part_headers import PartHeaders
from doorward.attacks.parts import CHUNK, PAUSE, in_pieces, value
from doorward.attacks.xml_text import XmlText

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from doorward.attacks.parts import Part
    from doorward.context import RequestContext

FORM, JSON, XML, MULTIPART, MEDIA, OTHER = "form", "json", "xml", "multipart", "media", "other"
_SAMPLE = 65_536
_PADDED = 200
"""Times smaller than it was."""
_JSON_TYPES = ("application/json", "application/ndjson", "application/x-json", "application/x-ndjson", "text/json",
               "application/csp-report")  # fmt: skip
_MEDIA = ("image/", "audio/", "video/", "font/", "model/", "application/zip", "application/gzip", "application/zstd",
          "application/x-gzip", "application/x-zip", "application/x-tar", "application/x-bzip", "application/x-7z",
          "application/x-rar", "application/vnd.rar", "application/pdf", "application/msword", "application/vnd.ms-",
          "application/vnd.openxml", "application/vnd.oasis", "application/epub", "application/wasm",
          "application/octet-stream")  # fmt: skip
_MESSAGES = (
    "application/grpc", "application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf",
    "application/msgpack", "application/x-msgpack", "application/cbor", "application/x-amf", "application/x-thrift",
    "application/vnd.apache.thrift", "application/x-java-serialized", "application/bson", "text/",
)  # fmt: skip
"""Types of binary messages whose strings are values that applications take; and what should be text altogether."""
_ORIGIN = Origin(Place.JSON, "", json_inside, 0)
_SPACE = " \t\r\n\f\v\ufeff"
_FORM_LIKE = re.compile(r"[^=&\s<>{}\"']{1,128}=")
_RUN = re.compile(rb"[\t\n\r\x20-\x7e\xc2-\xf4\x80-\xbf]{6,}+")
_LONG_RUN = re.compile(rb"[\t\n\r\x20-\x7e]{32,}+")
"""Not in random bytes: 0.38 to the 32nd power."""
_PDF = b"%PDF-"


def kind_of(content_type: str) -> str:
    """What kind of body a Content-Type declares."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return FORM
    if media_type.startswith(_JSON_TYPES) or media_type.endswith("+json"):
        return JSON
    if media_type.endswith(("/xml", "+xml")):
        return XML
    if media_type.startswith("multipart"):
        return MULTIPART
    return MEDIA if media_type.startswith(_MEDIA) else OTHER


def body_values(request: RequestContext) -> Iterator[Part]:
    """The values of the body that is held; findings about what could not be looked at."""
    return chain.from_iterable(_taken_apart(request))


def _taken_apart(request: RequestContext) -> Iterator[Iterable[Part]]:
    """The same in runs: a value that is handed from generator to generator costs at each of them."""
    data = request.body or b""
    headers = request.headers
    declared = list(dict.fromkeys(headers.values("content-type"))) or [""]
    if len(declared) > 1 and len({content_type.strip().lower() for content_type in declared}) > 1:
        yield (unscanned.TWO_TYPES,)
    walk = _Body(data, request.body_complete)
    encodings = headers.values("content-encoding")
    is_compressed = bool(encodings) and any(encoding.strip().lower() not in ("", "identity") for encoding in encodings)
    if is_compressed:
        yield (unscanned.COMPRESSED,)
    if is_compressed and not is_text(data):
        yield _runs(_LONG_RUN, data)
    elif data:
        for content_type in declared[:2]:
            yield from walk.parts(content_type)
    if not request.body_complete and not is_compressed:
        yield _missing(declared[0], walk)


def _missing(content_type: str, walk: _Body) -> Iterator[Part]:
    """What it means that the end of a body is not held."""
    kind = kind_of(content_type)
    if kind == MULTIPART:
        if not walk.cut_in_file:
            yield unscanned.TRUNCATED_PART
    elif walk.is_padded:
        yield unscanned.PADDED
    elif not walk.is_binary:
        yield unscanned.TOO_LONG


class _Body:
    """The walk through one body.

    Args:
        data: What is held of it.
        complete: Whether that is all.
    """

    def __init__(self, data: bytes, complete: bool) -> None:  # noqa: FBT001 (as in RequestContext)
        self.cut_in_file = False
        self.is_binary = False
        self._data = data
        self._complete = complete

    @property
    def is_padded(self) -> bool:
        """Whether what is held is text with next to nothing in it."""
        sample = self._data[:_SAMPLE]
        return not self.is_binary and len(zlib.compress(sample, 1)) * _PADDED < len(sample)

    def parts(self, content_type: str) -> Iterator[Iterable[Part]]:
        """Its parts, as a declared type has them, in runs."""
        kind = kind_of(content_type)
        if kind == MULTIPART:
            yield from self._multipart(content_type)
            return
        readings = yield from self._readings(kind, content_type)
        for reading in readings:
            yield from self._text(kind, reading)
        if not readings:
            self.is_binary = True
            yield body_parts(self._data)
            if content_type.strip().lower().startswith(_MESSAGES):
                yield _runs(_RUN, self._data)

    def _multipart(self, content_type: str) -> Iterator[Iterable[Part]]:
        found, is_declared = boundaries(content_type, self._data)
        if len(found) > 1:
            yield (unscanned.TWO_BOUNDARIES,)
        count = 0
        for boundary in [boundary for boundary in found[:2] if b"--" + boundary in self._data]:
            multipart = Multipart(self._data, boundary, complete=self._complete)
            yield multipart.parts()
            count += multipart.count
            self.cut_in_file = self.cut_in_file or multipart.cut_in_file
        if not is_declared or not count:
            yield (unscanned.NO_BOUNDARY,)
        if not count:
            yield from self._text(OTHER, charsets.read(self._data))

    def _readings(self, kind: str, content_type: str) -> Generator[Iterable[Part], None, list[Reading]]:
        """The texts that the body may be; none for what is no text."""
        data = self._data
        declared = PartHeaders.charset_of(content_type) if "charset" in content_type.lower() else ""
        charset = charsets.marked_charset(data)
        if kind in (JSON, XML):
            charset = charset or charsets.patterned_charset(data)
        charset = charset or declared
        if kind == XML and not charset:
            charset = charsets.xml_charset(data)
        known = charsets.known_charset(charset) if charset else "utf-8"
        if known is None:
            yield (unscanned.UNKNOWN_CHARSET,)
        if known is None or charsets.is_like_ascii(known):
            return [charsets.read(data)] if _is_text(kind, content_type, data) else []
        text = yield from charsets.decode(data, known)
        if not declared and kind in (MEDIA, OTHER) and charsets.REPLACEMENT in text:
            # Of any bytes one in 30,000 begins with a byte order mark.
            return []
        if charsets.is_wide(known) and 0 in data[:CHUNK]:
            return [Reading(text)]
        return [Reading(text), charsets.read(data)]

    def _text(self, kind: str, reading: Reading) -> Iterator[Iterable[Part]]:
        text = reading.text
        first = text.lstrip(_SPACE)[:1] if len(text) <= CHUNK else text[:CHUNK].lstrip(_SPACE)[:1]
        if kind == FORM:
            yield pairs(text, Place.FORM)
        if kind == JSON or (first and first in "{["):
            yield from self._json(reading, or_raw=kind != FORM)
        elif kind == XML or first == "<":
            yield XmlText(text, exact=reading.exact).parts()
            if kind != XML:
                yield _raw(reading, 0)
        elif kind in (OTHER, MEDIA):
            yield _raw(reading, 0)
            if _FORM_LIKE.match(text) is not None:
                yield pairs(text, Place.FORM)

    def _json(self, reading: Reading, *, or_raw: bool) -> Iterator[Iterable[Part]]:
        parts = parts_at_once(reading.text, _ORIGIN) if reading.exact else None
        if parts is not None:
            yield parts
            return
        walk = JsonText(reading.text, exact=reading.exact, inside=json_inside)
        yield from walk.runs()
        if walk.broken_at is None or not or_raw:
            return
        if not walk.broken_at and reading.text[:CHUNK].lstrip(_SPACE)[:1] not in ("{", "["):
            yield from self._text(OTHER, reading)
        else:
            yield _raw(reading, walk.broken_at)


def _is_text(kind: str, content_type: str, data: bytes) -> bool:
    """Whether a body of a kind is read as text. What is said to be text is, unless it cannot be."""
    if kind == MEDIA:
        return is_utf8(data) and not data.startswith(_PDF)
    if kind == OTHER:
        return not is_binary(data) if content_type.strip().lower().startswith(_MESSAGES) else is_text(data)
    return True


def _runs(run: re.Pattern[bytes], data: bytes) -> Iterator[Part]:
    """Runs of text in what is no text."""
    position = 0
    while position < len(data):
        for found in run.finditer(data, position, position + CHUNK):
            yield value(Place.BODY, "", charsets.utf8(found[0]))
        position += CHUNK
        yield PAUSE


def _raw(reading: Reading, start: int) -> Iterator[Part]:
    text = reading.text
    chunks: Iterator[str] = (text[begin : begin + CHUNK] for begin in range(start, len(text), CHUNK))
    put_right: Callable[[str], str] = str if reading.exact else charsets.repaired
    yield from in_pieces(Place.BODY, "", map(put_right, chunks))
