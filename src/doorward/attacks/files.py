"""What is looked at in files that are uploaded.

Files of code hold code, and that is no attack. What is looked at in any file is what makes it run: on a server, as PHP
or a server page; in a browser, as script; and when it is read, as declarations of entities (CWE-434, CWE-611). Other
text, such as data and images of SVG, is looked at like values.
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
_PRINTABLE = re.compile(rb"[\t\r\n\x20-\x7e]{16,512}")
_HEAD = 1_024
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
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


def file_parts(name: str, filenames: Sequence[str], kind: str, data: bytes) -> Iterator[Part]:
    """The values in a file.

    Args:
        name: Of the field.
        filenames: All that are given for it.
        kind: Its media type as declared.
        data: Its content.
    """
    if is_binary(data) or (all(map(_is_of_code, filenames)) and not kind.startswith(_SERVED)):
        yield from active_parts(name, data)
    else:
        yield from raw_parts(Place.MULTIPART, name, data)


def active_parts(name: str, data: bytes) -> Iterator[Part]:
    """What in a file would run, if it was put where that kind of content runs."""
    position = 0
    while position < len(data):
        found = _ACTIVE.search(data, position, position + CHUNK + 16)
        if found is None:
            position += CHUNK
            yield PAUSE
            continue
        text = _PRINTABLE.match(data, found.start())
        position = found.end() if text is None else text.end()
        if text is not None:
            yield value(Place.MULTIPART, name, text[0].decode("ascii"))


def _is_of_code(filename: str) -> bool:
    return filename.rpartition(".")[2].strip().lower() in _CODE
