"""humanify-nobot.md, section 5, rows 25 to 31: what succeeded against flask-Humanify and flask-NoBot, tried on us."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, abort
from hypothesis import given
from hypothesis import strategies as st
from tests.behaviour.challenged import LONG_ENOUGH, PAGE, Visitor, token_of
from tests.behaviour.clients.base import MakeApp
from tests.challenges.work.asking import payload_of, shop, visitor
from tests.weaknesses.attacking import COOKIES, SECRET, WAIT, body_of, cleared, inside, post

from doorward import RequestContext, challenge, sliding_window
from doorward.challenges.binding import PARTS, Binding, network_of
from doorward.challenges.verifying import MOST_ANSWERS
from doorward.presets import preset
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock
from doorward_flask.error_pages import ErrorPages

EASY = {"altcha": {"cost": 2, "least": 5, "most": 20}}


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
    assert app.counts()["challenge.wait.passed"] == 1
    assert app.counts()["challenge.wait.spent"] == 3  # the wait was over each time
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
    """A payload was accepted five times out of five, for ever. For hosted captchas: ``test_list.py``."""
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
    app = make(
        sliding_window(max=5, interval="1m"), challenge("wait", paths=["/limited"]), clock=clock, store=store, **WAIT
    )
    for number in range(500):
        app.get("/echo", peer=f"9.{number % 250}.{number // 250}.9")
    assert store.stats()["keys"] <= 200
    clock.advance(3600)
    app.get("/echo", peer="8.8.8.8")
    assert store.stats()["keys"] < 20


def test_05_31_a_token_says_nothing_of_who_it_is_for(make_flask: MakeApp) -> None:
    """A hash of the address, shortened and without a key, was in the cookie: 2**32 hashes give the address back. In
    ours is nothing that depends on the client at all but the MAC, which nobody can compute without the secret.
    """
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


@st.composite
def _split_twice(draw: st.DrawFn) -> list[tuple[str, str, str]]:
    """One text, cut into address, host and user agent at two pairs of places."""
    text = draw(st.text("xy- ", min_size=2, max_size=9))
    cuts = [sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))))) for _ in range(2)]
    return [(text[:first], text[first:last], text[last:]) for first, last in cuts]


@given(_split_twice())
def test_05_31_no_two_clients_are_bound_alike(clients: list[tuple[str, str, str]]) -> None:
    """Address and user agent were hashed without anything between them: ``1.2.3.4`` and ``5 Moz`` were ``1.2.3.45``
    and `` Moz``.
    """
    binding = Binding(PARTS)
    bound_to = []
    for address, host, agent in clients:
        request = RequestContext(host=host, headers=[("Host", host), ("User-Agent", agent)])
        assert network_of(address) == address, "no address, so that it stands as it is"
        bound_to.append(binding.of_clearance(request, address))
    assert (bound_to[0] == bound_to[1]) == (clients[0] == clients[1])


def test_05_31_a_phone_that_changes_its_address_is_not_asked_again(make_flask: MakeApp) -> None:
    """Within its network; in another one it is."""
    app = make_flask(challenge("wait"), **WAIT)
    visitor = cleared(app)
    assert [visitor.go("/echo", peer=ip).status for ip in ("203.0.113.200", "203.0.114.9")] == [200, 403]
