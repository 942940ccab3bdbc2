"""Reports count what is there: logs with attacks, bots and floods in known numbers."""

from __future__ import annotations

import pytest
from tests.replay.player.recordings import COMBINED, generated, read, recorded

from doorward import Doorward, detect_bot, shield, sliding_window
from doorward.replay import figures
from doorward.replay.player import replay
from doorward.replay.report import Report

KNOWN = generated(visitors=3_000, attacks=61, bots=83, flooders=9, limit=20, over=5)


def policy(**options: str) -> Doorward:
    return Doorward(
        [shield(**options), detect_bot(allow=[], **options), sliding_window(max=20, interval="1m", **options)]
    )


def by_rule(report: Report, figure: str) -> dict[str, int]:
    return {tally.name: getattr(tally, figure) for tally in report.rules}


def test_live_rules_deny_exactly_what_is_there() -> None:
    report = replay(policy(), read(KNOWN.lines), name="shop:aj")
    assert by_rule(report, "denied") == {"shield": 61, "bot": 83, "sliding_window": 45}
    assert (report.requests, report.denied, report.challenged) == (len(KNOWN.lines), 189, 0)
    assert report.requests == report.allowed + report.denied + report.challenged
    assert report.would_deny == report.errors == 0
    lines = len(KNOWN.lines)
    remembered = 45 - 9  # refusals after the first of each flood: nobody but the limit is asked
    asked = {"bot": lines - remembered, "shield": lines - remembered - 83, "sliding_window": lines - 83 - 61}
    assert by_rule(report, "asked") == asked


def test_dry_rules_deny_nothing_and_say_what_they_would() -> None:
    report = replay(policy(mode="DRY_RUN"), read(KNOWN.lines))
    assert by_rule(report, "would_deny") == {"shield": 61, "bot": 83, "sliding_window": 45}
    assert by_rule(report, "denied") == {"shield": 0, "bot": 0, "sliding_window": 0}
    assert (report.allowed, report.denied, report.would_deny) == (len(KNOWN.lines), 0, 189)


def test_as_live_takes_dry_rules_for_live_ones() -> None:
    report = replay(policy(mode="DRY_RUN"), read(KNOWN.lines), as_live=True)
    assert by_rule(report, "denied") == {"shield": 61, "bot": 83, "sliding_window": 45}
    assert {tally.mode for tally in report.rules} == {"LIVE"}


def test_every_table_adds_up_to_the_totals() -> None:
    report = replay(policy(), read(KNOWN.lines))
    for table in (report.routes, report.reasons):
        assert sum(tally.denied for tally in table) == 189
        assert not any(tally.at_most_over for tally in table)
    assert {tally.name: (tally.requests, tally.denied) for tally in report.routes} == {
        "GET /": (83, 83),
        "GET /search": (61, 61),
        "GET /login": (225, 45),
        "GET /articles/{id}": (3_000, 0),
    }
    assert sum(span.allowed + span.denied for span in report.spans) == report.requests
    assert sum(span.denied for span in report.spans) == 189
    assert report.clients[0].denied == 5
    assert report.began_ns <= report.spans[0].began_ns + 86_400 * 10**9
    assert report.ended_ns > report.began_ns


def test_samples_are_bounded_and_say_where() -> None:
    report = replay(policy(), read(KNOWN.lines), samples=3)
    shown = report.rules[0].samples
    assert len(shown) == 3
    assert shown[0].file == "access.log"
    assert "UNION" in KNOWN.lines[shown[0].line - 1]
    assert (shown[0].rule, shown[0].method, shown[0].status) == ("shield", "GET", 200)
    assert not any(tally.samples for tally in replay(policy(), read(KNOWN.lines), samples=0).rules)


def test_tables_of_more_names_than_fit_say_by_how_much_they_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_CLIENTS", 50)
    report = replay(policy(), read(KNOWN.lines))
    assert any("more clients than are counted one by one" in note for note in report.notes)
    floods = {line.split()[0] for line in KNOWN.lines if "/login" in line}
    for tally in report.clients:
        truth = sum(line.startswith(f"{tally.name} ") for line in KNOWN.lines)
        assert tally.requests - tally.at_most_over <= truth <= tally.requests
    assert floods & {tally.name for tally in report.clients}


def test_an_empty_recording_is_an_empty_report() -> None:
    report = replay(policy(), iter(()))
    assert (report.requests, report.spans, report.clients) == (0, [], [])
    assert report.passed


def test_texts_of_megabytes_are_cut() -> None:
    long = [recorded("/" + "x" * 100_000 + f"/{n}", agent="curl/" + "9" * 100_000, known=COMBINED) for n in range(3)]
    report = replay(policy(), long)
    assert report.denied == 3
    assert max(len(sample.path) + len(sample.agent) for sample in report.rules[1].samples) <= 400
    assert max(len(tally.name) for tally in report.routes) < 250
