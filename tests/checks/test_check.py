"""``doorward.check`` at the start of an application: what it takes, what it silences, and that it never raises."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import doorward
from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    Mode,
    RequestContext,
    allow,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    protect_signup,
    rate_limit,
    shield,
    sliding_window,
    token_bucket,
    validate_email,
    weigh,
)
from doorward.checks import CODES, Finding, findings_of
from doorward.checks.registry import Code, Told
from doorward.checks.subject import subject_of
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.range_writer import write_ranges
from doorward.rules.base import Outcome, Phase, Rule


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables that checks look at."""
    for name in ("DOORWARD_SILENCE", "DOORWARD_MODE", "DOORWARD_SECRET", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def two_problems(**options: Any) -> Doorward:
    return Doorward([fixed_window(max=1, window="1d"), sliding_window(max=9, interval="1m", cost=6)], **options)


def codes(aj: Any, **options: Any) -> list[str]:
    return [finding.code for finding in doorward.check(aj, **options)]


def test_it_finds_nothing_in_a_good_client() -> None:
    """A client as the README has it gives an empty list."""
    assert doorward.check(Doorward([sliding_window(max=5, interval="10m")])) == []


def test_it_takes_clients_of_both_kinds_and_what_adapters_make() -> None:
    """A Doorward, an AsyncDoorward, something with a ``client``; all find the same."""
    aj = two_problems()
    assert codes(aj) == codes(aj.as_async()) == codes(SimpleNamespace(client=aj)) == ["DW033", "DW034"]
    assert codes(AsyncDoorward([fixed_window(max=1, window="1d")])) == ["DW033"]


def test_rules_that_were_added_are_looked_at() -> None:
    """Those of ``with_rule`` and of ``limits=`` too."""
    added = Doorward().with_rule(sliding_window(max=9, interval="1m", cost=6))
    assert codes(added) == ["DW034"]
    assert codes(Doorward(limits={"/search?q=*": "5/minute"})) == ["DW002"]


@pytest.mark.parametrize(
    "wrong", [None, "myapp:aj", 5, sliding_window(max=5, interval="1m")], ids=["none", "text", "number", "rule"]
)
def test_what_is_no_client_is_refused(wrong: Any) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match=r"^aj: must be a Doorward"):
        doorward.check(wrong)


@pytest.mark.parametrize(
    ("silence", "left"),
    [
        ([], ["DW033", "DW034"]),
        (["DW033"], ["DW034"]),
        ({"DW033", "DW034"}, []),
        (["DW034:sliding_window"], ["DW033"]),
        (["DW034:fixed_window"], ["DW033", "DW034"]),
    ],
    ids=["none", "a-code", "a-set", "of-a-rule", "of-another-rule"],
)
def test_silence(silence: Any, left: list[str]) -> None:
    """A code is silenced for all rules, or for one."""
    assert codes(two_problems(), silence=silence) == left


@pytest.mark.parametrize("wrong", ["DW033", ["W033"], ["DW999"], [5], None], ids=str)
def test_a_wrong_code_is_an_error(wrong: Any) -> None:
    """What is in the code is the programmer's, and is refused."""
    with pytest.raises(ConfigurationError, match=r"^silence: "):
        doorward.check(two_problems(), silence=wrong)


def test_the_environment_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DOORWARD_SILENCE`` is added; a mistake in it keeps no application from starting, and is said."""
    monkeypatch.setenv("DOORWARD_SILENCE", " DW033, DW034:other ,")
    assert codes(two_problems()) == ["DW034"]
    monkeypatch.setenv("DOORWARD_SILENCE", "DW033,DW34\x1b[31m")
    found = doorward.check(two_problems())
    assert [finding.code for finding in found] == ["DW000", "DW034"]
    assert "\x1b" not in found[0].message
    assert "DOORWARD_SILENCE" in found[0].message


def test_the_environment_and_the_command_line_are_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are found where the server was told about them."""
    aj = Doorward([sliding_window(max=5, interval="1m")])
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert codes(aj) == ["DW041"]
    monkeypatch.delenv("WEB_CONCURRENCY")
    monkeypatch.setattr("sys.argv", ["/srv/bin/gunicorn", "-w", "4", "app:app"])
    assert codes(aj) == ["DW041"]


