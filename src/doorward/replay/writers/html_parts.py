"""Pieces of the page: charts, tables with bars, samples. Behind each chart are its figures, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.markup import Markup, fill, join
from doorward.replay.writers.charts import lane, stretches, time_ticks
from doorward.replay.writers.figures import UNKNOWN, counted, duration, iso, number, share, when

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.replay.report import Report, Sample, Span
    from doorward.replay.writers.charts import Lane, Stretches, Tick

NOTHING = Markup()
_ROLES = {
    "<table": "table",
    "<thead": "rowgroup",
    "<tbody": "rowgroup",
    "<tr": "row",
    "<td": "cell",
    '<th scope="col"': "columnheader",
    '<th scope="row"': "rowheader",
}
_GAP = 0.14
"""Of a bar's width, left free beside it."""


class Row(NamedTuple):
    """A line of a table with a bar.

    Attributes:
        name: What the line is about.
        requests: All of them.
        denied: By live rules.
        would_deny: By dry-run rules.
        whole: What its share is of.
        about: Beside the name, such as a badge.
        at_most: Whether the figures may be too high.
    """

    name: str
    requests: int
    denied: int
    would_deny: int
    whole: int
    about: Markup = NOTHING
    at_most: bool = False


def badge(kind: str, text: str = "") -> Markup:
    """A word in a colour and a shape of its own."""
    return fill('<span class="badge" data-is="{kind}">{text}</span>', kind=kind, text=text or kind)


def over_time(report: Report) -> Markup:
    """Strips of bars over one axis, each with a scale of its own: denials are few beside what is allowed."""
    whole = stretches(report.spans, report.ended_ns)
    ticks = time_ticks(whole.began_ns, whole.ended_ns)
    lanes = [
        _lane("ALLOW", "allowed", whole, lambda span: span.allowed, ticks),
        _lane("DENY", "denied", whole, lambda span: span.denied, ticks),
        _lane("DRY RUN", "would be denied", whole, lambda span: span.would_deny, ticks),
    ]
    return fill(
        '<div class="lanes">{lanes}<div class="axis"><span>UTC</span>'
        '<svg aria-hidden="true">{times}</svg></div></div>{table}',
        lanes=join(lanes),
        times=join([_time(tick, n) for n, tick in enumerate(ticks)]),
        table=_figures(whole),
    )


def _lane(name: str, text: str, whole: Stretches, count_of: Callable[[Span], int], ticks: Sequence[Tick]) -> Markup:
    drawn = lane(whole, count_of)
    return fill(
        '<div class="lane" data-is="{name}"><div class="sum">{badge}<strong>{total}</strong>'
        '<span class="faint">{peak}</span></div><div class="plot"><div class="scale" aria-hidden="true">{marks}</div>'
        '<svg role="img" aria-label="{summary}">{grid}{bars}</svg></div></div>',
        name=name,
        badge=badge(name, text),
        total=number(drawn.total),
        peak=_peak(drawn, whole),
        summary=f"{text}: {number(drawn.total)} in all; {_peak(drawn, whole)}",
        marks=join([fill("<span>{text}</span>", text=mark.text) for mark in drawn.marks]),
        grid=_grid(drawn, ticks),
        bars=_bars(drawn, text),
    )


def _peak(drawn: Lane, whole: Stretches) -> str:
    peak = drawn.peak
    if peak is None:
        return "none"
    at = f" at {when(peak.began_ns, '%d %b %H:%M')}" if peak.began_ns > 0 else ""
    return f"peak {number(peak.requests)} in {duration(whole.step_ns / 1e9)}{at}"


def _grid(drawn: Lane, ticks: Sequence[Tick]) -> Markup:
    across = [fill('<line x2="100%" y1="{y}%" y2="{y}%"/>', y=f"{100 - mark.at:.2f}") for mark in drawn.marks]
    down = [fill('<line x1="{x}%" x2="{x}%" y2="100%"/>', x=f"{tick.at:.2f}") for tick in ticks]
    return join([*across, *down], "")


def _bars(drawn: Lane, text: str) -> Markup:
    return join(
        [
            fill(
                '<rect x="{x}%" y="{y}%" width="{width}%" height="{height}%"><title>{title}</title></rect>',
                x=f"{bar.x + bar.width * _GAP / 2:.3f}",
                y=f"{100 - bar.height:.2f}",
                width=f"{bar.width * (1 - _GAP):.3f}",
                height=f"{bar.height:.2f}",
                title=f"{when(bar.began_ns)} UTC: {number(bar.requests)} {text}",
            )
            for bar in drawn.bars
        ],
        "",
    )


def _time(tick: Tick, n: int) -> Markup:
    anchor = "start" if tick.at < 5 else "end" if tick.at > 95 else "middle"
    spare = "spare" if n % 2 else ""
    template = '<text class="{spare}" x="{x}%" y="1em" text-anchor="{anchor}">{text}</text>'
    return fill(template, spare=spare, x=f"{tick.at:.2f}", anchor=anchor, text=tick.text)


def _figures(whole: Stretches) -> Markup:
    rows = [
        fill(
            '<tr><th scope="row"><time datetime="{iso}">{at}</time></th>'
            '<td class="n">{allowed}</td><td class="n">{denied}</td><td class="n">{dry}</td></tr>',
            iso=iso(span.began_ns),
            at=when(span.began_ns),
            allowed=number(span.allowed),
            denied=number(span.denied),
            dry=number(span.would_deny),
        )
        for span in whole.spans
    ]
    heads = [f"From (UTC), {duration(whole.step_ns / 1e9)} each", ">Allowed", ">Denied", ">Would be denied"]
    return fill(
        "<details><summary>These figures as a table</summary>{table}</details>",
        table=scrolled("Requests over time", table("figures", heads, rows)),
    )


