"""What hostile inputs cost, in time: a measurement, for people, since no test may measure time.

``python -m tests.attacks.hostile_cost [--only detectors|64|1024]`` prints the worst first. On a machine that
others use as well, compare with the reference loop that is printed with every table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, quote

from tests.attacks.benign import requests
from tests.attacks.hostile_shapes import GENERAL, pumped, shapes, units_of

from doorward import RequestContext, shield
from doorward.attacks import decoding
from doorward.attacks.detectors import OF_VALUES
from doorward.attacks.evidence import Place, Value
from doorward.attacks.scan import OVERLAP, PIECE
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import rulebooks

LENGTH = PIECE + OVERLAP
SHOWN = 25
KIB = 1024
Row = tuple[float, str]


def reference() -> float:
    """Milliseconds of a fixed loop: about 10 on an idle core of 2023."""
    start = time.thread_time()
    total = 0
    for number in range(300_000):
        total += number & 3
    return (time.thread_time() - start) * 1e3


def timed(run: Callable[[], object], times: int = 2) -> float:
    """Seconds, the best of a few."""
    best = float("inf")
    for _ in range(times):
        start = time.thread_time()
        run()
        best = min(best, time.thread_time() - start)
    return best


def show(title: str, rows: list[Row], unit: str) -> None:
    sys.stdout.write(f"\n{title} (reference loop {reference():.1f} ms)\n")
    for cost, what in sorted(rows, reverse=True)[:SHOWN]:
        sys.stdout.write(f"  {cost:9.1f} {unit}  {what}\n")


def of_detectors() -> Iterator[Row]:
    """Nanoseconds a character on one piece, for each detector and shape."""
    books = rulebooks(1)
    for name, makers in OF_VALUES.items():
        for make in makers:
            detector = make(books[name])
            for unit in dict.fromkeys(shapes(name, 10_000)):
                for place in (Place.QUERY, Place.JSON):
                    text = pumped(unit, LENGTH)
                    value = Value(place, "q", text)

                    def run(text: str = text, value: Value = value, detector=detector) -> None:
                        subject = Subject(text, value)
                        if detector.wants(subject):
                            list(detector.examine(subject, Work(10**6)))

                    yield timed(run) / LENGTH * 1e9, f"{name}/{type(detector).__name__} {place} {unit[:60]!r}"


def of_decoding() -> Iterator[Row]:
    for unit in GENERAL:
        text = pumped(unit, LENGTH)
        yield timed(lambda text=text: list(decoding.forms(text, Work(10**6)))) / LENGTH * 1e9, f"decoding {unit!r}"


def bodies(size: int, every: int) -> Iterator[tuple[str, RequestContext]]:
    """Requests with a body of about ``size`` bytes of each shape, as kinds of bodies have them."""
    units = dict.fromkeys([*GENERAL, *[unit for name in OF_VALUES for unit in units_of(name)[::7]]])
    for unit in list(units)[::every]:
        text = pumped(unit, size)
        yield f"json string {unit[:50]!r}", post("application/json", json.dumps({"q": text}))
        short = pumped(unit, 60)
        count = size // 66
        yield f"json strings {unit[:50]!r}", post("application/json", json.dumps([short] * count))
        yield f"form {unit[:50]!r}", post("application/x-www-form-urlencoded", "q=" + quote(text)[:size])
        yield f"text {unit[:50]!r}", post("text/plain", text)
        yield f"xml {unit[:50]!r}", post("application/xml", f"<a>{text}</a>")
        part = f'--B\r\nContent-Disposition: form-data; name="q"\r\n\r\n{short}\r\n'
        yield f"multipart {unit[:50]!r}", post("multipart/form-data; boundary=B", part * (size // len(part)) + "--B--")


def post(content_type: str, body: str) -> RequestContext:
    headers = [("Host", "a.example"), ("Content-Type", content_type)]
    return RequestContext(method="POST", path="/", headers=headers, body=body.encode("utf-8", "surrogatepass"))


def of_scans(size: int, every: int) -> tuple[list[Row], list[Row]]:
    """Milliseconds of whole scans, and of the longest stretch between two pauses."""
    scanner = shield().scanner
    whole: list[Row] = []
    gaps: list[Row] = []
    for name, request in bodies(size, every):
        scan, longest, start = scanner.scan(request), 0.0, time.thread_time()
        last = start
        weight = 0.0
        while True:
            try:
                next(scan)
            except StopIteration as stop:
                weight = stop.value.weight
                break
            finally:
                now = time.thread_time()
                longest, last = max(longest, now - last), now
        whole.append(((last - start) * 1e3, f"{name} weight {weight:g}"))
        gaps.append((longest * 1e3, name))
    return whole, gaps


def natural_texts() -> Iterator[str]:
    """What people wrote into the forms of the benign suite."""
    for row in requests():
        if row.kind == "ordinary" and dict(row.headers).get("Content-Type") == "application/x-www-form-urlencoded":
            yield from [text for _, text in parse_qsl(row.body.decode("ascii"))]


def typical(size: int) -> Iterator[Row]:
    """Natural bodies of ``size``: benign texts one after the other."""
    scanner = shield().scanner
    texts = list(natural_texts())
    for kind in ("list", "string", "text"):
        long = "\n".join(texts)[:size]
        short = [text[:80] for text in texts]
        if kind == "list":
            request = post(
                "application/json", json.dumps({"items": short * (size // len(json.dumps(short)) + 1)})[:size]
            )
        elif kind == "string":
            request = post("application/json", json.dumps({"text": long})[:size])
        else:
            request = post("text/plain", long)
        yield timed(lambda request=request: list(scanner.scan(request))) * 1e3, f"typical {kind}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="of the shapes of whole scans, each n-th")
    parser.add_argument("--only", choices=("detectors", "64", "1024"))
    arguments = parser.parse_args()
    if arguments.only in (None, "detectors"):
        show(f"detectors, {LENGTH} characters", [*of_detectors(), *of_decoding()], "ns a character")
    for size in (64, 1024):
        if arguments.only in (None, str(size)):
            show(f"typical scans, {size} KiB", list(typical(size * KIB)), "ms")
            whole, gaps = of_scans(size * KIB, arguments.every * (1 if size == 64 else 8))
            show(f"whole scans, {size} KiB", whole, "ms")
            show(f"longest stretch without a pause, {size} KiB", gaps, "ms")


if __name__ == "__main__":
    main()
