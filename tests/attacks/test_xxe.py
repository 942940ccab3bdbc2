"""XML that fetches or grows, as the body of a request and in texts about XML."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place

EXTERNAL = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///srv/secret">]><a>&b;</a>'


@pytest.mark.parametrize(
    "text",
    [
        EXTERNAL,
        "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY % p PUBLIC 'x' 'https://b.example/p'> %p;]>",
        "<!DOCTYPE z [<!ENTITY a 'x'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;'>]><z>&c;</z>",
        "<!DOCTYPE a SYSTEM 'https://b.example/a.dtd'><a/>",
        "<!DOCTYPE a [<!ELEMENT a ANY><!ENTITY b 'c'>]><a>&b;</a>",
        "<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include parse='text' href='file:///srv/x'/></a>",
    ],
    ids=range(6),
)
def test_documents_that_reach_out_or_grow_are_denied(text: str) -> None:
    """External and parameter entities, bombs, external subsets, XInclude."""
    for place in (Place.XML, Place.BODY, Place.QUERY):
        assert weight("xxe", text, place) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>\n<html></html>",
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist/>',
        '<project xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd"/>',
        '<!DOCTYPE html SYSTEM "about:legacy-compat">',
    ],
    ids=range(5),
)
def test_ordinary_documents_pass(text: str) -> None:
    """Pages, pictures, property lists, project files."""
    assert weight("xxe", text, Place.XML) == 0


def test_a_comment_in_front_hides_nothing() -> None:
    """A parser reads on, and so does this."""
    assert weight("xxe", f"<!-- {'x ' * 900} -->{EXTERNAL}", Place.XML) >= 1


def test_a_text_about_it_is_not_denied() -> None:
    """The same declaration as an example in an article."""
    article = f"An XML parser may be told to read files.\n\nTake:\n\n    {EXTERNAL}\n\nIt is best to\nturn that off.\n"
    assert weight("xxe", article, Place.FORM, "body") < 1
