"""The benchmarks' own parts: tables, the load generator's reading, and the applications that are measured."""

from __future__ import annotations

import asyncio
import json

import pytest
from benchmarks import __main__ as command
from benchmarks import apps, blackhole, candidate, checks, common, imports, limiters, load, store
from benchmarks.common import NotMeasured, Row, Table
from benchmarks.load import Connection
from benchmarks.traffic import AGENT, HEADERS, address, agent, asgi_call, asgi_scope, wsgi_call
from tests.dns.server import DnsServer

TABLE = Table(
    "Title",
    "A note.",
    ("", "µs"),
    [
        Row(["ours", "3"], {"us": 3.0}, "≤ 4 µs", met=True),
        Row(["also ours", "5"], {"us": 5.0}, "≤ 4 µs", met=False),
        Row(["peer", "9"], {"us": 9.0}),
        common.missing("absent", NotMeasured("no module named x")),
    ],
)


def once(call):
    return asyncio.run(call(1))


def test_a_table_is_markdown_with_a_verdict_where_there_is_a_budget():
    """Each line has as many cells as the head, and says whether a budget is kept."""
    lines = TABLE.markdown().splitlines()[4:]
    assert lines[0] == "|  | µs | budget |  |"
    assert lines[2:5] == [
        "| ours | 3 | ≤ 4 µs | met |",
        "| also ours | 5 | ≤ 4 µs | **NOT MET** |",
        "| peer | 9 |  |  |",
    ]
    assert {line.count("|") for line in lines} == {5}


def test_what_failed_is_a_row_that_says_why():
    """A peer that cannot be measured does not hide the others."""
    assert "not measured: no module named x" in TABLE.markdown()


def test_a_table_goes_into_json_with_its_numbers():
    """--json holds numbers, not their text."""
    first = json.loads(json.dumps(TABLE.to_dict()))["rows"][0]
    assert first == {"name": "ours", "us": 3.0, "budget": "≤ 4 µs", "met": True}


def test_the_command_prints_and_writes_what_a_section_found(monkeypatch, tmp_path, capsys):
    """--only runs that section alone, and --json writes its tables."""
    monkeypatch.setattr(command, "SECTIONS", {"engine": lambda *, quick: [TABLE], "e2e": pytest.fail})
    monkeypatch.setattr(command, "heading", lambda: "heading")
    written = tmp_path / "found.json"
    command.main(["--only", "engine", "--json", str(written)])
    assert "### Title" in capsys.readouterr().out
    assert json.loads(written.read_text(encoding="utf-8"))[0]["title"] == "Title"


def test_calls_are_timed_in_turns_with_numbers_of_their_own():
    """Every call gets its share, and no request number comes twice, so that distinct clients stay distinct."""
    seen = []

    async def call(number):
        seen.append(number)
        return 1000

    found = asyncio.run(common.interleave({"a": call, "b": call}, rounds=2, batch=3))
    assert found["a"] == found["b"] == (1.0, 1.0, 6)
    assert len(seen) == len(set(seen))


def test_what_is_slow_gets_fewer_rounds_but_one():
    """A slow peer does not hold everybody up."""

    async def call(number):
        return number

    assert asyncio.run(common.interleave({"a": call}, rounds=9, batch=5, most_seconds=0))["a"].calls == 5


def test_what_is_asked_about_is_prepared_before_the_clock_starts():
    """The question is put to what was made for this request."""
    asked = []
    assert asyncio.run(common.prepared(str, asked.append)(7)) > 0
    assert asked == ["7"]


def test_the_quietest_run_is_that_with_the_fastest_yardstick():
    """Other programs only slow a run down, so the fastest bare application marks the truest run."""
    runs = [{"bare": [9.0], "x": 1}, {"bare": [8.0], "x": 2}]
    assert common.quietest(runs, "bare")["x"] == 2


def test_a_fresh_process_hands_its_result_back():
    """Arguments and results pass through JSON."""
    assert common.in_fresh_process(address, number=258) == "11.0.1.2"


def test_a_process_that_fails_says_its_last_line():
    """The reason ends up in the table."""
    with pytest.raises(NotMeasured, match="unheard"):
        common.run_python(["-c", "import unheard_of_module"])


OURS_ASGI = [apps.FIXED, apps.SLIDING, apps.STARLETTE_GUARD, apps.LIMIT_BOTS, apps.LIMIT_BOTS_IP, apps.SIGNUP,
             apps.STARLETTE_BOTS]  # fmt: skip
