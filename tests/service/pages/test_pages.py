"""What the pages say, over HTTP: whatever is in the log, and whatever is asked for."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.service.pages.doubles import BOT_FOUND, SHIELD_FOUND, Site, limit, result, seeded
from tests.service.pages.visitor import form_token, log_in

from doorward.clock import NANOSECONDS, SystemClock
from doorward.ids import decision_id
from doorward.service.server.pages import assets, filters, routes
from doorward.service.server.pages.detail import MOST_RULES
from doorward.service.server.pages.reasons import explain
from doorward.service.server.ports import LogQuery, LogRecord

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """Somebody who has logged in."""
    await log_in(http)
    return http


def of(site: Site, **fields: object) -> LogRecord:
    return next(r for r in reversed(site.reader.records) if all(getattr(r, n) == v for n, v in fields.items()))


def asset_urls() -> list[str]:
    return list(assets.Assets().urls.values())


# --- headers


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
EXPECTED = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
}
ANSWERS = ["GET /", "GET /?range=nonsense", "GET /decisions", "GET /decisions?ip=x", "GET /decisions/live?cursor=0",
           "GET /decisions/live?cursor=x", "GET /decisions/req_x", "GET /dry-runs",
           "GET /dry-runs?dry=bots", "GET /bans", "POST /bans", "GET /keys", "GET /login",
           "POST /login", "POST /logout", "GET /logout", "DELETE /", "PUT /decisions", "POST /decisions/live",
           "HEAD /", "OPTIONS /login", "GET /assets/nothing.css"]  # fmt: skip


@pytest.mark.parametrize("broken", [False, True], ids=["works", "broken"])
@pytest.mark.parametrize("logged_in", [True, False], ids=["in", "out"])
async def test_every_answer_has_the_headers(http: httpx.AsyncClient, site: Site, logged_in: bool, broken: bool) -> None:
    """Pages, redirects, errors and JSON; nothing is kept by a cache."""
    if logged_in:
        await log_in(http)
    site.reader.broken = broken
    for answer in ANSWERS:
        headers = (await http.request(*answer.split())).headers
        assert {name: headers.get(name) for name in EXPECTED} == EXPECTED, answer


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(operator: httpx.AsyncClient, method: str) -> None:
    """And told which there are."""
    reply = await operator.request(method, "/bans")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST")


def test_every_path_is_a_page_with_headers(site: Site) -> None:
    """None is left out of the list above."""
    tried = {answer.split()[1].partition("?")[0] for answer in ANSWERS}
    for route in site.routes:
        assert any(route.path_regex.match(path) for path in tried), route.path


# --- assets


@pytest.mark.parametrize("url", asset_urls())
async def test_assets_are_kept_for_good(http: httpx.AsyncClient, url: str) -> None:
    """Their names change with what is in them."""
    reply = await http.get(url)
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-type"].split(";")[0] in {"text/css", "text/javascript", "image/svg+xml"}


@pytest.mark.parametrize("path", [
    "doorward.css", "../reading.py", "..%2freading.py", "%2e%2e/templates/base.html", "....//login.py", "/etc/passwd",
    "%2fetc%2fpasswd", "..\\reading.py", "..%5creading.py", "live.js%00", "", ".", "live.0000000000000000.js",
    "x/../../guard.py",
], ids=range(14))  # fmt: skip
async def test_only_assets_are_sent(http: httpx.AsyncClient, path: str) -> None:
    """No path leads anywhere else."""
    reply = await http.get(f"/assets/{path}")
    assert reply.status_code in {303, 307, 404}
    assert "import" not in reply.text


def test_assets_are_small_and_load_nothing_else() -> None:
    """Less than 30 kB; no address of another host, no inline style, script or handler in any template."""
    files = list(assets.FOLDER.iterdir())
    assert sum(path.stat().st_size for path in files) < 30_000
    templates = list(assets.FOLDER.with_name("templates").iterdir())
    for path in files + templates:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(
            r"https?://|@import|url\(['\"a-z/]|innerHTML|insertAdjacent|document\.write|eval\(", text
        ), path
    for path in templates:
        text = path.read_text("utf-8")
        assert not re.search(r"<style|<script(?! src=)|\son[a-z]+=|\sstyle=|javascript:|\|safe", text), path


# --- hostile values


class Parsed(HTMLParser):
    """Every tag and attribute of a page, as a browser reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "</template><script>alert(1)</script>",
    "\u202eevil\u2066\x1b[31m\r\nX: y\x00",
    "\ud800 lone",
    "//evil.example/",
    "x" * 100_000,
    "?a=b&c=d#e/../..",
]
KNOWN_TAGS = """
html head meta title link body a header img nav form label input button main div h1 h2 p
section small span strong svg rect details summary table thead tr th tbody td br dl dt dd
pre script noscript select option datalist template time ul li code em
"""


