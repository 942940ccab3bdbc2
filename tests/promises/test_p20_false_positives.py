"""P20: ordinary requests are not denied, and technical text hardly ever is."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.attacks.benign import BenignRequest, requests

from doorward import RequestContext, shield
from doorward.evaluation import Row, evaluate
from doorward.rules.shield import SUSPICIOUS, THRESHOLD

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
SAMPLE = 700
MOST_DENIED = {"ordinary": 0.001, "technical": 0.013}
"""Of all rows of a class; the counts of a sample are held to the same shares, rounded up."""


@cache
def rows(kind: str) -> list[Row]:
    """The suite; of the rows of a class as many as can be looked at in seconds, the same ones every time."""
    of_kind = [request for request in requests() if request.kind == kind]
    chosen = of_kind if SOAK else Random(20).sample(of_kind, min(SAMPLE, len(of_kind)))
    return [Row(request.id, kind, request.source, is_attack=False, request=context(request)) for request in chosen]


def context(request: BenignRequest) -> RequestContext:
    return RequestContext(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=request.body,
    )


@pytest.mark.parametrize("kind", sorted(MOST_DENIED))
def test_p20_benign_requests_pass(kind: str) -> None:
    """P20: of the benign suite, which was made before the detectors were tuned, no more is denied than promised."""
    report = evaluate(rows(kind), shield().scanner)
    (tally,) = report.benign.values()
    shown = [(row.source, row.name, [finding.rule for finding in findings]) for row, findings in report.wrong]
    rules = Counter(finding.rule for _, findings in report.wrong for finding in findings)
    allowed = int(MOST_DENIED[kind] * tally.rows) + 1
    assert tally.denied <= allowed, f"{tally.denied} of {tally.rows} denied: {rules.most_common(9)} {shown[:9]}"
    assert report.failures == Counter()


def test_p20_ordinary_requests_do_not_add_up() -> None:
    """P20: of a hundred ordinary requests the weights come to less than half of what a client is refused for."""
    scanner = shield().scanner
    scans = [scanner.scan_now(row.request, body=True) for row in rows("ordinary")]
    suspicious = [found for found in scans if found.weight >= SUSPICIOUS]
    rules = Counter(finding.rule for found in suspicious for finding in found.findings)
    counted = sum(found.weight for found in suspicious if found.weight < 1.0)
    assert 100 * counted / len(scans) <= THRESHOLD / 2, (len(suspicious), len(scans), rules.most_common(9))


NATURAL = [
    "O'Brien and D'Angelo's order: 3 < 5 & 7 > 2",
    "Select a size from the table, then drop it in the basket.",
    "Union members and/or friends -- please order by Friday; thanks!",
    "I'll update where I am; let's set it = 5 o'clock",
    "The script alert said: <3 you & me :) (see you)",
    "rock 'n' roll; cat & dog | mouse",
    "100% cotton, 50% off!!! $5 each (or 2 for $9)",
    "see http://example.com/a?b=c&d=e#f and ../notes.txt",
    "if (a > b && c < d) { return x; }",
    "print(f'{name}: {value!r}')",
    "SELECT is a keyword; so are FROM and WHERE.",
    "Müller & Söhne GmbH, Straße 5/7, 1'000.50 CHF",
    "これはテストです。「選択」してください。",
    "Привет! Как дела? (всё хорошо)",
    "C:\\Users\\me\\Documents\\report.docx",
    "user@example.com; other@example.com",
    "1' 6\" tall, 5'10'' wide",
    "{{ name }} is a placeholder, ${name} too",
    "-- \nBest regards,\nAda",
    "#hashtag @someone /path ~home *bold* _it_ `code`",
]


@pytest.mark.parametrize("number", range(len(NATURAL)))
@pytest.mark.parametrize("place", ["query", "form", "json"])
def test_p20_what_people_write_passes(number: int, place: str) -> None:
    """P20: sentences with the characters that attacks are made of."""
    text = NATURAL[number]
    pairs = urlencode({"q": text, "page": "2"})
    if place == "query":
        request = RequestContext(path="/search", query=pairs)
    elif place == "form":
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        request = RequestContext(method="POST", path="/comments", headers=form, body=pairs.encode())
    else:
        kind = [("Content-Type", "application/json")]
        request = RequestContext(
            method="POST", path="/comments", headers=kind, body=json.dumps({"text": text}).encode()
        )
    report = evaluate([Row("1", "natural", "-", is_attack=False, request=request)], shield().scanner)
    assert report.wrong == []


def leaves(value: Any) -> Iterator[str]:
    """The strings of a JSON text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)


def written(kind: str) -> Iterator[str]:
    """What people wrote into the JSON bodies of a class: one text after the other."""
    for request in requests():
        headers = dict(request.headers)
        is_json = headers.get("Content-Type") == "application/json" and "Content-Encoding" not in headers
        if request.kind == kind and is_json:
            yield from leaves(json.loads(request.body))


@pytest.mark.parametrize("kind", sorted(MOST_DENIED))
@pytest.mark.parametrize("size", [20_000, 60_000, 300_000])
def test_p20_long_natural_texts_stay_within_the_bound_of_work(kind: str, size: int) -> None:
    """P20: natural text costs less than a scan may, however long it is, in one value and in many."""
    texts = list(written(kind))
    long = " ".join(texts) * 9
    for body in ({"text": long[:size]}, {"texts": texts[: size // (len(long) // len(texts) // 9)]}):
        headers = [("Content-Type", "application/json")]
        request = RequestContext(method="POST", path="/notes", headers=headers, body=json.dumps(body).encode())
        found = shield().scanner.scan_now(request, body=True)
        assert [finding.rule for finding in found.findings if finding.family == "UNSCANNED"] == []
