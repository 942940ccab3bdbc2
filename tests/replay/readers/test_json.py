"""JSON lines: our own form, nginx, Caddy, Traefik, doorward's decisions; and HAR files."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.helpers import SOURCE, headers, only, paths, read_all, read_text

from doorward import Doorward, RequestContext, rate_limit
from doorward.replay.readers import parser_of
from doorward.replay.readers.har import Entries
from doorward.replay.readers.problems import NO_JSON, NO_PATH, NO_TIME, TOO_DEEP, WRONG_TIME, NoRequest
from doorward.replay.reading import Reading
from doorward.replay.records import EVERY_HEADER, EVERYTHING
from doorward.service.server.log_file import LogFile
from doorward.service.server.ports import LogRecord
from doorward.tail_lines import as_json
from doorward.testing import FakeClock

AT = 1760054400
CADDY = {
    "level": "info", "ts": 1646861401.5241024, "logger": "http.log.access", "msg": "handled request",
    "request": {
        "remote_ip": "127.0.0.1", "remote_port": "41342", "client_ip": "203.0.113.7", "proto": "HTTP/2.0",
        "method": "GET", "host": "localhost", "uri": "/a%20b?c=d",
        "headers": {"User-Agent": ["curl/7.82.0"], "Accept": ["*/*"], "Cookie": ["REDACTED"]},
        "tls": {"resumed": False, "version": 772, "cipher_suite": 4865, "proto": "h2", "server_name": "example.com"},
    },
    "bytes_read": 0, "user_id": "", "duration": 0.000929675, "size": 10900, "status": 200,
    "resp_headers": {"Server": ["Caddy"]},
}  # fmt: skip
TRAEFIK = {
    "ClientAddr": "203.0.113.7:51342", "ClientHost": "203.0.113.7", "ClientPort": "51342", "ClientUsername": "-",
    "DownstreamContentSize": 19, "DownstreamStatus": 404, "Duration": 60711, "GzipRatio": 0, "OriginStatus": 0,
    "RequestAddr": "shop.example", "RequestContentSize": 0, "RequestCount": 1, "RequestHost": "shop.example",
    "RequestMethod": "GET", "RequestPath": "/a?b=c", "RequestPort": "-", "RequestProtocol": "HTTP/1.1",
    "RequestScheme": "https", "StartLocal": "2025-10-10T02:00:00.123456789+02:00",
    "StartUTC": "2025-10-10T00:00:00.123456789Z", "entryPointName": "web", "level": "info", "msg": "",
    "request_User-Agent": "curl/8.5.0", "time": "2025-10-10T00:00:01Z",
}  # fmt: skip
NGINX = {
    "time_local": "10/Oct/2025:00:00:00 +0000", "remote_addr": "203.0.113.7", "remote_user": "",
    "request": "POST /a?b=c HTTP/1.1", "status": "200", "body_bytes_sent": "5", "http_referrer": "",
    "http_user_agent": "curl/8.5.0", "http_x_forwarded_for": "", "request_time": "0.001",
}  # fmt: skip


def test_our_own_form(tmp_path: Path) -> None:
    """As docs/replay-formats.md has it; headers are all of them, a body makes the recording complete."""
    line = {
        "time": "2025-10-10T00:00:00Z", "ip": "203.0.113.7", "method": "POST", "path": "/a%2Fb?c=d", "status": 201,
        "headers": [["User-Agent", "curl/8.5.0"], ["Accept", "a"], ["Accept", "b"]], "body": "é", "email": "a@b.example",  # noqa: E501
        "host": "shop.example", "scheme": "https",
    }  # fmt: skip
    row = only(tmp_path, json.dumps(line))
    request = row.request
    assert (row.at_ns, row.status, dict(row.inputs)) == (AT * 10**9, 201, {"email": "a@b.example"})
    assert (request.peer, request.method, request.path, request.query) == ("203.0.113.7", "POST", "/a/b", "c=d")
    assert (request.raw_path, request.host, request.scheme) == ("/a%2Fb", "shop.example", "https")
    assert request.header_values("accept") == ["a", "b"]
    assert request.body == "é".encode()
    assert {EVERY_HEADER, "user-agent", "cookie", "query", "body"} <= row.known


@pytest.mark.parametrize(
    "time",
    [
        AT,
        AT * 1000,
        AT * 10**6,
        float(AT),
        str(AT),
        f"{AT}.0",
        "2025-10-10 02:00:00+02:00",
        "[10/Oct/2025:00:00:00 +0000]",
    ],
)
def test_times(tmp_path: Path, time: object) -> None:
    """Seconds, milliseconds, microseconds, ISO 8601, the Common Log Format."""
    assert only(tmp_path, json.dumps({"time": time, "path": "/"})).at_ns == AT * 10**9


def test_only_what_is_there_is_known(tmp_path: Path) -> None:
    """Without headers, one of them may still be recorded by itself."""
    row = only(tmp_path, json.dumps({"ts": AT, "uri": "/", "user_agent": "curl/8.5.0"}))
    assert (row.known, headers(row), row.request.peer) == ({"query", "user-agent"}, {"user-agent": "curl/8.5.0"}, None)


def test_nginx(tmp_path: Path) -> None:
    """``escape=json`` with variables as keys: empty is not sent."""
    row = only(tmp_path, json.dumps(NGINX))
    assert (row.request.method, row.request.path, row.request.query, row.status) == ("POST", "/a", "b=c", 200)
    assert headers(row) == {"user-agent": "curl/8.5.0"}
    assert row.known == {"query", "referrer", "user-agent", "x-forwarded-for"}


def test_nginx_that_was_not_told_to_write_json(tmp_path: Path) -> None:
    r"""Its default escapes are no JSON: ``\xHH`` is a byte all the same."""
    line = '{"msec": "%d.000", "request": "GET /caf\\xC3\\xA9 HTTP/1.1", "http_user_agent": "a\\x22b\\x5C\\xff"}' % AT  # noqa: UP031
    row = only(tmp_path, line)
    assert (row.request.path, headers(row)) == ("/café", {"user-agent": 'a"b\\\xff'})


def test_nginx_writes_bytes_as_they_came(tmp_path: Path) -> None:
    """Those that are no UTF-8 as well."""
    line = b'{"msec": "%d.000", "request": "GET /\xff HTTP/1.1", "http_user_agent": "\xc3\xa9\xff"}' % AT
    row = only(tmp_path, line)
    assert (row.request.path, row.request.raw_path, headers(row)) == (
        "/\ufffd",
        "/\xff",
        {"user-agent": "\xc3\xa9\xff"},
    )


def test_caddy(tmp_path: Path) -> None:
    """It records all headers, but for those that it redacts: of them nothing is known."""
    row = only(tmp_path, json.dumps(CADDY))
    request = row.request
    assert (request.peer, request.path, request.query, request.scheme) == ("203.0.113.7", "/a b", "c=d", "https")
    assert headers(row) == {"user-agent": "curl/7.82.0", "accept": "*/*", "host": "localhost"}
    assert (row.status, row.at_ns // 10**6) == (200, 1646861401524)
    assert {EVERY_HEADER, "accept-language"} <= row.known
    assert not {"cookie", "body"} & row.known


def test_traefik(tmp_path: Path) -> None:
    """It tells the time at which the request came, to the microsecond here; headers as it was told to."""
    row = only(tmp_path, json.dumps(TRAEFIK))
    assert (row.at_ns, row.status) == (AT * 10**9 + 123456000, 404)
    assert (row.request.peer, row.request.path, row.request.query) == ("203.0.113.7", "/a", "b=c")
    assert headers(row) == {"user-agent": "curl/8.5.0", "host": "shop.example"}
    assert row.known == {"host", "query", "user-agent"}


def test_a_prefix_is_let_be(tmp_path: Path) -> None:
    """As containers' logs have it."""
    assert only(tmp_path, f'web-1  | {{"time": {AT}, "path": "/a"}}').request.path == "/a"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[1]", NO_JSON),
        ('{"time": 1', NO_JSON),
        ("{" * 100_000, NO_JSON),
        ('{"a":' * 40_000, TOO_DEEP),
        ('{"path": "/"}', NO_TIME),
        ('{"time": 1760054400}', NO_PATH),
        ('{"time": 1760054400, "path": ["/"]}', NO_PATH),
        ('{"time": true, "path": "/"}', WRONG_TIME),
        ('{"time": {}, "path": "/"}', WRONG_TIME),
        ('{"time": NaN, "path": "/"}', WRONG_TIME),
        ('{"time": 1e999, "path": "/"}', WRONG_TIME),
        ('{"time": %s, "path": "/"}' % ("9" * 200_000), WRONG_TIME),
        ('{"time": "2025-13-01T00:00:00Z", "path": "/"}', WRONG_TIME),
        ('{"request": {"uri": 5}, "ts": 1}', NO_PATH),
        ('{"doorward": {"conclusion": "MAYBE"}}', None),
    ],
    ids=["list", "cut", "braces", "deep", "no time", "no path", "list path", "bool", "object", "nan", "inf", "huge",
         "month", "caddy", "decision"],
)  # fmt: skip
def test_what_is_no_request(tmp_path: Path, line: str, why: str | None) -> None:
    """Counted, whatever it is."""
    found, reading = read_text(tmp_path, line + "\n", format="json")
    assert not found
    assert sum(reading.skipped.values()) == 1
    assert why is None or dict(reading.skipped) == {why: 1}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=6
)
KEYS = ["time", "path", "headers", "ip", "request", "body", "body_base64", "email", "status", "doorward", "conclusion",
        "id", "at", "dryRun", "message", "query", "host", "uri", "method", "client_ip", "ts"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), values | st.just("lreq_"), max_size=8), st.booleans())