def hostile(payload: str, at_ns: int) -> LogRecord:
    nested = {"rule": payload, "message": payload, "max": payload, "denied": [payload], payload: payload}
    kinds = ["rateLimit", "botV2", "shield", "email", "filter", "rule", "challenge", "error", "bot", payload]
    results = [
        {
            **result(payload, payload, {kind: nested}, payload),
            **dict.fromkeys(["ruleId", "fingerprint", "note", "ttl", "tookUs"], payload),
        }
        for kind in kinds
    ]
    details = dict.fromkeys(["provenance", "country", "city", "asn", "asnName", "asnType", "service", "isVpn"], payload)
    names = "site conclusion reason why rule dry_run ip method host path agent country client"
    text = dict.fromkeys(names.split(), payload)
    return LogRecord(
        id=payload, at_ns=at_ns, results=results, ip_details={**details, "names": {"vpn": [payload]}}, **text
    )


def is_safe(page: str) -> None:
    """Nothing but our own tags, no handlers, and links that stay here."""
    page.encode("utf-8")
    for tag, attributes in Parsed(page).tags:
        assert tag in KNOWN_TAGS.split(), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], attributes
        assert tag != "script" or re.fullmatch(r"/assets/live\.[0-9a-f]{16}\.js", attributes["src"] or "")
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or value == "" or re.match(r"/(?![/\\])|#main$", value), (tag, value[:100])
    assert not re.search("[\x00-\x08\x0b-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
async def test_hostile_values_are_text(operator: httpx.AsyncClient, site: Site, payload: str) -> None:
    """In every field of the log, on every page and in the JSON; pages stay small."""
    site.reader.records = [hostile(payload, SystemClock().now_ns() - 5 * NANOSECONDS)]
    site.bans.held = {payload: (60.0, payload)}
    for path in ("/", "/decisions", "/bans", "/keys"):
        reply = await operator.get(path)
        assert reply.status_code == 200, path
        assert len(reply.content) < 60_000
        is_safe(reply.text)
    rows = (await operator.get("/decisions/live?cursor=0")).json()["rows"]
    assert all((value.isascii() and value.isprintable()) or "µ" in value for value in rows[0].values())
    if payload.isascii() and len(payload) < 2_000 and "\x00" not in payload:
        reply = await operator.get(rows[0]["href"])
        assert reply.status_code == 200
        is_safe(reply.text)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
@pytest.mark.parametrize("path", ["/", "/decisions", "/decisions/live", "/bans", "/login"])
async def test_hostile_questions_are_text(operator: httpx.AsyncClient, site: Site, path: str, payload: str) -> None:
    """In every parameter of a URL."""
    site.reader.records = site.reader.records[-3:]
    payload = payload[:20_000].encode("utf-8", "replace").decode()
    names = [*filters.Filters.__dataclass_fields__, "id", "cursor", "banned", "unbanned", "missing", "next"]
    for name in names:
        reply = await operator.get(path, params={"range": "1h", name: payload})
        assert reply.status_code in {200, 303, 400}
        if reply.status_code == 200 and "html" in reply.headers["content-type"]:
            is_safe(html_without_inputs(reply.text))
        assert not reply.headers.get("location", "/").startswith("//")


def html_without_inputs(page: str) -> str:
    """Without what is in the fields of forms, which give back what was typed."""
    return re.sub(r' value="[^"]*"', "", page)


async def test_what_a_link_filters_by_is_what_the_visitor_sent(operator: httpx.AsyncClient, site: Site) -> None:
    """Shown escaped, asked for as it is."""
    path = "/ümlaut?\u202e&x=\"'<"
    site.reader.records = [of(site, conclusion="ALLOW")._replace(path=path, id="req_x")]
    page = (await operator.get("/decisions/req_x")).text
    link = next(a["href"] for tag, a in Parsed(page).tags if tag == "a" and "path=" in (a.get("href") or ""))
    assert parse_qs(urlsplit(link).query)["path"] == [path]
    assert "req_x" in (await operator.get(link)).text


# --- overview


async def test_the_overview_counts_what_is_in_the_log(operator: httpx.AsyncClient, site: Site) -> None:
    """Each conclusion, as a figure, as a chart and as a table."""
    page = (await operator.get("/?range=7d")).text
    for name in filters.CONCLUSIONS:
        count = sum(record.conclusion == name for record in site.reader.records)
        assert f'aria-label="{name}: {count} in all' in page or (not count and f"{name}: none" in page)
        columns = re.findall(r'<th scope="row">.*?</tr>', page, re.DOTALL)
        place = filters.CONCLUSIONS.index(name)
        assert sum(int(re.findall(r'class="n[^"]*">(\d+)<', line)[place]) for line in columns) == count
    assert "<strong>The log is not complete.</strong> 12 decisions were not kept" in page


async def test_the_overview_links_to_samples(operator: httpx.AsyncClient, site: Site) -> None:
    """Of what is denied most, and of what dry-run rules would have refused."""
    links = [a.get("href") or "" for tag, a in Parsed((await operator.get("/?range=7d")).text).tags if tag == "a"]
    for wanted in (
        "/decisions?conclusion=DENY&ip=192.0.2.66&range=7d",
        "/decisions?conclusion=DENY&rule=signup&range=7d",
        "/dry-runs?dry=bots&range=7d",
    ):
        [link] = {link for link in links if link == wanted}
        rows = Parsed((await operator.get(link)).text).tags
        assert [tag for tag, _ in rows].count("time") > 1


async def test_a_dry_run_rule_has_a_page(operator: httpx.AsyncClient, site: Site) -> None:
    """With how many of how many it would have refused, whom, and each sample's decision."""
    would = [record for record in site.reader.records if record.dry_run == "bots"]
    sites = {record.site for record in would}
    every = [record for record in site.reader.records if record.site in sites]
    page = (await operator.get("/dry-runs?dry=bots&range=7d")).text
    assert f"bots would have refused {len(would)} of {len(every):,} requests" in page
    assert "denied CURL: names itself curl" in page
    links = {a.get("href") for tag, a in Parsed(page).tags if tag == "a"}
    samples = [link for link in links if link and link.startswith("/decisions/req_")]
    assert len(samples) == min(20, len(would))
    assert {link.rpartition("/")[2] for link in samples} <= {record.id for record in would}
    assert (await operator.get(samples[0])).status_code == 200
    lists = (await operator.get("/dry-runs")).text
    assert 'href="/dry-runs?dry=bots&amp;range=7d"' in lists


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "no such rule", "*", "\x1b[31m"])
async def test_a_page_of_any_dry_run_rule_is_harmless(operator: httpx.AsyncClient, name: str) -> None:
    """Whatever a link names."""
    answer = await operator.get("/dry-runs", params={"dry": name})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "\x1b" not in answer.text


