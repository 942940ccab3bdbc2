"""Values that break out of an expression of XPath; expressions, code and prose that pass."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

ATTACKS = {
    "length of a name": "' or string-length(name(/*[1]))=2 or 'a'='b",
    "always true": "x' or true() or 'x",
    "axis": "' or ancestor::*='x",
    "other document": "' and doc('http://files.example/')='",
    "path": "' or //user[name/text()='a'] and '1'='1",
    "union": "'] | //user/*[contains(*,'",
    "predicate": "'] or 1=1 or ['",
    "all nodes": "']|//node()|//*['",
    "count": "count(/child::node())",
    "character": "substring(//user[1]/pass,1,1)='a'",
}
ORDINARY = {
    "code with balanced quotes": "if x == 'a' or contains(y):",
    "template": "['a'] | ['b']",
    "pipe": "cat notes | /usr/bin/less",
    "prose": "she said 'yes' and not (no)",
    "selector of a scraper": "//div/text()",
    "comment": 'x = "a" // or "b"',
}


@pytest.mark.parametrize("name", ATTACKS)
def test_breaking_out_is_conclusive(name: str) -> None:
    """By function, axis, path, predicate or union."""
    assert weight("xpath", ATTACKS[name]) >= 1


@pytest.mark.parametrize("name", ORDINARY)
def test_what_opens_its_own_strings_passes(name: str) -> None:
    """A quotation mark of the text's own closes nothing of the application's."""
    assert weight("xpath", ORDINARY[name]) < 1