OURS_WSGI = [apps.FIXED, apps.SLIDING, apps.FLASK_GUARD, apps.LIMIT_BOTS, apps.LIMIT_BOTS_IP, apps.SIGNUP,
             apps.FLASK_BOTS]  # fmt: skip
WITH_BOTS = [apps.LIMIT_BOTS, apps.LIMIT_BOTS_IP, apps.SIGNUP]


@pytest.mark.parametrize("name", OURS_ASGI)
@pytest.mark.parametrize("proxied", [False, True])
def test_protected_asgi_applications_answer_and_count(name, proxied):
    """What is measured is a limit at work: two requests pass, the third of the same client is refused."""
    call = asgi_call(apps.asgi_app(name, "starlette", limit=2, proxied=proxied), clients=1, proxied=proxied)
    assert once(call) > 0
    assert once(call) > 0
    with pytest.raises(ValueError, match="429"):
        once(call)


@pytest.mark.parametrize("name", OURS_WSGI)
def test_protected_wsgi_applications_answer_and_count(name):
    """As with ASGI."""
    call = wsgi_call(apps.wsgi_app(name, limit=1), clients=1, proxied=False)
    assert once(call) > 0
    with pytest.raises(ValueError, match="429"):
        once(call)


@pytest.mark.parametrize("name", WITH_BOTS)
def test_applications_with_bot_rules_look_for_bots(name, monkeypatch):
    """What is measured with bots is bot detection at work: the browser of the benchmark passes, a tool does not."""
    call = asgi_call(apps.asgi_app(name, "raw", limit=9), clients=1)
    assert once(call) > 0
    monkeypatch.setattr("benchmarks.traffic.HEADERS", [("host", "shop.example"), ("user-agent", "curl/8.5.0")])
    with pytest.raises(ValueError, match="403"):
        asyncio.run(call(0))


def test_each_browser_has_an_agent_of_its_own():
    """So that nothing remembered about one is of use for the next."""
    assert agent(0) == AGENT
    assert len({agent(number) for number in range(1000)}) == 1000
    assert (b"user-agent", agent(5).encode()) in asgi_scope("11.0.0.1", browser=5)["headers"]


@pytest.mark.parametrize("name", ["doorward, detect_bot", "– of which evidence"])
def test_agents_are_of_the_kinds_that_the_table_says(name):
    """A browser is none, the others are bots, one by its name and one without."""
    check = checks.BOT_CHECKS[name]()
    browser, named, unnamed = (check.ask(check.prepare(make(3))) for make in checks.AGENTS.values())
    if name.startswith("doorward"):
        assert [found.reason.denied for found in (browser, named, unnamed)] == [
            (),
            ("OPENAI_CRAWLER",),
            ("UNKNOWN_BOT",),
        ]
    else:
        assert (browser.automated, unnamed.automated) == (False, True)


def test_e_mail_addresses_are_of_the_kinds_that_the_table_says():
    """Two pass, one is of a throw-away domain, one is none."""
    check = checks.EMAIL_CHECKS["doorward, validate_email without DNS"]()
    found = {kind: check.ask(check.prepare(make(3))).reason.email_types for kind, make in checks.ADDRESSES.items()}
    assert found == {"usual": (), "throw-away": ("DISPOSABLE",), "not ASCII": (), "mistyped": ("INVALID",)}


def test_answers_about_mail_are_remembered_before_they_are_timed():
    """What is measured then asks no name server."""
    check = checks.EMAIL_CHECKS["– the same with NO_MX_RECORDS, answers remembered"]()
    decisions = [check.ask(check.prepare(make(3))) for kind, make in checks.ADDRESSES.items() if kind != "mistyped"]
    assert [decision.conclusion for decision in decisions] == ["ALLOW", "DENY", "ALLOW"]


def test_address_look_ups_find_the_made_up_ranges(tmp_path, monkeypatch):
    """The table that is opened and asked is the one that was compiled."""
    monkeypatch.setattr(checks.address_ranges, "IPV4", 50)
    monkeypatch.setattr(checks.address_ranges, "IPV6", 50)
    monkeypatch.setattr(checks.address_ranges, "ASKED", 20)
    checks.compile_ranges(str(tmp_path))
    assert checks.RANGES in [source.path.name for source in checks._book(tmp_path).sources()]
    assert set(checks.measure_addresses(str(tmp_path))) == {"open", "IPv4", "IPv6", "again"}