async def test_a_bar_leads_to_its_decisions(operator: httpx.AsyncClient, site: Site) -> None:
    """Of its stretch of time and conclusion."""
    page = (await operator.get("/?range=24h")).text
    bars = re.findall(r'<a href="([^"]+)" tabindex="-1"><title>[^<]*?  (\d+) DENY</title>', page)
    link, count = max(bars, key=lambda bar: int(bar[1]))
    shown = (await operator.get(html.unescape(link))).text
    assert shown.count('role="row" data-is="DENY"') == int(count)


async def test_one_site_alone(operator: httpx.AsyncClient, site: Site) -> None:
    """Its figures only; the others are one click away."""
    page = (await operator.get("/?range=7d&site=forum")).text
    count = sum(r.site == "forum" for r in site.reader.records)
    assert f"<small>{count} decisions</small>" in page
    assert 'href="/?site=shop&amp;range=7d"' in page


async def test_a_whole_log_is_not_complained_about(tmp_path: Path) -> None:
    """Without figures nothing is said about the log."""
    site = Site(tmp_path, seeded(SystemClock().now_ns(), 20))
    site.app.router.routes = routes(site.reader, site.login)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://x.example") as http:
        token = re.search('name="token" value="([^"]+)"', (await http.get("/login")).text)[1]
        await http.post("/login", data={"token": token, "password": "correct-horse-battery"})
        page = (await http.get("/")).text
        assert "not complete" not in page
        assert "/bans" not in page
        assert "/keys" not in page
        assert (await http.get("/bans")).status_code == 404


