"""The report as a comment on a pull request: the verdict in the first line, tables, samples folded away.

Whatever a client sent stands in code spans, as ASCII without backticks and bars: no link, mention, image, HTML, emoji
or table cell can come of it (GitHub Flavored Markdown, 6.3: in a code span nothing is interpreted).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.replay.writers.figures import counted, duration, number, rate, share, when
from doorward.replay.writers.text_report import most
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
    from collections.abc import Iterator, Mapping, Sequence

    from doorward.replay.report import Differences, Report, RuleTally, Sample, Tally, Threshold

LIMIT = 65_000
"""Characters; GitHub takes comments of 65,536."""
MOST_ROWS = 10
MOST_RULES = 30
MOST_SAMPLES = 10
MOST_THRESHOLDS = 20
_LONGEST = 160
_SIGNS = {"PASSED": "&#9989;", "FAILED": "&#10060;", "NO THRESHOLD": "&#8505;"}
"""As entities: the report is ASCII, which no terminal and no pipe of a CI system breaks."""
_UNSAFE = str.maketrans({"`": r"\x60", "|": r"\x7c"})
_LEFT_OUT = "\n_More does not fit into a comment: the HTML report has all of it._\n"


def write(report: Report) -> str:
    """The report as GitHub Flavored Markdown in ASCII, never longer than :data:`LIMIT`."""
    text, whole = "", True
    for block in _blocks(report):
        fits = len(text) + len(block) + len(_LEFT_OUT) < LIMIT
        whole &= fits
        text += f"{block}\n" if fits else ""
    return text if whole else text + _LEFT_OUT


def _blocks(report: Report) -> Iterator[str]:
    """Pieces that stand by themselves, each shorter than :data:`LIMIT`, the most important first."""
    state = verdict(report)
    yield f"{_SIGNS[state]} **doorward replay: {state.lower()}** - {headline(report)}; {why(report)}.\n"
    yield from _thresholds(report.thresholds)
    yield from _list(besides(report))
    if report.against is not None:
        yield from _differences(report, report.against)
    yield from _rules(report.rules)
    yield from _tallies("Routes", "Route", report.routes)
    yield from _tallies("Reasons", "Rule: reason", report.reasons, report.requests)
    yield from _tallies("Clients", "Client", report.clients)
    yield from _skipped(report)
    yield from _list([f"Note: {code(note, 500)}" for note in report.notes[:MOST_ROWS]])
    yield _measured(report)


def code(text: str, longest: int = _LONGEST) -> str:
    """A code span of printable ASCII; a dash for nothing."""
    return f"`{ascii_text(text, longest).translate(_UNSAFE)}`" if text.strip() else "-"


def _thresholds(thresholds: Sequence[Threshold]) -> Iterator[str]:
    if not thresholds:
        return
    shown = missed_first(thresholds)[:MOST_THRESHOLDS]
    rows = [[_SIGNS["PASSED" if t.met else "FAILED"], code(t.name), code(t.asked), code(t.found)] for t in shown]
    yield _table(["", "Threshold", "Asked", "Found"], rows, len(thresholds))
    for threshold in shown:
        if not threshold.met:
            yield from _samples(f"Requests that miss {_plain(threshold.name)}", threshold.samples)


def _differences(report: Report, against: Differences) -> Iterator[str]:
    yield f"### Against {code(against.base)}\n\n{changed(report)}.\n"
    yield from _counts("Newly denied by", against.denied_by)
    yield from _counts("Newly denied on", against.denied_routes)
    yield from _samples("Newly denied requests", against.newly_denied_samples)
    yield from _counts("Newly allowed; denied before by", against.allowed_by)
    yield from _samples("Newly allowed requests", against.newly_allowed_samples)


def _counts(head: str, counts: Mapping[str, int]) -> Iterator[str]:
    rows = [[code(name), number(count)] for name, count in most(counts, MOST_ROWS)]
    if rows:
        yield _table([head, ">Requests"], rows, len(counts))


def _rules(rules: Sequence[RuleTally]) -> Iterator[str]:
    if not rules:
        return
    shown = telling(rules, MOST_RULES)
    heads = ["Rule", "Kind", "Mode", ">Asked", ">Denied", ">Would deny", ">Share", ">Challenged", ">Errors"]
    rows = [
        [
            code(rule.name),
            code(rule.kind),
            code(rule.mode),
            number(rule.asked),
            number(rule.denied),
            number(rule.would_deny),
            share(rule.denied + rule.would_deny, rule.asked),
            number(rule.challenged),
            number(rule.errors),
        ]
        for rule in shown
    ]
    yield "### Rules\n\n" + _table(heads, rows, len(rules))
    yield from _list([_without(r) for r in shown if r.left_out])
    for rule in shown:
        yield from _samples(f"Requests that {_plain(rule.name)} refuses, or would", rule.samples)


def _without(rule: RuleTally) -> str:
    how, _, why = without(rule).partition(": ")
    return f"{code(rule.name)} was {how}: {code(why)}"


def _tallies(title: str, head: str, tallies: Sequence[Tally], whole: int = 0) -> Iterator[str]:
    rows = [
        [
            code(tally.name),
            f"{'at most ' if tally.at_most_over else ''}{number(tally.requests)}",
            number(tally.denied),
            number(tally.would_deny),
            share(tally.denied + tally.would_deny, whole or tally.requests),
        ]
        for tally in tallies[:MOST_ROWS]
    ]
    if rows:
        table = _table(
            [head, ">Requests", ">Denied", ">Would deny", ">Of all" if whole else ">Share"], rows, len(tallies)
        )
        yield _folded(f"{title} ({number(len(tallies))})", table)


def _samples(title: str, samples: Sequence[Sample]) -> Iterator[str]:
    rows = [
        [
            when(sample.at_ns),
            code(sample.ip, 50),
            code(f"{sample.method} {sample.path}"),
            code(f"{sample.rule}: {sample.why}"),
            "-" if sample.status is None else str(sample.status),
            code(f"{sample.file}:{sample.line}"),
        ]
        for sample in samples[:MOST_SAMPLES]
    ]
    if rows:
        table = _table(["Time (UTC)", "Client", "Request", "Why", ">Status then", "Recorded"], rows, len(samples))
        yield _folded(f"{title}: {counted(len(rows), 'sample')}", table)


def _skipped(report: Report) -> Iterator[str]:
    whole = sum(report.skipped.values())
    if whole:
        rows = [[code(name), number(count)] for name, count in most(report.skipped, MOST_ROWS)]
        text = f"Skipped {counted(whole, 'line')} of {number(report.lines)} ({share(whole, report.lines)})"
        yield _folded(text, _table(["What is wrong", ">Lines"], rows, len(report.skipped)))


def _measured(report: Report) -> str:
    files = ", ".join(code(file) for file in report.files[:MOST_ROWS]) or "nothing"
    more = f" and {number(len(report.files) - MOST_ROWS)} more" if len(report.files) > MOST_ROWS else ""
    cost = ", ".join(filter(None, [duration(report.seconds), rate(report.requests, report.seconds)]))
    return (
        f"Policy {code(report.policy)} on {counted(report.requests, 'request')} of {files}{more}; "
        f"{period(report)}; took {cost}.\n"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: int) -> str:
    """A table; columns whose head begins with ``>`` stand to the right."""
    lines = [[head.removeprefix(">") for head in heads], ["--:" if head.startswith(">") else "---" for head in heads]]
    text = "".join(f"| {' | '.join(line)} |\n" for line in [*lines, *rows])
    return f"{text}\nand {number(whole - len(rows))} more\n" if whole > len(rows) else text


def _folded(title: str, block: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{block}\n</details>\n"


def _list(items: Sequence[str]) -> Iterator[str]:
    if items:
        yield "".join(f"- {item}\n" for item in items)


def _plain(name: str) -> str:
    """A name inside HTML, where code spans do not work: in an element whose text GitHub does not interpret."""
    return f"<code>{''.join(c if c.isalnum() else f'&#{ord(c)};' for c in ascii_text(name, 60))}</code>"
