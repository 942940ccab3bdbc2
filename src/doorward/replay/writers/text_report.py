"""The report for a terminal: first whether it passed and why, then figures, then samples."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from doorward.replay.writers.columns import Column, table
from doorward.replay.writers.figures import counted, duration, number, rate, share, size, when
from doorward.replay.writers.verdict import (
    besides,
    changed,
    headline,
    missed_first,
    period,
    telling,
    verdict,
    why,
    without,
)
from doorward.visible import ascii_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doorward.replay.report import Differences, Report, RuleTally, Sample, Tally, Threshold

MOST_ROWS = 10
MOST_RULES = 40
MOST_SAMPLES = 5
MOST_THRESHOLDS = 40
_COLOURS = {"PASSED": "32", "FAILED": "31", "NO THRESHOLD": "33"}
_NARROWEST = 60
_LONGEST = 200


def write(report: Report, *, width: int = 100, colours: bool = False) -> str:
    """The report in lines of at most ``width`` characters of ASCII, but for words that are longer."""
    return "\n".join(line.rstrip() for line in _lines(report, max(width, _NARROWEST), colours=colours)) + "\n"


def _lines(report: Report, width: int, *, colours: bool) -> Iterator[str]:
    yield from _stated(verdict(report), why(report), width, colours=colours)
    for threshold in missed_first(report.thresholds)[:MOST_THRESHOLDS]:
        yield from _threshold(threshold, width, colours=colours)
    yield from _and_more(len(report.thresholds) - MOST_THRESHOLDS)
    yield ""
    yield from _wrapped(f"{headline(report)}.", width, "")
    yield from (line for sentence in besides(report) for line in _wrapped(sentence, width, "  "))
    yield ""
    yield from _facts(report, width)
    yield from _figures(report, width)
    if report.against is not None:
        yield from _differences(report, report.against, width)
    yield from _rules(report.rules, width)
    yield from _tallies("Routes", "route", report.routes, width)
    yield from _tallies("Clients", "client", report.clients, width)
    yield from _tallies("Reasons", "rule: reason", report.reasons, width, report.requests)
    yield from _samples_of_rules(report.rules, width)
    yield from _skipped(report, width)
    yield from _notes(report.notes, width)
    # Again: a terminal shows the end of what was printed.
    yield ""
    yield from _stated(verdict(report), f"{why(report)}: {headline(report)}.", width, colours=colours)


def _threshold(threshold: Threshold, width: int, *, colours: bool) -> Iterator[str]:
    state = "PASSED" if threshold.met else "FAILED"
    asked, found = ascii_text(f"{threshold.name} {threshold.asked}"), ascii_text(threshold.found)
    yield from _stated(state, f"{asked}: {found}", width, "  ", colours=colours)
    if not threshold.met:
        yield from _samples(threshold.samples, width)


def _facts(report: Report, width: int) -> Iterator[str]:
    facts = [("policy", report.policy), ("read", _files(report.files)), ("period", period(report))]
    if report.against is not None:
        facts.insert(1, ("against", report.against.base))
    cost = ", ".join(filter(None, [duration(report.seconds), rate(report.requests, report.seconds)]))
    memory = f", at most {size(report.peak_memory)} of memory" if report.peak_memory > 0 else ""
    facts.append(("took", cost + memory))
    for name, value in facts:
        yield from _wrapped(ascii_text(value, 4 * _LONGEST), width, f"  {name.ljust(8)} ")


def _files(files: Sequence[str]) -> str:
    more = f" and {number(len(files) - MOST_ROWS)} more" if len(files) > MOST_ROWS else ""
    return ", ".join(file[:_LONGEST] for file in files[:MOST_ROWS]) + more


def _figures(report: Report, width: int) -> Iterator[str]:
    counts = [
        ("allowed", report.allowed),
        ("- of them would be denied by dry-run rules", report.would_deny),
        ("denied", report.denied),
        ("challenged", report.challenged),
        ("with a rule that failed", report.errors),
    ]
    rows = [[name, number(count), share(count, report.requests)] for name, count in counts]
    columns = [Column("requests"), Column(number(report.requests), right=True), Column("share", right=True)]
    yield ""
    yield from table(columns, rows, width)


def _rules(rules: Sequence[RuleTally], width: int) -> Iterator[str]:
    columns = [Column("rule"), Column("kind"), Column("mode"), *_right("asked", "denied", "would deny", "share")]
    rows = [
        [
            ascii_text(rule.name),
            ascii_text(rule.kind),
            ascii_text(rule.mode),
            number(rule.asked),
            _some(rule.denied),
            _some(rule.would_deny),
            share(rule.denied + rule.would_deny, rule.asked),
        ]
        for rule in telling(rules, MOST_RULES)
    ]
    yield from _section("Rules", columns, rows, len(rules) - MOST_RULES, width)
    for rule in telling(rules, MOST_RULES):
        for fact in _rare(rule):
            yield from _wrapped(fact, width, "  ")


def _rare(rule: RuleTally) -> Iterator[str]:
    """What few rules do: no columns, for the sake of narrow terminals."""
    name = ascii_text(rule.name)
    if rule.challenged:
        yield f"{name} asked for a challenge: {counted(rule.challenged, 'request')}"
    if rule.errors:
        yield f"{name} failed on {counted(rule.errors, 'request')}"
    if rule.left_out:
        yield f"{name} was {ascii_text(without(rule))}"


def _tallies(title: str, head: str, tallies: Sequence[Tally], width: int, whole: int = 0) -> Iterator[str]:
    columns = [Column(head), *_right("requests", "denied", "would deny", "of all" if whole else "share")]
    rows = [
        [
            ascii_text(tally.name),
            f"{'<=' if tally.at_most_over else ''}{number(tally.requests)}",
            _some(tally.denied),
            _some(tally.would_deny),
            share(tally.denied + tally.would_deny, whole or tally.requests),
        ]
        for tally in tallies[:MOST_ROWS]
    ]
    yield from _section(title, columns, rows, len(tallies) - MOST_ROWS, width)


def _differences(report: Report, against: Differences, width: int) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"Against {ascii_text(against.base)}: {changed(report)}", width, "")
    yield from _counts("newly denied by", against.denied_by, width)
    yield from _counts("newly denied on", against.denied_routes, width)
    yield from _samples(against.newly_denied_samples, width, "such as")
    yield from _counts("newly allowed; denied before by", against.allowed_by, width)
    yield from _samples(against.newly_allowed_samples, width, "such as")


def _counts(head: str, counts: Mapping[str, int], width: int) -> Iterator[str]:
    rows = [[ascii_text(name), number(count)] for name, count in most(counts, MOST_ROWS)]
    if rows:
        yield ""
        yield from table([Column(head), Column("requests", right=True)], rows, width)


def most(counts: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    """The most frequent first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _samples_of_rules(rules: Iterable[RuleTally], width: int) -> Iterator[str]:
    for rule in [rule for rule in rules if rule.samples][:MOST_ROWS]:
        yield ""
        yield from _samples(rule.samples, width, f"{ascii_text(rule.name)}, such as")