# --- decisions


def ids(page: str) -> list[str]:
    return re.findall(r'data-link="href" href="/decisions/([^"]+)"', page)


FILTERS = {
    "conclusion=DENY": LogQuery(conclusion="DENY"),
    "conclusion=deny": LogQuery(conclusion="DENY"),
    "reason=SHIELD": LogQuery(reason="SHIELD"),
    "rule=signup": LogQuery(rule="signup"),
    "site=forum": LogQuery(site="forum"),
    "ip=192.0.2.66": LogQuery(ip="192.0.2.66"),
    "path=/api": LogQuery(path="/api"),
    "dry=*": LogQuery(dry_run="*"),
    "dry=bots": LogQuery(dry_run="bots"),
    "conclusion=DENY&site=shop&path=/s": LogQuery(conclusion="DENY", site="shop", path="/s"),
}


@pytest.mark.parametrize("query", FILTERS)
async def test_filters(operator: httpx.AsyncClient, site: Site, query: str) -> None:
    """What the URL says is what is shown, the newest first."""
    wanted = [record.id for record in site.reader.latest(FILTERS[query], 100)]
    assert wanted
    assert ids((await operator.get(f"/decisions?{query}")).text) == wanted


async def test_filters_by_time(operator: httpx.AsyncClient, site: Site) -> None:
    """A stretch up to now, or from and to."""
    middle = site.reader.records[100].at_ns
    at = filters.iso(middle)
    early = [r.id for r in site.reader.records if r.at_ns < filters.time_of(at)]
    assert ids((await operator.get(f"/decisions?until={at}")).text) == early[::-1][:100]
    late = [r.id for r in site.reader.records if r.at_ns >= filters.time_of(at)]
    assert ids((await operator.get(f"/decisions?since={at}")).text) == late[::-1][:100]
    recent = SystemClock().now_ns() - 3600 * NANOSECONDS
    last_hour = [r.id for r in site.reader.records if r.at_ns >= recent][::-1]
    assert ids((await operator.get("/decisions?range=1h")).text) == last_hour[:100]


@pytest.mark.parametrize("query", ["conclusion=MAYBE", "range=1y", "since=yesterday", "until=2026-13-01", "before=-1",
                                   "before=1e9", "before=99999999999999999999", "since=9999-12-31T23:59:59-23:00",
                                   "since=0001-01-01"], ids=range(9))  # fmt: skip
async def test_filters_that_make_no_sense_are_told(operator: httpx.AsyncClient, query: str) -> None:
    """And left out."""
    page = (await operator.get(f"/decisions?{query}")).text
    assert f"make no sense: {query.partition('=')[0]}." in page
    assert len(ids(page)) == 100


