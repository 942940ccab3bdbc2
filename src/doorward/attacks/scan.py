"""The scan of one request: sources, values, forms of values, detectors, evidence, a verdict.

A generator, so that whoever drives it can let others run: it yields None about every two milliseconds of work.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks import decoding, views
from doorward.attacks.evidence import Family, Finding, Place, Value
from doorward.attacks.excerpt import is_secret, masked
from doorward.attacks.found import Found
from doorward.attacks.known import Known
from doorward.attacks.parts import PAUSE, PAUSE_UNITS
from doorward.attacks.screen import Screen
from doorward.attacks.subject import Subject
from doorward.attacks.work import PER_CHARACTER, OutOfWork, Work
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from doorward.attacks.detectors.base import Detector, RequestDetector
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.exclusions import Exclusions
    from doorward.attacks.plain import Plain
    from doorward.attacks.views import Source
    from doorward.context import RequestContext

PIECE = 4_096
OVERLAP = 512
"""Longer values are looked at in pieces of this many characters, each beginning so many before the end of the last."""
_BATCH = 4_096
_MOST_IN_BATCH = 128
"""More would be held long enough for the garbage collector to look through the whole process for them."""
_MANY = 16
"""Texts for which it is worth while to ask about all of them first."""
_LONGEST_NAME = 80
_LONGEST_PASSWORD = 64
_PASSWORD = re.compile("pass(?:word|wd|code|phrase)?(?![a-z])|pwd", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_LIKE_PASSWORDS = frozenset([Family.SHELL, Family.PHP, Family.TEMPLATE, Family.CODE, Family.CRLF, Family.LDAP])
_OF_A_PASSWORD = 0.4
"""What is left of a weight there: generated passwords are random signs, and a few of a thousand look like commands."""
# Members of an enum are found in microseconds, names of a module at once.
_COOKIE, _FILENAME, _FORM, _HEADER = Place.COOKIE, Place.FILENAME, Place.FORM, Place.HEADER
_JSON, _MULTIPART, _PATH, _XML = Place.JSON, Place.MULTIPART, Place.PATH, Place.XML
_LONGEST_MET = 256
_MOST_MET = 4_096
"""Of the values that are remembered during a scan."""
_UNITS_A_SCREENED_CHARACTER = 4
_UNITS_TO_REMEMBER = 60
_UNITS_A_VALUE = 200
_UNITS_A_CHARACTER_TOLD = 3
_UNITS_A_SUBJECT = 800
_UNITS_AN_EXAMINATION = 1_000
"""What it costs to ask, however short the text is."""
_USUAL_EXAMINATIONS = 3
"""Of one text; so many are not counted against its length, or lists of short texts would cost too much."""


class Scan(NamedTuple):
    """What a scan came to.

    Attributes:
        findings: What was found, heaviest first.
        weight: Of the heaviest value, at most 1.
        failures: Detectors that raised, and what.
    """

    findings: tuple[Finding, ...] = ()
    weight: float = 0.0
    failures: tuple[str, ...] = ()


CLEAN = Scan()


class Scanner:
    """Looks at requests. Thread safe.

    Args:
        detectors: Those that look at values, cheap and telling first.
        request_detectors: Those that look at requests as such.
        exclusions: What not to look at.
        plain: Tells values in which nothing can be found.
    """

    def __init__(
        self,
        detectors: Sequence[Detector],
        request_detectors: Sequence[RequestDetector],
        exclusions: Exclusions,
        plain: Plain | None = None,
    ) -> None:
        self.plain = plain
        self.known = Known()
        self.screen = Screen(detectors)
        self.request_detectors = request_detectors
        self.exclusions = exclusions

    def scan(self, request: RequestContext, *, body: bool = True) -> Generator[None, None, Scan]:
        """Look at a request.

        Args:
            request: With its body, if that was read.
            body: Whether to look at it.
        """
        sources = views.head(request, self.known)
        held = views.body(request) if body else None
        if held is not None:
            sources.append(held)
        running = _Running(self, request, sum([source.size for source in sources]))
        running.ask_about_request()
        try:
            yield from running.look(sources)
        except OutOfWork:
            running.add(_out_of_work())
        result = running.result()
        if result is CLEAN and not running.excluded:
            self.known.remember([(source.key, source.size) for source in sources if source.key is not None])
        return result

    def scan_now(self, request: RequestContext, *, body: bool = False) -> Scan:
        """Look at a request without pauses: all but the body is bounded by what servers accept as a head."""
        scan = self.scan(request, body=body)
        while True:
            try:
                next(scan)
            except StopIteration as stop:
                result: Scan = stop.value
                return result


class _Running:
    """One scan under way."""

    def __init__(self, scanner: Scanner, request: RequestContext, size: int) -> None:
        self.request = request
        self.scanner = scanner
        self.work = Work(size)
        self.met: set[str] = set()
        self.found = Found()
        self.failures: dict[str, str] = {}
        self.excluded = False

    def ask_about_request(self) -> None:
        for detector in self.scanner.request_detectors:
            try:
                for finding in detector.examine(self.request):
                    self.add(finding)
            except Exception as error:
                self.failures[detector.name] = describe(error)

    def look(self, sources: Iterable[Source]) -> Generator[None, None, None]:
        """Look at sources, to the first value that is conclusive."""
        for batch in _batches(self._subjects(sources)):
            if self.found.conclusive:
                return
            if not batch:
                if self.work.due():
                    yield
                continue
            size = sum([len(subject.text) for subject in batch])
            self.work.spend(_UNITS_A_SCREENED_CHARACTER * size)
            yield from self._screen(batch)
            if not self.is_over():
                decoded = self._decoded(batch)
                if decoded:
                    self.work.spend(_UNITS_A_SCREENED_CHARACTER * size)
                    yield from self._screen(decoded)
            self.found.keep()
            if self.work.due():
                yield

    def _subjects(self, sources: Iterable[Source]) -> Iterator[Subject | None]:
        """Texts in which something might be found, and None where others may be let run."""
        for source in sources:
            try:
                yield from self._subjects_in(source)
            except OutOfWork:
                raise
            except Exception as error:
                self.failures["views"] = describe(error)

    def _subjects_in(self, source: Source) -> Iterator[Subject | None]:
        left = source.size
        for value in source.values():
            if isinstance(value, Finding):
                self.add(value)
                continue
            if value is PAUSE:
                self.work.spend(PAUSE_UNITS)
                yield None
                continue
            left -= len(value.text)
            if left < 0:  # of JSON within JSON each layer is looked at
                self.work.allow(-PER_CHARACTER * left)
                left = 0
            for piece in _pieces(value):
                subject = None if self._comes_again(piece) else self._subject_of(piece)
                if subject is not None:
                    yield subject
                elif self.work.is_due():
                    yield None

    def _subject_of(self, value: Value) -> Subject | None:
        """What to look at of a value; None if there is nothing in it."""
        plain = self.scanner.plain
        if plain is None or not may_be_plain(value):
            return Subject(value.text, value)
        self.work.spend(_UNITS_A_VALUE + _UNITS_A_CHARACTER_TOLD * len(value.text))
        if plain(value.text, value.name if value.place is _HEADER else ""):
            return None
        subject = Subject(value.text, value)
        return None if plain.says_nothing(subject) else subject

    def _comes_again(self, value: Value) -> bool:
        """Whether the very same value was met before, so that it comes to the same: in long lists many do."""
        if len(value.text) > _LONGEST_MET:
            return False
        self.work.spend(_UNITS_TO_REMEMBER)
        # A text, because the garbage collector does not look at texts.
        met = f"{value.text}\0{value.name}\0{value.place}\0{value.is_name}\0{value.offset}"
        if met in self.met:
            return True
        if len(self.met) < _MOST_MET:
            self.met.add(met)
        return False

    def _decoded(self, batch: Sequence[Subject]) -> list[Subject]:
        """The further forms of texts."""
        texts = [subject.text for subject in batch]
        if not decoding.may_change(" ".join(texts), texts):
            return []
        found: list[Subject] = []
        for subject in batch:
            try:
                found += [_decoded(subject.value, form) for form in decoding.forms(subject.text, self.work)]
            except OutOfWork:
                raise
            except Exception as error:
                self.failures["decoding"] = describe(error)
        return found

    def _screen(self, subjects: Sequence[Subject]) -> Generator[None, None, None]:
        """Ask those detectors about each text that want it; of many texts, those that want any of them."""
        screen, failures = self.scanner.screen, self.failures
        wanted = screen.all
        if len(subjects) >= _MANY:
            wanted = screen.wanting(Subject.joined(subjects), wanted, failures)
            if not wanted:
                return
        for subject in subjects:
            asked = screen.wanting(subject, wanted, failures)
            self.work.allow(_UNITS_A_SUBJECT + _UNITS_AN_EXAMINATION * min(asked.bit_count(), _USUAL_EXAMINATIONS))
            self.work.spend(_UNITS_A_SUBJECT)
            if self.work.due():
                yield
            for bit, detector in screen.detectors if asked else ():
                if asked & bit:
                    self._examine(detector, subject)
                    if self.found.conclusive:
                        return
                    if self.work.due():
                        yield

    def _examine(self, detector: Detector, subject: Subject) -> None:
        self.work.spend(_UNITS_AN_EXAMINATION)
        try:
            for evidence in detector.examine(subject, self.work):
                if evidence.weight > 0.0:
                    if evidence.family in _LIKE_PASSWORDS and _is_password(subject):
                        evidence = evidence._replace(weight=evidence.weight * _OF_A_PASSWORD)  # noqa: PLW2901
                    self.add(_finding(evidence, subject), _number(subject.value))
        except OutOfWork:
            raise
        except Exception as error:
            self.failures[detector.name] = describe(error)

    def add(self, finding: Finding, number: int = 0) -> None:
        """Take note of a finding, unless it is excluded; as :meth:`Found.add`."""
        if self.scanner.exclusions.cover(self.request, finding):
            self.excluded = True  # here: the same text may count in another request
        else:
            self.found.add(finding, number)

    def is_over(self) -> bool:
        """Whether a value is conclusive, so that nothing more has to be looked at."""
        return self.found.conclusive

    def result(self) -> Scan:
        """What it all comes to."""
        findings = self.found.heaviest()
        if not (findings or self.failures):
            return CLEAN
        failures = tuple([f"{name}: {what}" for name, what in sorted(self.failures.items())])
        return Scan(tuple(findings), min(1.0, self.found.weight), failures)


def _decoded(value: Value, form: decoding.Form) -> Subject:
    return Subject(form.text, value._replace(offset=value.offset + form.start) if form.start else value, form.via)


def _holds_secret(value: Value) -> bool:
    return value.place is _COOKIE or (not value.is_name and is_secret(value.name))


def _is_password(subject: Subject) -> bool:
    """Whether a text looks like a password in a field for one: such are full of the signs of shells and templates."""
    value = subject.value
    place = value.place
    if place is not _FORM and place is not _JSON and place is not _MULTIPART:
        return False
    is_one_word = len(value.text) <= _LONGEST_PASSWORD and not _SPACE.search(value.text)
    return is_one_word and _PASSWORD.search(value.name) is not None


def may_be_plain(value: Value) -> bool:
    """Whether only the text tells: of paths and names of files anything may, and addresses by the parameter's name."""
    place = value.place
    if place is _JSON or place is _XML or place is _COOKIE:
        return True
    if place is _HEADER:
        return "file" not in value.name
    if place is _PATH or place is _FILENAME or (value.is_name and place is _MULTIPART):
        return False
    return "://" not in value.text


