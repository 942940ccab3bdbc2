"""Whatever the head of a request holds, what is found in it is bounded, the same twice, and was asked for.

An input is a request line, header lines, an empty line, and a body.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import RequestContext
    from doorward.attacks.detectors import OF_REQUESTS, OF_VALUES
    from doorward.attacks.detectors.hosts import Hosts, Zone, ipv4
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

if TYPE_CHECKING:
    from doorward.attacks.evidence import Evidence

BOOKS = ("xxe", "ssi", "ldap", "nosql", "mail", "crlf", "ssrf", "scanner", "cookies", "parts")
PLACES = (Place.QUERY, Place.HEADER, Place.JSON)
UNITS_A_CHARACTER = 60
FIXED_UNITS = 20_000
ORDINARY = [("Accept-Language", "en"), ("DNT", "1")]


@cache
def detectors() -> list[Any]:
    books = rulebooks()
    return [make(books[book]) for book in BOOKS for make in OF_VALUES[book]]


@cache
def hosts() -> Hosts:
    return Hosts(rulebooks()["ssrf"])


@cache
def request_detectors() -> list[Any]:
    books = rulebooks()
    return [make(books[book]) for book, makers in OF_REQUESTS.items() for make in makers]


def request_of(text: str, extra: list[tuple[str, str]]) -> RequestContext:
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    headers = [(name, value) for name, _, value in (line.partition(":") for line in lines)]
    data = body.encode("utf-8", "surrogatepass") or None
    return RequestContext(method=method, path=path, query=query, headers=[*headers, *extra], body=data)


def check_request(text: str) -> None:
    """Twice the same, although fine lines are remembered; and ordinary lines change nothing."""
    findings = [list(detector.examine(request_of(text, []))) for detector in request_detectors()]
    assert findings == [list(detector.examine(request_of(text, []))) for detector in request_detectors()]
    assert findings == [list(detector.examine(request_of(text, ORDINARY))) for detector in request_detectors()]
    for finding in chain.from_iterable(findings):
        assert 0 < finding.weight <= 1
        assert finding.excerpt.isprintable()
        assert finding.name.isprintable()


def check_value(text: str, name: str) -> None:
    """Within the text, within the bound of work, and only where the screen is passed."""
    for place in PLACES:
        for is_name in (False, True):
            value = Value(place, name, text, is_name)
            for detector in detectors():
                work = Work(len(text) + 1_000_000)
                found: list[Evidence] = list(detector.examine(Subject(text, value), work))
                assert work.spent <= FIXED_UNITS + UNITS_A_CHARACTER * len(text)
                assert not found or detector.wants(Subject(f"a {text} b", value)), found
                for evidence in found:
                    assert 0 <= evidence.weight <= 1
                    assert 0 <= evidence.start <= evidence.end <= len(text)


def check_host(text: str) -> None:
    """Any host is in some zone; a number is one address."""
    assert hosts().host(text).zone in Zone
    address = ipv4(text)
    assert address is None or ipv4(str(address)) == address


def target(data: bytes) -> None:
    text = text_of(data)
    check_request(text)
    for line in text.split("\n\n")[:2]:
        name, _, value = line.partition(":")
        check_value(value or line, name[:40])
        check_host(value.strip() or line)


if __name__ == "__main__":
    fuzz(target, "attack_protocol")