def table(kind: str, heads: Sequence[str], rows: Sequence[Markup]) -> Markup:
    """A table; columns whose head begins with ``>`` hold figures.

    Its roles are said, since on a phone its lines are blocks, which browsers no longer take for a table by themselves.
    """
    drawn = fill(
        '<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>',
        kind=kind,
        heads=join([_column(head) for head in heads], ""),
        rows=join(rows),
    )
    # What came from outside has no "<" any more: these are the tags of templates.
    for tag, role in _ROLES.items():
        drawn = Markup(drawn.replace(tag, f'{tag} role="{role}"'))
    return drawn


def _column(head: str) -> Markup:
    template = '<th scope="col" class="n">{head}</th>' if head.startswith(">") else '<th scope="col">{head}</th>'
    return fill(template, head=head.removeprefix(">"))


def scrolled(name: str, content: Markup) -> Markup:
    """Content that scrolls by itself, with the keyboard too."""
    return fill(
        '<div class="scroll" tabindex="0" role="region" aria-label="{name}">{content}</div>', name=name, content=content
    )


def barred(head: str, rows: Sequence[Row], more: int = 0, requests: str = "Requests") -> Markup:
    """A table whose lines have bars, all of one scale: solid for what is denied, outlined for what would be."""
    most = max((row.denied + row.would_deny for row in rows), default=0)
    heads = [head, f">{requests}", ">Denied", ">Would be denied", ">Share"]
    return fill(
        "{table}{more}", table=table("barred", heads, [_barred(row, most) for row in rows]), more=and_more(more)
    )


def _barred(row: Row, most: int) -> Markup:
    refused = row.denied + row.would_deny
    return fill(
        '<tr><th scope="row"><div class="label"><span><bdi>{name}</bdi> {about}</span>{bar}</div></th>'
        '<td class="n" data-head="{requests_head}">{mark}{requests}</td><td class="n" data-head="denied">{denied}</td>'
        '<td class="n" data-head="would be">{dry}</td><td class="n" data-head="share">{share}</td></tr>',
        name=row.name or UNKNOWN,
        about=row.about,
        bar=_bar(row, most) if refused else NOTHING,
        requests_head="of",
        mark="≤ " if row.at_most else "",
        requests=number(row.requests),
        denied=_some(row.denied),
        dry=_some(row.would_deny),
        share=share(refused, row.whole),
    )


def _bar(row: Row, most: int) -> Markup:
    denied, dry = 100 * row.denied / most, 100 * row.would_deny / most
    template = (
        '<svg class="bar" aria-hidden="true"><rect data-is="DENY" width="{denied}%" height="100%"/>'
        '<rect data-is="DRY RUN" x="{denied}%" width="{dry}%" height="100%"/></svg>'
    )
    return fill(template, denied=f"{denied:.2f}", dry=f"{dry:.2f}")


def samples_table(samples: Sequence[Sample]) -> Markup:
    """Requests, one a line; on a phone one a block."""
    heads = ["Time (UTC)", "Client", "Request", "Rule and reason", "Recorded"]
    return table("samples", heads, [_sample(sample) for sample in samples])


def _sample(sample: Sample) -> Markup:
    agent = fill('<small class="faint"><bdi>{agent}</bdi></small>', agent=sample.agent) if sample.agent else NOTHING
    status = "" if sample.status is None else f"answered {sample.status}"
    return fill(
        '<tr><td><time datetime="{iso}"><span>{day}</span> <span>{time}</span></time></td><td><bdi>{ip}</bdi></td>'
        "<td><code><bdi>{method}</bdi> <bdi>{path}</bdi></code>{agent}</td>"
        "<td><strong><bdi>{rule}</bdi></strong> <bdi>{why}</bdi></td>"
        '<td class="where"><bdi>{file}</bdi>:{line} <small class="faint">{status}</small></td></tr>',
        iso=iso(sample.at_ns),
        day=when(sample.at_ns, "%Y-%m-%d"),
        time=when(sample.at_ns, "%H:%M:%S") if sample.at_ns > 0 else "",
        ip=sample.ip,
        method=sample.method,
        path=sample.path,
        agent=agent,
        rule=sample.rule,
        why=sample.why,
        file=sample.file,
        line=sample.line,
        status=status,
    )


def folded_samples(title: Markup, samples: Sequence[Sample], most: int) -> Markup:
    """Samples that open under their title; nothing without any."""
    if not samples or most <= 0:
        return NOTHING
    return fill(
        '<details><summary>{title} <span class="faint">{count}</span></summary>{table}</details>',
        title=title,
        count=counted(min(len(samples), most), "sample"),
        table=samples_table(samples[:most]),
    )


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Names and values; those without a value are left out."""
    lines = [
        fill("<div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>", name=name, value=value)
        for name, value in pairs
        if value
    ]
    return fill('<dl class="facts">{lines}</dl>', lines=join(lines))


def and_more(count: int) -> Markup:
    """How many there are beside those shown."""
    return fill('<p class="faint">and {count} more</p>', count=number(count)) if count > 0 else NOTHING


def _some(count: int) -> Markup:
    return fill("{count}", count=number(count)) if count else Markup('<span class="faint">0</span>')
