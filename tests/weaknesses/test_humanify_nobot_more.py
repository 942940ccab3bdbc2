"""humanify-nobot.md, section 5, rows 16 to 31: what succeeded against flask-Humanify and flask-NoBot, tried on us."""

from __future__ import annotations

import ast
import json
import pickle
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort
from hypothesis import given
from hypothesis import strategies as st
from tests.behaviour.challenged import JSON, LONG_ENOUGH, PAGE, Visitor, token_of
from tests.behaviour.clients.base import AppUnderTest, MakeApp
from tests.behaviour.doubles import FailingStore
from tests.challenges.pictures.visitor import Site as Gallery
from tests.challenges.signals.browsers import FIREFOX
from tests.challenges.signals.sites import Paid
from tests.challenges.signals.sites import Site as Signalling
from tests.challenges.work.asking import payload_of, shop, solved, visitor
from tests.weaknesses.attacking import COOKIES, CURL, SECRET, WAIT, body_of, cleared, inside, lines_run, post

from doorward import Doorward, RequestContext, challenge, deny, detect_bot, sliding_window
from doorward.challenges.binding import PARTS, Binding
from doorward.challenges.pictures import Pictures
from doorward.challenges.pictures.media import MOST_OF_NETWORK
from doorward.challenges.signals.kind import Browser
from doorward.challenges.verifying import MOST_ANSWERS
from doorward.errors import DataError
from doorward.intelligence.bot_index import BotIndex
from doorward.presets import preset
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock
from doorward_flask.error_pages import ErrorPages

SOURCES = [Path(__file__).parents[2] / name for name in ("src", "adapters")]
EASY = {"altcha": {"cost": 2, "least": 5, "most": 20}}


def _in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_05_16_threads_never_get_each_others_answers(make_flask: MakeApp) -> None:
    """All threads shared a socket without a lock: half of the verdicts were somebody else's, and challenges were 500."""
    app = make_flask(deny(ip="198.51.100.0/24"), challenge("wait", paths=["/echo"]), **WAIT)
    app.get()
    visitors = [Visitor(app) for _ in range(8)]

    def asks(number: int) -> list[Any]:
        """A denied client and a welcome one by turns; then a challenge of one's own."""
        ips = [f"198.51.100.{number}" if turn % 2 else f"203.0.113.{number}" for turn in range(20)]
        verdicts = [app.get("/limited", headers=CURL, peer=ip).status for ip in ips]
        return [verdicts, visitors[number].go("/echo", peer=f"10.{number}.0.1")]

    asked = _in_threads(8, asks)
    assert [verdicts for verdicts, _ in asked] == [[200, 403] * 10] * 8
    pages = [page for _, page in asked]
    assert len({token_of(page) for page in pages}) == 8
    app.clock.advance(LONG_ENOUGH)

    def answers(number: int) -> list[int]:
        peer = {"peer": f"10.{number}.0.1"}
        body = b"token=" + token_of(pages[number]).encode()
        headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]
        sent = visitors[number].go("/.doorward/verify", method="POST", headers=headers, body=body, **peer)
        return [sent.status, visitors[number].go("/echo", **peer).status]

    assert _in_threads(8, answers) == [[303, 200]] * 8


def test_05_17_a_challenge_is_cheap_and_our_own_paths_are_limited() -> None:
    """35 to 75 ms and 352 kB for each page, and no limit on the library's own routes: 15 requests a second were enough.
    A page of ours draws nothing and stores nothing, and each path of ours has a limit, for who overdoes it alone."""
    site = Gallery(Pictures("letters"))
    pages = [site.call("/x") for _ in range(200)]
    assert {page.status for page in pages} == {403}
    assert max(len(page.body) for page in pages) < 12_000
    assert site.store.stats()["values"] == site.store.stats()["keys"] == 0
    drawn = [site.fetch(page.token, "picture") for page in pages[: MOST_OF_NETWORK + 5]]
    assert [reply.status for reply in drawn] == [200] * MOST_OF_NETWORK + [429] * 5
    assert max(len(reply.body) for reply in drawn) <= 20_000
    handed_out = [site.call("/.doorward/altcha").status for _ in range(65)]
    assert (handed_out.count(200), handed_out[-1]) == (60, 429)
    assert site.fetch(site.page("198.51.100.1"), "picture", "198.51.100.1").status == 200


