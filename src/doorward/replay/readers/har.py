"""Reads HAR 1.2 files, an entry at a time: browsers write what they loaded into them, bodies of answers included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from doorward.replay.readers.building import request_of
from doorward.replay.readers.json_values import STANDARD, as_sent, header_lines, loaded, status_of
from doorward.replay.readers.problems import NO_PATH, NO_TIME, NoRequest
from doorward.replay.readers.request_lines import asked
from doorward.replay.readers.times import moment_ns
from doorward.replay.records import EVERY_HEADER, EVERYTHING, Recorded, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doorward.replay.reading import Reading

LONGEST_ENTRY = 32 << 20
"""Bytes; longer entries are counted and never held."""
BEGINS = re.compile(r'\s*\{\s*"log"\s*:\s*\{')
_MARKS = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')
_TOO_LONG = "its entry is longer than 32 MiB"
_UNFINISHED = "the file ends before its entry does"
_NO_HAR = "the file holds no list of HAR entries"
_SECRET = frozenset({"authorization", "cookie"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Entries:
    """Cuts the entries out of the bytes of a HAR file: by brackets and quotes, so that nothing else has to be held.

    Args:
        chunks: The file.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._depth = 0
        self._in_text = self._escaped = False
        self._key = b""
        self._names: list[bytes] = []
        self._text: list[bytes] = []
        self._text_size = 0
        self._held: list[bytes] | None = None
        self._size = 0
        self.found = False

    def __iter__(self) -> Iterator[bytes | None]:
        """Each entry; None for one that is too long, or cut off."""
        for chunk in self._chunks:
            yield from self._taken(chunk)
        if self._held is not None:
            yield None

    def _taken(self, chunk: bytes) -> Iterator[bytes | None]:
        begin = position = 0
        while position < len(chunk):
            if self._in_text:
                position = self._through_text(chunk, position)
                continue
            mark = _MARKS.search(chunk, position)
            if mark is None:
                break
            position = mark.end()
            if (character := mark[0]) == b'"':
                self._in_text, self._text, self._text_size = True, [], 0
            elif character in b"{[":
                if self._opens(character):
                    begin = mark.start()
            elif self._closes():
                self._hold(chunk[begin:position])
                yield self._entry()
        if self._held is not None:
            self._hold(chunk[begin:])

    def _through_text(self, chunk: bytes, position: int) -> int:
        """Where the text ends, or the chunk."""
        if self._escaped:
            self._escaped = False
            return position + 1
        mark = _STRING_END.search(chunk, position)
        end = mark.start() if mark else len(chunk)
        if self._depth <= 2 and self._text_size < 16:
            self._text.append(chunk[position : min(end, position + 16)])
            self._text_size += end - position
        if mark is None:
            return end
        if mark[0] == b'"':
            self._in_text = False
            self._key = b"".join(self._text)
        else:
            self._escaped = True
        return mark.end()

    def _opens(self, bracket: bytes) -> bool:
        """Whether an entry begins here: ``{"log": {"entries": [{``."""
        self._depth += 1
        if self._depth <= 3:
            self._names = [*self._names[: self._depth - 1], self._key + bracket]
            self._key = b""
            self.found = self.found or self._names == [b"{", b"log{", b"entries["]
            return False
        if self._depth != 4 or bracket != b"{" or self._names != [b"{", b"log{", b"entries["]:
            return False
        self._held, self._size = [], 0
        return True

    def _closes(self) -> bool:
        """Whether an entry ends here."""
        self._depth = max(0, self._depth - 1)
        return self._depth == 3 and self._held is not None

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._held is not None and self._size <= LONGEST_ENTRY:
            self._held.append(piece)

    def _entry(self) -> bytes | None:
        entry = b"".join(self._held or []) if self._size <= LONGEST_ENTRY else None
        self._held = None
        return entry


