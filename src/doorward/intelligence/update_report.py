"""What an update tells, while it runs and when it is over."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple, Protocol

from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from doorward.intelligence.feeds import Feed
    from doorward.intelligence.manifest import FeedRecord

ACCEPTED, UNCHANGED, REFUSED, FAILED, RESTING, COPY = "accepted", "unchanged", "refused", "failed", "resting", "copy"

_COLUMNS = 100
_HELD = "\0"
_COMMAND = re.compile(r"doorward data \w+(?: --[a-z-]+(?: [a-z0-9,-]+)?)*")
# As doorward.intelligence.fetching says it: the name of httpx's exception, and what the operating system said.
_NO_ANSWER = re.compile(r"gave no answer \((?P<error>\w+)(?:: (?:\[Errno -?\d+\] )?(?P<why>.+))?\)")


class Outcome(NamedTuple):
    """What became of a feed.

    Attributes:
        feed: The feed.
        result: ``accepted``, ``unchanged``, ``resting`` (its operator wants pauses), ``copy`` (offline), ``refused`` or
            ``failed``.
        record: What is known about it now.
    """

    feed: Feed
    result: str
    record: FeedRecord

    @property
    def is_good(self) -> bool:
        """Whether its data is as it should be."""
        return self.result not in (REFUSED, FAILED)


class Report(NamedTuple):
    """What an update did.

    Attributes:
        folder: Where.
        outcomes: Of each feed.
        written: The compiled files that are new, and how many entries they have.
        problems: What else went wrong, in sentences.
    """

    folder: Path
    outcomes: Sequence[Outcome]
    written: Mapping[str, int]
    problems: Sequence[str]

    @property
    def is_good(self) -> bool:
        """Whether everything succeeded."""
        return not self.problems and all(outcome.is_good for outcome in self.outcomes)


class Watcher(Protocol):
    """Is told how an update goes on."""

    def begins(self, feeds: Sequence[Feed], new: Collection[str]) -> None:
        """Feeds will be fetched; of those in ``new``, for the first time."""
        ...

    def ends(self, outcome: Outcome) -> None:
        """One was."""
        ...

    def compiles(self, name: str) -> None:
        """A file is being made."""
        ...

    def closes(self) -> None:
        """It is over, however it went."""
        ...


# --- In words


def wrapped(line: str, hang: int = 4) -> str:
    """A line broken where it is longer than a terminal; commands stay whole, so that they can be copied.

    Args:
        line: Its indentation is that of what follows, too.
        hang: Columns by which what follows is indented more.
    """
    held = _COMMAND.sub(lambda command: command[0].replace(" ", _HELD), line)
    indent = " " * (len(line) - len(line.lstrip()) + hang)
    folded = textwrap.fill(held, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return folded.replace(_HELD, " ")


def counted(entries: int) -> str:
    """How many entries."""
    return "1 entry" if entries == 1 else f"{entries:,} entries"


def plainly(problem: str) -> str:
    """A feed's problem for people, without the names of exceptions and the numbers of errors; harmless to show."""
    found = _NO_ANSWER.fullmatch(problem)
    return printable(f"gave no answer ({found['why']})" if found and found["why"] else problem, 500)


def unreachable(outcomes: Iterable[Outcome]) -> bool:
    """Whether servers were asked and no connection came about, which tells of the network here rather than of them."""
    asked = [outcome.record.problem for outcome in outcomes if outcome.result not in (RESTING, COPY)]
    return bool(asked) and all(map(_is_unreachable, asked))


def _is_unreachable(problem: str) -> bool:
    found = _NO_ANSWER.fullmatch(problem)
    if not found or found["error"] not in ("ConnectError", "ConnectTimeout"):
        return False
    return not (found["why"] or "").startswith("[SSL")  # somebody was there


def failures(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], list[Outcome]]:
    """Feeds that could not be brought up to date, by result and cause."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.is_good:
            found.setdefault((outcome.result, plainly(outcome.record.problem)), []).append(outcome)
    return found


def failure_in_words(result: str, cause: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What feeds have failed of, what stays in use of them, and what helps."""
    names = [outcome.feed.id for outcome in outcomes]
    if len(outcomes) == 1:
        day = _day(outcomes[0].record)
        kept = f"what it said on {day} stays in use" if day else "there is no data from it"
        yield f"{names[0]}: {result}: it {cause}; {kept}"
    else:
        yield f"{len(outcomes)} feeds {result}: each {cause}"
        yield from _kept_in_words(outcomes)
    if result == REFUSED and "shrunk" in cause:
        yield f"  if that is right: doorward data update --accept-shrink {','.join(names)}"


def _kept_in_words(outcomes: Sequence[Outcome]) -> Iterator[str]:
    by_day: dict[str, list[str]] = {}
    for outcome in outcomes:
        by_day.setdefault(_day(outcome.record), []).append(outcome.feed.id)
    for day, names in sorted(by_day.items(), reverse=True):
        kept = f"what they said on {day} stays in use" if day else "there is no data from them"
        yield f"  {kept}: {', '.join(names)}"


def _day(record: FeedRecord) -> str:
    """On which day the copy that is kept was good; empty if none is."""
    return record.date[:10] if record.sha256 else ""