async def test_older_decisions_are_pages_away(operator: httpx.AsyncClient, site: Site) -> None:
    """Every decision is on one of them, also those of the same nanosecond."""
    same = site.reader.records[99].at_ns
    site.reader.records = [
        record._replace(at_ns=same) if 95 < n < 105 else record for n, record in enumerate(site.reader.records)
    ]
    seen: list[str] = []
    url = "/decisions"
    while url:
        page = (await operator.get(url)).text
        seen += ids(page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        url = html.unescape(found[1]) if found else ""
    assert set(seen) == {record.id for record in site.reader.records}
    assert len(seen) < 220


async def test_a_view_can_be_filtered_further_and_less(operator: httpx.AsyncClient) -> None:
    """Each filter that is set can be taken off alone."""
    page = (await operator.get("/decisions?conclusion=DENY&ip=192.0.2.66&site=shop")).text
    assert 'href="/decisions?conclusion=DENY&amp;site=shop" aria-label="Without the filter client"' in page
    assert 'href="/decisions?site=shop&amp;ip=192.0.2.66">All</a>' in page


async def test_a_pasted_id_leads_to_the_decision(operator: httpx.AsyncClient, site: Site) -> None:
    """With the spaces that come with it."""
    wanted = site.reader.records[3].id
    reply = await operator.get("/decisions", params={"id": f"  {wanted}\n"})
    assert (reply.status_code, reply.headers["location"]) == (303, f"/decisions/{wanted}")


# --- what comes


async def test_the_script_gets_what_has_come_since(operator: httpx.AsyncClient, site: Site) -> None:
    """By a cursor; only what the filters let through."""
    page = (await operator.get("/decisions?conclusion=DENY")).text
    url = html.unescape(re.search('data-url="([^"]+)"', page)[1])
    cursor = re.search('data-cursor="([^"]+)"', page)[1]
    assert (await operator.get(url, params={"cursor": cursor})).json()["rows"] == []
    now = SystemClock().now_ns()
    for conclusion in ("DENY", "ALLOW", "DENY"):
        site.reader.append(of(site, conclusion=conclusion)._replace(id=decision_id(now), at_ns=now))
    merged = httpx.URL(url).copy_merge_params({"cursor": cursor})
    first = (await operator.get(merged)).json()
    assert [row["conclusion"] for row in first["rows"]] == ["DENY", "DENY"]
    again = (await operator.get(httpx.URL(url).copy_merge_params({"cursor": first["cursor"]}))).json()
    assert again["rows"] == []


@pytest.mark.parametrize("query", ["before=5", "until=2026-01-01T00:00:00"])
async def test_a_page_of_the_past_is_not_live(operator: httpx.AsyncClient, query: str) -> None:
    """Nothing new belongs there."""
    page = (await operator.get(f"/decisions?{query}")).text
    assert "live.js" not in page.replace("<script", "<script")
    assert 'id="live"' not in page


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "9" * 30, "²"])
async def test_a_cursor_is_a_number(operator: httpx.AsyncClient, cursor: str) -> None:
    """Else it is refused."""
    assert (await operator.get("/decisions/live", params={"cursor": cursor})).status_code == 400


# --- one decision


async def test_a_decision_in_full(operator: httpx.AsyncClient, site: Site) -> None:
    """Each rule: name, kind, state, conclusion, why, fingerprint, how long it holds, what it cost; and the address."""
    record = of(site, rule="signup")
    page = html.unescape((await operator.get(f"/decisions/{record.id}")).text)
    for text in (
        record.id, "signup", "RATE_LIMIT", "0 of 5 left in 60 s, reset in 41 s", "fp::3::9c1185a5", "41 s", "180 µs",
        "nothing suspicious", "40 µs", record.ip, "a forwarding header, set by a trusted proxy", "Example Cloud",
        "hosting", "AS64511", record.agent, "/signup", record.client, '"conclusion": "DENY"',
        f"/decisions?ip={record.ip}", "/decisions?rule=signup", f"/bans?ip={record.ip}",
    ):  # fmt: skip
        assert text in page, text