@pytest.mark.parametrize("measure", [blackhole.measure_sync, blackhole.measure_async])
def test_sign_ups_without_a_name_server_are_answered_with_the_reason(measure, monkeypatch):
    """Each one waits for its own answer, and says why there is none."""
    monkeypatch.setattr(blackhole, "DEADLINE", 0.05)
    found = measure(waves=2, at_once=2)
    assert len(found) == 4
    assert all(says_why for _, says_why in found)


def test_late_sign_ups_and_such_without_a_reason_miss_the_budget():
    """Both are what the table is about."""
    assert blackhole._row("x", [(1.0, True)] * 2000 + [(400.0, True)]).met
    assert not blackhole._row("x", [(1.0, True)] * 999 + [(60.0, True)]).met
    assert not blackhole._row("x", [(1.0, True)] * 999 + [(1.0, False)]).met


def test_what_is_started_decides():
    """The three statements of each of our rows run; the name server is asked."""
    with DnsServer({"example.com": {"MX": ["10 mx.example.com."]}}) as server:
        for subject in (imports.DOORWARD, *imports.SIGN_UPS):
            assert len(imports._run(subject, server.address, with_asyncio=False)) == 5
        assert server.asked["example.com", "MX"] == 1


def test_the_load_generator_sends_a_browsers_headers():
    """A request of fewer headers would pass for a bot's."""
    assert all(f"\r\n{name}: {value}\r\n".encode() in load.REQUEST for name, value in HEADERS)


def test_the_bare_applications_answer():
    """The yardsticks do their work."""
    assert once(asgi_call(apps.raw_asgi, clients=1, proxied=False)) > 0
    assert once(wsgi_call(apps.flask_app(), clients=1, proxied=False)) > 0


def test_clients_behind_the_proxy_are_told_apart():
    """With all requests from one proxy, each client still has a limit of its own."""
    call = asgi_call(apps.asgi_app(apps.FIXED, "raw", limit=1, proxied=True), clients=5, proxied=True)
    assert all(asyncio.run(call(number)) > 0 for number in range(5))


@pytest.mark.parametrize("name", [name for name in limiters.LIMITERS if name.startswith("doorward")])
def test_limiters_admit_what_is_left_and_no_more(name):
    """The limiters under test are limiters."""
    hit = limiters.LIMITERS[name](3, 60, limiters.HandClock())
    assert [hit("a") for _ in range(4)] == [True, True, True, False]
    assert hit("b")


def test_the_worst_window_of_a_sliding_window_is_its_limit():
    """The search for bursts moves the clock it is given, and finds no hole here."""
    assert store._worst_window(limiters.SLIDING, limiters.HandClock()) == 10


def test_the_worst_window_of_a_fixed_window_is_found():
    """The search does find the double burst around a boundary."""
    assert store._worst_window("doorward, fixed window", limiters.HandClock()) == 20


@pytest.mark.parametrize("variant", [{"asgi": candidate.make_asgi_app}, *candidate.VARIANTS.values()])
def test_candidate_asgi_applications_answer(variant):
    """Every row of the outside benchmark protects a Starlette application."""
    assert once(asgi_call(variant["asgi"](apps.starlette_app()), clients=1, proxied=False)) > 0


@pytest.mark.parametrize("variant", [{"wsgi": candidate.make_wsgi_app}, *candidate.VARIANTS.values()])
def test_candidate_wsgi_applications_answer(variant):
    """And a Flask application."""
    assert once(wsgi_call(variant["wsgi"](apps.flask_app()), clients=1, proxied=False)) > 0


def test_the_candidate_limiter_is_not_for_redis():
    """The outside benchmark leaves the row out where None is returned."""
    assert candidate.make_limiter(1, 60, 100, "redis://127.0.0.1") is None
    hit = candidate.make_limiter(1, 60, 100)
    assert [hit("a"), hit("a"), hit("b")] == [True, False, True]


class Wire:
    """A transport that keeps what was written."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)


def test_the_load_generator_asks_again_when_an_answer_is_complete():
    """An answer may come in pieces; another status than 200 is counted."""
    taken, wire = [], Wire()
    connection = Connection(taken)
    connection.connection_made(wire)
    for piece in (b"HTTP/1.1 429 No\r\nContent-Le", b"ngth: 2\r\n\r\n", b"o", b"k"):
        assert len(wire.written) == 1
        connection.data_received(piece)
    assert (len(wire.written), len(taken), connection.bad) == (2, 1, 1)
