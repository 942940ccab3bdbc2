"""The benchmarks' own parts: tables, the load generator's reading, and the applications that are measured."""

from __future__ import annotations

import asyncio
import json

import pytest
from benchmarks import __main__ as command
from benchmarks import apps, candidate, common, limiters, store
from benchmarks.common import NotMeasured, Row, Table
from benchmarks.load import Connection
from benchmarks.traffic import address, asgi_call, wsgi_call

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


@pytest.mark.parametrize("name", [apps.FIXED, apps.SLIDING, apps.STARLETTE_GUARD])
@pytest.mark.parametrize("proxied", [False, True])
def test_protected_asgi_applications_answer_and_count(name, proxied):
    """What is measured is a limit at work: two requests pass, the third of the same client is refused."""
    call = asgi_call(apps.asgi_app(name, "starlette", limit=2, proxied=proxied), clients=1, proxied=proxied)
    assert once(call) > 0
    assert once(call) > 0
    with pytest.raises(ValueError, match="429"):
        once(call)


@pytest.mark.parametrize("name", [apps.FIXED, apps.SLIDING, apps.FLASK_GUARD])
def test_protected_wsgi_applications_answer_and_count(name):
    """As with ASGI."""
    call = wsgi_call(apps.wsgi_app(name, limit=1), clients=1, proxied=False)
    assert once(call) > 0
    with pytest.raises(ValueError, match="429"):
        once(call)


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
