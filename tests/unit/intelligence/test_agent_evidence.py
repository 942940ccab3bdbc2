"""The notation of the registry: what evidence is found in an agent, and what is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.intelligence.agent_evidence import frame, parse


def found(notation: str, agent: str) -> bool:
    return parse(notation).matches(agent, frame(agent))


@pytest.mark.parametrize(
    ("notation", "agent"),
    [
        ("Examplebot/", "Examplebot/2.1"),
        ("Examplebot/", "Mozilla/5.0 (compatible; EXAMPLEBOT/2.1; +https://example.com)"),
        ("Examplebot/", "_examplebot/2"),
        ("Examplebot/", "myexamplebot/1 examplebot/2"),
        ("*bot", "robots"),
        ("^fetcher", "Fetcher/1"),
        ("Labs$", "SSL Labs"),
        ("AdsBot-Example|", "AdsBot-Example (+https://example.com)"),
        ("AdsBot-Example|", "AdsBot-Example-Mobile AdsBot-Example"),
        ("(tester)", "x(tester)"),
        (" part/", "a part/2"),
        ("re:\\bgrab[0-9]\\b", "x grab7;"),
    ],
)
def test_evidence_is_found(notation: str, agent: str) -> None:
    """Text counts in any case, where a word starts, and at the border or end of a word that the notation asks for."""
    assert found(notation, agent)


@pytest.mark.parametrize(
    ("notation", "agent"),
    [
        ("Examplebot/", "Examplebot-Image/1.0"),
        ("Examplebot/", "MyExamplebot/1.0"),
        ("Examplebot/", "7Examplebot/1.0"),
        ("Examplebot", "AnotherBot/1 (like Examplebot)"),
        ("Examplebot", ""),
        ("^fetcher", "the fetcher"),
        ("Labs$", "SSL Labs/2"),
        ("AdsBot-Example|", "AdsBot-Example-Mobile"),
        ("AdsBot-Example|", "AdsBot-Examples"),
        ("re:grab[0-9]", "GRAB7"),
    ],
)
def test_other_text_is_no_evidence(notation: str, agent: str) -> None:
    """Within another word, beside the border, or after "like", text says nothing."""
    assert not found(notation, agent)


@pytest.mark.parametrize("notation", ["", "^", "*", "^$", "|", "re:(", "re:a{99999999999}"])
def test_what_says_nothing_is_an_error(notation: str) -> None:
    """Evidence without text, and a broken regular expression, are refused when they are read."""
    with pytest.raises(ValueError, match=r"says nothing|not a regular expression"):
        parse(notation)


_TEXTS = st.text("aB1-/ ", min_size=1, max_size=4)


@given(_TEXTS, st.sampled_from(["", "^", "*"]), st.sampled_from(["", "$", "|"]), st.text("aAbB1-_/ ;", max_size=20))
def test_notation_means_what_a_regular_expression_would(text: str, start: str, end: str, agent: str) -> None:
    """Texts of all forms are found exactly where the regular expression of the same meaning matches."""
    word = r"(?<![0-9A-Za-z])(?<!like )" if text[0].isalnum() else ""
    before = {"^": r"\A", "*": "", "": word}[start]
    after = {"$": r"\Z", "|": r"(?![0-9A-Za-z_-])", "": ""}[end]
    expected = re.search(f"(?i){before}{re.escape(text)}{after}", agent) is not None
    assert found(f"{start}{text}{end}", agent) is expected
