"""Who gets in, how often may be tried, and what a session is worth."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from pathlib import Path

import httpx
import pytest
from tests.service.pages.doubles import PASSWORD, Site, cheap_password
from tests.service.pages.visitor import form_token, log_in, token_of, try_password

from doorward.errors import ConfigurationError, DataError
from doorward.service.server import login as login_module
from doorward.service.server.login import Login, first_password, set_password
from doorward.testing import FakeClock

pytestmark = pytest.mark.anyio
PRIVATE = ["/", "/decisions", "/decisions/live?cursor=0", "/decisions/req_x", "/bans", "/keys"]


def client(site: Site, address: str = "192.0.2.10", url: str = "http://pages.example") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(site.app, client=(address, 5000)), base_url=url)


async def test_the_password_opens(http: httpx.AsyncClient) -> None:
    """And leads to where one wanted to go, with a cookie that scripts and other sites do not get."""
    reply = await log_in(http, next="/decisions?ip=192.0.2.66")
    assert reply.headers["location"] == "/decisions?ip=192.0.2.66"
    cookie = reply.headers.get_list("set-cookie")[0]
    assert cookie.startswith("doorward=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert (await http.get("/decisions")).status_code == 200


async def test_over_https_no_other_host_can_set_the_cookie(site: Site) -> None:
    """``__Host-`` and Secure."""
    async with client(site, url="https://pages.example") as http:
        cookie = (await log_in(http)).headers.get_list("set-cookie")[0]
        assert cookie.startswith("__Host-doorward=")
        assert "Secure" in cookie.split("; ")
        assert "domain" not in cookie.lower()
        assert (await http.get("/")).status_code == 200


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + "x", PASSWORD.upper(), "x" * 10_000], ids=range(5))
async def test_another_password_does_not_open(http: httpx.AsyncClient, password: str) -> None:
    """Nothing is said but that; no session begins."""
    reply = await try_password(http, password)
    assert reply.status_code == 403
    assert "That is not the password." in reply.text
    assert "doorward" not in http.cookies


@pytest.mark.parametrize("path", PRIVATE)
async def test_nothing_is_seen_without_a_log_in(http: httpx.AsyncClient, path: str) -> None:
    """Pages lead to the form, and back; the script is told."""
    reply = await http.get(path)
    if "live" in path:
        assert reply.status_code == 401
    else:
        assert reply.status_code == 303
        assert reply.headers["location"].startswith("/login?next=%2F")


@pytest.mark.parametrize("path", ["/bans", "/logout"])
async def test_nothing_is_done_without_a_log_in(http: httpx.AsyncClient, site: Site, path: str) -> None:
    """Whatever is posted."""
    reply = await http.post(path, data={"ip": "198.51.100.7", "action": "unban", "token": "x"})
    assert reply.headers["location"] == "/login"
    assert "198.51.100.7" in site.bans.held


async def test_a_shared_link_arrives_for_whoever_is_logged_in(http: httpx.AsyncClient) -> None:
    """Coming from another site the browser sends no cookie: our own page asks again, and then it does."""
    reply = await http.get('/decisions?ip="><script>', headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 200
    assert 'content="0;url=/decisions?ip=%22%3E%3Cscript%3E"' in reply.text
    assert (await http.get("/decisions", headers={"Sec-Fetch-Site": "same-origin"})).status_code == 303


FORGED = {
    "empty": lambda c: "",
    "no-dots": lambda c: "x",
    "longer-life": lambda c: re.sub(r"\.(\d+)\.", lambda m: f".{int(m[1]) + 1}.", c),
    "other-session": lambda c: "A" + c[1:] if c[0] != "A" else "B" + c[1:],
    "no-signature": lambda c: c.rpartition(".")[0] + ".",
    "cut-signature": lambda c: c[:-1],
    "other-signature": lambda c: c[:-1] + ("A" if c[-1] != "A" else "E"),
    "huge": lambda c: c + "A" * 3000,
    "not-ascii": lambda c: c.encode().hex() + ".9999999999.\u00e9",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_forged_session_is_none(site: Site, forge) -> None:
    """Each part of the cookie is signed."""
    async with client(site) as http:
        await log_in(http)
        good = http.cookies["doorward"]
        http.cookies.clear()
        cookie = f"doorward={forge(good)}".encode()
        assert (await http.get("/", headers={b"cookie": cookie})).status_code == 303
        assert (await http.get("/", headers={b"cookie": f"doorward={good}".encode()})).status_code == 200


async def test_the_cookie_of_the_form_is_no_session(http: httpx.AsyncClient) -> None:
    """Both are signed, for different purposes."""
    await http.get("/login")
    http.cookies.set("doorward", http.cookies["doorward-form"])
    assert (await http.get("/")).status_code == 303


async def test_a_session_cannot_be_chosen_beforehand(site: Site) -> None:
    """Whatever cookies came with the log-in, it makes a new session (fixation)."""
    async with client(site) as attacker, client(site) as victim:
        await log_in(attacker)
        planted = attacker.cookies["doorward"]
        await attacker.post("/logout", data={"token": await form_token(attacker)})
        victim.cookies.set("doorward", planted)
        await log_in(victim)
        assert planted not in [cookie.value for cookie in victim.cookies.jar if cookie.domain != ""]
        attacker.cookies.clear()
        attacker.cookies.set("doorward", planted)
        assert (await attacker.get("/")).status_code == 303


async def test_a_session_ends_after_half_a_day(tmp_path: Path) -> None:
    """To the second."""
    clock = FakeClock()
    site = Site(tmp_path, clock=clock)
    async with client(site) as http:
        await log_in(http)
        cookie = http.cookies["doorward"]
        clock.advance(12 * 3600 - 1)
        assert site.login.session(cookie) is not None
        clock.advance(1)
        assert site.login.session(cookie) is None


async def test_a_new_password_ends_all_sessions(http: httpx.AsyncClient, site: Site) -> None:
    """And is the one that opens; even if it is the same as before."""
    await log_in(http)
    cheap_password(site.password)
    assert (await http.get("/")).status_code == 303
    cheap_password(site.password, "another-password")
    assert (await try_password(http, PASSWORD)).status_code == 403
    assert (await try_password(http, "another-password")).status_code == 303


async def test_logging_out_ends_the_session_everywhere(http: httpx.AsyncClient, site: Site) -> None:
    """The cookie is worth nothing any more, in another worker either; other sessions go on."""
    await log_in(http)
    cookie = http.cookies["doorward"]
    async with client(site) as other:
        await log_in(other)
        reply = await http.post("/logout", data={"token": await form_token(http)})
        assert reply.headers["location"] == "/login"
        assert (await other.get("/")).status_code == 200
    worker = Login(site.password, site.login._folder)
    assert site.login.session(cookie) is None
    assert worker.session(cookie) is None


async def test_workers_share_sessions(http: httpx.AsyncClient, site: Site) -> None:
    """The secret is in their folder."""
    await log_in(http)
    assert Login(site.password, site.login._folder).session(http.cookies["doorward"]) is not None


async def test_marks_of_sessions_that_are_over_anyway_go(http: httpx.AsyncClient, site: Site) -> None:
    """So that the folder does not grow for ever."""
    old = site.login._folder / "ended-long-ago"
    old.touch()
    os.utime(old, (0, 0))
    await log_in(http)
    await http.post("/logout", data={"token": await form_token(http)})
    assert [path.name for path in site.login._folder.glob("ended-*") if "long-ago" in path.name] == []
    assert len(list(site.login._folder.glob("ended-*"))) == 1


# --- attempts


async def test_guessing_ends_after_five(http: httpx.AsyncClient) -> None:
    """The right password does not open then either; the page says when to try again."""
    statuses = [(await try_password(http, "wrong")).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    reply = await try_password(http, PASSWORD)
    assert reply.status_code == 429
    assert 0 < int(reply.headers["retry-after"]) <= 300


async def test_guessing_from_one_address_does_not_stop_another(site: Site) -> None:
    """Attempts are counted for each."""
    async with client(site) as guesser, client(site, "192.0.2.99") as operator:
        for _ in range(7):
            await try_password(guesser, "wrong")
        assert (await try_password(operator, PASSWORD)).status_code == 303


async def test_guessing_from_everywhere_ends_too(site: Site) -> None:
    """Each address once."""
    seen = []
    for n in range(login_module.IN_ALL + 1):
        async with client(site, f"198.51.100.{n}") as http:
            seen.append((await try_password(http, "wrong")).status_code)
    assert seen == [403] * login_module.IN_ALL + [429]


async def test_logging_in_is_not_counted(http: httpx.AsyncClient) -> None:
    """Only what did not open is an attempt."""
    for _ in range(12):
        await log_in(http)
        http.cookies.clear()


async def test_the_password_is_compared_one_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few wait; the rest is turned away at once: memory and processors cannot be had by guessing."""
    import threading

    at_once, most, go = [0], [0], threading.Event()

    def slow(self, text: str) -> bool:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        assert go.wait(20)
        at_once[0] -= 1
        return False

    monkeypatch.setattr(login_module._Kept, "fits", slow)
    scopes = [{"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": [],
               "client": (f"198.51.100.{n}", 1)} for n in range(20)]  # fmt: skip
    tasks = [asyncio.ensure_future(site.login.open(scope, "x")) for scope in scopes]
    refused = 0
    while refused < 16:
        await asyncio.sleep(0)
        refused = sum(task.done() for task in tasks)
    go.set()
    found = await asyncio.gather(*tasks)
    assert most[0] == 1
    assert sorted(answer.status for answer in found) == [403] * 4 + [503] * 16


