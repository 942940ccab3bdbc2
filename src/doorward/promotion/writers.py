"""A promotion report as text, JSON, Markdown and HTML. All that clients sent is made visible, and escaped, here."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doorward.promotion.report import Count, Promotion, PromotionReport, Sample

KINDS = ("text", "json", "markdown", "html")
_BAR = 40
_LISTS = (("routes", "Routes"), ("clients", "Clients"), ("reasons", "Reasons"))
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in r"\`*_{}[]()<>#+-.!|&~:@"})


def write(report: PromotionReport, kind: str) -> str:
    """The report as a text of one of :data:`KINDS`.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in _WRITERS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return _WRITERS[kind](report)


def sentence(rule: Promotion, report: PromotionReport) -> str:
    """``would have refused 212 of 1,200,000 requests (0.018 %) in 7 days``."""
    of = f"{rule.requests:,}" if rule.requests is not None else "an unknown number of"
    share = f" ({per_cent(rule.share)})" if rule.share is not None else ""
    return f"would have refused {rule.would_refuse:,} of {of} requests{share}{_span(report)}"


def facts(rule: Promotion) -> Iterator[str]:
    """What else there is to say of a rule, a sentence each."""
    if rule.asked is not None:
        yield f"It was asked about {rule.asked:,} of them."
    if rule.would_refuse:
        changed = rule.would_refuse - rule.refused_anyway
        yield f"Live rules refused {rule.refused_anyway:,} of these, too: set live, it would refuse {changed:,} more."
    if rule.errors:
        yield f"It failed on {rule.errors:,} requests."
    if rule.first:
        yield f"The first was at {rule.first}, the last at {rule.last}."


def per_cent(share: float) -> str:
    """A share that is not nothing is never shown as nothing."""
    return "0 %" if not share else "< 0.001 %" if share < 0.00001 else f"{100 * share:.3g} %"


def shown(text: str, longest: int = 120) -> str:
    """One visible line; what the log has escaped already stays as it is."""
    fits = text.isascii() and text.isprintable()
    return (text if len(text) <= longest else f"{text[: longest - 3]}...") if fits else printable(text, longest)


def _span(report: PromotionReport) -> str:
    from datetime import datetime

    if not (report.since and report.until):
        return ""
    seconds = (datetime.fromisoformat(report.until) - datetime.fromisoformat(report.since)).total_seconds()
    if seconds < 2 * 3600:
        return f" in {max(1, round(seconds / 60))} min"
    return f" in {seconds / 3600:.0f} hours" if seconds < 2 * 86400 else f" in {seconds / 86400:.0f} days"


# --- text


def _text(report: PromotionReport) -> str:
    lines = [f"{report.since or '?'} to {report.until or '?'}: {report.decisions:,} decisions in the log"]
    for rule in report.rules:
        lines += ["", f"{shown(rule.rule)} {sentence(rule, report)}", *[f"  {fact}" for fact in facts(rule)]]
        for name, title in _LISTS:
            lines += _text_list(title, getattr(rule, name))
        most = max(rule.days.values(), default=0)
        lines += ["  Days (UTC)"] if rule.days else []
        lines += [f"    {day}  {count:9,}  {'#' * -(-_BAR * count // most)}" for day, count in rule.days.items()]
        lines += ["  Samples"] if rule.samples else []
        lines += [f"    {_sample_line(sample)}" for sample in rule.samples]
    lines += ["", *[f"note: {shown(note, 400)}" for note in report.notes]] if report.notes else []
    lines += [f"left out: {count:,} lines: {shown(why)}" for why, count in sorted(report.skipped.items())]
    return "\n".join(lines) + "\n"


def _text_list(title: str, counts: Sequence[Count]) -> Iterator[str]:
    if counts:
        yield f"  {title}"
    for count in counts[:10]:
        about = f"  (at most {count.over:,} less)" if count.over else ""
        yield f"    {count.times:9,}  {shown(count.name)}{about}"


def _sample_line(sample: Sample) -> str:
    passed = "" if sample.conclusion in ("ALLOW", "ERROR") else f"  [refused anyway: {shown(sample.conclusion)}]"
    parts = [sample.at, shown(sample.ip, 45), shown(sample.method, 20), shown(sample.path)]
    why = f": {shown(sample.why)}" if sample.why else ""
    return f"{' '.join(parts)}{why}{passed}  {shown(sample.decision, 64)}"


# --- Markdown


