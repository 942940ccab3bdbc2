"""Patterns that match more than they look like, or less."""

from __future__ import annotations

import re
from ast import literal_eval
from typing import TYPE_CHECKING

from doorward.checks.expressions import comparisons
from doorward.checks.path_sets import covers_everything, region
from doorward.checks.reach import is_plain, named
from doorward.checks.registry import Told, looks_for
from doorward.checks.subject import for_everything
from doorward.patterns import DEFAULT_EXEMPT, split_methods
from doorward.regex_syntax import Choice, Edge, Node, Repeat, UnsupportedSyntax, parse
from doorward.regex_syntax import Sequence as Items
from doorward.rules.access import AccessRule
from doorward.rules.shield import ShieldRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.bound import Bound
    from doorward.checks.expressions import Comparison
    from doorward.checks.path_sets import Pattern
    from doorward.checks.subject import Subject

_PATH, _HOST = "http.request.uri.path", "http.host"
_ALWAYS_THERE = (_PATH, _HOST, "http.request.method")
"""Of others, such as headers, an expression that matches any text asks whether they are there."""
_LITERAL = re.compile(r"(?:re:|regex:)\^?((?:[\w/@~ -]|\\[./-]|\.)+)")
_DOT = re.compile(r"(?<![\\\]])(?<=[A-Za-z0-9])\.(?=[A-Za-z])")
_STARTS = ("^", r"\A")
_ENDS = ("$", r"\Z")
_EVERYBODY = re.compile(r".*/0+")
_SPECIAL = re.compile(r"[\\^$*+?\[(|{]")


@looks_for("DW021", "a pattern that matches everything")
def everything(subject: Subject) -> Iterator[Told]:
    """Paths, networks and expressions that are no condition."""
    for bound in subject.rules:
        yield from _all_paths(subject, bound)
        yield from _all_addresses(bound)
        for comparison in comparisons(bound):
            if _holds_always(comparison):
                yield Told(
                    bound.name,
                    f"{comparison.operator} {comparison.literal!r} holds for every {comparison.field} there is: it is "
                    "no condition",
                    'write what is meant, anchored: matches "^/admin/"',
                )


def _all_paths(subject: Subject, bound: Bound) -> Iterator[Told]:
    if is_plain(bound, "DENY") and for_everything(bound):
        yield Told(
            bound.name,
            "its paths are all paths: every request of everybody is refused",
            "name the paths that are meant, or give it a condition (ip=, where=)",
            "error",
        )
    elif is_plain(bound, "ALLOW") and for_everything(bound):
        yield Told(
            bound.name,
            "its paths are all paths: it lets everybody pass, and the rules that it ends are never asked",
            "name the paths that are meant, or give it a condition (ip=, where=)",
        )
    elif subject.exempts and bound.rule.paths:
        wide = [path for path in bound.rule.paths if _is_wide(path)]
        if wide:
            yield Told(
                bound.name,
                f"{named(wide[0])} is every path, so that rules are also asked about {_exempt_example()} and "
                "static files, which middleware otherwise leaves alone: an orchestrator that is refused restarts "
                "the application",
                "leave paths= out, or in place of limits= write a rule, such as rate_limit(…): without paths it is for "
                "all but those",
            )


def _is_wide(path: Pattern) -> bool:
    methods, pattern = split_methods(path, "paths")
    return (methods is None or "GET" in methods) and covers_everything((pattern,))


def _exempt_example() -> str:
    return DEFAULT_EXEMPT[0].patterns[0]


def _all_addresses(bound: Bound) -> Iterator[Told]:
    if not isinstance(bound.rule, AccessRule):
        return
    for name, items in [matcher.parameter for matcher in bound.rule.matchers]:
        listed = map(str, items) if name == "ip" and isinstance(items, list) else ()
        wide = [item for item in listed if _EVERYBODY.fullmatch(item)]
        if wide:
            yield Told(
                bound.name,
                f"{wide[0]} is every address: it is about everybody, and no condition",
                "name the networks that are meant, or leave ip= out",
            )


def _holds_always(comparison: Comparison) -> bool:
    if comparison.field not in _ALWAYS_THERE:
        return False
    if comparison.operator.endswith("wildcard"):
        return comparison.literal == "*"
    if comparison.operator == "contains":
        return not comparison.literal
    if comparison.operator != "matches":
        return False
    try:
        return _is_empty(parse(re.compile(comparison.literal)))
    except (UnsupportedSyntax, re.error):
        return False