def test_wrong_types_are_counted(data: dict[str, Any], valid: bool) -> None:
    """Any JSON is a request that a client may be asked about, or says why not."""
    if valid:
        data = {**data, "time": AT, "path": "/a?b"}
    try:
        row = parser_of("json").parse(json.dumps(data), SOURCE)
    except NoRequest:
        return
    list(row.request.headers), row.request.query_values("b"), row.request.cookies("a")
    assert row.request.body is None or isinstance(row.request.body, bytes)


bytes_text = st.text(st.characters(max_codepoint=255), max_size=30)


@given(agent=st.text(min_size=1, max_size=20), path=bytes_text, body=st.binary(max_size=20))
def test_what_is_written_as_json_is_read_back(agent: str, path: str, body: bytes) -> None:
    """Text stands for its UTF-8, as servers would hand it on."""
    line = json.dumps({"time": AT, "path": "/", "headers": {"a": agent}, "body_base64": b64encode(body).decode()})
    row = parser_of("json").parse(line, SOURCE)
    assert headers(row)["a"].encode("latin-1").decode("utf-8", "surrogatepass") == agent
    assert row.request.body == body


# --- doorward's own decisions


def decided(tmp_path: Path, formatter: logging.Formatter) -> tuple[Path, list[str]]:
    """A log of decisions of a client, and their ids."""
    stream = io.StringIO()
    logger = logging.Logger("app")  # noqa: LOG001  (known to nobody)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    clock = FakeClock(AT)
    aj = Doorward([rate_limit("1/minute", name="slow")], logger=logger, clock=clock, proxies=())
    ids = []
    for path in ("/a b", '/"\\é\x1b', "/c"):
        clock.advance(1)
        ids.append(aj.protect(RequestContext(path=path, peer="203.0.113.7", method="POST")).id)
        logger.warning("something else")
    file = tmp_path / "app.log"
    file.write_text(stream.getvalue())
    return file, ids


