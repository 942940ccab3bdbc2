"""Multipart bodies: fields, files, and their names (RFC 7578, RFC 2046 section 5.1).

Read the way lenient servers do: lines may end in LF, a preamble and an epilogue are looked at, the last boundary may be
missing, header lines may be folded. Where servers read a body differently, that is a finding.

Text files are looked at like values. Of others only what makes them run on a server or in a browser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks import unscanned
from doorward.attacks.charsets import utf8
from doorward.attacks.evidence import Place
from doorward.attacks.files import file_parts
from doorward.attacks.json_tree import BEGINNINGS
from doorward.attacks.nested import json_inside
from doorward.attacks.part_headers import PartHeaders
from doorward.attacks.parts import PAUSE, TOKENS_BETWEEN_PAUSES
from doorward.attacks.raw import raw_parts
from doorward.attacks.transfer import undone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.parts import Part

MOST_PARTS = 10_000
DEEPEST = 3
_LONGEST_HEAD = 8_192
"""What follows in a head that is longer is looked at as content."""
_BLANK = re.compile(rb"\r?\n[ \t]{0,64}\r?\n")
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]{0,64}(?:\r?\n|\Z)")
_FIRST_LINE = re.compile(rb"\s{0,64}--([^\r\n]{1,200}?)[ \t]{0,64}\r?\n")


class Multipart:
    """A multipart body.

    Args:
        data: The body, or that much of it that is held.
        boundary: What separates its parts.
        complete: False where its end is missing.
        depth: In how many others it stands.

    Attributes:
        count: How many parts were found, once the parts are given.
        cut_in_file: Whether it is cut off within a file.
    """

    def __init__(self, data: bytes, boundary: bytes, *, complete: bool = True, depth: int = 0) -> None:
        self.count = 0
        self.cut_in_file = False
        self._data = data
        self._delimiter = b"--" + boundary
        self._complete = complete
        self._depth = depth
        self._charset = ""

    def parts(self) -> Iterator[Part]:
        """Values, and findings about what servers may read differently."""
        start, is_preamble = 0, True
        strays = 0
        for begin, end, is_last in self._delimiters():
            if begin < 0:
                strays += 1
                if strays % TOKENS_BETWEEN_PAUSES == 0:
                    yield PAUSE
                continue
            yield from self._outside(start, begin) if is_preamble else self._part(start, begin)
            start, is_preamble = end, is_last
        if is_preamble:
            yield from self._outside(start, len(self._data))
        else:
            yield from self._part(start, len(self._data), is_cut=True)
        if strays:
            yield unscanned.STRAY_BOUNDARY
        if self.count > MOST_PARTS:
            yield unscanned.TOO_MANY_PARTS

    def _delimiters(self) -> Iterator[tuple[int, int, bool]]:
        """Where each delimiter line begins and ends, and whether it is the last; -1 for what only looks like one."""
        data, delimiter = self._data, self._delimiter
        found = data.find(delimiter)
        while found >= 0:
            after = _AFTER_BOUNDARY.match(data, found + len(delimiter))
            starts_line = found == 0 or data[found - 1] in b"\r\n"
            if after is None or not starts_line:
                yield -1, 0, False
                found = data.find(delimiter, found + len(delimiter))
                continue
            begin = found - 1 if found and data[found - 1 : found] == b"\n" else found
            begin = begin - 1 if begin and data[begin - 1 : begin] == b"\r" else begin
            yield begin, after.end(), after[1] is not None
            found = data.find(delimiter, after.end())

    def _outside(self, start: int, end: int) -> Iterator[Part]:
        """A preamble or epilogue."""
        if not self._data[start : min(end, start + 64)].isspace() and end > start:
            yield from raw_parts(Place.MULTIPART, "", self._data[start:end])

    def _part(self, start: int, end: int, *, is_cut: bool = False) -> Iterator[Part]:
        self.count += 1
        if self.count % TOKENS_BETWEEN_PAUSES == 0:
            yield PAUSE
        head_end, content_start = self._head_end(start, end)
        headers = PartHeaders(self._data[start:head_end])
        yield from headers.parts()
        if is_cut and not self._complete:
            self.cut_in_file = bool(headers.filenames)
        yield from self._content(headers, self._data[content_start:end])

    def _head_end(self, start: int, end: int) -> tuple[int, int]:
        """Where a part's header lines end, and where its content begins."""
        data = self._data
        if data.startswith((b"\r\n", b"\n"), start):
            return start, min(end, data.index(b"\n", start) + 1)
        limit = min(end, start + _LONGEST_HEAD)
        blank = _BLANK.search(data, start, limit)
        return (blank.start(), blank.end()) if blank is not None else (limit, limit)

    def _content(self, headers: PartHeaders, content: bytes) -> Iterator[Part]:
        if headers.kind.startswith("multipart/") and headers.boundary:
            if self._depth >= DEEPEST:
                yield unscanned.TOO_NESTED
                yield from raw_parts(Place.MULTIPART, headers.name, content)
            else:
                inner = Multipart(content, headers.boundary, complete=self._complete, depth=self._depth + 1)
                yield from inner.parts()
            return
        for data in undone(content, headers.transfer_encoding):
            if headers.filenames:
                yield from file_parts(headers.name, headers.filenames, headers.kind, data)
            else:
                yield from raw_parts(Place.MULTIPART, headers.name, data, headers.charset or self._charset)
                if data and chr(data[0]) in BEGINNINGS:
                    yield from json_inside(Place.MULTIPART, headers.name, utf8(data))
        if headers.name == "_charset_" and len(content) <= 40:
            self._charset = content.decode("latin-1").strip()


def boundaries(content_type: str, data: bytes) -> tuple[list[bytes], bool]:
    """The boundaries that a body may have, and whether they are declared: else what its first line says."""
    declared = PartHeaders.boundaries_of(content_type)
    if declared:
        return declared, True
    found = _FIRST_LINE.match(data)
    return ([found[1]] if found is not None else []), False
