"""``/v1/decisions``: a site sees its own decisions, and nothing tells it of others'."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from tests.service.log.asking import Client
from tests.service.log.records import NOON, SECOND, record

from doorward.errors import DataError
from doorward.service.server import log_api
from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.log_json import document
from doorward.service.server.ports import LogRecord, Site
from doorward.testing import FakeClock

SITES = {"key-of-shop": Site("shop", "k1"), "key-of-blog": Site("blog", "k2"), "key-of-none": Site("none", "k3")}


class KnownKeys:
    """Three keys."""

    broken = False

    def find(self, token: str) -> Site | None:
        """Whose it is."""
        if self.broken:
            raise DataError("/var/lib/doorward/keys.sqlite", "the site keys cannot be used")
        return SITES.get(token)


@pytest.fixture
def keys() -> KnownKeys:
    """The keys."""
    return KnownKeys()


@pytest.fixture
def client(reader: LogFileReader, keys: KnownKeys) -> Iterator[Client]:
    """Of the routes alone."""
    with Client(Starlette(routes=log_api.routes(reader, keys)), "key-of-shop") as client:
        yield client


def put(log: LogFile, *records: LogRecord) -> None:
    """Log them."""
    for each in records:
        log.append(each)
    assert log.flush()


def test_the_newest_come_first_and_hold_no_other_sites(log: LogFile, client: Client) -> None:
    """A summary of each; one in full by its id."""
    put(log, *(record(number, site=("shop", "blog")[number % 2]) for number in range(10)))
    answer = client.get("/v1/decisions", params={"limit": 3})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert [each["id"] for each in answer.json()["decisions"]] == [record(n).id for n in (8, 6, 4)]
    assert "results" not in answer.json()["decisions"][0]
    full = client.get(f"/v1/decisions/{record(4).id}").json()
    assert full == document(record(4))
    assert full["at"] == "2027-01-15T08:00:04.000Z"
    assert full["results"][0]["tookUs"] == 40


def test_the_id_of_another_site_is_not_found(log: LogFile, client: Client) -> None:
    """With the answer of an id that nobody has, byte for byte."""
    put(log, record(1, site="blog"), record(2))
    others = client.get(f"/v1/decisions/{record(1).id}")
    nobodys = client.get(f"/v1/decisions/{record(99).id}")
    assert others.status_code == nobodys.status_code == 404
    assert others.content == nobodys.content
    assert client.get(f"/v1/decisions/{'x' * 5_000}").status_code == 404
    assert client.get("/v1/decisions/%00%ff").status_code == 404


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/req_1"], ids=["list", "one"])
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nope", "Basic key-of-shop", "key-of-shop"], ids=repr
)
def test_nobody_looks_without_a_key(client: Client, path: str, header: str) -> None:
    """Also not at whether there is anything."""
    answer = client.get(path, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    """There is GET, and HEAD."""
    assert client.request(method, "/v1/decisions").status_code == 405


BAD = {
    "unknown": ("frm", "1"),
    "site": ("site", "blog"),
    "limit-0": ("limit", "0"),
    "limit-large": ("limit", "501"),
    "limit-text": ("limit", "many"),
    "limit-digits": ("limit", "٣"),
    "limit-long": ("limit", "9" * 5_000),
    "wait": ("wait", "21"),
    "after-negative": ("after", "-1"),
    "after-large": ("after", "9223372036854775808"),
    "conclusion": ("conclusion", "MAYBE"),
    "reason": ("reason", "rate limit"),
    "since": ("since", "yesterday"),
    "since-naive": ("since", "2027-01-15T08:00:00"),
    "before-year": ("before", "99999-01-01T00:00:00Z"),
    "before-long": ("before", "99999d"),
    "ip-empty": ("ip", ""),
    "path-control": ("path", "/a\x00"),
    "path-long": ("path", "/" * 600),
}


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_a_bad_parameter_is_named(client: Client, name: str, value: str) -> None:
    """In a Connect error, without a trace of what is inside."""
    answer = client.get("/v1/decisions", params={name: value})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_argument"
    assert answer.json()["message"].startswith(f"{name}: ")
    assert "Traceback" not in answer.text


def test_a_parameter_twice_is_refused(client: Client) -> None:
    """Whoever reads only one of them would be told something else."""
    assert client.get("/v1/decisions?ip=1&ip=2").json()["message"].startswith("ip: ")


def test_filters_and_times(log: LogFile, client: Client) -> None:
    """As the reader has them; times in three forms."""
    put(log, *(record(n, ip=f"203.0.113.{n}", dry_run=("", "trial")[n % 2], path=f"/{n}") for n in range(10)))
    begun = NOON // SECOND

    def ids(**parameters: Any) -> list[int]:
        found = client.get("/v1/decisions", params=parameters).json()["decisions"]
        return [int(each["id"][4:]) for each in found]

    assert ids(ip="203.0.113.7") == [7]
    assert ids(dry_run="*", limit=2) == [9, 7]
    assert ids(conclusion="deny", path="/3") == [3]
    assert ids(since=begun + 8) == [9, 8]
    assert ids(since="2027-01-15T09:00:00+01:00", before="2027-01-15T08:00:02Z") == [1, 0]
    assert ids(rule="signup", reason="RATE_LIMIT", before=begun + 1) == [0]
    assert ids(before="1s") == []


def test_following_with_a_cursor(log: LogFile, client: Client) -> None:
    """The newest few, then what comes, each once; a decision that comes ends the wait for it."""
    put(log, record(1), record(2, site="blog"))
    first = client.get("/v1/decisions?after=0").json()
    assert [each["id"] for each in first["decisions"]] == [record(1).id]
    cursor = first["cursor"]
    assert client.get(f"/v1/decisions?after={cursor}").json() == {"decisions": [], "cursor": cursor}
    log.append(record(3))
    answer = client.get(f"/v1/decisions?after={cursor}&wait=20").json()
    assert [each["id"] for each in answer["decisions"]] == [record(3).id]
    assert int(answer["cursor"]) > int(cursor)


def test_what_cannot_be_read_is_said_without_where_it_is(client: Client, keys: KnownKeys, path: Path) -> None:
    """A damaged log and unreadable keys are 503, with the problem and no path."""
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1_000)
    for keys.broken in (False, True):
        answer = client.get("/v1/decisions")
        assert answer.status_code == 503
        assert answer.json()["code"] == "unavailable"
        assert str(path.parent) not in answer.text
        assert "/var/lib" not in answer.text


def test_a_site_has_so_many_turns(client: Client, log: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that asks too much at once is told so; nothing stays counted."""
    put(log, record(1))
    monkeypatch.setattr(log_api, "MOST_OF_A_SITE", 0)
    answer = client.get("/v1/decisions")
    assert answer.status_code == 429
    assert answer.json()["code"] == "resource_exhausted"
    monkeypatch.setattr(log_api, "MOST_OF_A_SITE", 1)
    assert [client.get("/v1/decisions").status_code for _ in range(3)] == [200, 200, 200]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PARAMETERS = st.dictionaries(
    st.sampled_from(
        ["conclusion", "reason", "rule", "dry_run", "ip", "path", "since", "before", "after", "limit", "x"]
    ),
    TEXT | st.sampled_from(["DENY", "BOT", "*", "blog", "' OR 1=1 --", "203.0.113.9", "/", "0", "1", "500", "1h"]),
)


