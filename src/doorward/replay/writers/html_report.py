"""The report as one page that needs nothing else: no script, no font, no picture is asked for, and none would be run.

Its policy (Content-Security-Policy) lets in one style sheet by its hash and data for the icon; even if something that a
client sent came through as markup, a browser would neither run it nor load anything for it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from doorward import __version__
from doorward.markup import Markup, fill, join
from doorward.replay.writers import html_parts as parts
from doorward.replay.writers.figures import counted, duration, number, rate, share, size, when
from doorward.replay.writers.html_parts import NOTHING, Row, badge
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.replay.report import Differences, Report, RuleTally, Tally, Threshold

MOST_ROWS = 15
MOST_RULES = 200
MOST_SAMPLES = 50
MOST_RULE_SAMPLES = 400
"""Of all rules together: half a megabyte of page."""
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#2563a8" d="M6 3h14a4 4 0 0 1 4 4v22H6z"/>'
    '<path fill="#9cc4ee" d="M10 7h8a2 2 0 0 1 2 2v20H10z"/><circle cx="17" cy="18" r="1.8" fill="#16406f"/>'
    '<path fill="#2563a8" d="M3 27h26v3H3z"/></svg>'
)
_STATES = {"PASSED": "ALLOW", "FAILED": "DENY", "NO THRESHOLD": "NOT RUN"}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{headline} · doorward replay</title>
<link rel="icon" href="data:image/svg+xml;base64,{icon_data}">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top"><span class="brand">{icon} doorward <span class="faint">replay</span></span>
<nav aria-label="Parts of the report">{links}</nav></header>
<main id="main" tabindex="-1">
{main}
</main>
</body>
</html>
"""


def write(report: Report) -> str:
    """The report as a page."""
    sections = [section for section in _sections(report) if section[2]]
    style = _style()
    return fill(
        _PAGE,
        policy=_policy(style),
        headline=headline(report),
        icon=Markup(_ICON.replace("<svg ", '<svg aria-hidden="true" width="20" height="20" ')),
        icon_data=Markup(base64.b64encode(_ICON.encode()).decode()),
        style=style,
        links=join([fill('<a href="#{id}">{title}</a>', id=name, title=title) for name, title, _ in sections], ""),
        main=join([_head(report), *(_section(*section) for section in sections)]),
    )


@cache
def _style() -> Markup:
    return Markup(Path(__file__).with_name("page.css").read_text("utf-8"))