def test_findings_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """One record each, at its level, with the fields of the finding."""
    aj = Doorward([sliding_window(max=9, interval="1m", cost=6, mode="DRY_RUN"), shield()], secret="changeme")
    with caplog.at_level(logging.INFO, logger="doorward"):
        found = doorward.check(aj, log=True)
    records = [record for record in caplog.records if record.getMessage().startswith("doorward check ")]
    levels = {"note": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    assert [record.levelno for record in records] == [levels[finding.level] for finding in found]
    assert [record.doorward for record in records] == [finding._asdict() for finding in found]  # type: ignore[attr-defined]
    assert {finding.level for finding in found} == set(levels)


def test_a_logger_that_raises_is_no_reason_not_to_start() -> None:
    """The findings are returned all the same."""
    logger = logging.Logger("broken")  # noqa: LOG001  (known to nobody else)

    def refuse(_: logging.LogRecord) -> bool:
        raise OSError("disk full")

    logger.addFilter(refuse)
    aj = two_problems(logger=logger)
    assert len(doorward.check(aj, log=True)) == 2


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """DW000 says which check failed and how; what it had found before, and the other checks, are there."""

    def fails(_: object) -> Iterator[Told]:
        yield Told("", "found before", "do this")
        raise RuntimeError("odd\x1b[2J")

    monkeypatch.setitem(CODES, "DW032", Code("DW032", "a broken one", "warning", "rules", fails))
    found = doorward.check(two_problems())
    assert [finding.code for finding in found] == ["DW032", "DW000", "DW033", "DW034"]
    assert found[1] == Finding(
        "DW000",
        "warning",
        "",
        "DW032 (a broken one) could not be looked for: RuntimeError: odd\\\\x1b[2J",
        "report it; the other checks went on",
    )
    assert codes(two_problems(), silence=["DW000", "DW032"]) == ["DW033", "DW034"]


class OfTheirOwn(Rule):
    """A rule of an application's own that answers strangely to everything."""

    kind = "OWN"
    phase = Phase.LOCAL

    def applies_to(self, request: RequestContext) -> bool:
        raise RuntimeError("never asked")

    def reads(self) -> frozenset[str]:
        raise RuntimeError("reads")

    def evaluate(self, view: Any) -> Outcome:
        raise RuntimeError("evaluate")


def test_rules_of_their_own_are_left_alone() -> None:
    """Nothing is claimed about a class whose requests are not known; where it raises, a finding says so."""

    class Quiet(OfTheirOwn):
        def reads(self) -> frozenset[str]:
            return frozenset()

    assert codes(Doorward([deny(paths=["/a"]), Quiet(paths=["/a"])])) == []


def test_a_broken_clock_is_no_reason_to_raise() -> None:
    """The day is then the system's."""

    class Stopped:
        def now_ns(self) -> int:
            raise RuntimeError("stopped")

    subject = subject_of(SimpleNamespace(runtime=SimpleNamespace(clock=Stopped(), addresses=None)), {}, ())  # type: ignore[arg-type]
    assert abs((datetime.now(UTC).date() - subject.today).days) <= 1


def test_data_of_another_folder(tmp_path: Path) -> None:
    """``data=`` looks at what is in a folder; what is old there is said."""
    aj = Doorward([deny(ip=["proxy"])])
    assert "DW061" in codes(aj)
    meta = Meta("2020-01-01", (Source("list", "1", "CC0-1.0", "2020-01-01"),), ("proxy",))
    write_ranges(tmp_path / "labels.dwd", [("192.0.2.1", "proxy:list")], meta)
    assert [code for code in codes(aj, data=tmp_path) if code.startswith("DW06")] == ["DW062"]
    fresh = meta._replace(sources=(Source("list", "1", "CC0-1.0", datetime.now(UTC).date().isoformat()),))
    write_ranges(tmp_path / "labels.dwd", [("192.0.2.1", "proxy:list")], fresh)
    assert codes(aj, data=str(tmp_path)) == []
    with pytest.raises(ConfigurationError, match=r"^data: "):
        doorward.check(aj, data=tmp_path / "nowhere")


def test_an_unreadable_folder_of_data_is_a_finding(tmp_path: Path) -> None:
    """What is damaged counts as missing."""
    (tmp_path / "labels.dwd").write_bytes(b"nonsense")
    assert "DW061" in codes(Doorward([deny(ip=["proxy"])]), data=tmp_path)


def test_modes_of_the_environment_hide_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules are looked at as they were declared: what is wrong in LIVE is found while DOORWARD_MODE is DRY_RUN."""
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    aj = Doorward([deny(paths=["/admin/*"]), shield(paths=["/admin/x"])])
    assert codes(aj) == ["DW004", "DW046"]


BUILT: dict[str, Any] = {
    "fixed_window": lambda **options: fixed_window(max=1, window="1m", **options),
    "sliding_window": lambda **options: sliding_window(max=1, interval="1m", **options),
    "token_bucket": lambda **options: token_bucket(capacity=1, refill_rate=1, interval="1m", **options),
    "rate_limit": lambda **options: rate_limit("5/minute; 100/day", **options)[1],
    "rate_limit of a callable": lambda **options: rate_limit(str, **options)[0],
    "detect_bot": lambda **options: detect_bot(allow=["GOOGLE_CRAWLER"], **options),
    "validate_email": lambda **options: validate_email(deny=["NO_MX_RECORDS"], **options),
    "shield": shield,
    "filter_request": lambda **options: filter_request(deny="ip.src.tor", **options),
    "allow": lambda **options: allow(ip="192.0.2.1", **options),
    "deny": lambda **options: deny(ip="192.0.2.1", **options),
    "weigh": lambda **options: weigh(1, ip="192.0.2.1", **options),
    "protect_signup": lambda **options: protect_signup(**options)[2],
}


@pytest.mark.parametrize("build", BUILT.values(), ids=BUILT)
def test_every_builder_takes_the_day_of_a_dry_run(build: Any) -> None:
    """``dry_run_since`` is a date afterwards, and part of no id: counters go on."""
    dated, plain = build(mode="DRY_RUN", dry_run_since="2026-08-01"), build(mode="DRY_RUN")
    assert dated.dry_run_since == date(2026, 8, 1)
    assert plain.dry_run_since is None
    assert dated.rule_id(Mode.DRY_RUN) == plain.rule_id(Mode.DRY_RUN)
    assert dated == plain


@pytest.mark.parametrize(
    "given", ["2026-08-01", "2026-08-01T23:30:00Z", date(2026, 8, 1), datetime(2026, 8, 1, 12, tzinfo=UTC)], ids=str
)
def test_days_of_a_dry_run(given: Any) -> None:
    """A date, a time, or text of either."""
    assert shield(dry_run_since=given).dry_run_since == date(2026, 8, 1)


def test_the_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DOORWARD_SECRET`` where none is given; text is UTF-8."""
    assert Doorward(secret="é").runtime.settings.secret == "é".encode()
    assert Doorward(secret=b"\xff\x00").runtime.settings.secret == b"\xff\x00"
    assert not Doorward().runtime.settings.secret
    monkeypatch.setenv("DOORWARD_SECRET", "changeme-changeme")
    assert Doorward().runtime.settings.secret == b"changeme-changeme"
    assert codes(Doorward()) == ["DW048"]
    assert codes(Doorward(secret="Zx3kQ9vT7mWc2LpRbYd8HsNf")) == []


def test_only_some_codes_can_be_asked_for() -> None:
    """As Django does it: what is about rules apart from what is about the deployment."""
    subject = subject_of(two_problems(workers=3), {}, ())
    about = {
        what: [finding.code for finding in findings_of(subject, only=lambda code, what=what: code.about == what)]
        for what in ("rules", "deployment")
    }
    assert about == {"rules": ["DW033", "DW034"], "deployment": ["DW041"]}
