"""XML bodies: texts, attributes, and what a document declares."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, seen, size, texts

from doorward.attacks.evidence import Place
from doorward.attacks.parts import CHUNK, OVERLAP

XML = "application/xml"
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
NAMES = st.text("abcxyz", min_size=1, max_size=4)


class Element(NamedTuple):
    name: str
    attributes: dict[str, str]
    content: list[Element] | str


ELEMENTS = st.recursive(
    st.builds(Element, NAMES, st.dictionaries(NAMES, TEXTS, max_size=2), TEXTS),
    lambda inner: st.builds(Element, NAMES, st.dictionaries(NAMES, TEXTS, max_size=2), st.lists(inner, max_size=3)),
    max_leaves=8,
)


def written(element: Element) -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    content = escape(element.content) if isinstance(element.content, str) else "".join(map(written, element.content))
    return f"<{element.name}{attributes}>{content}</{element.name}>"


def values(element: Element, path: str = "") -> list[tuple[str, str]]:
    here = f"{path}.{element.name}" if path else element.name
    found = [(f"{here}.{name}", value) for name, value in element.attributes.items()]
    if isinstance(element.content, str):
        return found + ([] if element.content.isspace() else [(here, element.content)])
    return found + [value for inner in element.content for value in values(inner, here)]


@given(element=ELEMENTS)
def test_values_are_those_that_were_written(element: Element) -> None:
    """Texts and attributes of any document come out at their paths."""
    body = '<?xml version="1.0" encoding="UTF-8"?>' + written(element)
    assert seen(parts_of_body(body.encode(), XML)) == values(element)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<a>un<!-- x -->ion<![CDATA[ <b> &lt; ]]>&#x41;&#66;</a>", ["x", "union <b> &lt; AB"]),
        ("<a b='1&apos;' c=\"&lt;\" d=e f/>t", ["1'", "<", "e", "t"]),
        ("<a><?php system('x') ?></a>", ["<?php system('x') ?>"]),
        ("<a>&x; &#0; &#xFFFFFFFF; &amp;lt;</a>", ["&x; \ufffd \ufffd &lt;"]),
        ("<a><script>alert(1)</script></a>", ["<script>", "alert(1)"]),
        ("<a><b onload='x'/></a>", ["x", "<b onload='x'/>"]),
        ("<a b='never ends", ["never ends", "<a b='never ends"]),
        ("<a>x < y</a>", ["x < y"]),
        ("<a>x<!-- never ends", ["never ends", "x"]),
    ],
    ids=["joined", "attributes", "instruction", "references", "script", "handler", "open-tag", "less", "open-comment"],
)
def test_every_kind_of_content_is_looked_at(body: str, expected: list[str]) -> None:
    """Applications see comments and sections as parts of a text; servers run instructions; browsers run script."""
    assert [text.strip() for _, text in seen(parts_of_body(body.encode(), XML))] == expected


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE a [ <!ENTITY % y '<!ENTITY z \"]\">'> %y; ] >",
        '<!DOCTYPE a SYSTEM "http://192.0.2.1/x.dtd">',
    ],
    ids=["entity", "bracket", "external"],
)
def test_declarations_are_one_value_and_never_expanded(doctype: str) -> None:
    """What a document declares is for the detector of XXE."""
    assert seen(parts_of_body(f"{doctype}<a>&x;</a>".encode(), XML)) == [("!DOCTYPE", doctype), ("a", "&x;")]


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-7", "cp037", "utf-32"])
def test_declared_and_marked_charsets_are_read(charset: str) -> None:
    """A charset that hides ``<`` from those that read bytes hides nothing."""
    body = f'<?xml version="1.0" encoding="{charset}"?><a>x&lt;y</a>'
    data = body.encode() if charset == "utf-7" else body.encode(charset)
    if charset == "utf-7":
        data = data.replace(b"<a>", b"+ADw-a+AD4-")
    assert ("a", "x<y") in seen(parts_of_body(data, XML), Place.XML)


def test_long_texts_come_in_pieces_without_torn_references() -> None:
    """References at the edges of pieces are undone."""
    for shift in range(8):
        text = "a" * shift + "&lt;b" * CHUNK
        parts = parts_of_body(f"<a>{text}</a>".encode(), XML)
        assert seen(parts) == [("a", text.replace("&lt;", "<"))]
        assert longest_stretch(parts) <= CHUNK + OVERLAP


def test_names_of_elements_are_looked_at_if_they_are_more_than_identifiers() -> None:
    """A client chooses them, too."""
    assert names(parts_of_body(b"<plain><x$(id) y$=''/></plain>", XML)) == ["x$(id)", "y$"]


HOSTILE = (
    "<",
    "<a ",
    "<a>",
    "</a>",
    "<!--",
    "<!",
    "<![CDATA[",
    "<?",
    "<!DOCTYPE [",
    "<!DOCTYPE a[]",
    "<a b='",
    "<a b=\"'",
    "&",
    "&#",
    "<a b=",
    "< ",
    "'",
    "<a//",
    "<a b c='d' ",
    "]]>",
    "<!---->",
    "<a\t",
    "<a<",
)


@pytest.mark.parametrize("unit", HOSTILE, ids=[f"unit-{n}" for n in range(len(HOSTILE))])
@pytest.mark.parametrize("prefix", ["", "<a ", "<a b='", "<!DOCTYPE a ["], ids=["bare", "tag", "attribute", "doctype"])
def test_work_doubles_with_the_body(unit: str, prefix: str) -> None:
    """Twice as long a body gives at most twice as much to look at."""
    count = 2 * CHUNK // len(unit)
    once, twice = (size(parts_of_body((prefix + unit * n).encode(), XML)) for n in (count, 2 * count))
    assert twice <= 2.3 * once + 1_000
    assert once <= 20 * count * len(unit) + 10_000


@given(body=st.one_of(st.binary(max_size=200), st.text("<>/!?-[]CDATA='\"&#x; abon", max_size=80).map(str.encode)))
def test_no_bytes_are_too_odd(body: bytes) -> None:
    """Whatever comes as XML is taken apart without an error, and what is not markup is not lost."""
    texts(parts_of_body(body, XML))