# --- where one is sent


ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "///evil.example", "http:/evil",
    "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "evil.example", "", "/x\\..\\..\\evil", "/%00\x00",
    " /x", "/é", "/" + "x" * 5000, "data:text/html,x", "/\r\nSet-Cookie: a=b",
]  # fmt: skip


@pytest.mark.parametrize("there", ELSEWHERE, ids=range(len(ELSEWHERE)))
async def test_the_log_in_leads_nowhere_else(http: httpx.AsyncClient, there: str) -> None:
    """Only to paths of this site, as browsers read them."""
    reply = await log_in(http, next=there)
    assert reply.headers["location"] == "/"
    assert "evil" not in (await http.get("/login", params={"next": there})).headers["location"]


@pytest.mark.parametrize("here", ["/decisions", "/decisions?ip=192.0.2.1&path=%2Fa%2F%2Fb", "/bans?ip=2001:db8::1"])
async def test_the_log_in_leads_to_pages_of_ours(http: httpx.AsyncClient, here: str) -> None:
    """With their filters."""
    assert (await log_in(http, next=here)).headers["location"] == here


# --- forms of others


async def test_a_log_in_form_needs_its_own_cookie(http: httpx.AsyncClient, site: Site) -> None:
    """Another site cannot log somebody in: it has no cookie to go with its token."""
    async with client(site) as attacker:
        token = token_of((await attacker.get("/login")).text)
    await http.get("/login")
    reply = await http.post("/login", data={"token": token, "password": PASSWORD})
    assert reply.status_code == 403
    assert "doorward" not in http.cookies


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
    {"Origin": "http://pages.example:81"}, {"Origin": "http://pages.example.evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://pages.example"}, {"Origin": "nonsense"}, {"Origin": ""},
], ids=range(8))  # fmt: skip
async def test_a_form_of_another_site_is_refused(http: httpx.AsyncClient, site: Site, headers: dict[str, str]) -> None:
    """Even with the right token."""
    await log_in(http)
    fields = {"token": await form_token(http), "ip": "198.51.100.7", "action": "unban"}
    assert (await http.post("/bans", data=fields, headers=headers)).status_code == 403
    assert "198.51.100.7" in site.bans.held
    assert (await http.post("/bans", data=fields, headers={"Origin": "http://pages.example"})).status_code == 303
    assert "198.51.100.7" not in site.bans.held


