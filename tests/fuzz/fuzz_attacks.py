"""Whatever request comes, the scan ends within its bound, never raises, and no detector fails.

An input is a request: a line with method and target, header lines, an empty line, and the body.
"""

from __future__ import annotations

from functools import cache

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward import RequestContext, shield
    from doorward.attacks.evidence import Finding
    from doorward.attacks.scan import Scan, Scanner
    from doorward.attacks.work import BASE, PER_CHARACTER, SLICE

LONGEST_EXCERPT = 200


def target(data: bytes) -> None:
    request = parsed(data)
    for paranoia in (1, 3):
        first = scanned(scanner(paranoia), request, len(data))
        # What was seen before is remembered only where nothing was found in it.
        assert scanned(scanner(paranoia), request, len(data)) == first


@cache
def scanner(paranoia: int) -> Scanner:
    return shield(paranoia=paranoia).scanner


def parsed(data: bytes) -> RequestContext:
    head, _, body = data.partition(b"\n\n")
    lines = head.decode("latin-1").split("\n")
    method, _, target = lines[0].partition(" ")
    path, _, query = target.partition("?")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    request = RequestContext(method=method, path=path, query=query, headers=headers, body=body)
    request.body_complete = not body.endswith(b"\x00cut")
    return request


def scanned(scanner: Scanner, request: RequestContext, size: int) -> Scan:
    # Headers come twice where a parser reads them as well; every pause but the parsers' own is a slice of work.
    most = (BASE + 2 * PER_CHARACTER * (size + 100)) // SLICE + size // 100 + 3
    scan = scanner.scan(request)
    for _ in range(most):
        try:
            next(scan)
        except StopIteration as stop:
            return checked(stop.value)
    raise AssertionError(f"more than {most} pauses")


def checked(result: Scan) -> Scan:
    assert result.failures == (), result.failures
    assert 0.0 <= result.weight <= 1.0
    assert [finding.weight for finding in result.findings] == sorted(
        [finding.weight for finding in result.findings], reverse=True
    )
    for finding in result.findings:
        check(finding)
    return result


def check(finding: Finding) -> None:
    assert 0.0 < finding.weight <= 1.0
    assert finding.offset >= 0
    assert finding.excerpt.isprintable()
    assert finding.name.isprintable()
    assert len(finding.excerpt) <= LONGEST_EXCERPT
    assert finding.reason.isascii()
    assert finding.reason


if __name__ == "__main__":
    fuzz(target, "attacks")