def _policy(style: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _sections(report: Report) -> list[tuple[str, str, Markup]]:
    against = report.against
    return [
        ("thresholds", "Thresholds", _thresholds(report.thresholds)),
        ("changes", "Changes", _differences(report, against) if against else NOTHING),
        ("time", "Over time", parts.over_time(report) if report.spans else NOTHING),
        ("rules", "Rules", _rules(report.rules)),
        ("most", "Most refused", _most_refused(report)),
        ("samples", "Samples", _samples(report.rules)),
        ("skipped", "Skipped lines", _skipped(report)),
        ("notes", "Notes", _notes(report.notes)),
        ("measured", "How it was measured", _measured(report)),
    ]


def _section(name: str, title: str, content: Markup) -> Markup:
    template = '<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>\n{content}\n</section>'
    return fill(template, name=name, title=title, content=content)


def _head(report: Report) -> Markup:
    state = verdict(report)
    return fill(
        '<div class="head">{badge}<span>{why}</span><span class="faint end"><bdi>{policy}</bdi> · {period}</span></div>'
        "<h1>{headline}</h1>{besides}{changed}{tiles}",
        badge=badge(_STATES[state], state),
        why=why(report),
        policy=report.policy,
        period=period(report),
        headline=f"{headline(report)}.",
        besides=fill('<p class="lead">{text}</p>', text=" ".join(besides(report))),
        changed=_changed(report),
        tiles=_tiles(report),
    )


def _changed(report: Report) -> Markup:
    if report.against is None:
        return NOTHING
    template = '<p class="lead">Against <bdi>{base}</bdi>: {changed}.</p>'
    return fill(template, base=report.against.base, changed=changed(report))


def _tiles(report: Report) -> Markup:
    tiles = [
        ("", "Requests", report.requests),
        ("ALLOW", "Allowed", report.allowed),
        ("DENY", "Denied", report.denied),
        ("DRY RUN", "Would be denied", report.would_deny),
        ("CHALLENGE", "Challenged", report.challenged),
        ("ERROR", "Rule failed", report.errors),
    ]
    shown = [tile for tile in tiles if tile[2] or tile[0] in {"", "ALLOW", "DENY", "DRY RUN"}]
    return fill('<dl class="tiles">{tiles}</dl>', tiles=join([_tile(report, *tile) for tile in shown]))


def _tile(report: Report, kind: str, name: str, count: int) -> Markup:
    return fill(
        '<div data-is="{kind}"><dt>{name}</dt>'
        '<dd><strong>{count}</strong> <span class="faint">{share}</span></dd></div>',
        kind=kind,
        name=name,
        count=number(count),
        share=share(count, report.requests) if kind else "",
    )


def _thresholds(thresholds: Sequence[Threshold]) -> Markup:
    if not thresholds:
        return NOTHING
    rows = [
        fill(
            '<tr><td>{badge}</td><th scope="row"><code><bdi>{name}</bdi></code></th><td><bdi>{asked}</bdi></td>'
            "<td><bdi>{found}</bdi></td></tr>",
            badge=badge("ALLOW" if threshold.met else "DENY", "met" if threshold.met else "not met"),
            name=threshold.name,
            asked=threshold.asked,
            found=threshold.found,
        )
        for threshold in missed_first(thresholds)[:MOST_RULES]
    ]
    missed = [threshold for threshold in thresholds if not threshold.met][:MOST_RULES]
    samples = [
        parts.folded_samples(fill("Requests that miss <bdi>{name}</bdi>", name=t.name), t.samples, MOST_SAMPLES)
        for t in missed
    ]
    return fill(
        "{table}{more}{samples}",
        table=parts.table("plain", ["Result", "Threshold", "Asked", "Found"], rows),
        more=parts.and_more(len(thresholds) - MOST_RULES),
        samples=join(samples),
    )


def _differences(report: Report, against: Differences) -> Markup:
    return fill(
        '<p>What changes against <strong><bdi>{base}</bdi></strong>: {changed}.</p><div class="grid">{tables}</div>'
        "{denied}{allowed}",
        base=against.base,
        changed=changed(report),
        tables=join(
            [
                _counts("Newly denied, by rule", against.denied_by, "DENY"),
                _counts("Newly denied, by route", against.denied_routes, "DENY"),
                _counts("Newly allowed, by the rule that denied", against.allowed_by, "ALLOW"),
            ]
        ),
        denied=parts.folded_samples(Markup("Newly denied"), against.newly_denied_samples, MOST_SAMPLES),
        allowed=parts.folded_samples(Markup("Newly allowed"), against.newly_allowed_samples, MOST_SAMPLES),
    )


def _counts(head: str, counts: Mapping[str, int], kind: str) -> Markup:
    shown = most(counts, MOST_ROWS)
    if not shown:
        return NOTHING
    rows = [
        fill(
            '<tr><th scope="row"><div class="label"><bdi>{name}</bdi><svg class="bar" aria-hidden="true">'
            '<rect data-is="{kind}" width="{width}%" height="100%"/></svg></div></th><td class="n">{count}</td></tr>',
            name=name,
            kind=kind,
            width=f"{100 * count / max(shown[0][1], 1):.2f}",
            count=number(count),
        )
        for name, count in shown
    ]
    table = parts.table("counts", [head, ">Requests"], rows)
    return fill("<div>{table}{more}</div>", table=table, more=parts.and_more(len(counts) - MOST_ROWS))


def _rules(rules: Sequence[RuleTally]) -> Markup:
    if not rules:
        return NOTHING
    rows = [
        Row(rule.name, rule.asked, rule.denied, rule.would_deny, rule.asked, _about(rule))
        for rule in telling(rules, MOST_RULES)
    ]
    return parts.barred("Rule", rows, len(rules) - MOST_RULES, "Asked")


def _about(rule: RuleTally) -> Markup:
    mode = badge("DRY RUN", "dry run") if rule.mode == "DRY_RUN" else NOTHING
    facts = [
        f"{number(count)} {text}" for count, text in ((rule.challenged, "challenged"), (rule.errors, "failed")) if count
    ]
    if rule.left_out:
        facts.append(without(rule))
    about = fill(' <span class="note">{facts}</span>', facts="; ".join(facts)) if facts else NOTHING
    return fill('<span class="tag"><bdi>{kind}</bdi></span> {mode}{about}', kind=rule.kind, mode=mode, about=about)


def _most_refused(report: Report) -> Markup:
    tables = [("Route", report.routes, 0), ("Reason", report.reasons, report.requests), ("Client", report.clients, 0)]
    return join([_tallies(*table) for table in tables if table[1]])


def _tallies(head: str, tallies: Sequence[Tally], whole: int) -> Markup:
    """``whole`` is what shares are of where it is not the requests of each line."""
    rows = [
        Row(t.name, t.requests, t.denied, t.would_deny, whole or t.requests, at_most=t.at_most_over > 0)
        for t in tallies[:MOST_ROWS]
    ]
    return parts.barred(head, rows, len(tallies) - MOST_ROWS)


def _samples(rules: Sequence[RuleTally]) -> Markup:
    pieces, left = [], MOST_RULE_SAMPLES
    for rule in rules:
        few = min(left, MOST_SAMPLES)
        pieces.append(parts.folded_samples(fill("<bdi>{name}</bdi>", name=rule.name), rule.samples, few))
        left -= min(len(rule.samples), few)
    return join([piece for piece in pieces if piece])


def _skipped(report: Report) -> Markup:
    whole = sum(report.skipped.values())
    if not whole:
        return NOTHING
    lines = [
        fill(
            '<tr><td class="where"><bdi>{file}</bdi>:{line}</td><td><bdi>{why}</bdi></td>'
            "<td><code><bdi>{text}</bdi></code></td></tr>",
            file=file,
            line=line,
            why=wrong,
            text=text,
        )
        for file, line, wrong, text in report.skipped_samples[:MOST_SAMPLES]
    ]
    return fill(
        "<p>{whole} of {lines} ({share}) are no requests, and are counted nowhere else.</p>"
        '<div class="grid">{counts}</div><details><summary>Some of these lines</summary>{table}</details>',
        whole=counted(whole, "line"),
        lines=number(report.lines),
        share=share(whole, report.lines),
        counts=_counts("What is wrong", report.skipped, ""),
        table=parts.table("plain", ["Recorded", "What is wrong", "Text"], lines),
    )


def _notes(notes: Sequence[str]) -> Markup:
    if not notes:
        return NOTHING
    items = join([fill("<li><bdi>{note}</bdi></li>", note=note) for note in notes[:MOST_RULES]])
    return fill("<ul>{items}</ul>{more}", items=items, more=parts.and_more(len(notes) - MOST_RULES))


def _measured(report: Report) -> Markup:
    files = ", ".join(file[:100] for file in report.files[:MOST_ROWS])
    more = len(report.files) - MOST_ROWS
    pairs = [
        ("Policy", report.policy),
        ("Against", report.against.base if report.against else ""),
        ("Recordings", f"{files} and {number(more)} more" if more > 0 else files),
        ("Period", period(report)),
        ("Read", f"{counted(report.lines, 'line')}, {size(report.bytes)}"),
        ("Took", ", ".join(filter(None, [duration(report.seconds), rate(report.requests, report.seconds)]))),
        ("Memory", size(report.peak_memory) if report.peak_memory > 0 else ""),
        ("Made", f"{when(report.made_ns)} UTC" if report.made_ns > 0 else ""),
        ("By", f"doorward {__version__}"),
    ]
    return fill("{facts}{text}", facts=parts.facts(pairs), text=_HOW)


_HOW = Markup(
    '<p class="faint">Each recorded request was put to the rules in order of time, by the clock of the recording. '
    "<strong>Denied</strong> is what live rules refuse. <strong>Would be denied</strong> is what passes, and a dry-run "
    "rule would refuse if it were live. Shares are of the requests in the same line, those of reasons of all requests. "
    "Figures after &le; may be too high: not all names fitted into memory. All times are in UTC.</p>"
)
