"""Brings the user's data folder up to date: fetch, check, compile, and only then put everything in place.

What fails changes nothing: each accepted download is kept as a copy, so that a file can be compiled again when one of
its feeds has changed and another is down. New files are made in a folder beside, renamed into place when all of them
are there, and the manifest last.

::

    <folder>/*.dwd           compiled files, which doorward reads
    <folder>/manifest.json   what each feed gave and when, digests
    <folder>/feeds/<id>      the copies
    <folder>/.lock           held while an update runs
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from doorward import __version__
from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import DataError
from doorward.intelligence import manifest as manifests
from doorward.intelligence.feed_checks import Extent, checked
from doorward.intelligence.feed_formats import FeedRefused, parse
from doorward.intelligence.feeds import LAYERS
from doorward.intelligence.fetching import Fetched, FetchFailed
from doorward.intelligence.folder_lock import locked
from doorward.intelligence.layers import Member, check_readable, compile_layer
from doorward.intelligence.manifest import FeedRecord, FileRecord, Manifest, digest
from doorward.intelligence.parallel import each_as_it_ends
from doorward.intelligence.update_report import ACCEPTED, COPY, FAILED, REFUSED, RESTING, UNCHANGED, Outcome, Report
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from doorward.clock import Clock
    from doorward.intelligence.feed_formats import Parsed
    from doorward.intelligence.feeds import Feed
    from doorward.intelligence.fetching import Fetcher
    from doorward.intelligence.update_report import Watcher

COPIES = "feeds"
STAGING = ".new-"


def copies_in(folder: Path) -> set[str]:
    """The feeds that an earlier update brought to a folder, by id."""
    try:
        return {path.name for path in (folder / COPIES).iterdir() if not path.name.startswith(".")}
    except OSError:
        return set()


class Update:
    """One update.

    Args:
        folder: Where to; made if it is not there.
        catalogue: All feeds: those that are not fetched now go into the files with their copies.
        feeds: Those to bring up to date.
        fetcher: Fetches them; None to use the copies that there are.
        watcher: Is told how it goes on.
        accept_shrink: Feeds that may have lost more than half this time.
        drop: Feeds to do without from now on.
        clock: The time.
        threads: Downloads at once.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Mapping[str, Feed],
        feeds: Sequence[Feed],
        fetcher: Fetcher | None,
        watcher: Watcher,
        *,
        accept_shrink: Collection[str] = (),
        drop: Collection[str] = (),
        clock: Clock | None = None,
        threads: int = 4,
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._feeds = [feed for feed in feeds if feed.id not in drop]
        self._fetcher = fetcher
        self._watcher = watcher
        self._accept_shrink = accept_shrink
        self._drop = drop
        self._now = datetime.fromtimestamp((clock or SystemClock()).now_ns() / NANOSECONDS, UTC)
        self._threads = threads
        self._manifest = Manifest({}, {})
        self._parsed: dict[str, Parsed] = {}
        self._new: dict[str, bytes] = {}
        self._problems: list[str] = []
        self._written: dict[str, int] = {}
        self._without: list[str] = []

    def run(self) -> Report:
        """Do it.

        Raises:
            DataError: Another update is writing to the folder.
            OSError: The folder cannot be written; nothing in it has changed.
        """
        (self._folder / COPIES).mkdir(parents=True, exist_ok=True)
        with locked(self._folder):
            self._sweep()
            self._prepare()
            try:
                outcomes = sorted(self._outcomes(), key=lambda outcome: self._feeds.index(outcome.feed))
                with tempfile.TemporaryDirectory(prefix=STAGING, dir=self._folder) as staging:
                    self._compile(Path(staging))
                    self._commit(Path(staging))
            finally:
                self._watcher.closes()
        return Report(self._folder, outcomes, self._written, self._problems)

    def _prepare(self) -> None:
        self._manifest = manifests.load(self._folder)
        if self._manifest.damaged:
            self._problems.append(f"{self._manifest.damaged}; it is made anew from the copies of the feeds")
        for name in self._drop:
            self._manifest.feeds.pop(name, None)
        self._without = [name for name, file in self._manifest.files.items() if set(file.feeds) & set(self._drop)]
        self._adopt()
        if self._fetcher is None:
            self._feeds = [feed for feed in self._feeds if self._record(feed).sha256]
            self._problems += [] if self._feeds else ["there are no copies of feeds to work with"]

    def _sweep(self) -> None:
        """Remove what an update left that was killed."""
        for left in self._folder.glob(f"{STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)

    # --- What is known

    def _record(self, feed: Feed) -> FeedRecord:
        return self._manifest.feeds.get(feed.id, FeedRecord())

    def _copy(self, feed: Feed) -> bytes | None:
        """The copy that is kept of a feed, if it is what the manifest says."""
        try:
            content = (self._folder / COPIES / feed.id).read_bytes()
        except OSError:
            return None
        return content if digest(content) == self._record(feed).sha256 else None

    def _adopt(self) -> None:
        """Make records for copies that the manifest does not know, since it was lost or damaged."""
        for feed in self._catalogue.values():
            path = self._folder / COPIES / feed.id
            if feed.id in self._manifest.feeds or feed.id in self._drop or not path.is_file():
                continue
            try:
                when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                self._manifest.feeds[feed.id] = self._accepted(feed, Fetched(path.read_bytes()), None, when)
            except (OSError, FeedRefused) as error:
                self._problems.append(f"the copy of {feed.id} cannot be used: {describe(error)}")

    # --- What is new

    def _outcomes(self) -> Iterator[Outcome]:
        work = self._offline if self._fetcher is None else self._fetched
        self._watcher.begins(self._feeds, {feed.id for feed in self._feeds if not self._record(feed).sha256})
        for feed, found in each_as_it_ends(self._feeds, work, self._threads):
            outcome = self._judged(feed, found)
            self._manifest.feeds[feed.id] = outcome.record
            self._watcher.ends(outcome)
            yield outcome

    def _offline(self, feed: Feed) -> None:
        if self._copy(feed) is None:
            raise FetchFailed("has left no copy to work with")

    def _fetched(self, feed: Feed) -> Fetched | None:
        """What the server gave; None when its operator does not want to be asked again yet."""
        assert self._fetcher is not None
        record = self._record(feed)
        # What another address called its file says nothing about this one's.
        have = record.url == feed.url and self._copy(feed) is not None
        if have and self._rests(feed, record):
            return None
        if have:
            return self._fetcher.fetch(feed.url, feed.largest, etag=record.etag, modified=record.modified)
        return self._fetcher.fetch(feed.url, feed.largest)

    def _rests(self, feed: Feed, record: FeedRecord) -> bool:
        if record.result not in (ACCEPTED, UNCHANGED):
            return False
        return self._now - datetime.fromisoformat(record.date) < timedelta(hours=feed.rest)

    def _judged(self, feed: Feed, found: Fetched | Exception | None) -> Outcome:
        """What becomes of what was fetched; whatever is wrong with it, what was there before stays."""
        try:
            return self._kept(feed, found) if isinstance(found, Exception) else self._taken(feed, found)
        except FeedRefused as error:
            return self._kept(feed, error)

    def _taken(self, feed: Feed, found: Fetched | None) -> Outcome:
        before = self._record(feed)
        if found is None:
            return Outcome(feed, COPY if self._fetcher is None else RESTING, before)
        if found.content is None or (digest(found.content) == before.sha256 and self._copy(feed) is not None):
            return Outcome(feed, UNCHANGED, _confirmed(before, found, _text(self._now)))
        past = before if before.sha256 and feed.id not in self._accept_shrink else None
        return Outcome(feed, ACCEPTED, self._accepted(feed, found, past, self._now))

    def _kept(self, feed: Feed, error: Exception) -> Outcome:
        result = REFUSED if isinstance(error, FeedRefused) else FAILED
        problem = str(error) if isinstance(error, (FeedRefused, FetchFailed)) else describe(error)
        record = self._record(feed)._replace(result=result, problem=problem, tried=_text(self._now))
        return Outcome(feed, result, record)

    def _accepted(self, feed: Feed, found: Fetched, past: FeedRecord | None, when: datetime) -> FeedRecord:
        """The record of what a feed gave, which is taken if it is sane.

        Raises:
            FeedRefused: It is not.
        """
        content = found.content or b""
        before = None if past is None else Extent(past.entries, past.v4, past.v6)
        parsed, extent = checked(feed, parse(feed, content), before)
        self._parsed[feed.id] = parsed
        self._new[feed.id] = content
        return FeedRecord(
            url=feed.url,
            licence=feed.terms.licence,
            result=ACCEPTED,
            tried=_text(when),
            date=_text(when),
            sha256=digest(content),
            size=len(content),
            etag=found.etag,
            modified=found.modified,
            entries=extent.entries,
            v4=extent.v4,
            v6=extent.v6,
            bad=parsed.bad,
        )

    # --- Making the files

    def _compile(self, staging: Path) -> None:
        for layer in dict.fromkeys([*(feed.layer for feed in self._feeds), *self._without]):
            feeds = [feed for feed in self._catalogue.values() if feed.layer == layer and self._record(feed).sha256]
            made_from = {feed.id: self._record(feed).sha256 for feed in feeds}
            if self._has_strangers(layer):
                continue
            if not feeds:
                self._manifest.files.pop(layer, None)
            elif self._is_whole(layer, feeds) and not self._is_current(layer, made_from):
                self._compile_layer(staging / layer, feeds, made_from)

    def _has_strangers(self, layer: str) -> bool:
        """Whether a file was made from feeds that nobody told us of this time: making it anew would lose them."""
        made_from = self._manifest.files.get(layer, FileRecord()).feeds
        strangers = [name for name in made_from if name not in self._catalogue and name not in self._drop]
        if strangers:
            self._problems.append(
                f"{layer} stays as it is: it has feeds that are not in the catalogue ({', '.join(strangers)}); "
                "give --catalogue as before, or --drop them"
            )
        return bool(strangers)

    def _is_whole(self, layer: str, feeds: Sequence[Feed]) -> bool:
        """Whether a file can be made: those that say whom to trust are of no use with half of the networks."""
        if layer != LAYERS["edge"]:
            return True
        return all(feed in feeds for feed in self._catalogue.values() if feed.layer == layer)

    def _is_current(self, layer: str, made_from: Mapping[str, str]) -> bool:
        record = self._manifest.files.get(layer, FileRecord())
        same = record.feeds == made_from and record.made_by == __version__
        if not same or self._fetcher is None or not manifests.verified(self._folder, layer, record):
            return False
        try:
            check_readable(self._folder / layer)
        except DataError:
            return False
        return True

    def _compile_layer(self, path: Path, feeds: Sequence[Feed], made_from: Mapping[str, str]) -> None:
        self._watcher.compiles(path.name)
        try:
            members = [self._member(feed) for feed in feeds]
            compile_layer(path, members, _text(self._now)[:10])
        except (FeedRefused, ValueError) as error:
            self._problems.append(f"{path.name} cannot be made anew, and stays as it is: {describe(error)}")
            return
        content = path.read_bytes()
        self._manifest.files[path.name] = FileRecord(digest(content), len(content), made_from, __version__)
        self._written[path.name] = sum(member.parsed.entries for member in members)

    def _member(self, feed: Feed) -> Member:
        """What a feed says: just read, or read now from its copy.

        Raises:
            FeedRefused: The copy is missing or damaged, or this version of doorward would not accept it.
        """
        parsed = self._parsed.pop(feed.id, None)
        if parsed is None:
            content = self._copy(feed)
            if content is None:
                raise FeedRefused(f"the copy of {feed.id} is missing or damaged")
            parsed, _ = checked(feed, parse(feed, content), None)
        record = self._record(feed)
        return Member(feed._replace(url=record.url), parsed, record.date[:10])

    def _commit(self, staging: Path) -> None:
        """Put everything in place: from here on only names change, and the manifest's last."""
        copies = staging / COPIES
        copies.mkdir()
        for name, content in self._new.items():
            (copies / name).write_bytes(content)
        manifests.save(staging, self._manifest)
        for name in self._new:
            (copies / name).replace(self._folder / COPIES / name)
        for name in self._written:
            (staging / name).replace(self._folder / name)
        self._remove_dropped()
        (staging / manifests.NAME).replace(self._folder / manifests.NAME)

    def _remove_dropped(self) -> None:
        for name in self._drop:
            (self._folder / COPIES / name).unlink(missing_ok=True)
        for layer in self._without:
            if layer not in self._manifest.files:
                (self._folder / layer).unlink(missing_ok=True)


def _confirmed(record: FeedRecord, found: Fetched, now: str) -> FeedRecord:
    """The record of a feed that is as it was."""
    etag, modified = found.etag or record.etag, found.modified or record.modified
    return record._replace(result=UNCHANGED, problem="", tried=now, date=now, etag=etag, modified=modified)


def _text(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
