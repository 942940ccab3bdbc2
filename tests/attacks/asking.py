"""Asks detectors about one text, and request detectors about a request that is written down."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from doorward import RequestContext
from doorward.attacks.detectors import OF_REQUESTS, OF_VALUES
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import rulebooks

if TYPE_CHECKING:
    from doorward.attacks.detectors.base import Detector, RequestDetector

PLENTY = 100_000_000


@cache
def detectors(book: str) -> list[Detector]:
    """What looks at values by the rules of one file."""
    rules = rulebooks()[book]
    return [make(rules) for make in OF_VALUES[book]]


@cache
def request_detectors(book: str) -> list[RequestDetector]:
    """What looks at requests by the rules of one file."""
    rules = rulebooks()[book]
    return [make(rules) for make in OF_REQUESTS[book]]


def subject(text: str, place: Place = Place.QUERY, name: str = "q", *, is_name: bool = False) -> Subject:
    return Subject(text, Value(place, name, text, is_name))


def weights(
    book: str, text: str, place: Place = Place.QUERY, name: str = "q", *, is_name: bool = False
) -> dict[str, float]:
    """What is found in a text, with weights; a detector that finds something has to have wanted to look."""
    found: dict[str, float] = {}
    for detector in detectors(book):
        about = subject(text, place, name, is_name=is_name)
        for evidence in detector.examine(about, Work(PLENTY)):
            assert detector.wants(subject(text, place, name, is_name=is_name))
            assert 0 <= evidence.start <= evidence.end <= len(text)
            found[evidence.rule] = max(evidence.weight, found.get(evidence.rule, 0.0))
    return found


def weight(book: str, text: str, place: Place = Place.QUERY, name: str = "q", *, is_name: bool = False) -> float:
    """What it comes to."""
    return round(sum(weights(book, text, place, name, is_name=is_name).values()), 6)


def units(book: str, text: str, place: Place = Place.QUERY) -> int:
    """What looking at a text costs."""
    work = Work(PLENTY)
    for detector in detectors(book):
        list(detector.examine(subject(text, place), work))
    return work.spent


def request_of(head: str) -> RequestContext:
    """The request that is written down: a request line, header lines, an empty line, a body."""
    lines, _, body = head.partition("\n\n")
    first, *rest = lines.split("\n")
    line = first.removesuffix(" HTTP/1.1")
    # A method may have blanks in it here; a target that is a path begins with a slash.
    at = line.find(" /") if " /" in line else line.find(" ")
    method, target = line[:at], line[at + 1 :]
    path, _, query = target.partition("?")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return RequestContext(
        method=method,
        path=unquote(path),
        raw_path=path,
        query=query,
        headers=headers,
        body=body.encode() if body else None,
    )


def of_request(book: str, request: RequestContext) -> dict[str, float]:
    """What is found in a request, with weights."""
    return {found.rule: found.weight for detector in request_detectors(book) for found in detector.examine(request)}