async def test_states_are_told_apart(operator: httpx.AsyncClient, site: Site) -> None:
    """Dry runs, what did not run, what was remembered."""
    results = [limit(0, 5, "dry", "DRY_RUN"), result("late", "ALLOW", {}, "NOT_RUN"), limit(0, 5, "old", "CACHED")]
    site.reader.append(of(site, conclusion="DENY")._replace(id="req_states", results=results, dry_run="dry"))
    page = (await operator.get("/decisions/req_states")).text
    lines = {name: re.search(f"<a [^>]*>{name}</a><br>.*?</tr>", page, re.DOTALL)[0] for name in ("dry", "late", "old")}
    assert 'DRY RUN</span> <span class="would">DENY' in lines["dry"]
    assert "NOT RUN" in lines["late"]
    assert "cached" in lines["old"]
    assert "would have refused this request" in page


async def test_what_was_reported_is_marked(operator: httpx.AsyncClient, site: Site) -> None:
    """In the table and on its own page."""
    record = of(site, reported=True)
    assert 'data-text="how">reported' in (await operator.get(f"/decisions?ip={record.ip}")).text
    assert "by the application, which reported it" in (await operator.get(f"/decisions/{record.id}")).text


async def test_a_decision_with_very_much_in_it(operator: httpx.AsyncClient, site: Site) -> None:
    """Is cut off, and says so."""
    results = [result("r" * 500, "ALLOW", SHIELD_FOUND, note="n" * 5000) for _ in range(3 * MOST_RULES)]
    site.reader.append(of(site, conclusion="ALLOW")._replace(id="req_big", results=results))
    page = (await operator.get("/decisions/req_big")).text
    assert len(page) < 400_000
    assert "more characters" in page


async def test_an_unknown_id_is_told(operator: httpx.AsyncClient) -> None:
    """With what may be the reason."""
    reply = await operator.get("/decisions/req_nothing%3Cb%3E")
    assert reply.status_code == 404
    assert "There is no decision <code>req_nothing&lt;b&gt;</code>" in reply.text


# --- nothing, and nothing to be had


@pytest.mark.parametrize("path", ["/", "/decisions"])
async def test_without_a_decision_it_says_how_to_get_one(operator: httpx.AsyncClient, site: Site, path: str) -> None:
    """The two lines of an application."""
    site.reader.records.clear()
    page = html.unescape((await operator.get(path)).text)
    assert 'from doorward import Doorward\naj = Doorward(rules, service="http://pages.example", key=' in page


async def test_nothing_that_matches_is_no_empty_log(operator: httpx.AsyncClient) -> None:
    """It says so."""
    page = (await operator.get("/decisions?ip=192.0.2.255")).text
    assert "No decision matches." in page


@pytest.mark.parametrize("path", ["/", "/decisions", "/decisions/req_x", "/decisions/live?cursor=0"])
async def test_a_log_that_cannot_be_read_is_told(operator: httpx.AsyncClient, site: Site, path: str) -> None:
    """Without where it is."""
    site.reader.broken = True
    reply = await operator.get(path)
    assert reply.status_code == 503
    assert "the log cannot be read: disk I/O error" in reply.text
    assert "secret-place" not in reply.text


