"""What an update tells, while it runs and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from doorward.intelligence.feeds import Feed
    from doorward.intelligence.manifest import FeedRecord

ACCEPTED, UNCHANGED, REFUSED, FAILED, RESTING, COPY = "accepted", "unchanged", "refused", "failed", "resting", "copy"


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