class AsJson(logging.Formatter):
    """As loggers that write JSON do it."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"timestamp": record.created, "level": record.levelname, "message": record.getMessage()}
        return json.dumps({**fields, **({"doorward": record.doorward} if hasattr(record, "doorward") else {})})


class MessageAsJson(AsJson):
    """Without what was handed over beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"msg": record.getMessage()})


@pytest.mark.parametrize(
    "formatter",
    [
        logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"),
        logging.Formatter(),
        AsJson(),
        MessageAsJson(),
    ],
    ids=["text", "bare", "json", "message"],
)
def test_the_log_of_decisions(tmp_path: Path, formatter: logging.Formatter) -> None:
    """The time is that of the id; what doorward decided then is told; no header is known, nor the query."""
    file, ids = decided(tmp_path, formatter)
    found, reading = read_all(file)
    assert paths(found) == ["/a b", '/"\\é\x1b', "/c"]
    assert [row.at_ns // 10**9 for row in found] == [AT + 1, AT + 2, AT + 3]
    assert [row.told.decision for row in found] == ids
    assert [(row.told.conclusion, row.status) for row in found] == [("ALLOW", None), ("DENY", 429), ("DENY", 429)]
    assert {(row.request.peer, row.request.method, row.known) for row in found} == {
        ("203.0.113.7", "POST", frozenset())
    }
    assert sum(reading.skipped.values()) == 3


RECORD = LogRecord(
    id="", at_ns=AT * 10**9 + 5_000_000, site="shop", conclusion="DENY", reason="RATE_LIMIT", why="too many",
    rule="slow", dry_run="new", ip="203.0.113.7", method="GET", host="shop.example", path="/a\\x1b", agent="curl/8.5.0",
)  # fmt: skip


def test_the_log_of_a_service(tmp_path: Path) -> None:
    """Its file, and what ``doorward tail --json`` prints of it."""
    from doorward.service.server.log_json import summary

    path = tmp_path / "log.sqlite"
    log = LogFile(path, days=100_000)
    log.start()
    for number in range(1_200):
        log.append(RECORD._replace(id=f"req_{number}", at_ns=RECORD.at_ns + number * 10**6))
    assert log.close()
    of_file, reading = read_all(path)
    printed, _ = read_text(tmp_path, as_json(summary(RECORD)) + "\n")
    assert (len(of_file), reading.lines) == (1_200, 1_200)
    for row in (of_file[0], printed[0]):
        assert (row.at_ns, row.request.path, row.request.host) == (RECORD.at_ns, "/a\x1b", "shop.example")
        assert headers(row) == {"host": "shop.example", "user-agent": "curl/8.5.0"}
        assert (row.told.rule, row.told.dry_run, row.told.why) == ("slow", "new", "too many")
        assert row.known == {"host", "user-agent"}


@pytest.mark.parametrize("data", [bytes(200), b"x" * 5_000], ids=["empty", "damaged"])
def test_a_database_that_is_none_of_ours(tmp_path: Path, data: bytes) -> None:
    """Is said to be one."""
    found, reading = read_text(tmp_path, b"SQLite format 3\0" + data)
    assert not found
    assert any("cannot be read" in note for note in reading.notes), reading.notes


# --- HAR


def entry(**changes: Any) -> dict[str, Any]:
    """An entry as HAR 1.2 describes it."""
    request = {
        "method": "GET", "url": "https://shop.example/a%20b?c=d#e", "httpVersion": "HTTP/2.0",
        "cookies": [{"name": "sid", "value": "1"}], "queryString": [{"name": "c", "value": "d"}],
        "headers": [{"name": ":path", "value": "/a"}, {"name": "User-Agent", "value": "curl"}], "headersSize": -1,
        "bodySize": 0, **changes,
    }  # fmt: skip
    return {
        "startedDateTime": "2025-10-10T02:00:00.000+02:00",
        "time": 50,
        "request": request,
        "response": {"status": 200},
    }


def har(*entries: Any) -> str:
    """A file of some entries, with what browsers put around them."""
    pages = [{"id": "page_1", "title": 'a "quoted \\" [{', "entries": [{"not": "one"}]}]
    log = {"version": "1.2", "creator": {"name": "entries"}, "pages": pages, "entries": list(entries), "comment": "]}"}
    return json.dumps({"log": log}, indent=1)


def test_har(tmp_path: Path) -> None:
    """All of the request is known; of the address nothing is."""
    row = only(tmp_path, har(entry()))
    request = row.request
    assert (row.at_ns, row.status, row.known, row.source.line) == (AT * 10**9, 200, EVERYTHING, 1)
    assert (request.peer, request.path, request.raw_path, request.query) == (None, "/a b", "/a%20b", "c=d")
    assert headers(row) == {"user-agent": "curl", "cookie": "sid=1", "host": "shop.example"}
    assert (request.body, request.host, request.scheme) == (b"", "shop.example", "https")


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"postData": {"mimeType": "text/plain", "text": "é"}}, "é".encode()),
        ({"postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "é"}]}}, b"a+b=%C3%A9"),  # noqa: E501
        ({"postData": {"mimeType": "multipart/form-data", "params": [{"name": "a", "value": "b"}]}}, None),
        ({"bodySize": 5}, None),
        ({"bodySize": 0}, b""),
    ],
    ids=["text", "form", "multipart", "left out", "none"],
)  # fmt: skip
def test_bodies_in_har(tmp_path: Path, changes: dict[str, Any], body: bytes | None) -> None:
    """As text or as a form's fields; one that was left out is not known."""
    row = only(tmp_path, har(entry(method="POST", **changes)))
    assert row.request.body == body
    assert (row.known == EVERYTHING) is (body is not None)
    assert EVERY_HEADER in row.known or body is not None


