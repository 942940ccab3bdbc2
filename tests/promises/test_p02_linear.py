"""P2: what attack detection costs grows with the size of the input, whatever the input is.

Doubling tests: no test may measure time, so what is counted are function calls, units of work, and values; the steps
within one call of a regular expression are the business of ``tests/attacks/test_shipped_regexes.py``.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from typing import Any

import pytest
from tests.attacks.hostile_shapes import GENERAL, calls, grows_faster, pumped, sampled, shapes, units_of

from doorward import RequestContext, shield
from doorward.attacks import decoding, views
from doorward.attacks.detectors import OF_REQUESTS, OF_VALUES
from doorward.attacks.detectors.base import Detector, RequestDetector
from doorward.attacks.evidence import Family, Finding, Place, Value
from doorward.attacks.exclusions import Exclusions
from doorward.attacks.scan import OVERLAP, PIECE, Scanner
from doorward.attacks.subject import Subject
from doorward.attacks.work import SLICE, OutOfWork, Work
from doorward.builders.rule_files import rulebooks

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
BOOKS = rulebooks(3)
LONGEST = PIECE + OVERLAP
MOST_CALLS = 12
"""Function calls a character that an examined piece may cost, some 50 ns each."""
SLACK = 400
# All are longer than a window: JSON within one is parsed in C.
SIZES = (10_000, 20_000, 40_000, 80_000) if SOAK else (10_000, 20_000)
UNITS = GENERAL if SOAK else GENERAL[::2]
OF_A_BOOK = 1_000 if SOAK else 20
DETECTORS = [
    pytest.param(name, make(BOOKS[name]), id=f"{name}-{make.__name__}")
    for name, made in OF_VALUES.items()
    for make in made
]
REQUEST_DETECTORS = [
    pytest.param(make(BOOKS[name]), id=f"{name}-{make.__name__}") for name, made in OF_REQUESTS.items() for make in made
]


def examined(detector: Detector, text: str, place: Place) -> int:
    """The units of work that a detector says it took; 0 for what it does not want to see."""
    subject, work = Subject(text, Value(place, "q", text)), Work(100 * len(text))
    if detector.wants(subject):
        for _ in detector.examine(subject, work):
            pass
    return work.spent


@pytest.mark.parametrize(("book", "detector"), DETECTORS)
def test_p2_detectors_are_linear(book: str, detector: Detector) -> None:
    """P2: of twice the text each detector makes at most two and a half times as much, for every hostile shape."""
    worse = []
    for unit in dict.fromkeys(shapes(book, OF_A_BOOK)):
        place = Place.JSON if len(unit) % 2 else Place.QUERY
        short, long = pumped(unit, LONGEST // 2), pumped(unit, LONGEST)
        small, large = [calls(partial(examined, detector, text, place)) for text in (short, long)]
        units = examined(detector, short, place), examined(detector, long, place)
        if grows_faster(small, large, SLACK) or large > MOST_CALLS * LONGEST or grows_faster(*units, 4 * LONGEST):
            worse.append((unit, small, large, units))
    assert worse == []


@pytest.mark.parametrize("detector", REQUEST_DETECTORS)
def test_p2_detectors_of_requests_are_linear(detector: RequestDetector) -> None:
    """P2: the same of those that look at header lines."""
    worse = []
    names = (
        "Host",
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
        "Range",
        "Cookie",
        "Accept",
        "X-Forwarded-For",
    )
    for unit in UNITS:
        for size in SIZES[:1]:
            counts = []
            for length in (size, 2 * size):
                request = RequestContext(headers=[(name, pumped(unit, length)) for name in names], path="/", query="")
                counts.append(calls(lambda request=request: list(detector.examine(request))))  # type: ignore[misc]
            if grows_faster(counts[0], counts[1], SLACK):
                worse.append((unit, counts))
    assert worse == []


@pytest.mark.parametrize("unit", UNITS[:: 1 if SOAK else 3], ids=ascii)
def test_p2_decodings_are_linear(unit: str) -> None:
    """P2: further forms of a value are few, not longer, and cost in proportion."""
    wrapped = base64.b64encode(pumped(unit, 3_000).encode("utf-8", "surrogatepass")).decode()
    for text in (pumped(unit, LONGEST // 2), wrapped[:2_000]):
        counts, spent = [], []
        for given in (text, text + text):
            work = Work(100 * len(given))
            counts.append(calls(lambda given=given, work=work: list(decoding.forms(given, work))))  # type: ignore[misc]
            spent.append(work.spent)
        assert not grows_faster(*counts, SLACK), (unit, counts)
        assert not grows_faster(*spent, 0), (unit, spent)


# --- parsers


def in_query(text: str) -> RequestContext:
    return RequestContext(path="/", query=f"a=1&q={text}&b=2")


def in_path(text: str) -> RequestContext:
    return RequestContext(path="/" + text, query="")


def in_cookie(text: str) -> RequestContext:
    return RequestContext(path="/", headers=[("Cookie", f"a=1; {text}")])


def in_header(text: str) -> RequestContext:
    return RequestContext(path="/", headers=[("X-Any", text), ("Authorization", f"Basic {text}")])


def posted(content_type: str, body: str) -> RequestContext:
    data = body.encode("utf-8", "surrogatepass")
    return RequestContext(method="POST", path="/", headers=[("Content-Type", content_type)], body=data)


def in_form(text: str) -> RequestContext:
    return posted("application/x-www-form-urlencoded", text)


def in_json(text: str) -> RequestContext:
    return posted("application/json", json.dumps({"a": [text]}, ensure_ascii=False))


def in_broken_json(text: str) -> RequestContext:
    return posted("application/json", "[" + text)


def in_xml(text: str) -> RequestContext:
    return posted("application/xml", f"<a b='1'>{text}")


def in_multipart(text: str) -> RequestContext:
    part = f'--B\r\nContent-Disposition: form-data; name="q"\r\n\r\n{text}\r\n'
    return posted("multipart/form-data; boundary=B", f"{part}--B--")


def in_part_headers(text: str) -> RequestContext:
    part = f"--B\r\nContent-Disposition: form-data; {text}\r\n\r\nx\r\n"
    return posted("multipart/form-data; boundary=B", f"{part}--B--")


def in_text(text: str) -> RequestContext:
    return posted("text/plain", text)


def many_parts(text: str) -> RequestContext:
    unit = text[:40]
    part = f'--B\r\nContent-Disposition: form-data; name="{unit}"\r\n\r\n{unit}\r\n'
    return posted("multipart/form-data; boundary=B", part * (len(text) // 40) + "--B--")


def many_values(text: str) -> RequestContext:
    return posted("application/json", json.dumps([{text[:8]: text[:20]}] * (len(text) // 20)))


def deep_json(text: str) -> RequestContext:
    opening = '{"a":[' if len(text) % 2 else '[{"b":'
    return posted("application/json", opening * (len(text) // 8) + json.dumps(text[:100]))


def many_parameters(text: str) -> RequestContext:
    return posted("application/x-www-form-urlencoded", f"{text[:8]}={text[:12]}&" * (len(text) // 20))


PARSED = [
    in_query, in_path, in_cookie, in_header, in_form, in_json, in_broken_json, in_xml, in_multipart, in_part_headers,
    in_text, many_parts, many_values, deep_json, many_parameters,
]  # fmt: skip


def taken_apart(request: RequestContext) -> list[Any]:
    sources = views.head(request, ())
    body = views.body(request)
    return [part for source in [*sources, *([body] if body else [])] for part in source.values()]


def characters(parts: Iterable[Any]) -> int:
    return sum(len(part.text) for part in parts if isinstance(part, Value))


@pytest.mark.parametrize("wear", PARSED, ids=lambda wear: wear.__name__)
def test_p2_parsers_are_linear(wear: Callable[[str], RequestContext]) -> None:
    """P2: taking a request apart costs, and makes of it, no more than in proportion to its size."""
    worse = []
    for unit in UNITS:
        before: tuple[int, int, int] | None = None
        for size in SIZES:
            request = wear(pumped(unit, size))
            parts: list[Any] = []
            cost = calls(lambda request=request, parts=parts: parts.extend(taken_apart(request)))  # type: ignore[misc]
            now = (cost, len(parts), characters(parts))
            if before is not None and any(map(grows_faster, before, now, repeat(2 * size))):
                worse.append((unit, size, before, now))
            before = now
    assert worse == []


# --- the whole


def finished(scanner: Scanner, request: RequestContext) -> tuple[Any, int]:
    """The scan's result, and how often it let others run."""
    scan, pauses = scanner.scan(request), 0
    while True:
        try:
            next(scan)
            pauses += 1
        except StopIteration as stop:
            return stop.value, pauses


