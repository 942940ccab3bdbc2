"""The terminal's report and the pull request's: what is said first, that it fits, that figures are right."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.replay.writers.reports import REPORTS, RTL, huge, usual

from doorward.replay.report import Differences, Report, RuleTally, Tally, Threshold
from doorward.replay.writers import write
from doorward.replay.writers.figures import counted, duration, rate, share, short_number, size, when
from doorward.replay.writers.verdict import headline
from doorward.visible import visible

COUNTS = st.integers(0, 10**15)


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", ["usual", "empty", "one"])
def test_lines_fit_into_the_terminal(name: str, width: int) -> None:
    """No line is broken by the terminal."""
    lines = write(REPORTS[name](), "text", width=width).splitlines()
    assert max(len(line) for line in lines) <= width


def test_the_verdict_comes_first_and_last() -> None:
    """A terminal shows the end; a file, the beginning."""
    lines = write(usual(), "text").splitlines()
    assert lines[0] == "FAILED  2 of 4 thresholds not met"
    assert lines[1].startswith("  FAILED  --max-newly-denied 0.1%: 0.22%")
    assert lines[-1] == "FAILED  2 of 4 thresholds not met: 13,737 of 1,001,589 requests would be denied (1.4%)."


def test_colours_are_for_who_asks() -> None:
    """And change nothing but colour."""
    coloured, plain = write(usual(), "text", colours=True), write(usual(), "text")
    assert "\x1b[1;31mFAILED\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_what_an_operator_needs_is_there(kind: str) -> None:
    """Figures, rules, routes, clients, reasons, changes, skipped lines, notes."""
    text = re.sub(r"<[^<>]+>|`", "", write(usual(), kind))
    for expected in (
        "13,737",
        "2,172",
        "api-limit",
        "6,515",
        "/api/orders/{id}",
        "203.0.113.7",
        "SQL injection",
        "main.toml",
        "2,222 newly denied",
        "14 newly allowed",
        "old-limit",
        "35 lines",
        "no time",
        "clocks went backwards",
        "signup-email",
        "the recording has no e-mail addresses",
        "2026-08-01 00:00:00 to 2026-08-07 23:59:59 UTC",
        "41,000 requests a second",
    ):
        assert expected in text, expected


@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_without_thresholds_nothing_passed(kind: str) -> None:
    """A green light that nobody asked for would be believed."""
    text = write(Report("p", requests=5, allowed=5), kind)
    assert "no threshold" in text.lower()
    assert "passed" not in text.lower()


def test_the_first_line_of_a_comment_has_the_verdict() -> None:
    """It is what a notification shows."""
    first = write(usual(), "markdown").splitlines()[0]
    headline_and_why = "13,737 of 1,001,589 requests would be denied (1.4%); 2 of 4 thresholds not met."
    assert first == f"&#10060; **doorward replay: failed** - {headline_and_why}"
    assert len(first) < 200


def test_a_comment_that_does_not_fit_says_so() -> None:
    """What matters most is kept: verdict, thresholds, changes."""
    text = write(huge(), "markdown")
    assert text.endswith("_More does not fit into a comment: the HTML report has all of it._\n")
    assert "### Against `main.toml`" in text
    assert text.count("<details>") == text.count("</details>")


def test_tables_of_a_comment_have_all_their_cells() -> None:
    """A bar in a path would shift the others."""
    report = Report("p", routes=[Tally("GET /a|b`c", 5, 1)])
    (line,) = [line for line in write(report, "markdown").splitlines() if "/a" in line]
    assert line == r"| `GET /a\x7cb\x60c` | 5 | 1 | 0 | 20.0% |"


def test_letters_of_any_script_are_shown_on_the_page() -> None:
    """Where they can be; a terminal gets escapes."""
    assert RTL in write(usual(), "html")
    assert RTL not in write(usual(), "text")


@given(COUNTS, COUNTS)
@example(1, 10**15)
@example(10**15 - 1, 10**15)
def test_shares_never_lie(part: int, whole: int) -> None:
    """Not 0% for something, not 100% for less than all, near the truth in between."""
    text = share(part, whole)
    assert (text == "0%") == (part == 0 or whole == 0)
    assert (text == "100%") == (part >= whole > 0 and part > 0)
    if re.fullmatch(r"\d+\.\d+%", text):
        assert float(text[:-1]) == pytest.approx(100 * part / whole, abs=0.05)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (share(12_431, 1_000_000), "1.2%"),
        (share(31, 100_000), "0.03%"),
        (share(1, 10**12), "<0.01%"),
        (share(10**12 - 1, 10**12), ">99.9%"),
        (share(5, 0), "0%"),
        (counted(1, "line"), "1 line"),
        (counted(0, "line"), "0 lines"),
        (short_number(999), "999"),
        (short_number(1_500), "1.5k"),
        (short_number(40_000_000), "40M"),
        (short_number(10**12), "1tn"),
        (duration(0.25), "0.25 s"),
        (duration(59.6), "60 s"),
        (duration(3_600), "1 h"),
        (duration(12_000), "3 h 20 min"),
        (duration(604_799), "7 d"),
        (duration(float("nan")), "-"),
        (size(312), "312 B"),
        (size(91_234_567), "91.2 MB"),
        (size(10**19), "10,000,000 TB"),
        (rate(1_001_589, 24.6), "41,000 requests a second"),
        (rate(1, float("inf")), ""),
        (rate(1, 2.2e-313), ""),
        (when(0), "-"),
        (when(-1), "-"),
        (when(10**30), "9999-12-31 23:59:59"),
        (headline(Report("p")), "No request was replayed"),
        (headline(Report("p", requests=1, denied=1)), "1 of 1 request would be denied (100%)"),
        (headline(Report("p", requests=1)), "The one request would not be denied"),
        (headline(Report("p", requests=1_000_000)), "None of 1,000,000 requests would be denied"),
        (headline(Report("p", requests=10**6, denied=12_431)), "12,431 of 1,000,000 requests would be denied (1.2%)"),
    ],
)
def test_figures(text: str, expected: str) -> None:
    """As people read them."""
    assert text == expected


@given(st.text(st.characters(exclude_categories=())), st.integers(2, 50))
def test_visible_text_is_visible(text: str, longest: int) -> None:
    """Bounded, without controls, marks of direction and surrogates; text without them is unchanged."""
    shown = visible(text, longest)
    assert len(shown) <= longest
    assert shown.isprintable()
    if text.isascii() and text.isprintable() and len(text) <= longest:
        assert shown == text


def test_a_rule_that_was_left_out_is_named_with_its_reason() -> None:
    """Its zeroes would say that it refuses nobody."""
    report = Report("p", rules=[RuleTally("mail", "EMAIL", "LIVE", left_out="not asked: no e-mail addresses")])
    for kind in ("text", "markdown", "html"):
        assert "not asked: no e-mail addresses" in re.sub(r"[`]", "", write(report, kind))


@pytest.mark.parametrize(
    ("asked", "left_out", "told"),
    [
        (7, "looks at what there is: no bodies", "asked in part: looks at what there is: no bodies"),
        (0, "asked by 2 of its 3 expressions: no key", "asked in part: by 2 of its 3 expressions: no key"),
        (3, "not asked: no agent (of 1 of 4 requests)", "asked in part: no agent (of 1 of 4 requests)"),
        (0, "not asked: no agent", "not asked: no agent"),
    ],
    ids=["by-parts", "by-parts-of-none", "of-some", "of-none"],
)
def test_a_rule_that_was_asked_in_part_is_not_said_to_be_unasked(asked: int, left_out: str, told: str) -> None:
    report = Report("p", rules=[RuleTally("bot", "BOT", "LIVE", asked=asked, left_out=left_out)])
    for kind in ("text", "markdown", "html"):
        written = re.sub(r"[`]", "", write(report, kind))
        assert told in written
        assert ("not asked" in written) is told.startswith("not asked")


def test_no_difference_is_said() -> None:
    """Silence could mean that nothing was compared."""
    for kind in ("text", "markdown", "html"):
        assert "No request is decided otherwise" in write(Report("p", against=Differences("main.toml")), kind)


def test_thresholds_that_are_not_met_come_first_where_room_is_short() -> None:
    """The thousandth may be the one that matters."""
    report = Report("p", thresholds=[Threshold(f"--must-allow-{n}", "x", "y", met=n < 999) for n in range(1_000)])
    for kind in ("text", "markdown", "html"):
        assert "--must-allow-999" in write(report, kind)


def test_rules_that_refuse_are_shown_where_room_is_short() -> None:
    """In the order of declaration, and the quiet ones are left out."""
    rules = [RuleTally(f"rule-{n}", "BOT", "LIVE", 5, denied=n >= 998) for n in range(1_000)]
    for kind in ("text", "markdown", "html"):
        text = write(Report("p", requests=5, rules=rules), kind)
        assert text.index("rule-0") < text.index("rule-998") < text.index("rule-999")