async def test_a_form_needs_the_token_of_its_session(http: httpx.AsyncClient, site: Site) -> None:
    """None, a made-up one, and that of another session do not do."""
    async with client(site) as other:
        await log_in(other)
        foreign = await form_token(other)
    await log_in(http)
    for token in ({}, {"token": ""}, {"token": "x"}, {"token": "é😀"}, {"token": foreign}):
        reply = await http.post("/bans", data={"ip": "198.51.100.7", "action": "unban", **token})
        assert reply.status_code == 403
    assert "198.51.100.7" in site.bans.held


BODIES = {
    "json": (b'{"ip": "x"}', "application/json", 415),
    "multipart": (b"--x--", "multipart/form-data; boundary=x", 415),
    "long": (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
    "many": (b"&".join(b"a=1" for _ in range(60)), "application/x-www-form-urlencoded", 400),
    "bytes": (b"\xff\xfe=%ff&%00=\x00", "application/x-www-form-urlencoded", 403),
}


@pytest.mark.parametrize("name", BODIES)
async def test_what_is_no_form_of_ours_is_refused(http: httpx.AsyncClient, name: str) -> None:
    """With a page that says so."""
    body, kind, status = BODIES[name]
    assert (await http.post("/login", content=body, headers={"Content-Type": kind})).status_code == status


# --- files


async def test_what_is_kept_is_for_the_owner_only(site: Site, http: httpx.AsyncClient) -> None:
    """No password in clear, modes 0600 and 0700."""
    await log_in(http)
    await http.post("/logout", data={"token": await form_token(http)})
    folder = site.login._folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in [site.password, *folder.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert PASSWORD.encode() not in path.read_bytes()


def test_the_cost_is_the_one_that_is_recommended(tmp_path: Path) -> None:
    """A password that is set as users do it; and no file is left beside it."""
    set_password(tmp_path / "new" / "password", "a-good-long-password")
    kept = login_module._kept(tmp_path / "new" / "password")
    assert kept.cost == (2**15, 8, 3)
    assert kept.fits("a-good-long-password")
    assert not kept.fits("a-good-long-passwore")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["password"]


@pytest.mark.parametrize("text", ["", "short", "x" * 257], ids=["empty", "short", "long"])
def test_a_password_has_a_length(tmp_path: Path, text: str) -> None:
    """The error names the field, not the password."""
    with pytest.raises(ConfigurationError, match="password: must have 10 to 256 characters"):
        set_password(tmp_path / "password", text)


def test_first_passwords_differ() -> None:
    """And can be set."""
    made = {first_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", password) for password in made)


@pytest.mark.parametrize("content", [None, b"", b"plain text", b"doorward-scrypt-1:x:8:1:AA:AA", b"other:2:8:1:AA:AA"],
                         ids=range(5))  # fmt: skip
async def test_without_a_password_nobody_gets_in(http: httpx.AsyncClient, site: Site, content: bytes | None) -> None:
    """A missing or damaged file opens to nobody, and its path is not told."""
    await log_in(http)
    site.password.unlink()
    if content is not None:
        site.password.write_bytes(content)
    for reply in [await http.get("/"), await try_password_blindly(http)]:
        assert reply.status_code == 503
        assert str(site.password) not in reply.text


async def try_password_blindly(http: httpx.AsyncClient) -> httpx.Response:
    http.cookies.delete("doorward")
    token = token_of((await http.get("/login")).text)
    return await http.post("/login", data={"token": token, "password": PASSWORD})


def test_a_folder_that_cannot_be_used_is_found_at_once(tmp_path: Path) -> None:
    """Before anybody tries to log in."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be kept"):
        Login(tmp_path / "password", tmp_path / "file")


def test_workers_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    """Whoever is first."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda _: Login(tmp_path / "p", tmp_path / "shared")._secret, range(16)))
    assert len(set(secrets)) == 1
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["session.secret"]
