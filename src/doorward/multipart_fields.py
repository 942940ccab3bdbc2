"""The fields of a multipart form, in every way in which a framework may read them (RFC 7578).

Parsers differ over what is odd: a name that is given twice, an empty file name, a transfer encoding, a charset of the
form's own. A rule about a field is evaded where it reads what the application does not, so that all readings count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.charsets import known_charset
from doorward.attacks.part_headers import PartHeaders
from doorward.attacks.transfer import undone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_PARTS = 1_024
"""Django, Werkzeug and Starlette accept no more than 1,000."""
_MOST_BOUNDARIES = 4
_LONGEST_HEAD = 65_536
_BLANK = re.compile(rb"\r?\n\r?\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

Field = tuple[str, str]


def multipart_fields(body: bytes, content_type: str) -> Iterator[Field | None]:
    """Names and values, of some parts several; None for what could not be read. Never raises, and takes linear time."""
    boundaries = _boundaries(content_type)
    if not boundaries:
        yield None
    charset = PartHeaders.charset_of(content_type)
    for boundary in boundaries[:_MOST_BOUNDARIES]:
        yield from _parts(body, boundary, charset)


def _boundaries(content_type: str) -> list[bytes]:
    """As declared, as those read it who stop at a comma (WSGI servers join lines), and without quotes of any kind."""
    declared = PartHeaders.boundaries_of(content_type)
    ways = [way for text in declared for way in (text, text.partition(b",")[0].rstrip(), text.strip(b"'"))]
    return [boundary for boundary in dict.fromkeys(ways) if boundary]


def _parts(body: bytes, boundary: bytes, charset: str) -> Iterator[Field | None]:
    ended = False
    for number, part in enumerate((b"\n" + body).split(b"\n--" + boundary, MOST_PARTS + 1)[1:]):
        if part.startswith(b"--"):
            ended = True
        elif number == MOST_PARTS or (blank := _BLANK.search(part, 0, _LONGEST_HEAD)) is None:
            yield None
        else:
            headers = PartHeaders(part[: blank.start()].partition(b"\n")[2])
            yield from _readings(headers, part[blank.end() :].removesuffix(b"\r"), charset)
    if not ended:
        yield None


def _readings(headers: PartHeaders, content: bytes, charset: str) -> Iterator[Field]:
    if headers.filenames and all(headers.filenames):
        return  # a file; with an empty name it is a field to Django
    names = dict.fromkeys([*headers.names, *[_ESCAPE.sub(r"\1", name) for name in headers.names]])
    values = dict.fromkeys(_texts(undone(content, headers.transfer_encoding), (charset, headers.charset)))
    for name in names:
        for value in values:
            yield name, value


def _texts(contents: Iterable[bytes], declared: Iterable[str]) -> Iterator[str]:
    charsets = dict.fromkeys(["utf-8", *[known for name in declared if name and (known := known_charset(name))]])
    for content in contents:
        for charset in charsets:
            yield content.decode(charset, "replace")


__all__ = ["multipart_fields"]
