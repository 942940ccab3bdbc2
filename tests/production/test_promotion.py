"""The promotion report: its numbers are those of the application that wrote the log, or it says that they are not."""

from __future__ import annotations

import gzip
import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.pages.doubles import seeded
from tests.unit.walking import request

from doorward import Doorward, fixed_window
from doorward.cli import main
from doorward.clock import NANOSECONDS
from doorward.promotion.log_lines import LONGEST_LINE, Line, Summary, parse
from doorward.service.server.folder import LOG
from doorward.service.server.log_file import LogFile
from doorward.testing import FakeClock

TEXT = "%(asctime)s %(levelname)s [%(name)s] %(message)s"


class AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"level": record.levelname, "logger": record.name, "doorward": record.doorward})


FORMATS = {"text": logging.Formatter(TEXT), "json": AsJson()}


def logged(path: Path, level: int = logging.INFO, kind: str = "text", count: int = 5000) -> Doorward:
    """Hours of a dry-run limit beside a live one, from 20 clients, on hostile paths."""
    logger = logging.Logger("doorward.test", level)  # noqa: LOG001  (one of its own, which no test inherits)
    handler = logging.FileHandler(path)
    handler.setFormatter(FORMATS[kind])
    logger.addHandler(handler)
    clock = FakeClock()
    rules = [
        fixed_window(max=20, window="1h", mode="DRY_RUN", name="new"),
        fixed_window(max=40, window="1h", name="old"),
    ]
    aj = Doorward(rules, clock=clock, logger=logger)
    for n in range(count):
        aj.protect(request(path=f'/users/{n}/"x\x1b[31m<b>|', peer=f"203.0.113.{n * n % 20}"))
        clock.advance(3)
    aj.close()
    handler.close()
    return aj