def _is_empty(node: Node) -> bool:
    """Whether a search finds nothing at all at any place, and so finds something in each text."""
    match node:
        case Items(items=items):
            return all(_is_empty(item) for item in items)
        case Choice(branches=branches):
            return any(_is_empty(branch) for branch in branches)
        case Repeat(child=child, low=low):
            return low == 0 or _is_empty(child)
        case Edge(starts=True):
            return True  # at the start, which each text has, if all that follows may be empty
    return False


@looks_for("DW022", "a regular expression of paths that is no prefix")
def no_prefix(subject: Subject) -> Iterator[Told]:
    """``re:^/admin``: it has to match the whole path, and so is for one alone."""
    for bound in subject.rules:
        for path in bound.rule.paths:
            source = f"re:{path.pattern}" if isinstance(path, re.Pattern) else path
            found = _LITERAL.fullmatch(source)
            if found:
                exact = found[1].replace("\\", "")
                yield Told(
                    bound.name,
                    f"{named(path)} is for the path {exact!r} alone, not for what begins with it: a regular "
                    "expression has to match the whole path",
                    f"write {exact.rstrip('/') + '/*'!r} for all below it, {exact!r} for it alone",
                )


@looks_for("DW023", "a path in a filter that is not anchored")
def unanchored_path(subject: Subject) -> Iterator[Told]:
    """``http.request.uri.path matches "/admin"`` is found anywhere."""
    for bound in subject.rules:
        for field, operator, literal, lets_pass in comparisons(bound):
            # What ends in "$" is meant as the end of a path, wherever it begins.
            if field == _PATH and operator == "matches" and literal.startswith("/") and not literal.endswith(_ENDS):
                does = "lets in" if lets_pass else "is about"
                yield Told(
                    bound.name,
                    f"matches {literal!r} is found anywhere in a path, so it {does} '/x{_plain(literal)}' too",
                    f'begin it with "^": matches "^{literal}"',
                    None if lets_pass else "note",
                )


def _plain(literal: str) -> str:
    return _SPECIAL.split(literal.removeprefix("\\"), maxsplit=1)[0]


@looks_for("DW024", "a host in a filter that others can be named like")
def loose_host(subject: Subject) -> Iterator[Told]:
    """Dots that stand for any character, no anchors, ``contains``."""
    for bound in subject.rules:
        for field, operator, literal, lets_pass in comparisons(bound):
            why = _why_loose(operator, literal, lets_pass=lets_pass) if field == _HOST else ""
            if why:
                yield Told(
                    bound.name,
                    f"{operator} {literal!r} of {field} {why}: whoever sends the request chooses its Host",
                    'write the host as it is: http.host eq "www.example.com", or in {"a.example" "b.example"}',
                )


def _why_loose(operator: str, literal: str, *, lets_pass: bool) -> str:
    if operator == "contains":
        return f"is true of '{literal}.attacker.example' too" if lets_pass and "." in literal else ""
    if operator != "matches":
        return ""
    if dot := _DOT.search(literal):
        return f"has a dot for any character: '{literal[: dot.start()]}x{literal[dot.end() :]}' matches too"
    if r"\." in literal and not literal.endswith(_ENDS) and lets_pass:
        return "has no end: names with '.attacker.example' behind it match too"
    if r"\." in literal and not literal.startswith(_STARTS) and lets_pass:
        return "has no start: names with 'attacker-' before it match too"
    return ""


@looks_for("DW025", "a shield that is told to look at nothing", "error")
def blind_shield(subject: Subject) -> Iterator[Told]:
    """``shield(exclude=["/*"])``."""
    for bound in subject.rules:
        if isinstance(bound.rule, ShieldRule):
            paths = [path for entry in bound.rule.exclude for path in _excluded(entry)]
            if paths and region(paths, ()).is_everything():
                yield Told(
                    bound.name,
                    "its exclude= is every path: attacks are not looked for anywhere",
                    'name the paths, parameters or families that are meant: exclude=[{"path": "/editor", '
                    '"parameter": "html"}]',
                )


def _excluded(entry: str) -> list[str]:
    """The paths that an entry excludes wholly."""
    if not entry.startswith("{"):
        return [entry]
    given = literal_eval(entry)
    if set(given) != {"path"}:
        return []
    return [given["path"]] if isinstance(given["path"], str) else list(given["path"])