def _markdown(report: PromotionReport) -> str:
    lines = ["# Dry-run rules", "", f"{report.since or '?'} to {report.until or '?'}"]
    for rule in report.rules:
        lines += ["", f"## {_md(rule.rule)}", "", f"**{_md(rule.rule)} {sentence(rule, report)}.**", ""]
        lines += [" ".join(facts(rule))]
        for name, title in _LISTS:
            lines += _table([title, "Requests"], [[_md(c.name), f"{c.times:,}"] for c in getattr(rule, name)[:10]])
        lines += _table(["Day (UTC)", "Requests"], [[day, f"{count:,}"] for day, count in rule.days.items()])
        lines += _table(
            ["Time", "Client", "Request", "Why", "Decided", "Decision"],
            [[s.at, *map(_md, (s.ip, f"{s.method} {s.path}", s.why, s.conclusion, s.decision))] for s in rule.samples],
        )
    lines += ["", *[f"- {_md(note, 400)}" for note in report.notes]] if report.notes else []
    return "\n".join(lines) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    return ["", *[f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]]


def _md(text: str, longest: int = 120) -> str:
    return shown(text, longest).translate(_MARKDOWN)


# --- HTML

_STYLE = """
:root { color-scheme: light dark; --page: #f7f7f5; --ink: #1b1d20; --faint: #5d6269; --line: #dcdcd6; --dry: #1f6a85; }
@media (prefers-color-scheme: dark) { :root { --page: #131518; --ink: #e4e6e9; --faint: #9aa1aa; --line: #31363d;
  --dry: #78c4e0; } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 70rem; padding: 1.2rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.lead { font-size: 1.1rem; font-weight: 600; } .faint { color: var(--faint); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
.n { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
svg { border-bottom: 1px solid var(--line); display: block; height: 6rem; width: 100%; } rect { fill: var(--dry); }
"""


def _html(report: PromotionReport) -> str:
    """One page, with nothing from elsewhere and no script."""
    body = "".join(_html_rule(rule, report) for rule in report.rules)
    notes = "".join(f"<li>{_h(note, 400)}</li>" for note in report.notes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Dry-run rules</title><style>{_STYLE}</style></head><body><h1>Dry-run rules</h1>"
        f'<p class="faint">{_h(report.since or "?")} to {_h(report.until or "?")}</p>{body}'
        f"{f'<h2>Notes</h2><ul>{notes}</ul>' if notes else ''}</body></html>\n"
    )


def _html_rule(rule: Promotion, report: PromotionReport) -> str:
    tables = "".join(_html_list(title, getattr(rule, name)) for name, title in _LISTS)
    return (
        f'<section><h2>{_h(rule.rule)}</h2><p class="lead">{_h(rule.rule)} {sentence(rule, report)}.</p>'
        f"<p>{_h(' '.join(facts(rule)), 600)}</p>{_html_days(rule)}"
        f'<div class="grid">{tables}</div>{_html_samples(rule.samples)}</section>'
    )


def _html_list(title: str, counts: Sequence[Count]) -> str:
    rows = "".join(f'<tr><td>{_h(c.name)}</td><td class="n">{c.times:,}</td></tr>' for c in counts[:10])
    head = f'<tr><th scope="col">{title}</th><th scope="col" class="n">Requests</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""


def _html_days(rule: Promotion) -> str:
    if not rule.days:
        return ""
    most, last = max(rule.days.values()), list(rule.days)[-1]
    bars = "".join(
        f'<g><title>{day}: {count:,}</title><rect x="{x}.1" y="{100 - 100 * count // most}" width="0.8" '
        f'height="{100 * count // most}"/></g>'
        for x, (day, count) in enumerate(rule.days.items())
        if count
    )
    about = f"{next(iter(rule.days))} to {last}, at most {most:,} a day"
    return (
        f'<h3>Days (UTC)</h3><svg viewBox="0 0 {len(rule.days)} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{about}">{bars}</svg><p class="faint">{about}</p>'
    )


def _html_samples(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    rows = "".join(
        f"<tr>{''.join(f'<td>{_h(text)}</td>' for text in (s.at, s.ip, f'{s.method} {s.path}', s.why, s.conclusion))}"
        f"<td>{_h(s.decision)}</td></tr>"
        for s in samples
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Time", "Client", "Request", "Why", "Decided", "Id"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<h3>Samples</h3><div class="scroll" tabindex="0" role="region" aria-label="Samples">{table}</div>'


def _h(text: str, longest: int = 120) -> str:
    return escape(shown(text, longest))


def _json(report: PromotionReport) -> str:
    return json.dumps(report.to_dict(), indent=1) + "\n"


_WRITERS: dict[str, Callable[[PromotionReport], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
}

__all__ = ["KINDS", "facts", "per_cent", "sentence", "shown", "write"]