def of_har(chunks: Iterable[bytes], name: str, reading: Reading) -> Iterator[list[Recorded]]:
    """The requests of a HAR file; lines of their sources are the numbers of entries."""
    entries, number = Entries(chunks), 0
    for number, entry in enumerate(entries, 1):
        reading.lines += 1
        source = Source(name, number)
        if entry is None:
            reading.skip(name, number, _TOO_LONG if entries._size > LONGEST_ENTRY else _UNFINISHED, "")  # noqa: SLF001
            continue
        try:
            yield [recorded(loaded(entry.decode("latin-1")), source)]
        except NoRequest as problem:
            reading.skip(name, number, problem.why, entry[:200].decode("latin-1"))
    if not entries.found:
        reading.skip(name, 1, _NO_HAR, "")


def recorded(entry: Mapping[str, Any], source: Source) -> Recorded:
    """The request of an entry.

    Raises:
        NoRequest: It is none that a server sees, or does not say enough.
    """
    request, response = entry.get("request"), entry.get("response")
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise NoRequest(NO_PATH)
    if "startedDateTime" not in entry:
        raise NoRequest(NO_TIME)
    method = request.get("method")
    what = asked(method if isinstance(method, str) else "GET", as_sent(request["url"]).partition("#")[0])
    if what.scheme not in ("http", "https", "ws", "wss"):
        raise NoRequest("its URL is none that a server sees, such as data: or blob:")
    # Browsers show HTTP/2's :path and its like among the headers, which applications do not see.
    lines = [line for line in header_lines(request.get("headers")) if not line[0].startswith(":")]
    names = {name for name, _ in lines}
    if "cookie" not in names and (cookies := header_lines(request.get("cookies"))):
        lines.append(("cookie", "; ".join(f"{name}={value}" for name, value in _cookies(request["cookies"]))))
        names.add("cookie") if cookies else None
    if "host" not in names:
        lines.append(("host", what.host or ""))
    # A server gets the path alone, however a browser shows the URL.
    path = what._replace(raw_path=_path_of(what.raw_path or "/"), host=None)
    built = request_of(path, lines, None)
    body = _body(request, what.method)
    if body is not None:
        built.body, built.body_complete = body, True
    status = status_of(response.get("status")) if isinstance(response, dict) else None
    return Recorded(moment_ns(entry["startedDateTime"]), built, _known(names, body), source, status)


def _path_of(url: str) -> str:
    path = url.partition("://")[2]
    return path[path.find("/") :] if "/" in path else "/"


def _cookies(given: Any) -> Iterator[tuple[str, str]]:
    for cookie in given if isinstance(given, list) else []:
        if isinstance(cookie, dict) and isinstance(cookie.get("name"), str) and isinstance(cookie.get("value"), str):
            yield as_sent(cookie["name"]), as_sent(cookie["value"])


def _known(names: set[str], body: bytes | None) -> frozenset[str]:
    """Everything; but browsers leave secrets out of what they export, which looks as if they had not been sent."""
    if body is not None and names & _SECRET:
        return EVERYTHING
    known = (STANDARD - _SECRET) | names | {EVERY_HEADER, "query"}
    return frozenset(known | {"body"} if body is not None else known)


def _body(request: Mapping[str, Any], method: str) -> bytes | None:
    """The body; None where it was not recorded."""
    posted = request.get("postData")
    if not isinstance(posted, dict):
        size = request.get("bodySize")
        return b"" if size == 0 or (method in _BODILESS and size in (None, -1)) else None
    if isinstance(posted.get("text"), str) and posted["text"]:
        return as_sent(posted["text"]).encode("latin-1")
    kind, params = posted.get("mimeType"), posted.get("params")
    if isinstance(params, list) and isinstance(kind, str) and kind.lower().startswith("application/x-www-form-urlenc"):
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in _cookies(params)]
        return urlencode(pairs).encode()
    return None


__all__ = ["BEGINS", "LONGEST_ENTRY", "Entries", "of_har", "recorded"]
