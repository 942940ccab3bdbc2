"""The benign suite is what it says: many, varied, well-formed requests, the same on every machine."""

import hashlib
import json
import subprocess
import sys
import unicodedata
from collections import Counter
from functools import cache
from random import Random
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

import pytest
from tests.attacks.benign import SEED, TOPICS, BenignRequest, requests
from tests.attacks.benign.slots import fill

# SHA-256 of the ordinary rows. It changes with each edit of a generator or word stock, and must not with the machine:
# figures are comparable only while it stays.
ORDINARY = "0b356bf8a2196fe3c077dee1089ecf884c29764953b271fb3787b8d93d085256"
WRITING_SYSTEMS = {
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "ARABIC",
    "HEBREW",
    "DEVANAGARI",
    "BENGALI",
    "TAMIL",
    "THAI",
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "GEORGIAN",
    "ARMENIAN",
}


@cache
def suite() -> list[BenignRequest]:
    return requests()


def is_of(request: BenignRequest, *media_types: str) -> bool:
    headers = dict(request.headers)
    return headers.get("Content-Type", "").partition(";")[0] in media_types and "Content-Encoding" not in headers


def text_of(request: BenignRequest) -> str:
    """All that a request says, its percent encoding and JSON escapes undone."""
    body = request.body.decode("utf-8", "replace")
    if is_of(request, "application/json"):
        body = json.dumps(json.loads(body), ensure_ascii=False)
    return unquote(request.path) + unquote(request.query) + unquote(body)


def systems_of(text: str) -> set[str]:
    """The writing systems of the letters of a text: the first words of their Unicode names."""
    return {unicodedata.name(letter, "").split(" ", 1)[0] for letter in set(text) if letter.isalpha()}


@cache
def requests_by_system() -> Counter[str]:
    ordinary = (request for request in suite() if request.kind == "ordinary")
    return Counter(system for request in ordinary for system in systems_of(text_of(request)))


def of_type(*media_types: str) -> list[BenignRequest]:
    return [request for request in suite() if is_of(request, *media_types)]


def test_the_same_seed_gives_the_same_requests():
    assert requests(SEED) == suite()


def test_another_seed_gives_others():
    assert not {request.id for request in suite()} >= {request.id for request in requests(SEED + 1)}


def test_ordinary_requests_are_the_same_on_every_machine():
    rows = (json.dumps(request.row(), sort_keys=True) for request in suite() if request.kind == "ordinary")
    assert hashlib.sha256("\n".join(rows).encode()).hexdigest() == ORDINARY


def test_there_are_thousands_of_different_requests():
    assert len({request.id for request in suite()}) == len(suite()) >= 3000
    assert Counter(request.kind for request in suite())["ordinary"] >= 2000


def test_documentation_is_a_limited_part():
    """What depends on the installed packages does not make up the suite."""
    sources = Counter(request.source for request in suite())
    assert 0 < sources["suite:package-description"] + sources["suite:docstring"] <= 1000


def test_attacks_are_quoted_in_few_technical_texts():
    technical = [request for request in suite() if request.kind == "technical"]
    quoting = [request for request in technical if request.source == "suite:security-discussion"]
    assert 0 < len(quoting) <= 0.03 * len(technical)


def test_every_topic_writes_nearly_as_many_as_it_is_asked_for():
    sources = Counter(request.source for request in suite())
    assert [topic.name for topic in TOPICS if sources[f"suite:{topic.name}"] < 0.8 * topic.count] == []


@pytest.mark.parametrize("system", sorted(WRITING_SYSTEMS))
def test_many_people_write_in_every_writing_system(system: str):
    assert requests_by_system()[system] >= 20


def test_rows_have_the_shape_of_labelled_sets():
    for request in suite():
        row = json.loads(json.dumps(request.row()))
        assert set(row) == {"id", "class", "source", "is_attack", "method", "path", "query", "headers", "body"}
        assert row["is_attack"] is False
        assert row["body"].encode().decode() == row["body"]


def test_request_lines_and_headers_can_be_sent():
    for request in suite():
        line = f"{request.method} {request.path}?{request.query}"
        assert line.isascii()
        assert line.isprintable()
        assert request.path.startswith("/")
        assert " " not in request.path + request.query
        for name, value in request.headers:
            assert f"{name}: {value}".isascii()
            assert f"{name}: {value}".isprintable()


def test_json_bodies_parse():
    kinds = "application/json", "application/vnd.api+json", "application/geo+json", "application/csp-report"
    bodies = [json.loads(request.body) for request in of_type(*kinds, "application/json-patch+json")]
    assert len(bodies) > 1000


def test_lines_of_json_parse():
    streams = of_type("application/x-ndjson", "application/x-sentry-envelope")
    assert streams
    assert all(json.loads(line) for request in streams for line in request.body.splitlines() if line)


def test_xml_bodies_parse():
    bodies = [ET.fromstring(request.body) for request in of_type("text/xml", "application/xml")]
    assert len(bodies) > 100


def test_form_bodies_parse():
    forms = of_type("application/x-www-form-urlencoded")
    assert len(forms) > 1000
    assert all(
        parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True) for request in forms
    )


def test_multipart_bodies_are_framed_by_their_boundary():
    uploads = of_type("multipart/form-data")
    assert len(uploads) > 300
    for request in uploads:
        boundary = dict(request.headers)["Content-Type"].partition("boundary=")[2].encode()
        preamble, *parts, epilogue = request.body.split(b"--" + boundary)
        assert (preamble, epilogue) == (b"", b"--\r\n")
        assert all(b"\r\nContent-Disposition: form-data; name=" in part for part in parts)


def test_no_slot_is_left_empty():
    ours = (request for request in suite() if request.source not in {"suite:package-description", "suite:docstring"})
    texts = (text for request in ours if (text := request.body.decode("utf-8", "replace")).isprintable())
    assert not [text for text in texts if "@{" in text or "%40%7B" in text]


def test_a_slot_without_words_is_an_error():
    with pytest.raises(KeyError):
        fill(Random(1), "@{nothing}")


def test_the_command_writes_one_row_a_line_and_counts_them(tmp_path):
    out = tmp_path / "benign.jsonl"
    command = [sys.executable, "-m", "tests.attacks.benign", "--out", str(out)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert printed.splitlines()[-1].split() == [str(len(rows)), "in", "all"]
    assert [row["id"] for row in rows] == [request.id for request in suite()]
