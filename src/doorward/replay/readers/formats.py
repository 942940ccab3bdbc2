"""Which format a recording is in: as the user says, or by its first lines."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, Protocol

from doorward.errors import ConfigurationError
from doorward.printable import printable
from doorward.replay.readers.building import address
from doorward.replay.readers.decisions import DecisionLines
from doorward.replay.readers.json_lines import JsonLines
from doorward.replay.readers.log_lines import NAMED, named, of_apache, of_nginx
from doorward.replay.readers.problems import NoRequest
from doorward.replay.records import Recorded, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AUTO = "auto"
HAR = "har"
NAMES = ("auto", "common", "combined", "vhost_common", "vhost_combined", "json", "har", "doorward")
ACCEPTED = f"{', '.join(NAMES)}, 'nginx:LOG_FORMAT' or 'apache:LOG_FORMAT'"
_MOST_LINES = 100


class LineParser(Protocol):
    """Reads the lines of one format."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def parse(self, text: str, source: Source) -> Recorded:
        """The request of a line.

        Raises:
            NoRequest: There is none.
        """
        ...


class HarFile:
    """Stands for HAR files, which have no lines."""

    name = "HAR"

    def parse(self, text: str, source: Source) -> Recorded:
        """Raise.

        Raises:
            NoRequest: Always.
        """
        raise NoRequest("it is no line of its own")


class Guess(NamedTuple):
    """A format that some lines may be in.

    Attributes:
        parser: Reads it.
        addressed: Lines that it can read, and that name a client's address.
        read: Lines that it can read.
    """

    parser: LineParser
    addressed: int
    read: int


def parser_of(text: str, field: str = "--format") -> LineParser | None:
    """The parser of a format; None for ``auto``.

    Args:
        text: As on the command line.
        field: The argument that errors name.

    Raises:
        ConfigurationError: There is no such format.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind in ("nginx", "apache"):
        return of_nginx(rest, field) if kind == "nginx" else of_apache(rest, field)
    if text == AUTO:
        return None
    if text in NAMED:
        return named(text)
    makers: dict[str, Callable[[], LineParser]] = {"json": JsonLines, HAR: HarFile, "doorward": Decisions}
    maker = makers.get(text)
    if maker is None:
        near = get_close_matches(text[:40], NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigurationError(field, f"must be {ACCEPTED}, not {printable(text, 60)!r}{hint}")
    return maker()


class Decisions:
    """Reads doorward's decisions, as text or as JSON."""

    name = DecisionLines.name

    def __init__(self) -> None:
        self._text = DecisionLines().parse
        self._json = JsonLines().parse

    def parse(self, text: str, source: Source) -> Recorded:
        """The request that a line tells the decision of.

        Raises:
            NoRequest: There is none.
        """
        return self._json(text, source) if text[:1] == "{" else self._text(text, source)


def guessed(lines: Sequence[str]) -> LineParser | None:
    """The format that most of some lines are in; None where no line is in any."""
    for some in (lines[:_MOST_LINES], lines):
        guesses = [_guess(parser, some) for parser in _candidates()]
        best = max(guesses, key=lambda guess: guess[1:])
        if best.read:
            return best.parser
    return None


def _candidates() -> list[LineParser]:
    """The exact ones first: of equals the first is taken."""
    return [
        JsonLines(),
        Decisions(),
        named("vhost_combined"),
        named("combined"),
        named("nginx main"),
        named("vhost_combined", more=True),
        named("combined", more=True),
        named("vhost_common"),
        named("common"),
        named("common", more=True),
    ]


def _guess(parser: LineParser, lines: Sequence[str]) -> Guess:
    addressed = read = strange = 0
    for number, text in enumerate(lines, 1):
        try:
            request = parser.parse(text, Source("", number)).request
        except NoRequest:
            continue
        read += 1
        addressed += request.peer is not None
        strange += _is_strange(request.headers.get("x-forwarded-for"))
    if parser.name == "nginx main" and strange * 2 > read:
        return Guess(parser, 0, 0)  # what it takes for X-Forwarded-For is something else
    return Guess(parser, addressed, read)


def _is_strange(forwarded: str) -> bool:
    """Whether this is no X-Forwarded-For."""
    return forwarded != "" and address(forwarded.partition(",")[0]) is None


__all__ = ["ACCEPTED", "HAR", "Decisions", "HarFile", "LineParser", "guessed", "parser_of"]