@pytest.mark.parametrize("token", [*SITES, "nope"])
def test_no_question_shows_another_sites_decisions(
    make_log: Callable[..., LogFile], tmp_path: Path, clock: FakeClock, token: str
) -> None:
    """Whatever is asked, what comes back is the asker's, or an error with a code."""
    log = make_log(tmp_path / "log")
    fields = st.sampled_from([1, 2, 3])
    put(log, *(record(n, site=("shop", "blog")[n % 2], host=("shop", "blog")[n % 2]) for n in range(40)))
    routes = log_api.routes(LogFileReader(tmp_path / "log", clock=clock), KnownKeys())
    with Client(Starlette(routes=routes), token) as client:

        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
        @given(parameters=PARAMETERS, decision=TEXT | fields.map(lambda n: record(n).id))
        def ask(parameters: dict[str, str], decision: str) -> None:
            answer = client.get("/v1/decisions", params=parameters)
            assert answer.status_code in (200, 400, 401)
            own = SITES[token].name if token in SITES else None
            for each in answer.json().get("decisions", ()):
                assert each["site"] == each["host"] == own
            assert answer.status_code != 200 or own
            one = client.get(httpx_path(decision))
            assert one.status_code in (200, 307, 401, 404)
            if one.status_code == 200 and "site" in one.json():
                assert one.json()["site"] == own

        ask()


def httpx_path(decision: str) -> str:
    """The path of a decision, whatever its id."""
    from urllib.parse import quote

    return f"/v1/decisions/{quote(decision, safe='')}"


def test_the_shape_is_json_whatever_the_log_holds(log: LogFile, client: Client) -> None:
    """Times of the far future and large numbers, too."""
    put(log, record(1, at_ns=2**63 - 1, took_us=2**62), record(2))
    answer = client.get("/v1/decisions", params={"path": "/"})
    times = [each["at"] for each in json.loads(answer.content)["decisions"]]
    assert times == ["2262-04-11T23:47:16.854Z", "2027-01-15T08:00:02.000Z"]
