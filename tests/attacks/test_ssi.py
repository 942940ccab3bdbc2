"""Includes that servers, and caches at the edge, carry out."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight


@pytest.mark.parametrize(
    "text",
    [
        '<!--#exec cmd="id" -->',
        "<pre><!--#EXEC cgi='/a.cgi'--></pre>",
        '<!--#include file="/srv/a"-->',
        '<!-- #echo var="DATE_LOCAL" -->',
        "<!--#printenv -->",
        '<!--#set var="a" value="b" -->',
        "<esi:include src=https://b.example/ />",
        "<!--esi/$add_header('a','b')-->",
    ],
    ids=range(8),
)
def test_directives_are_denied(text: str) -> None:
    """Apache's and nginx's, and those of the edge."""
    assert weight("ssi", text) >= 1
    assert weight("ssi", f"{'words before ' * 200}{text}") >= 0.4


@pytest.mark.parametrize(
    "text", ["<!-- #1: fix this -->", "<!-- include a -->", "#include <stdio.h>", "<!--# heading -->"]
)
def test_comments_pass(text: str) -> None:
    """What is between the marks has to be a directive."""
    assert weight("ssi", text) == 0


def test_a_command_is_denied_within_a_long_text_too() -> None:
    """Nobody writes one by accident."""
    assert weight("ssi", "words and more words. " * 100 + '<!--#exec cmd="id" -->') >= 1
