"""The tags in a text: names and attributes as the tokenizer of HTML sees them, and the same as Python's own parser."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks.detectors.html_tokens import DEEPEST, MOST_ATTRIBUTES, tags

PLAIN = {"b", "script"}


def pairs(text: str) -> list[tuple[str, dict[str, str]]]:
    """Name and attributes of each tag."""
    return [(tag.name, {item.name: item.value for item in tag.attributes}) for tag in tags(text, PLAIN)]


FORMS = {
    "unquoted": ("<a b=c d=e>", {"b": "c", "d": "e"}),
    "quoted": ("<a b=\"c d\" e='f g'>", {"b": "c d", "e": "f g"}),
    "back-quoted": ("<a b=`c d`e=f>", {"b": "c d", "e": "f"}),
    "white space": ("<a\n\tb \f=\r\n c>", {"b": "c"}),
    "slashes": ("<a/b=c/d/e=f>", {"b": "c/d/e=f"}),
    "slash before a name": ('<a/b="c"/d=e>', {"b": "c", "d": "e"}),
    "no value": ("<a b c=d e>", {"c": "d"}),
    "equals sign first": ("<a =b=c>", {"=b": "c"}),
    "bigger-than in quotes": ('<a b=">" c=d>', {"b": ">", "c": "d"}),
    "quotes in a name": ('<a """ b=c>', {"b": "c"}),
    "upper case": ("<A B=C>", {"b": "C"}),
    "no end": ("<a b=c", {"b": "c"}),
    "no closing quote": ('<a b="c d>', {"b": "c d>"}),
    "control characters": ("<a\x0bb\x01=c>", {"b": "c"}),
    "end tag": ("</a b=c>", {"b": "c"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_attributes(name: str) -> None:
    """In each form in which browsers, or some of them, accept them."""
    text, attributes = FORMS[name]
    assert pairs(text) == [("a", attributes)]


def test_tags_without_attributes_are_given_by_name() -> None:
    """Most tell nothing."""
    assert pairs("<b>x</b><i>y</i><script>") == [("b", {}), ("script", {})]


@pytest.mark.parametrize("text", ["a < b", "<", "<1>", "<>", "</>", "<!-- -->", "<?php", "<é>"])
def test_what_is_no_tag(text: str) -> None:
    """A letter has to follow."""
    assert pairs(text) == []


def test_where_a_tag_is() -> None:
    """Its begin, its end, and those of its attributes."""
    (tag,) = tags('x <a  href="y"> z')
    assert (tag.start, tag.end, tag.finished, tag.closes) == (2, 15, True, False)
    assert (tag.attributes[0].start, tag.attributes[0].end) == (6, 14)
    assert (tag.get("href"), tag.get("src")) == ("y", "")


def test_a_name_without_its_prefix() -> None:
    """As SVG and XHTML write it."""
    (tag,) = tags("<svg:script x=y>")
    assert tag.local_name == "script"


def test_tags_within_tags_follow_them() -> None:
    """To a depth; further in, nothing is looked for."""
    found = list(tags("<a b='<i c=\"<u d=e>\">'>"))
    assert [(tag.name, tag.depth) for tag in found][: DEEPEST + 1] == [("a", 0), ("i", 1)]
    assert max(tag.depth for tag in found) == DEEPEST


def test_only_so_many_attributes_are_given() -> None:
    """The tag ends where it ends."""
    text = f"<a {'b=c ' * 200}>"
    (tag,) = tags(text)
    assert len(tag.attributes) == MOST_ATTRIBUTES
    assert tag.end == len(text)


class Reference(HTMLParser):
    """Python's own parser of HTML, by what it finds of tags with attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value for name, value in reversed(attrs) if value is not None}))

    handle_startendtag = handle_starttag


NAMES = st.text("abcxyz", min_size=1, max_size=5)
VALUES = st.tuples(st.sampled_from(['"{}"', "'{}'"]), st.text("abc =/:;()", max_size=8)) | st.tuples(
    st.just("{}"), st.text("abc:;()", min_size=1, max_size=8)
)
WRITTEN = st.tuples(NAMES, st.sampled_from(["=", " = ", "\n="]), VALUES)


@given(st.lists(st.tuples(NAMES, st.lists(WRITTEN, min_size=1, max_size=4)), max_size=4))
def test_ordinary_tags_are_read_as_other_parsers_read_them(
    written: list[tuple[str, list[tuple[str, str, tuple[str, str]]]]],
) -> None:
    """What is well-formed is the same for everybody."""
    text = "text ".join(
        f"<{name} {' '.join(key + equals + form.format(value) for key, equals, (form, value) in attributes)}>"
        for name, attributes in written
    )
    mine = [(tag.name, {item.name: item.value for item in reversed(tag.attributes)}) for tag in tags(text)]
    assert mine == Reference(text).found


@given(st.text(alphabet="<>/=\"'` \tab", max_size=60))
def test_tags_lie_within_the_text(text: str) -> None:
    """And come to an end."""
    for tag in tags(text, PLAIN):
        assert 0 <= tag.start < tag.end <= len(text)
        assert all(tag.start < item.start <= item.end <= tag.end for item in tag.attributes)