def _samples(samples: Sequence[Sample], width: int, title: str = "") -> Iterator[str]:
    if title and samples:
        yield from _wrapped(f"{title}:", width, "  ")
    for sample in samples[:MOST_SAMPLES]:
        status = f" ({sample.status} then)" if sample.status is not None else ""
        request = f"{ascii_text(sample.method, 20)} {ascii_text(sample.path)}"
        yield f"    {_fit(f'{when(sample.at_ns)}  {ascii_text(sample.ip, 50)}  {request}{status}', width - 4)}"
        cause = f"{ascii_text(sample.rule)}: {ascii_text(sample.why)}"
        yield f"      {_fit(f'{cause}  [{ascii_text(sample.file)}:{sample.line}]', width - 6)}"


def _skipped(report: Report, width: int) -> Iterator[str]:
    whole = sum(report.skipped.values())
    if not whole:
        return
    yield ""
    part = share(whole, report.lines)
    yield from _wrapped(f"Skipped {counted(whole, 'line')} of {number(report.lines)} ({part}): no requests", width, "")
    for why_not, count in most(report.skipped, MOST_ROWS):
        yield f"  {_fit(f'{number(count).rjust(9)}  {ascii_text(why_not)}', width - 2)}"
    for file, line, why_not, text in report.skipped_samples[:MOST_SAMPLES]:
        yield f"  {_fit(f'{ascii_text(file)}:{line}: {ascii_text(why_not)}: {ascii_text(text)}', width - 2)}"


def _notes(notes: Sequence[str], width: int) -> Iterator[str]:
    if notes:
        yield ""
    for note in notes[:MOST_RULES]:
        yield from _wrapped(ascii_text(note, 3 * _LONGEST), width, "note: ")


def _section(title: str, columns: list[Column], rows: list[list[str]], more: int, width: int) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        yield from table(columns, rows, width)
    yield from _and_more(more)


def _and_more(more: int) -> list[str]:
    return [f"  and {number(more)} more"] if more > 0 else []


def _right(*heads: str) -> list[Column]:
    return [Column(head, right=True) for head in heads]


def _some(count: int) -> str:
    return number(count) if count else ""


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _wrapped(text: str, width: int, begin: str) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=begin, subsequent_indent=" " * len(begin)) or [begin]


def _stated(state: str, text: str, width: int, begin: str = "", *, colours: bool) -> Iterator[str]:
    """A verdict and what is said of it; coloured after wrapping, since colours take no room."""
    first, *others = _wrapped(text, width, f"{begin}{state}  ")
    yield first.replace(state, f"\x1b[1;{_COLOURS[state]}m{state}\x1b[0m", 1) if colours else first
    yield from others