def _number(value: Value) -> int:
    """Distinct for the values of a batch; 0 for the pieces of a long one, which are in many batches."""
    return 0 if value.offset or len(value.text) >= PIECE + OVERLAP else id(value)


def _batches(subjects: Iterable[Subject | None]) -> Iterator[list[Subject]]:
    batch: list[Subject] = []
    size = 0
    for subject in subjects:
        if subject is None:
            yield batch
            batch, size = [], 0
            continue
        batch.append(subject)
        size += len(subject.text) + 1
        if size >= _BATCH or len(batch) >= _MOST_IN_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _pieces(value: Value) -> Iterator[Value]:
    if len(value.text) <= PIECE + OVERLAP:
        yield value
        return
    for start in range(0, len(value.text) - OVERLAP, PIECE):
        yield value._replace(text=value.text[start : start + PIECE + OVERLAP], offset=value.offset + start)


def _finding(evidence: Evidence, subject: Subject) -> Finding:
    value = subject.value
    return Finding(
        evidence.family,
        evidence.rule,
        evidence.weight,
        value.place,
        printable(value.name, _LONGEST_NAME),
        value.offset + evidence.start,
        masked(subject.text[evidence.start : evidence.end], is_secret=_holds_secret(value)),
        evidence.reason,
        subject.via,
    )


def _out_of_work() -> Finding:
    reason = "costs far more to look at than any natural text of its length"
    return Finding(Family.UNSCANNED, "unscanned.work", 1.0, Place.REQUEST, "", 0, "", reason)