def test_secrets_that_a_browser_left_out_are_not_known(tmp_path: Path) -> None:
    """Cookies are not in what browsers export by default: that there are none says nothing."""
    row = only(tmp_path, har(entry(cookies=[])))
    assert not {"cookie", "authorization"} & row.known
    assert {EVERY_HEADER, "query", "body", "accept"} <= row.known


def test_entries_that_are_none_are_counted(tmp_path: Path) -> None:
    """Beside those that are: wrong types, what no server sees, what is cut off."""
    bad = [
        {},
        {"request": 5},
        entry(url="data:text/html,a"),
        entry(url=5),
        entry(headers=5, cookies={"a": 1}, postData=[]),
    ]
    text = har(entry(), *bad)
    found, reading = read_text(tmp_path, text)
    assert (len(found), sum(reading.skipped.values())) == (2, 4)
    found, reading = read_text(tmp_path, text[: text.rfind("headersSize")])
    assert (len(found), sum(reading.skipped.values())) == (1, 5)


@pytest.mark.parametrize("text", ['{"log": {}}', '{"log": {"entries": {}}}', '{"log": {'])
def test_a_file_without_entries(tmp_path: Path, text: str) -> None:
    """Is said to be one."""
    found, reading = read_text(tmp_path, text)
    assert (found, sum(reading.skipped.values())) == ([], 1)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), values, max_size=4), max_size=4), st.integers(1, 50), st.booleans()
)
def test_entries_are_cut_out_as_json_has_them(entries: list[dict[str, Any]], size: int, ascii_only: bool) -> None:
    """Wherever pieces of the file end: held against the parser of the standard library."""
    text = json.dumps({"log": {"a": [[{"entries": [1]}]], "entries": entries, "b": {}}}, ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    found = [json.loads((piece or b"").decode("utf-8", "surrogatepass")) for piece in Entries(pieces)]
    assert json.dumps(found) == json.dumps(entries)


def test_an_entry_of_any_length_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and the next one read."""
    monkeypatch.setattr("doorward.replay.readers.har.LONGEST_ENTRY", 2_000)
    found, reading = read_text(tmp_path, har(entry(), entry(comment="x" * 200_000), entry()))
    assert (len(found), sum(reading.skipped.values()), reading.lines) == (2, 1, 3)
    assert isinstance(reading, Reading)