def test_05_18_no_request_starts_a_thread(make_flask: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a week without a download each look-up started another: 46 threads after 100 requests, offline."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path))
    app = make_flask(detect_bot(deny=["CATEGORY:AI"]), deny(ip=["crawler"]), challenge("wait", paths=["/x"]), **WAIT)
    app.get("/echo", headers=PAGE)
    before = threading.active_count()
    for number in range(100):
        app.clock.advance(10 * 24 * 3600)
        assert app.get("/echo", headers=PAGE, peer=f"9.9.{number}.9").status == 200
    assert threading.active_count() == before


def test_05_19_being_idle_opens_nothing(make_flask: MakeApp) -> None:
    """After ten seconds without a request the next one was let in, whoever it was."""
    app = make_flask(deny(ip="198.51.100.0/24"), challenge("wait", paths=["/limited"]), **WAIT)
    for idle in (0, 11, 3600, 40 * 24 * 3600):
        app.clock.advance(idle)
        assert app.get("/echo", headers=CURL, peer="198.51.100.7").status == 403
        assert app.get("/limited", headers=CURL).status == 403


@pytest.mark.swallows_errors
def test_05_19_a_store_that_is_gone_takes_no_limit_with_it(make: MakeApp) -> None:
    """Any failure of the socket meant "no bot", and "limit not reached"."""
    for error in (ConnectionResetError("gone"), TimeoutError("late"), OSError("broken pipe")):
        app = make(sliding_window(max=3, interval="1h"), store=FailingStore(error))
        assert app.statuses(5) == [200] * 3 + [429] * 2


UNPACKERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}


MARKS = re.compile(rf"\b(?:{'|'.join(UNPACKERS)})\b|\b(?:eval|exec)\(|\byaml\b")


def test_05_20_nothing_is_ever_unpickled() -> None:
    """Data was downloaded from a branch, and given to ``pickle.loads`` without a checksum: whoever has the repository
    runs code in every application. No module of ours imports anything that makes code of data."""
    files = [file for root in SOURCES for file in root.rglob("*.py")]
    assert len(files) > 300
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    suspects = [file for file, text in texts.items() if MARKS.search(text)]
    assert suspects, "the search finds nothing at all"
    for file in suspects:
        for node in ast.walk(ast.parse(texts[file])):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & UNPACKERS, file
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("eval", "exec", "yaml.load", "yaml.unsafe_load"), file


