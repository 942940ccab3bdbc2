"""What the regular expressions of a data package say: as our own notation where that can say it.

The standard library's parser of regular expressions is private and may change: it is used here, while data is compiled
on a known Python, and never at run time.
"""

from __future__ import annotations

import re
from re import _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

from doorward.intelligence.agent_evidence import REGEX
from doorward.regex_cost import steps_per_character
from doorward.regex_syntax import UnsupportedSyntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNS = set("^$*|")
_ANYTHING = re.compile(r"(?:(?<!\\)\.|\[\\s\\S\])[*+]")  # between two texts, of which the order matters little
# Words that no browser has in its agent, nor an app of people.
_TELLING = re.compile(
    "bot|crawl|spider|scan|fetch|monitor|check|http|preview|feed|seo|proxy|search|parse|scrap|headless|hook|valid|uptime"
    r"|archiv|test|security|[a-z]\.[a-z]{2}|@"
)
_BREAK = "\0"  # between the parts of a pattern that are not known to be next to each other


def notations(pattern: str, examples: Iterable[str]) -> list[tuple[str, ...]]:
    """Evidence that means what a published pattern means, but in any case and where a word starts.

    Args:
        pattern: A regular expression of a list of bots.
        examples: Agents that it is known to match. Where one has the text within a word, so does the evidence.

    Returns:
        The alternatives; of each, the pieces that must all be there.
    """
    branches = [pattern] if re.search(r"\(|\[[^]]*\|", pattern) else pattern.split("|")
    return [tuple(_notation(part, examples) for part in _ANYTHING.split(branch)) for branch in branches]


def required_text(regex: str) -> str:
    """The longest text that every match contains, lower-cased; empty if there is none."""
    runs = "".join(_runs(_parser.parse(regex))).lower().split(_BREAK)
    return max(runs, key=len)


def example(regex: str) -> str:
    """A short text that the pattern matches, look-arounds aside."""
    return "".join(_example(_parser.parse(regex)))


def is_linear(regex: str) -> bool:
    """Whether searching for it is proven to take linear time under Python's ``re``."""
    try:
        return steps_per_character(re.compile(regex), whole=False) is not None
    except UnsupportedSyntax:
        return False


def _notation(pattern: str, examples: Iterable[str]) -> str:
    start, text, end = _plain(_parser.parse(pattern))
    if not text or set(text) & _SIGNS or text.startswith(REGEX):
        return REGEX + pattern
    return f"{start or _start(text, examples)}{text}{end}"


def _start(text: str, examples: Iterable[str]) -> str:
    """Where an agent must have a text, for all that the examples tell."""
    if not text[0].isalnum():
        return ""
    name = text.lower()
    agents = [agent.lower() for agent in examples]
    if agents and all(agent.startswith(name) for agent in agents) and not _TELLING.search(name):
        return "^"  # a name like others: within a browser's or an app's agent it may be a part of something else
    word = re.compile(f"(?<![0-9a-z]){re.escape(name)}")
    return "*" if any(name in agent and not word.search(agent) for agent in agents) else ""


def _plain(items: Any) -> tuple[str, str, str]:
    """The anchors and the text of a pattern that has nothing else; no text otherwise."""
    start = text = end = ""
    for operation, argument in items:
        match str(operation), str(argument):
            case "AT", "AT_BEGINNING" if not text:
                start = "^"
            case "AT", "AT_END":
                end = "$"
            case _:
                character = _one_letter(operation, argument)
                if not character or end:
                    return "", "", ""
                text += character
    return start, text, end


def _one_letter(operation: Any, argument: Any) -> str:
    """The character that an item stands for, in whichever case; empty if it is none."""
    if str(operation) == "LITERAL":
        return chr(argument)
    if str(operation) == "IN" and all(str(kind) == "LITERAL" for kind, _ in argument):
        letters = {chr(code).lower() for _, code in argument}
        return letters.pop() if len(letters) == 1 else ""
    return ""


def _runs(items: Any) -> Iterator[str]:
    for operation, argument in items:
        match str(operation):
            case "SUBPATTERN":
                yield from _runs(argument[-1])
            case "MAX_REPEAT" | "MIN_REPEAT" if argument[0] > 0:
                yield _BREAK
                yield from _runs(argument[-1])
                yield _BREAK
            case "AT" | "ASSERT" | "ASSERT_NOT":
                continue
            case _:
                yield _one_letter(operation, argument) or _BREAK


def _example(items: Any) -> Iterator[str]:
    for operation, argument in items:
        match str(operation):
            case "SUBPATTERN":
                yield from _example(argument[-1])
            case "BRANCH":
                yield from _example(argument[1][0])
            case "MAX_REPEAT" | "MIN_REPEAT":
                yield "".join(_example(argument[-1])) * argument[0]
            case "LITERAL" | "IN" | "ANY":
                yield _one_letter(operation, argument) or _any_of(argument)


def _any_of(choices: Any) -> str:
    """One of the characters of a set; of "." too, which has no choices."""
    for kind, value in choices or ():
        match str(kind), str(value):
            case "LITERAL", _:
                return chr(value)
            case "RANGE", _:
                return chr(value[0])
            case _, "CATEGORY_DIGIT":
                return "0"
            case _, "CATEGORY_SPACE":
                return " "
    return "x"
