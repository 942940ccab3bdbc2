"""What is looked at in files that are uploaded, and in bodies that are no text.

Files of code hold code, and that is no attack. What is looked at in any file is what makes it run: on a server, as PHP
or a server page; in a browser, as script; and when it is read, as declarations of entities (CWE-434, CWE-611). Other
text, such as data and images of SVG, is looked at like values. In a body that is no text it is also what begins objects
that were serialized (CWE-502).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.evidence import Place
from doorward.attacks.parts import CHUNK, PAUSE, value
from doorward.attacks.raw import raw_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.attacks.parts import Part

_ACTIVE = re.compile(rb"<(?:\?(?:php|=|[ \t\r\n])|%[@!= \t\r\n]|script|!(?:doctype|entity))", re.IGNORECASE)
_SERIALIZED_JAVA = b"\xac\xed\x00\x05"
_SERIALIZED = re.compile(rb"\xac\xed\x00\x05|[OC]:[0-9]{1,4}:\"|rO0AB")
"""Objects of Java (its Object Serialization Stream Protocol), of PHP, and of Java as Base64."""
_PRINTABLE = re.compile(rb"[\t\r\n\x20-\x7e]{16,512}")
_EXCERPT = 512
_HEAD = 1_024
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_ASCII = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_TEXT_SHARE = 0.75
"""Of random bytes 38 percent look like text."""
_CODE = frozenset((
    "bat", "c", "cc", "cfg", "clj", "cmake", "conf", "cpp", "cs", "css", "dart", "diff", "ex", "go", "gradle",
    "graphql", "h", "hpp", "htm", "html", "ini", "ipynb", "java", "jl", "js", "jsx", "kt", "less", "lock", "log",
    "lua", "m", "md", "mjs", "patch", "pl", "pm", "properties", "ps1", "py", "r", "rb", "rs", "rst", "scala",
    "scss", "sh", "sql", "svelte", "swift", "tex", "toml", "ts", "tsx", "vb", "vue", "yaml", "yml", "zsh",
))  # fmt: skip
"""Endings of text files that are meant to hold code, or text about it."""
_SERVED = ("image/svg", "application/xml", "text/xml")


def is_binary(data: bytes) -> bool:
    """Whether the beginning of data is not text: a zero byte, or many other control characters."""
    head = data[:_HEAD]
    return b"\0" in head or len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 32


def is_text(data: bytes) -> bool:
    """Whether data is text: UTF-8 without control characters, though it may be cut off; or in most of it ASCII."""
    if len(data.translate(None, _ASCII)) <= (1 - _TEXT_SHARE) * len(data):
        return not is_binary(data)
    return is_utf8(data)


def is_utf8(data: bytes) -> bool:
    """Whether data is UTF-8 without control characters; the last character may be cut off."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3 or error.reason != "unexpected end of data":
            return False
    return not is_binary(data)


def file_parts(name: str, filenames: Sequence[str], kind: str, data: bytes) -> Iterator[Part]:
    """The values in a file.

    Args:
        name: Of the field.
        filenames: All that are given for it.
        kind: Its media type as declared.
        data: Its content.
    """
    if is_binary(data) or (all(map(_is_of_code, filenames)) and not kind.startswith(_SERVED)):
        yield from active_parts(Place.MULTIPART, name, data)
    else:
        yield from raw_parts(Place.MULTIPART, name, data)


def active_parts(place: Place, name: str, data: bytes) -> Iterator[Part]:
    """What in a file would run, if it was put where that kind of content runs."""
    yield from _excerpts(_ACTIVE, place, name, data)


def body_parts(data: bytes) -> Iterator[Part]:
    """What in a body that is no text would run, or make an object when it is read."""
    yield from _excerpts(_ACTIVE, Place.BODY, "", data)
    yield from _excerpts(_SERIALIZED, Place.BODY, "", data)


def _excerpts(beginning: re.Pattern[bytes], place: Place, name: str, data: bytes) -> Iterator[Part]:
    position = 0
    while position < len(data):
        found = beginning.search(data, position, position + CHUNK + 16)
        if found is None:
            position += CHUNK
            yield PAUSE
            continue
        start = found.start()
        text = _PRINTABLE.match(data, start)
        position = found.end() if text is None else text.end()
        if text is not None:
            yield value(place, name, text[0].decode("ascii"))
        elif found[0] == _SERIALIZED_JAVA:
            yield value(place, name, data[start : start + _EXCERPT].decode("latin-1"))
            position = start + _EXCERPT


def _is_of_code(filename: str) -> bool:
    return filename.rpartition(".")[2].strip().lower() in _CODE