def reported(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict:
    assert main(["promotion", *arguments, "--print", "json"]) == status
    return json.loads(capsys.readouterr().out)


# --- numbers


@pytest.mark.parametrize("kind", list(FORMATS))
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING], ids=["INFO", "WARNING"])
def test_numbers_are_those_of_the_application(
    kind: str, level: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether each decision is in the log, or some and summaries."""
    found = logged(tmp_path / "app.log", level, kind).dry_run()["new"]
    report = reported(capsys, str(tmp_path / "app.log"))
    (rule,) = report["rules"]
    assert (report["requests"], rule["requests"]) == (5000, 5000)
    assert (rule["asked"], rule["would_refuse"]) == (found.asked, found.would_deny)
    assert rule["refused_anyway"] == found.refused_anyway > 0
    assert rule["share"] == found.would_deny / 5000
    assert sum(rule["days"].values()) == rule["logged"]
    assert rule["logged"] == found.would_deny or (level == logging.WARNING and rule["logged"] > 100)
    assert len(rule["routes"]) == 1
    assert len(rule["samples"]) == 20


def test_what_the_log_leaves_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A burst is logged in part; the number is exact all the same, and a note says of what the rest is."""
    logger = logging.Logger("doorward.test", logging.WARNING)  # noqa: LOG001
    handler = logging.FileHandler(tmp_path / "app.log")
    logger.addHandler(handler)
    aj = Doorward([fixed_window(max=1, window="1h", mode="DRY_RUN", name="new")], clock=FakeClock(), logger=logger)
    for _ in range(500):
        aj.protect(request())
    aj.close()
    handler.close()
    (rule,) = (report := reported(capsys, str(tmp_path / "app.log")))["rules"]
    assert (rule["would_refuse"], rule["requests"], rule["logged"]) == (499, 500, 10)
    assert any("holds 10 of 499 would-be refusals" in note for note in report["notes"])


def test_without_allowed_decisions_and_summaries_the_number_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said, and not guessed."""
    logged(tmp_path / "all.log")
    lines = (tmp_path / "all.log").read_text().splitlines()
    (tmp_path / "some.log").write_text(
        "\n".join(line for line in lines if "would_deny=new" in line or '"new: ' in line)
    )
    assert main(["promotion", str(tmp_path / "some.log")]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"new would have refused [\d,]+ of an unknown number of requests", shown)
    assert "How many requests there were is not in the log" in shown


def test_a_gap_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the summaries: a rotated file that is missing, a filter."""
    logged(tmp_path / "all.log")
    lines = (tmp_path / "all.log").read_text().splitlines()
    kept = [line for n, line in enumerate(lines) if not (1000 < n < 1500 and " decision " in line)]
    (tmp_path / "gap.log").write_text("\n".join(kept))
    report = reported(capsys, str(tmp_path / "gap.log"))
    missing = len(lines) - len(kept)
    assert report["requests"] == 5000
    assert any(f"lacks {missing:,} of 5,000 decisions" in note for note in report["notes"])


def test_a_part_of_the_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cumulative figures of summaries are counted from the beginning of the time that is asked for."""
    logged(tmp_path / "app.log")
    every = reported(capsys, str(tmp_path / "app.log"))
    began = every["since"][:10]
    since = f"{began}T10:00:00Z"
    later = reported(capsys, str(tmp_path / "app.log"), "--since", since)
    earlier = reported(capsys, str(tmp_path / "app.log"), "--until", since)
    assert later["requests"] + earlier["requests"] == 5000
    assert sum(report["rules"][0]["logged"] for report in (later, earlier)) == every["rules"][0]["logged"]
    assert later["since"] >= f"{began}T10:00:00.000Z" > earlier["until"]


def test_several_processes_and_compressed_files_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As workers and rotation leave them."""
    found = [logged(tmp_path / f"{n}.log", logging.WARNING, count=1000).dry_run()["new"] for n in range(2)]
    text = (tmp_path / "0.log").read_text().replace("process=", "process=9")
    (tmp_path / "0.log.gz").write_bytes(gzip.compress(text.encode()))
    (rule,) = reported(capsys, str(tmp_path / "0.log.gz"), str(tmp_path / "1.log"))["rules"]
    assert rule["requests"] == 2000
    assert rule["would_refuse"] == sum(each.would_deny for each in found)


def test_a_rule_that_is_not_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is no promise that it refuses nothing."""
    logged(tmp_path / "app.log", count=100)
    report = reported(capsys, str(tmp_path / "app.log"), "--rule", "typo", status=1)
    assert report["rules"][0]["would_refuse"] == 0


# --- what is written


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)


def test_outputs_hold_the_number_and_nothing_hostile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As text, JSON, Markdown and HTML."""
    found = logged(tmp_path / "app.log").dry_run()["new"]
    outputs = [tmp_path / f"report.{suffix}" for suffix in ("txt", "json", "md", "html")]
    arguments = [argument for path in outputs for argument in ("-o", str(path))]
    assert main(["promotion", str(tmp_path / "app.log"), *arguments, "--print", "none"]) == 0
    assert not capsys.readouterr().out
    sentence = f"would have refused {found.would_deny:,} of 5,000 requests"
    for path in outputs:
        text = path.read_text()
        assert "\x1b" not in text
        assert path.suffix == ".json" or sentence in text
        assert "u2026" not in text  # one reason for all waits, in letters that every terminal has
    assert "<b>" not in (tmp_path / "report.md").read_text().replace("\\<b\\>", "")
    tags = Tags((tmp_path / "report.html").read_text()).tags
    assert "b" not in tags
    assert "script" not in tags


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "FILES: must be files of a log"),
        (["x.log", "--folder", "y"], "FILES: must be files of a log"),
        (["no-such-file.log"], "cannot be read"),
        (["x", "--since", "yesterday"], "--since: must be such as 7d"),
        (["x", "-o", "report.pdf"], "-o: must end in .json"),
        (["x", "--samples", "-1"], "--samples: must be from 0"),
        (["--folder", "no-such-folder"], "there is no decision log"),
    ],
    ids=["nothing", "both", "file", "since", "output", "samples", "folder"],
)
def test_wrong_arguments(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Say what is accepted, and exit 2."""
    assert main(["promotion", *arguments]) == 2
    assert problem in capsys.readouterr().err


# --- bad input


def test_bad_input_is_counted_and_never_fatal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Binary, overlong, truncated and foreign lines, between good ones."""
    logged(tmp_path / "app.log", count=200)
    good = (tmp_path / "app.log").read_bytes().splitlines(keepends=True)
    bad = [b"\x00\xff\x1b[2J\n", b"x" * (3 * LONGEST_LINE) + b"\n", b'{"conclusion": "ALLOW", "id": 7}\n',
           b"{" * 5000 + b"\n", b'{"doorward": {"process": [], "until": {}}}\n', b"doorward decision id=\n",
           b'{"conclusion":"DENY","time":1e400}\n', b"[" * 100_000 + b"\n",
           b"doorward decision conclusion=ALLOW id=lreq_\n"]  # fmt: skip
    (tmp_path / "mixed.log").write_bytes(b"".join([*good[:100], *bad, *good[100:]])[:-30])
    report = reported(capsys, str(tmp_path / "mixed.log"))
    assert sum(report["skipped"].values()) >= len(bad)
    assert report["requests"] >= 199
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(b"".join(good))[:-200])
    report = reported(capsys, str(tmp_path / "cut.log.gz"))
    assert any("damaged" in why for why in report["skipped"])


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_any_line_is_taken_or_refused(text: str) -> None:
    """Whatever it is."""
    for line in (text, f"doorward decision {text}", f"doorward summary {text}", f'{{"doorward": {json.dumps(text)}}}'):
        assert isinstance(parse(line), Line | Summary | str)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
FIELDS = [
    "id",
    "conclusion",
    "process",
    "since",
    "until",
    "time",
    "would_deny",
    "results",
    "dryRun",
    "decision.ALLOW",
    "ip",
]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["ALLOW", "2026-11-22T00:00:00Z"])))
def test_any_fields_are_taken_or_refused(fields: dict) -> None:
    """Also those that are of another kind than the journal's."""
    assert isinstance(parse(json.dumps(fields)), Line | Summary | str)


# --- a service's log


def test_the_log_of_a_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its numbers are those of the records."""
    now_ns = 1_800_000_000 * NANOSECONDS
    records = seeded(now_ns, 1500)
    log = LogFile(tmp_path / LOG, queue=10_000, days=10_000)
    for record in records:
        log.append(record)
    log.close()
    until = "2027-01-15T08:00:01Z"
    report = reported(
        capsys, "--folder", str(tmp_path), "--rule", "bots", "--since", "2027-01-01T00:00:00Z", "--until", until
    )
    (rule,) = report["rules"]
    would = [record for record in records if record.dry_run == "bots"]
    sites = {record.site for record in would}
    assert rule["requests"] == sum(record.site in sites for record in records)
    assert rule["would_refuse"] >= len(would)
    assert sum(rule["days"].values()) == len(would)
    assert {sample["decision"] for sample in rule["samples"]} <= {record.id for record in records}