async def test_an_error_of_ours_shows_nothing(
    operator: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No trace, no text of the exception; the log of the service has it."""
    monkeypatch.setattr(site.reader, "latest", lambda *_: 1 / 0)
    reply = await operator.get("/decisions")
    assert reply.status_code == 500
    assert not re.search("division|ZeroDivision|Traceback|reading.py", reply.text)
    assert "ZeroDivisionError: division by zero" in caplog.text


# --- bans and keys


async def test_ban_and_unban(operator: httpx.AsyncClient, site: Site) -> None:
    """For a time, with a reason; in the canonical text of the address."""
    fields = {"token": await form_token(operator), "ip": " 2001:DB8:0::1 ", "length": "2h", "why": "tried <b>\x1b"}
    reply = await operator.post("/bans", data=fields)
    assert reply.headers["location"] == "/bans?banned=2001%3Adb8%3A%3A1"
    assert site.bans.held["2001:db8::1"] == (7200.0, "tried <b>")
    page = (await operator.get(reply.headers["location"])).text
    assert "2001:db8::1 is banned." in page
    assert "tried &lt;b&gt;" in page
    fields |= {"ip": "2001:db8::1", "action": "unban"}
    assert (await operator.post("/bans", data=fields)).headers["location"].startswith("/bans?unbanned=")
    assert (await operator.post("/bans", data=fields)).headers["location"].startswith("/bans?missing=")
    assert "2001:db8::1" not in site.bans.held


@pytest.mark.parametrize(("ip", "length"), [
    ("", "1h"), ("nobody", "1h"), ("203.0.113.300", "1h"), ("203.0.113.9, 203.0.113.10", "1h"), ("fe80::1%eth0", "1h"),
    ("203.0.113.9", ""), ("203.0.113.9", "0"), ("203.0.113.9", "forever"), ("203.0.113.9", "9999d"), ("１.2.3.4", "1h"),
], ids=range(10))  # fmt: skip
async def test_a_ban_that_makes_no_sense_is_refused(
    operator: httpx.AsyncClient, site: Site, ip: str, length: str
) -> None:
    """The page says what is wrong, and keeps what was typed."""
    before = dict(site.bans.held)
    fields = {"token": await form_token(operator), "ip": ip, "length": length, "why": "typed before"}
    reply = await operator.post("/bans", data=fields)
    assert reply.status_code == 400
    assert 'role="alert"' in reply.text
    assert 'value="typed before"' in reply.text
    assert site.bans.held == before


async def test_keys_are_listed_without_secrets(operator: httpx.AsyncClient) -> None:
    """Site, which key, state, quota."""
    page = (await operator.get("/keys")).text
    for text in ("k_2f8a", "active", "1000/minute", "k_11c0", "revoked", 'href="/decisions?site=forum"', "no end"):
        assert text in page


# --- reasons of the wire


@pytest.mark.parametrize(("reason", "kind", "text"), [
    ({"rateLimit": {"max": 5, "remaining": 0, "resetInSeconds": 412, "windowInSeconds": 600, "degraded": "store down"}},
     "RATE_LIMIT", "0 of 5 left in 600 s, reset in 412 s (local limiter: store down)"),
    (BOT_FOUND, "BOT", "denied CURL: names itself curl"),
    (SHIELD_FOUND, "SHIELD", "SQL in query: closes a string and goes on with a condition (weight 1)"),
    ({"shield": {"shieldTriggered": True}}, "SHIELD", "the client's suspicious requests add up"),
    ({"email": {"emailTypes": ["EMAIL_TYPE_INVALID", "EMAIL_TYPE_FREE"], "detail": "no domain"}}, "EMAIL",
     "INVALID, FREE: no domain"),
    ({"filter": {"matchedExpressions": ["ip.src.vpn"], "undeterminedExpressions": ["ip.src.tor"]}}, "FILTER",
     "matched ip.src.vpn; could not tell ip.src.tor"),
    ({"filter": {"matchedExpression": "ip.src.vpn"}}, "FILTER", "matched ip.src.vpn"),
    ({"rule": {"rule": "ban", "message": "banned"}}, "RULE", "ban: banned"),
    ({"error": {"message": "no answer"}}, "ERROR", "no answer"),
    ({"new": {"a": 1}}, "new", "a: 1"),
    ({"rateLimit": {"max": "many", "remaining": None}}, "RATE_LIMIT", "rateLimit: {'max': 'many', 'remaining': None}"),
    ({}, "", ""), (None, "", ""), (["x"], "", ""), ({"shield": None}, "SHIELD", "nothing suspicious"),
], ids=range(15))  # fmt: skip
def test_reasons_read_as_the_engine_tells_them(reason: object, kind: str, text: str) -> None:
    """Of any shape."""
    assert explain(json.loads(json.dumps(reason))) == (kind, text)