WEARS = [in_query, in_form, in_json, in_xml, in_multipart, in_text, many_values, many_parameters]


@pytest.mark.parametrize("wear", WEARS if SOAK else WEARS[::2], ids=lambda wear: wear.__name__)
def test_p2_whole_scans_are_linear(wear: Callable[[str], RequestContext]) -> None:
    """P2: calls of the whole scan grow no faster of twice the request."""
    worse = []
    units = [*UNITS[::8], *[unit for book in OF_VALUES for unit in sampled(units_of(book), OF_A_BOOK // 10)]]
    for unit in units:
        counts = []
        for size in SIZES[:2]:
            scanner, request = shield(paranoia=1).scanner, wear(pumped(unit, size))
            counts.append(calls(lambda scanner=scanner, request=request: finished(scanner, request)))  # type: ignore[misc]
        if grows_faster(*counts, 5_000):
            worse.append((unit, counts))
    assert worse == []


class Greedy:
    """Spends whatever it is told to, on everything."""

    name = "greedy"

    def __init__(self, units: int) -> None:
        self.units = units

    def wants(self, subject: Subject) -> bool:
        return True

    def examine(self, subject: Subject, work: Work) -> tuple[()]:
        work.spend(self.units * len(subject.text))
        return ()


def test_p2_no_scan_passes_its_bound_unseen() -> None:
    """P2: past the bound of work a scan ends, with a finding that weighs."""
    request = in_json("padding " * 40_000)
    result, _ = finished(Scanner([Greedy(10_000)], [], Exclusions(())), request)
    assert [finding.family for finding in result.findings] == [Family.UNSCANNED]
    assert result.weight >= 1.0


def test_p2_work_within_the_bound_is_no_finding() -> None:
    """P2: what natural text costs is far below the bound; nothing is said about it."""
    result, pauses = finished(Scanner([Greedy(10)], [], Exclusions(())), in_json("padding " * 40_000))
    assert result.findings == ()
    assert pauses >= 40_000 * 8 * 10 // SLICE // 2


def test_p2_scans_pause_in_proportion_to_their_work() -> None:
    """P2: others run every few milliseconds, however the work is made up."""
    for wear in (in_json, in_form, in_xml, in_multipart, in_text, many_values, many_parameters):
        request = wear("word " * 60_000)
        assert finished(shield().scanner, request)[1] >= 4, wear.__name__


def test_p2_a_work_counter_ends_what_it_is_given() -> None:
    """P2: the bound is of base and size, and nothing is spent after it."""
    work = Work(10)
    while work.spent + 1_000 <= work.bound:
        work.spend(1_000)
    with pytest.raises(OutOfWork):
        work.spend(1_000)
    assert work.spent <= work.bound + 1_000


def test_p2_the_instrument_sees_what_is_not_linear() -> None:
    """P2: a detector that looks at everything from everywhere would be seen."""

    def quadratic(text: str) -> None:
        for start in range(0, len(text), 64):
            for end in range(start, len(text), 64):
                len(text[start:end])

    counts = [calls(lambda size=size: quadratic("a" * size)) for size in (LONGEST // 2, LONGEST)]  # type: ignore[misc]
    assert grows_faster(*counts, SLACK)


def test_p2_findings_are_bounded() -> None:
    """P2: of one rule in one value one finding stays, so that a decision stays small."""
    result, _ = finished(shield().scanner, in_form("&".join(f"q{n}=' or {n}" for n in range(2_000))))
    assert isinstance(result.findings, tuple)
    assert all(isinstance(finding, Finding) for finding in result.findings)
