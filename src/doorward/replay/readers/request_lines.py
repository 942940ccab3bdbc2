"""What a request line asks for, as web servers hand it to applications.

All text is latin-1: one character stands for one byte of the log, so that the path can be decoded as servers do it.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from doorward.replay.readers.problems import NO_HTTP, NO_PATH, NoRequest
from doorward.requests import without_line_end

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}", re.ASCII)  # RFC 9110, section 5.6.2
_USUAL = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://([^/?#]*+)(.*)", re.DOTALL)


class Asked(NamedTuple):
    """What a request line asks for.

    Attributes:
        method: As sent.
        path: Decoded, as applications see it.
        query: Raw, without ``?``.
        raw_path: As sent, without the query; None where only the decoded path is known.
        host: Of a request line that names one (RFC 9112, section 3.2.2); None otherwise.
        scheme: Of such a line; empty otherwise.
    """

    method: str
    path: str
    query: str
    raw_path: str | None = None
    host: str | None = None
    scheme: str = ""


def asked_by(line: str) -> Asked:
    """What a line such as ``GET /search?q=a HTTP/1.1`` asks for; HTTP/0.9 names no version.

    Raises:
        NoRequest: It is no request line.
    """
    method, _, rest = line.partition(" ")
    target, _, version = rest.rpartition(" ")
    if method in _USUAL and target[:1] == "/" and version[:5] == "HTTP/":  # nearly all
        path, _, query = target.partition("?")
        return Asked(method, decoded(path), query, path)
    if not version.startswith("HTTP/"):
        target = rest
    if not target or not _METHOD.fullmatch(method) or (method == "PRI" and target == "*"):
        raise NoRequest(NO_HTTP)
    return asked(method, target)


def asked(method: str, target: str) -> Asked:
    """What a method and a request target ask for (RFC 9112, section 3.2).

    Raises:
        NoRequest: The method is none.
    """
    if not _METHOD.fullmatch(method):
        raise NoRequest(NO_HTTP)
    if not target:
        raise NoRequest(NO_PATH)
    host, scheme, rest = None, "", target
    if target[0] != "/":
        if method == "CONNECT":
            return Asked(method, target, "", target, target)
        if found := _ABSOLUTE.match(target):
            scheme, host, rest = found.groups()
            rest = rest if rest.startswith("/") else f"/{rest}"
    path, _, query = rest.partition("?")
    return Asked(method, decoded(path), query, target.partition("?")[0], host, scheme.lower())


def decoded(path: str) -> str:
    """A path as servers decode it: percent signs undone, and what is no UTF-8 replaced."""
    if "%" in path or "\n" in path or not path.isascii():
        path = unquote_to_bytes(path.encode("latin-1", "replace")).decode("utf-8", "replace")
        return without_line_end(path)
    return path


__all__ = ["Asked", "asked", "asked_by", "decoded"]
