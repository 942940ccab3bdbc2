"""P2: no regular expression that doorward ships takes more than linear time.

Each is proved by the analyser that also guards users' patterns (:mod:`doorward.regex_cost`), for the way in which it is
run: searched, or matched where the caller says. What the proof is too coarse for is listed here, with the reason that a
reader can check. Repeats that end multiply, however, and ``{0,60}`` of ``{0,60}`` is as bad as none that end: the
steps per character are bounded as well, far above what any text reaches.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache

import pytest
from tests.attacks.shipped_regexes import Shipped, as_plain_text, literal_uses, modules, shipped

from doorward import regex_cost
from doorward.regex_syntax import UnsupportedSyntax

MOST_STEPS = 10_000_000
"""Per character, if every repeat could take every length for every other's; real texts come to a few dozen."""
LINEAR = {
    # Detectors and parsers.
    "doorward.attacks.detectors.sql_tokens._TOKEN": "a token follows the spaces, if only one character",
    "doorward.attacks.detectors.surroundings.PLAIN_WORD": "the look-behind lets none start within a run of letters",
    "doorward.attacks.json_text._BETWEEN": "a round that fails ends the repeat; others take all they scan",
    "doorward.service.server.json_codec._STRING": "repeats give nothing back; behind a quote there is always a match",
    "doorward.attacks.vocabulary._INNER_WORD": "the look-behind lets none start within a word; read of rules only",
    "doorward.attacks.plain._FOUR_NUMBERS": "a run of digits begins at a dot, which it cannot hold",
    "doorward.attacks.detectors.protocol._SAME_LENGTHS": "a back-reference to 19 digits, four times, matched whole",
    "doorward.attacks.detectors.content_type._PARAMETER": "matched where a parameter begins: its parts end at = and ;",
    "php.variable_call": "what a variable's ends are told apart by, brackets and comments, it passes once: {0,4}+",
    "doorward.log_fields._FIELD": "what an alternative that fails has scanned, the last takes whole",
    # Of the configuration, and of our own docstrings.
    "doorward.checks.pattern_texts._EVERYBODY": "fullmatched, on networks of the configuration",
    "doorward.compat.humanify._LOOKS_LIKE_REGEX": "on patterns of the configuration",
    "doorward.checks.reach._PLACEHOLDER": "on patterns of paths, of bounded length",
    "doorward.policy.docstrings._ROLE": "on docstrings of ours",
    "doorward.policy.docstrings._SECTION": "on docstrings of ours",
    "doorward.policy.toml_text._LINE_END": "matched at the cursor, in a file that tomllib has read",
    "doorward.policy.toml_text._STRING": "matched at the cursor, in a file that tomllib has read",
    "doorward.replay.readers.apache._DIRECTIVE": "fullmatched, on a format of bounded length",
    "doorward.replay.readers.apache._ITEM": "on a format of bounded length",
    # Texts that are short.
    "doorward.replay.routes._IDENTIFIER": "fullmatched, on what is left of a path that was cut at 800 characters",
    "doorward.attacks.sentences._TOKEN": "matched whole, against tokens of at most 20 characters",
    "doorward.automation.agent.ORDINARY": "a back-reference to a version; fullmatch on a User-Agent of bounded length",
    "doorward.automation.agent._DEVICE": "User-Agents are cut at a bounded length, and it starts at android only",
    "doorward.automation.agent._WORD": "single tokens of a User-Agent of bounded length",
    "doorward.automation.desktop._LAST": "starts at Safari/ or Firefox/; the versions between them are disjoint",
    "doorward.automation.shape._BEHIND": "starts behind safari/ only; no version holds another",
    "doorward.automation.shape._GECKO": "starts behind rv: only",
    "doorward.automation.shape._NAME": "words are told apart by their spaces; the comment begins at a parenthesis",
    "doorward.automation.shape._WINDOWS": "starts behind windows nt only",
    "doorward.duration._PART": "of configuration, fullmatched before",
    "doorward.email_syntax._PROBLEMS": "matched from the start of an address of bounded length",
    "doorward.filters.scanner._REGEX": "matched at the cursor, over the text of a filter of bounded length",
    "doorward.filters.scanner._REGEX_ESCAPE": "on what _REGEX matched: each set in it ends",
    "doorward.fingerprint._KEYED": "of configuration; a back-reference to one quote",
    "doorward.forwarded._ELEMENT": "fullmatch on at most 1,024 characters",
    "doorward.forwarded._ELEMENT_REVERSED": "match on at most 1,025 characters; rounds take all they scan",
    "doorward.forwarded._PAIR": "finds pairs in what _ELEMENT matched as pairs",
    "doorward.intelligence.update_report._COMMAND": "on texts of our own",
    "doorward.intelligence.update_report._NO_ANSWER": "on texts of our own",
    "doorward.patterns._METHODS_FIRST": "of configuration of bounded length",
}  # fmt: skip
CALLED_WITH_LITERALS = {"doorward.patterns", "doorward.regex_safety", "doorward.regex_syntax"}
"""Configuration only."""


