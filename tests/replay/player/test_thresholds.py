"""What stops a pull request: shares and numbers, and cases that must pass or be denied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.replay.player.recordings import BROWSER, recorded

from doorward import ConfigurationError, Doorward, deny, detect_bot, rate_limit, shield, validate_email
from doorward.replay.cases import LONGEST_LINE, Cases, parse_time, read_cases
from doorward.replay.player import replay
from doorward.replay.report import Differences, Report, Threshold
from doorward.replay.thresholds import most_denied, most_newly_denied, parse_most

HEADERS = {"User-Agent": BROWSER, "Accept": "*/*", "Accept-Language": "de", "Accept-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("text", "denied", "requests", "met"),
    [
        ("0.1%", 1, 1_000, True),
        ("0.1%", 2, 1_999, False),
        ("0.1%", 1_000_000, 1_000_000_000, True),
        ("0.1%", 1_000_001, 1_000_000_000, False),
        ("0%", 0, 10, True),
        ("0%", 1, 10**9, False),
        ("100%", 10, 10, True),
        ("5", 5, 10, True),
        ("5", 6, 10**9, False),
        ("0", 0, 0, True),
    ],
)
def test_a_share_or_a_number_of_denials(text: str, denied: int, requests: int, met: bool) -> None:
    threshold = most_denied(Report("p", requests=requests, denied=denied), parse_most(text))
    assert threshold.met is met
    assert f"{denied:,} of {requests:,}" in threshold.found


@pytest.mark.parametrize("text", ["", "0.1", "-1%", "1e3", "101%", "5%%", "many", "1" * 40, "0,1%", "\x1b[31m"])
def test_what_is_neither_is_said_to_be(text: str) -> None:
    with pytest.raises(ValueError, match="a share of the requests such as"):
        parse_most(text)


def test_a_threshold_that_fails_names_requests() -> None:
    report = replay(Doorward(deny(paths=["/no"])), [recorded("/no"), recorded("/")])
    threshold = most_denied(report, parse_most("10%"))
    assert (threshold.met, threshold.found) == (False, "50.00% (1 of 2)")
    assert [sample.path for sample in threshold.samples] == ["/no"]
    assert not most_denied(report, parse_most("50%")).samples


def test_dry_runs_are_no_denials() -> None:
    report = replay(Doorward(deny(paths=["/no"], mode="DRY_RUN")), [recorded("/no")])
    assert most_denied(report, parse_most("0")).met


def test_newly_denied_needs_something_to_compare_with() -> None:
    with pytest.raises(ValueError, match="--against"):
        most_newly_denied(Report("p"), parse_most("0"))
    report = Report("p", requests=10, against=Differences("main", newly_denied=1))
    assert not most_newly_denied(report, parse_most("9.9%")).met
    assert most_newly_denied(report, parse_most("10%")).met


# --- cases


def file_of(folder: Path, *cases: object) -> str:
    file = folder / "cases.jsonl"
    file.write_text("\n".join(case if isinstance(case, str) else json.dumps(case) for case in cases))
    return str(file)


def judged(folder: Path, wanted: str, aj: Doorward, *cases: object, **options: bool) -> Threshold:
    judge: Threshold = getattr(Cases(aj, **options), wanted)(read_cases(file_of(folder, *cases), "--x"))  # type: ignore[arg-type]
    return judge


def test_cases_must_pass_each_time_that_they_are_sent(tmp_path: Path) -> None:
    aj = Doorward(rate_limit("5/minute"))
    case = {"path": "/login", "ip": "203.0.113.9"}
    assert judged(tmp_path, "must_allow", aj, {**case, "times": 5}).met
    wrong = judged(tmp_path, "must_allow", aj, {**case, "times": 6, "name": "a customer"}, case)
    assert (wrong.met, wrong.found) == (False, "1 of 2 do")
    assert "a customer, sent the 6th time: 0 of 5 left" in wrong.samples[0].why
    assert (wrong.samples[0].rule, wrong.samples[0].ip, wrong.samples[0].line) == ("sliding_window", "203.0.113.9", 1)


def test_cases_must_be_denied_the_last_time(tmp_path: Path) -> None:
    aj = Doorward([rate_limit("5/minute"), shield(threshold=0.3)])
    case = {"path": "/login", "ip": "203.0.113.9"}
    assert judged(tmp_path, "must_deny", aj, {**case, "times": 6}).met
    wrong = judged(tmp_path, "must_deny", aj, {**case, "times": 5}, {**case, "times": 6})
    assert (wrong.met, len(wrong.samples)) == (False, 1)
    assert wrong.samples[0].why == "line 1: it passes"


def test_each_case_begins_with_no_counters(tmp_path: Path) -> None:
    aj = Doorward([rate_limit("1/minute"), shield(threshold=1.0)])
    attack = {"path": "/s", "query": "q=1' UNION SELECT password FROM users--", "ip": "203.0.113.9"}
    assert judged(tmp_path, "must_deny", aj, *[{**attack, "times": 3}] * 2).met
    assert judged(tmp_path, "must_allow", aj, *[{"path": "/", "ip": "203.0.113.9"}] * 3).met


def test_a_dry_run_denies_nothing_unless_taken_for_live(tmp_path: Path) -> None:
    aj = Doorward(deny(paths=["/no"], mode="DRY_RUN"))
    wrong = judged(tmp_path, "must_deny", aj, {"path": "/no"})
    assert "only the dry-run rule deny would deny it" in wrong.samples[0].why
    assert judged(tmp_path, "must_deny", aj, {"path": "/no"}, as_live=True).met
    assert judged(tmp_path, "must_allow", aj, {"path": "/no"}).met


def test_headers_that_a_case_leaves_out_are_held_against_nobody(tmp_path: Path) -> None:
    aj = Doorward(detect_bot(allow=[]))
    assert judged(tmp_path, "must_allow", aj, {"path": "/"}, {"path": "/", "headers": HEADERS}).met
    assert judged(tmp_path, "must_deny", aj, {"path": "/", "headers": {}}).met


def test_cases_say_what_the_application_gives(tmp_path: Path) -> None:
    aj = Doorward(validate_email(deny=[]))
    assert judged(tmp_path, "must_deny", aj, {"path": "/", "email": "nobody"}).met
    assert judged(tmp_path, "must_allow", aj, {"path": "/", "email": "mary@shop.example"}).met


def test_cases_are_sent_when_they_say(tmp_path: Path) -> None:
    aj = Doorward(deny(paths=["/no"]))
    cases = [{"path": "/no", "at": at} for at in ("2031-01-01T00:00:00Z", "2001-01-01", 1_750_000_000)]
    assert judged(tmp_path, "must_deny", aj, *cases).met
    assert judged(tmp_path, "must_allow", aj, *cases).samples[1].at_ns == parse_time("2001-01-01T00:00:00+00:00")


def test_what_middleware_leaves_alone_is_not_denied(tmp_path: Path) -> None:
    wrong = judged(tmp_path, "must_deny", Doorward(deny(paths=["/*"], methods=["GET"])), {"path": "/favicon.ico"})
    assert wrong.met  # the rule names paths, as a limit of that very path would
    wrong = judged(tmp_path, "must_deny", Doorward(deny(methods=["GET"])), {"path": "/favicon.ico"})
    assert "middleware leaves it alone" in wrong.samples[0].why


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "cases.jsonl:2: "),
        ("[]", "must be a JSON object"),
        ('{"pth": "/"}', "'pth' is no field of a case; there are name, method, path"),
        ('{"path": 3}', "path must be text"),
        ('{"times": 0}', "times must be a whole number from 1 to 100,000"),
        ('{"times": true}', "times must be"),
        ('{"at": "soon"}', "must be a time such as"),
        ('{"at": 1e400}', "must be a time such as"),
        ('{"headers": 5}', "headers must be an object"),
        ('{"body_base64": "?"}', "body_base64 is not Base64"),
        ('{"\\u001b[2J": 1}', "is no field of a case"),
        ("[" * 100_000, "cases.jsonl:2: "),
        ('{"path": "/' + "a" * LONGEST_LINE + '"}', "at most 1,048,576 bytes"),
    ],
    ids=range(13),
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: str, problem: str) -> None:
    file = file_of(tmp_path, '{"path": "/"}', line)
    with pytest.raises(ConfigurationError) as wrong:
        list(read_cases(file, "--must-deny"))
    assert problem in str(wrong.value)
    assert "cases.jsonl:2" in str(wrong.value)
    assert str(wrong.value).isprintable()


def test_a_file_without_cases_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no case"):
        list(read_cases(file_of(tmp_path, "", " "), "--must-allow"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list(read_cases(str(tmp_path / "missing.jsonl"), "--must-allow"))
