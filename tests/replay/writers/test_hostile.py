"""Whatever a client sent, and whatever the figures are, each format stays what it is: nothing gets out of its place."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from xml.etree import ElementTree as ET

import cmarkgfm
import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from tests.replay.writers.reports import MARK, REPORTS, hostile
from tests.replay.writers.strategies import REPORTS as ANY

from doorward.replay.report import Report
from doorward.replay.writers import KINDS, write
from doorward.replay.writers.markdown_report import LIMIT

EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
TAGS = set(
    re.findall(
        r"\w+",
        "html head meta title link style body a header span nav main div h1 h2 p section table thead tbody tr th td dl"
        " dt dd ul li details summary code bdi strong small time",
    )
) | {SVG + name for name in ("svg", "path", "circle", "line", "rect", "title", "text")}
ATTRIBUTES = set(
    re.findall(
        r"[\w-]+",
        "lang charset http-equiv content name rel href class id role aria-hidden aria-label aria-labelledby tabindex"
        " scope xmlns data-is data-head datetime x y x1 x2 y1 y2 width height viewBox fill d cx cy r text-anchor",
    )
)
MARKDOWN_TAGS = {
    "p",
    "strong",
    "em",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "code",
    "h3",
}


def plain(text: str) -> bool:
    """Printable ASCII and line ends, nothing else."""
    return re.fullmatch(r"[ -~\n]*", text) is not None


def check_text(text: str) -> None:
    assert plain(text)


def check_json(text: str) -> None:
    assert plain(text)
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    json.dumps(document, ensure_ascii=False).encode()  # no lone surrogates


def check_sarif(text: str) -> None:
    check_json(text)
    for result in json.loads(text)["runs"][0]["results"]:
        for message in [result["message"], *(related["message"] for related in result.get("relatedLocations", []))]:
            assert plain(message["text"])
            assert not set("[]{}") & set(message["text"])
        for location in [*result["locations"], *result.get("relatedLocations", [])]:
            assert re.fullmatch(r"[\w.~/%:-]+", location["physicalLocation"]["artifactLocation"]["uri"], re.ASCII)


def check_junit(text: str) -> None:
    assert plain(text)
    root = ET.fromstring(text)
    assert {node.tag for node in root.iter()} <= {
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
        "system-out",
        "system-err",
    }


def check_markdown(text: str) -> None:
    """By GitHub's own parser of Markdown: nothing is made of what clients sent but text in code spans."""
    assert plain(text)
    assert len(text) < LIMIT
    body = html5lib.parse(cmarkgfm.github_flavored_markdown_to_html(text, 1 << 17), namespaceHTMLElements=False)
    body = body.find("body")
    assert {node.tag for node in body.iter()} - {"body"} <= MARKDOWN_TAGS
    assert {name for node in body.iter() for name in node.attrib} <= {"align"}
    outside = text_outside_code(body)
    assert not set("@`|[") & set(outside)
    assert MARK not in outside


def text_outside_code(node: ET.Element) -> str:
    if node.tag == "code":
        return ""
    return (node.text or "") + "".join(text_outside_code(child) + (child.tail or "") for child in node)


def check_html(text: str) -> None:
    text.encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", text)
    parser = html5lib.HTMLParser(strict=True)
    root = parser.parse(text)
    seen = {node.tag.removeprefix(XHTML) for node in root.iter() if isinstance(node.tag, str)}
    assert all(isinstance(node.tag, str) for node in root.iter()), "a comment"
    assert seen <= TAGS
    assert {name.rpartition("}")[2] for node in root.iter() for name in node.attrib} <= ATTRIBUTES
    for node in root.iter():
        assert re.match(r"#[a-z]+$|data:image/svg\+xml;base64,", node.get("href", "#a")), node.get("href")


CHECKS = {
    "text": check_text,
    "json": check_json,
    "sarif": check_sarif,
    "junit": check_junit,
    "markdown": check_markdown,
    "html": check_html,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REPORTS)
def test_known_reports(kind: str, name: str) -> None:
    """Usual, empty, huge, and made of payloads."""
    CHECKS[kind](write(REPORTS[name](), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_any_report(kind: str) -> None:
    """Any figures, any texts."""

    @settings(EXAMPLES, max_examples=20 if kind == "html" else 60)
    @given(ANY)
    def holds(report: Report) -> None:
        CHECKS[kind](write(report, kind))

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_long_is_cut(kind: str) -> None:
    """Megabytes that clients sent do not come through; a thousand rules make a file that can be opened."""
    assert "x" * 3_000 not in write(hostile(), kind)
    assert len(write(hostile(), kind)) < 3_000_000
    if kind in {"text", "markdown", "html"}:  # the others, which programs read, keep all thresholds
        assert len(write(REPORTS["huge"](), kind)) < 3_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_not_changed_and_written_the_same_again(kind: str) -> None:
    """Writers read."""
    report = hostile()
    before = deepcopy(report)
    assert write(report, kind) == write(report, kind)
    assert report == before