def name_of(regex: Shipped) -> str:
    return regex.name


def is_listed(name: str) -> bool:
    return re.sub(r"\[.*", "", name) in LINEAR


@cache
def steps(regex: Shipped) -> int | str | None:
    """The bound on steps per character, None, or why there is none."""
    with pytest.MonkeyPatch.context() as limits:
        limits.setattr(regex_cost, "MAX_STEPS", 10**30)
        limits.setattr(regex_cost, "_MAX_ATOMS", 20_000)
        try:
            return regex_cost.steps_per_character(regex.pattern, whole=not regex.searched)
        except UnsupportedSyntax as error:
            return str(error)


def test_every_shipped_regex_is_linear() -> None:
    """No nested or overlapping repeats without end, and no search that runs far from every start in vain."""
    unproven = {regex.name: steps(regex) for regex in shipped() if not isinstance(steps(regex), int)}
    assert {name: why for name, why in unproven.items() if not is_listed(name)} == {}


def test_bounded_repeats_do_not_multiply() -> None:
    """What ends by a number alone has its price as well."""
    costly = {regex.name: found for regex in shipped() if isinstance(found := steps(regex), int) and found > MOST_STEPS}
    assert {name: found for name, found in costly.items() if not is_listed(name)} == {}


def test_what_is_listed_needs_to_be() -> None:
    """A reason that is no longer needed would hide the next fault."""
    needed = {
        re.sub(r"\[.*", "", regex.name)
        for regex in shipped()
        if not isinstance(found := steps(regex), int) or found > MOST_STEPS
    }
    assert set(LINEAR) - needed == set()


def test_patterns_are_found_wherever_they_are() -> None:
    """The list is of hundreds: rules, constants, and what is in containers, classes and detectors as built."""
    names = {regex.name for regex in shipped()}
    assert len(names) > 500
    assert "doorward.attacks.json_text._BETWEEN" in names
    assert any(name.startswith("sql.") for name in names)
    assert any(re.search(r"sql.*\[", name) for name in names)
    assert any("self" not in name and "Detector" in name for name in names)


def test_every_compile_call_is_seen() -> None:
    """As many patterns as there are calls of ``re.compile`` with a literal in the modules of attack detection."""
    sources = {regex.pattern.pattern for regex in shipped()}
    missing = []
    for name, module in modules().items():
        if not name.startswith("doorward.attacks"):
            continue
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "re.compile":
                source = call.args[0]
                if isinstance(source, ast.Constant):
                    flags = eval(ast.unparse(call.args[1]), {"re": re}) if len(call.args) > 1 else 0
                    if as_plain_text(re.compile(source.value, flags)).pattern not in sources:
                        missing.append(f"{name}: {source.value!r}")
    assert missing == []


def test_no_pattern_hides_in_a_call() -> None:
    """``re.search(r"…", text)`` would be seen by none of these tests; and looks its pattern up at every call."""
    assert [place for place in literal_uses() if place.partition(":")[0] not in CALLED_WITH_LITERALS] == []


@pytest.mark.parametrize(
    "source",
    ["(?:a+)+b", "a*a*b", "(?:a|a)*b", "(?:a+b?){2}c", r"<[^>]*>", r"\w+@", "(?:ab|a|b){0,60}c", "(?:a{1,9}){1,60}b"],
)
def test_the_proof_sees_faults(source: str) -> None:
    """The classics are refused."""
    found = steps(Shipped("x", re.compile(source), searched=True))
    assert not isinstance(found, int) or found > MOST_STEPS