class _Bomb:
    """What an attacker puts in the place of a download: whoever unpickles it writes a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self._mark,))


def test_05_20_data_that_was_exchanged_is_refused_unread(tmp_path: Path) -> None:
    """And no code in it runs."""
    bomb = pickle.dumps(_Bomb(tmp_path / "exploded"))
    (tmp_path / "bots.dwd").write_bytes(bomb + bytes(200))
    with pytest.raises(DataError):
        BotIndex.open(tmp_path / "bots.dwd")
    assert not (tmp_path / "exploded").exists()
    pickle.loads(bomb)
    assert (tmp_path / "exploded").exists(), "it is no bomb"


def test_05_21_clearances_are_revoked_and_secrets_exchanged(make: MakeApp) -> None:
    """One key, without an id, and nothing to take a token back with: what was stolen was good for hours."""
    app = make(challenge("wait"), **WAIT)
    visitor = cleared(app)
    rotated = {**WAIT, "secret": ["the new secret of these tests, and long", SECRET]}
    during, after = make(challenge("wait"), **rotated), make(challenge("wait"), **{**rotated, "secret": rotated["secret"][0]})
    for other, status in ((during, 200), (after, 403)):
        guest = Visitor(other)
        other.clock.advance(LONG_ENOUGH)
        guest.cookies = visitor.cookies
        assert guest.go("/echo").status == status
    assert visitor.go("/echo").status == 200
    app.clock.advance(1)
    app.settle(app.aj.revoke_clearances())
    assert visitor.go("/echo").status == 403


MINIMAL = {"cookies": True, "languages": 2, "elapsed": 1000}


@pytest.mark.parametrize("signals", [MINIMAL, {**MINIMAL, "webdriver": False}, {}, None, {"elapsed": 60_000}], ids=str)
def test_05_22_three_fields_are_no_browser(signals: Any) -> None:
    """A script of the standard library sent three fields and Firefox' user agent: in, after 6 ms. Here it is not let in
    by any number of answers, though each pays for the work; and what it says of the time is not asked for."""
    site = Signalling([Browser(Paid())], person=FIREFOX._replace(lines=[]))
    got = site.get()
    for _ in range(5):
        got = site.answer(got, signals, paid="yes", after=0.006)
        assert (got.status, got.cookie) == (403, "")


def test_05_23_workers_redeem_one_challenge_once(make: MakeApp, tmp_path: Path) -> None:
    """Each worker had a list of its own of what was spent: one nonce, two clearances."""
    clock = FakeClock()
    shared = {**WAIT, "store": f"shared://{tmp_path}/table", "clock": clock, "timeout": 20}
    workers = [make(challenge("wait"), **shared) for _ in range(2)]
    page = workers[0].get("/echo", headers=PAGE)
    clock.advance(LONG_ENOUGH)
    assert [Visitor(worker).answer(page).status for worker in (*workers, *workers)] == [303, 403, 403, 403]


def test_05_24_redeeming_costs_the_same_however_many_were_redeemed() -> None:
    """Each redemption looked through all earlier ones, under a lock, and there was no bound: 206 us at 20,000."""
    clock = FakeClock()
    store = MemoryStore(max_values=3_000, clock=clock)
    aj = Doorward([challenge("wait")], store=store, clock=clock, **WAIT)
    request = RequestContext(peer="203.0.113.9")

    def redeem(number: int) -> None:
        gate = aj.runtime.gatekeeper.gate
        assert gate.spent_here(f"here {number}", 0, 10**15)
        assert store.add_if_absent(f"gate:spent:{number}", 1800)
        aj.protect(request)

    few = [lines_run(lambda number=number: redeem(number)) for number in range(200)]  # type: ignore[misc]
    for number in range(1_000, 12_000):
        store.add_if_absent(f"gate:spent:{number}", 1800)
        aj.runtime.gatekeeper.gate.spent_here(f"here {number}", 0, 10**15)
    many = [lines_run(lambda number=number: redeem(number)) for number in range(20_000, 20_200)]  # type: ignore[misc]
    assert store.stats()["values"] <= 3_000
    assert len(aj.runtime.gatekeeper.gate._spent) <= 10_000
    assert sum(many) < 2 * sum(few)
    assert max(many) < 3 * max(few)


def test_05_25_what_is_spent_stays_spent_as_long_as_it_could_be_redeemed() -> None:
    """Configured to live ten minutes, a nonce was forgotten after 90 seconds, and accepted again."""
    clock = FakeClock()
    aj = shop(clock, altcha={**EASY["altcha"], "lifetime": "2h"})
    challenge_of_form = visitor(aj)("/.doorward/altcha", accept="application/json").json
    payload = _solved_form(challenge_of_form)
    request = RequestContext(method="POST", path="/sign-up", peer="203.0.113.5", host="shop.example")
    assert aj.check_altcha(payload, request)
    for seconds in (91, 1800, 3600, 7199 - 91 - 1800 - 3600):
        clock.advance(seconds)
        assert aj.check_altcha(payload, request).why == "spent"
    clock.advance(2)
    assert aj.check_altcha(payload, request).why == "expired"


def test_05_25_a_challenge_stays_spent_to_its_last_second(make_flask: MakeApp) -> None:
    """Half an hour."""
    app = make_flask(challenge("wait"), **WAIT)
    page = app.get("/echo", headers=PAGE)
    app.clock.advance(LONG_ENOUGH)
    assert Visitor(app).answer(page).status == 303
    for seconds in (91, 1000, 1799 - LONG_ENOUGH - 1091, 2, 3600):
        app.clock.advance(seconds)
        assert Visitor(app).answer(page).status == 403
    assert app.counts()["challenge.wait.passed"] == 4  # the wait was over each time: that it was spent refused it
    assert app.counts()["challenge.expired"] == 2


def _solved_form(challenge_of_form: Any) -> str:
    from altcha import v2

    found = v2.solve_challenge(v2.Challenge.from_dict(challenge_of_form))
    return payload_of({"challenge": challenge_of_form, "solution": found.to_dict()})


@pytest.mark.parametrize(
    "agent", ["Googlebot/2.1", "WhatsApp/2.23", "facebookexternalhit/1.1", "Feedly/1.0", "UptimeRobot/2.0", "x Bingbot"]
)
def test_05_26_a_name_alone_lets_nobody_in(make_flask: MakeApp, agent: str) -> None:
    """``User-Agent: Googlebot``, and every rule was over, in the mode that challenges everybody too."""
    policy = preset("default", protection="all")
    app = make_flask(*policy.rules, secret=SECRET, **policy.options)
    assert app.get("/echo", headers=[("User-Agent", agent), ("Accept", "*/*")], peer="9.9.9.9").status == 403


@pytest.mark.parametrize("path", ["/wp-admin/", "/WP-ADMIN/", "/Wp-Login.php", "/.ENV", "/.Git/config"])
def test_05_26_probes_have_no_case(make_flask: MakeApp, path: str) -> None:
    """``/WP-ADMIN/`` went past the rule for ``/wp-admin/``."""
    policy = preset("default")
    app = make_flask(*policy.rules, secret=SECRET, **policy.options)
    assert app.get(path, headers=PAGE, peer="9.9.9.9").status == 403
    assert app.get("/echo", headers=PAGE, peer="9.9.9.9").status == 200


ODD = [b"[]", b"5", b"null", b'"x"', b"{", b"", b"\xff\xfe", b"[" * 50_000, b'{"token":[]}', b'{"token":{"a":1}}',
       b'{"token":1e999}', b'{"token":null,"signals":[[]],"answer":{"a":[]}}', b'{"id":{}}', b"NaN", b'{"a":' * 9_000,
       b'{"token":"' + b"A" * 70_000 + b'"}', b'{"token":"\\ud800"}']  # fmt: skip


def test_05_27_whatever_is_sent_to_our_paths_is_no_500(make: MakeApp) -> None:
    """Lists, numbers and strings where objects were meant: 500."""
    app = make(challenge("wait"), **WAIT)
    for number, (body, kind) in enumerate((body, kind) for body in ODD for kind in _KINDS):
        for path in ("verify", "next", "other"):
            reply = post(app, f"/.doorward/{path}", body, kind, peer=f"9.9.{number}.9")
            assert 400 <= reply.status < 500, (body[:40], kind)
            assert not reply.values("set-cookie")


_KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\xff/\x80")


def test_05_27_a_long_address_makes_no_cookie_that_browsers_drop(make: MakeApp) -> None:
    """The path was in the cookie: at 5 kB browsers dropped it, and the challenge never ended."""
    app = make(challenge("wait"), **WAIT)
    target = "/echo?q=" + "x" * 5_000
    visitor = Visitor(app)
    page = visitor.go(target)
    assert not page.values("set-cookie")
    visitor.wait()
    (written,) = visitor.answer(page).values("set-cookie")
    assert len(written) < 1_000
    assert visitor.go(target).status == 200


def test_05_27_pages_have_their_headers_and_answers_a_limit(make: MakeApp) -> None:
    """The README promised X-Frame-Options, nosniff and a Referrer-Policy, and none was sent."""
    app = make(challenge("wait"), **WAIT)
    page = app.get("/echo", headers=PAGE)
    policy = str(page.header("content-security-policy"))
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    expected = {"x-content-type-options": "nosniff", "cache-control": "no-store", "x-robots-tag": "noindex"}
    assert {name: page.header(name) for name in expected} == expected
    assert page.header("referrer-policy")
    answers = [post(app, "/.doorward/verify", b"{}") for _ in range(MOST_ANSWERS + 1)]
    assert [reply.status for reply in answers[-2:]] == [403, 429]
    assert int(str(answers[-1].header("retry-after"))) > 0


def test_05_28_an_altcha_payload_opens_one_form() -> None:
    """A payload was accepted five times out of five, from five clients, for ever. For hosted captchas: ``test_list.py``."""
    clock = FakeClock()
    aj = shop(clock, **EASY)
    first, late = [_solved_form(visitor(aj)("/.doorward/altcha", accept="application/json").json) for _ in range(2)]
    requests = [RequestContext(method="POST", peer=f"198.51.100.{n}", host="shop.example") for n in range(5)]
    assert [bool(aj.check_altcha(first, request)) for request in requests] == [True, *[False] * 4]
    clock.advance(3600)
    assert aj.check_altcha(late, requests[0]).why == "expired"


def test_05_29_what_an_error_page_says_is_text() -> None:
    """A description with ``<b>`` came through as HTML."""
    app = Flask("errors")
    ErrorPages(app, errors={418: {"title": "<i>x</i>", "message": "<script>alert(1)</script>"}})
    app.add_url_rule("/tea", "tea", lambda: abort(418))
    app.add_url_rule("/bold", "bold", lambda: abort(404, "<b>there</b><script>alert(2)</script>"))
    for path in ("/tea", "/bold", "/<script>alert(3)</script>"):
        page = app.test_client().get(path, headers={"Accept": "text/html"})
        assert page.status_code >= 400
        assert b"<script>alert" not in page.data
        assert b"<b>there" not in page.data
        assert b"<i>x" not in page.data


def test_05_30_clients_of_a_limit_take_a_bounded_place(make: MakeApp) -> None:
    """1.2 kB were kept for each address, for ever: 3,000 addresses, 3,000 entries."""
    clock = FakeClock()
    store = MemoryStore(max_keys=200, clock=clock)
    app = make(sliding_window(max=5, interval="1m"), challenge("wait", paths=["/limited"]), clock=clock, store=store, **WAIT)
    for number in range(500):
        app.get("/echo", peer=f"9.{number % 250}.{number // 250}.9")
    assert store.stats()["keys"] <= 200
    clock.advance(3600)
    app.get("/echo", peer="8.8.8.8")
    assert store.stats()["keys"] < 20


def test_05_31_a_token_says_nothing_of_who_it_is_for(make_flask: MakeApp) -> None:
    """A hash of the address, shortened and without a key, was in the cookie: 2**32 hashes give the address back. In ours
    is nothing that depends on the client at all but the MAC, which nobody can compute without the secret."""
    app = make_flask(challenge("wait"), **WAIT)
    tokens = []
    for peer in ("203.0.113.9", "2001:db8::7"):
        visitor = Visitor(app)
        page = visitor.go("/echo", peer=peer)
        visitor.wait()
        body = b"token=" + token_of(page).encode()
        headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]
        visitor.go("/.doorward/verify", method="POST", headers=headers, body=body, peer=peer)
        tokens.append(next(value for name, value in visitor.cookies.items() if name in COOKIES))
    for token in tokens:
        assert {name: type(value) for name, value in body_of(token).items()} == {"a": int, "i": str, "k": str, "l": int}
        assert len(body_of(token)["i"]) == 22  # the challenge's own id, of chance
        assert len(inside(token)) < 120
    signer = app.aj.runtime.gatekeeper.gate.signer
    texts = [signer.sign(2, {}, 0, 1, bound_to) for bound_to in ("203.0.113.9", "2001:db8::7")]
    assert inside(texts[0])[:-32] == inside(texts[1])[:-32]


parts = st.text("0123456789:.-abx|", max_size=12)
who = st.tuples(parts, parts, parts)


@given(who, who)
def test_05_31_no_two_clients_are_bound_alike(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Address and user agent were hashed without anything between them: ``1.2.3.4`` and ``5 Moz`` were ``1.2.3.45``
    and `` Moz``."""
    binding = Binding(PARTS)

    def bound_to(address: str, host: str, agent: str) -> str:
        request = RequestContext(host=f"h{host}", headers=[("Host", f"h{host}"), ("User-Agent", f"x{agent}")])
        return binding.of_clearance(request, address)

    assert (bound_to(*one) == bound_to(*other)) == (one == other)


def test_05_31_a_phone_that_changes_its_address_is_not_asked_again(make_flask: MakeApp) -> None:
    """Within its network; in another one it is."""
    app = make_flask(challenge("wait"), **WAIT)
    visitor = cleared(app)
    assert [visitor.go("/echo", peer=ip).status for ip in ("203.0.113.200", "203.0.114.9")] == [200, 403]
