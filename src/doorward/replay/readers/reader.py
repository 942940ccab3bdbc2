"""Opens recordings, finds out what they are, and reads them in the order of time."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError
from doorward.printable import printable
from doorward.replay.readers.decisions import of_database
from doorward.replay.readers.formats import HarFile, guessed, parser_of
from doorward.replay.readers.har import BEGINS, of_har
from doorward.replay.readers.in_order import Planned, in_time, merged
from doorward.replay.readers.log_lines import named
from doorward.replay.readers.problems import CUT_OFF, OF_WHOLE_LINES, NoRequest
from doorward.replay.readers.source_files import BLOCK, STDIN, Chunks, SourceFile, batches
from doorward.replay.reading import Reading
from doorward.replay.records import Recorded, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from doorward.replay.readers.formats import LineParser
    from doorward.replay.readers.source_files import Batch

_source = tuple.__new__
"""As Source(…) does it, which is a function written in Python around this."""
_FIRST_LINES = 100
_MOST_NAMES = 3
_FOREVER = 1 << 63


class Span(NamedTuple):
    """The time that is asked for, from ``since`` on and before ``until``, in nanoseconds since the Unix epoch."""

    since: int
    until: int

    def of(self, requests: list[Recorded]) -> list[Recorded]:
        """Those of the requests that are in it."""
        return [request for request in requests if self.since <= request[0] < self.until]


def read(
    files: Iterable[str],
    *,
    format: str = "auto",  # noqa: A002  (as the option of the command line is called)
    reading: Reading,
    since_ns: int | None = None,
    until_ns: int | None = None,
) -> Iterator[Recorded]:
    """The requests of some recordings, in the order of time.

    Files are looked at at once, and read while requests are taken.

    Args:
        files: Their names; ``-`` is standard input.
        format: ``auto``, ``common``, ``combined``, ``vhost_common``, ``vhost_combined``, ``json``, ``har``,
            ``doorward``, ``nginx:LOG_FORMAT`` or ``apache:LOG_FORMAT``.
        reading: What was read is counted here, and what was no request.
        since_ns: Only requests from then on, in nanoseconds since the Unix epoch.
        until_ns: Only requests before then.

    Raises:
        ConfigurationError: There is no such format or file, or one that cannot be read.
    """
    given = parser_of(format)
    names = [str(name) for name in files]
    if not names:
        raise ConfigurationError("FILES", "name a recording, or - for standard input")
    if names.count(STDIN) > 1:
        raise ConfigurationError("FILES", "- can be read only once")
    sources = [SourceFile(name) for name in names]
    sizes = [source.size for source in sources]
    reading.total = None if None in sizes else sum([size for size in sizes if size is not None])
    span = Span(0 if since_ns is None else since_ns, _FOREVER if until_ns is None else until_ns)
    found: dict[str, list[str]] = {}
    plans = [_planned(source, given, reading, span, found) for source in sources]
    reading.notes += [f"{_listed(those)}: read as {name}" for name, those in found.items()]
    return in_time(merged(plans), reading)


def _planned(
    source: SourceFile, given: LineParser | None, reading: Reading, span: Span, found: dict[str, list[str]]
) -> Planned:
    """How a file will be read; ``found`` is told the format."""
    opened = Chunks(source, reading if source.is_pipe else Reading())
    if opened.is_sqlite:
        opened.close()
        found.setdefault("the log of a decision service", []).append(source.name)
        return Planned(0, lambda: _within(of_database(source.path, source.name, reading), span))
    pieces = iter(opened)
    head = _head(pieces)
    parser = given or _recognized(head)
    shown = parser.name if parser else "combined, since the format of its first lines is not known"
    found.setdefault(shown, []).append(source.name)
    parser = parser or named("combined")
    if source.is_pipe:
        return Planned(0, lambda: _requests(chain([head], pieces), parser, source.name, reading, span))
    opened.close()
    return Planned(_begins(head, parser), lambda: _opened(source, parser, reading, span))


def _head(pieces: Iterator[bytes]) -> bytes:
    """The beginning of a file, with a line of it at least."""
    head = b""
    for piece in pieces:
        head += piece
        if b"\n" in head or len(head) >= BLOCK:
            break
    return head


def _recognized(head: bytes) -> LineParser | None:
    if BEGINS.match(head[:1_000].decode("latin-1")):
        return HarFile()
    return guessed(_texts(head))


def _texts(head: bytes) -> list[str]:
    """The lines of the beginning of a file; the last one only where it is all there is."""
    texts = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    return texts[:-1] or texts


def _begins(head: bytes, parser: LineParser) -> int:
    """The earliest time among the first lines; 0 where there is none."""
    times = []
    for number, text in enumerate(_texts(head)[:_FIRST_LINES], 1):
        try:
            times.append(parser.parse(text, Source("", number)).at_ns)
        except NoRequest:
            continue
    return min(times, default=0)


def _opened(source: SourceFile, parser: LineParser, reading: Reading, span: Span) -> Iterator[list[Recorded]]:
    """The requests of a file that was closed again; it may be gone since."""
    try:
        chunks = Chunks(source, reading)
    except ConfigurationError as error:
        reading.notes.append(str(error))
        return
    yield from _requests(chunks, parser, source.name, reading, span)


def _requests(
    chunks: Iterable[bytes], parser: LineParser, name: str, reading: Reading, span: Span
) -> Iterator[list[Recorded]]:
    if isinstance(parser, HarFile):
        yield from _within(of_har(chunks, name, reading), span)
        return
    take = _taking(parser.parse, name, reading)
    yield from _within(map(take, batches(iter(chunks))), span)


def _within(lists: Iterable[list[Recorded]], span: Span) -> Iterator[list[Recorded]]:
    return iter(lists) if span == (0, _FOREVER) else map(span.of, lists)


def _taking(parse: Callable[[str, Source], Recorded], name: str, reading: Reading) -> Callable[[Batch], list[Recorded]]:
    """What makes requests of lines, and counts those that are none."""

    def take(batch: Batch) -> list[Recorded]:
        first, texts, problem, whole = batch
        reading.lines += len(texts)
        if problem:
            reading.skip(name, first, problem, texts[0])
            return []
        requests: list[Recorded] = []
        add = requests.append
        for number, text in enumerate(texts, first):
            try:
                add(parse(text, _source(Source, (name, number))))
            except NoRequest as found:
                if text.strip():
                    reading.skip(
                        name, number, CUT_OFF if not whole and found.why not in OF_WHOLE_LINES else found.why, text
                    )
            except Exception as error:
                # A mistake of ours is no reason to read no further; it is shown like everything else that is skipped.
                reading.skip(name, number, f"doorward failed on it: {type(error).__name__}", text)
        return requests

    return take


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join([printable(name, 100) for name in names[:_MOST_NAMES]])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown


__all__ = ["read"]
