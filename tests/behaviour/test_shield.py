"""The shield in every framework: attacks at every place are refused, everything else passes as it came."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.behaviour.clients.base import AppUnderTest, Lines, MakeApp, Reply
from tests.unit.shield.marking import Marking, marked

from doorward import shield, sliding_window

MIB = 2**20
BOUNDARY = "----WebKitFormBoundaryA1b2C3d4E5f6G7h8"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
MULTIPART = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
BROWSER: Lines = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
)
API: Lines = (("User-Agent", "shop-app/4.2 (Android 14)"), ("Accept", "application/json"))
ATTACKS = {
    "sql": "1' UNION SELECT password FROM users--",
    "script": "<script>alert(1)</script>",
    "path": "../../../../etc/passwd",
    "shell": "; cat /etc/passwd",
    "jndi": "${jndi:ldap://x.example/a}",
}
ORDINARY = ("Ada Lovelace", "O'Brien & Söhne", "select a size from the table", "50% off <3", "docs/a.b/c", "日本語")

SHIELD = shield()

Carry = Callable[[AppUnderTest, str, str], Reply]


def part(disposition: str, content: str) -> str:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n"


def multipart(*parts: str) -> bytes:
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def in_query(app: AppUnderTest, text: str, peer: str) -> Reply:
    return app.get(f"/echo?page=2&q={quote(text, safe='')}&lang=en", headers=API, peer=peer)


def in_path(app: AppUnderTest, text: str, peer: str) -> Reply:
    return app.get(f"/anything/{quote(text, safe='')}", headers=API, peer=peer)


def in_form(app: AppUnderTest, text: str, peer: str) -> Reply:
    body = urlencode({"name": "Ada", "comment": text, "ok": "1"}).encode()
    return app.post(headers=[*API, FORM], body=body, peer=peer)


def in_json(app: AppUnderTest, text: str, peer: str) -> Reply:
    body = json.dumps({"user": {"id": 42, "tags": ["a", text]}, "ok": True}).encode()
    return app.post(headers=[*API, JSON], body=body, peer=peer)


def in_part(app: AppUnderTest, text: str, peer: str) -> Reply:
    body = multipart(part('name="title"', "Ada"), part('name="text"', text))
    return app.post(headers=[*API, MULTIPART], body=body, peer=peer)


def in_file_name(app: AppUnderTest, text: str, peer: str) -> Reply:
    body = multipart(part('name="title"', "Ada"), part(f'name="file"; filename="{text}"', "content"))
    return app.post(headers=[*API, MULTIPART], body=body, peer=peer)


def in_cookie(app: AppUnderTest, text: str, peer: str) -> Reply:
    return app.get(headers=[*API, ("Cookie", f"theme=dark; last={quote(text, safe='')}; lang=en")], peer=peer)


def in_header(app: AppUnderTest, text: str, peer: str) -> Reply:
    return app.get(headers=[*API, ("X-Tenant", text.encode().decode("latin-1"))], peer=peer)


PLACES: dict[str, Carry] = {
    "query": in_query,
    "path": in_path,
    "form": in_form,
    "json": in_json,
    "part": in_part,
    "filename": in_file_name,
    "cookie": in_cookie,
    "header": in_header,
}


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- attacks, place by place


@pytest.mark.parametrize("place", PLACES)
def test_attacks_are_refused_at_every_place(make: MakeApp, place: str) -> None:
    """Five classics, each from an address of its own: 403, as the client asked for answers."""
    app = make(SHIELD)
    replies = {name: PLACES[place](app, text, f"203.0.113.{n}") for n, (name, text) in enumerate(ATTACKS.items())}
    assert {name: reply.status for name, reply in replies.items()} == dict.fromkeys(ATTACKS, 403)


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_tells_the_client_nothing(make: MakeApp, place: str) -> None:
    """problem+json with a reference; no word of rules, places or what was found."""
    reply = PLACES[place](make(SHIELD), ATTACKS["script"], "203.0.113.9")
    problem = reply.json()
    assert reply.header("content-type") == "application/problem+json"
    assert problem.pop("id").startswith("lreq_")
    detail = "This request was refused."
    assert problem == {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": detail}
    assert reply.header("retry-after") is None


@pytest.mark.parametrize("place", PLACES)
def test_ordinary_texts_pass_at_every_place(make: MakeApp, place: str) -> None:
    """The same requests with what people write reach the application, time and again."""
    app = make(SHIELD)
    assert [PLACES[place](app, text, "203.0.113.9").status for text in ORDINARY * 3] == [200] * 3 * len(ORDINARY)


def test_a_browser_is_told_in_html(make: MakeApp) -> None:
    """What a person sees is a page, without what was found either."""
    reply = make(SHIELD).get(f"/echo?q={quote(ATTACKS['script'])}", headers=BROWSER)
    assert (reply.status, reply.header("content-type")) == (403, "text/html; charset=utf-8")
    page = re.sub(rb"(?s)<style>.*?</style>", b"", reply.body.lower())
    assert b"script" not in page


def test_a_refused_head_has_no_body(make: MakeApp) -> None:
    """A refused HEAD is answered with headers alone."""
    reply = make(SHIELD).request(f"/echo?q={quote(ATTACKS['script'])}", method="HEAD", headers=API)
    assert (reply.status, reply.body) == (403, b"")


def test_an_attack_on_an_unknown_path_is_refused(make: MakeApp) -> None:
    """Scanners ask for what is not there."""
    app = make(SHIELD)
    assert app.get("/nothing-here", headers=API).status == 404
    assert app.get(f"/nothing-here?q={quote(ATTACKS['script'])}", headers=API).status == 403


def test_an_attack_in_a_websocket_handshake_is_refused(make_socket: MakeApp) -> None:
    """Before it is accepted: 403 where the server can say so, else the close that clients see as 403."""
    app: Any = make_socket(SHIELD)
    assert app.socket("/ws?q=Ada").accepted
    attack = f"/ws?q={quote(ATTACKS['script'])}"
    refused, closed = app.socket(attack, extension=True), app.socket(attack)
    assert (refused.accepted, refused.denial.status) == (False, 403)
    assert (closed.accepted, closed.close_code) == (False, 1008)


# --- bodies reach the application as they came


def passes(make: MakeApp, body: bytes | list[bytes], *lines: tuple[str, str], method: str = "POST") -> None:
    app = make(SHIELD)
    reply = app.request("/echo", method=method, headers=[*API, *lines], body=body)
    whole = body if isinstance(body, bytes) else b"".join(body)
    assert reply.status == 200
    assert (reply.json()["length"], reply.json()["sha256"]) == (len(whole), sha256(whole))
    assert [cause for cause in app.counts() if cause.startswith(("error", "decision.ERROR"))] == []


def long_json(size: int) -> bytes:
    text = json.dumps([{"id": n, "name": f"Customer {n}", "note": "called on Monday"} for n in range(size // 60)])
    return text.encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, urlencode({"name": "Ada", "note": "a+b=c & d"}).encode()),
        (JSON, json.dumps({"a": [1, None, "O'Brien", {"b": "ü"}]}).encode()),
        (MULTIPART, multipart(part('name="a"', "b"), part('name="f"; filename="photo 1.jpg"', "\x00\x01é"))),
        (("Content-Type", "application/octet-stream"), bytes(range(256)) * 40),
        (("Content-Type", "application/xml"), b"<order><item n='1'>Tea &amp; milk</item></order>"),
        (JSON, b'{"broken": '),
        (JSON, b"\xff\xfe\x00{"),
        (FORM, b"%zz&&=&%"),
    ],
    ids=["form", "json", "multipart", "binary", "xml", "broken-json", "no-utf-8", "broken-form"],
)
def test_allowed_bodies_are_intact(make: MakeApp, kind: tuple[str, str], body: bytes) -> None:
    """Byte for byte, whatever the shield made of them."""
    passes(make, body, kind)


def test_a_body_of_a_megabyte_is_intact(make: MakeApp) -> None:
    """Looked at from end to end, and handed on."""
    passes(make, long_json(10**6), JSON)


def test_a_body_over_the_limit_is_intact(make: MakeApp) -> None:
    """Its beginning is looked at; the rest streams."""
    passes(make, b"name=" + b"".join([b"tea %d and milk " % (number * 7919) for number in range(2 * MIB // 20)]), FORM)


def test_a_chunked_body_is_intact_and_looked_at(make_chunked: MakeApp) -> None:
    """Pieces without a length; an attack that is cut in two is found."""
    whole = json.dumps({"q": ATTACKS["script"]}).encode()
    passes(make_chunked, [b'{"q": "sel', b'ect a size"', b"}"], JSON)
    assert make_chunked(SHIELD).post(headers=[*API, JSON], body=[whole[:12], whole[12:20], whole[20:]]).status == 403


def test_a_get_with_a_body_is_looked_at(make: MakeApp) -> None:
    """As some search engines' clients send it."""
    passes(make, b'{"query": "tea"}', JSON, method="GET")
    attack = json.dumps({"query": ATTACKS["script"]}).encode()
    assert make(SHIELD).get(headers=[*API, JSON], body=attack).status == 403


def test_a_compressed_body_passes_unread(make: MakeApp) -> None:
    """It is not inflated: the application gets what was sent."""
    body = gzip.compress(json.dumps({"q": ATTACKS["script"]}).encode(), mtime=0)
    passes(make, body, JSON, ("Content-Encoding", "gzip"))


def test_what_could_not_be_read_weighs(make: MakeApp) -> None:
    """A compressed body passes, again and again one does not: padding and packing are no way through."""
    app = make(shield(threshold=0.5))
    body = gzip.compress(b"{}", mtime=0)
    replies = [app.post(headers=[*API, JSON, ("Content-Encoding", "gzip")], body=body) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 403]


def test_an_attack_behind_much_text_is_found(make: MakeApp) -> None:
    """After 300,000 bytes of padding, and after 20,000 JSON values."""
    padded = urlencode({"a": "tea and milk " * 23_000, "b": ATTACKS["script"]}).encode()
    many = json.dumps([*range(20_000), ATTACKS["script"]]).encode()
    app = make(SHIELD)
    assert app.post(headers=[*API, FORM], body=padded).status == 403
    assert app.post(headers=[*API, JSON], body=many).status == 403


def test_without_body_only_the_head_is_looked_at(make: MakeApp) -> None:
    """``body=False``: nothing is held, and what is in the body passes."""
    app = make(shield(body=False))
    assert in_json(app, ATTACKS["script"], "203.0.113.9").status == 200
    assert in_query(app, ATTACKS["script"], "203.0.113.9").status == 403


# --- what is told, and to whom


def test_findings_are_in_the_decision(make: MakeApp) -> None:
    """Operators see family, place, name and a masked excerpt; with ``enforce=False`` the application goes on."""
    reply = make(SHIELD, layer={"enforce": False}).get(f"/handler?email={quote(ATTACKS['script'])}", headers=API)
    reason = reply.json()["ruleResults"][0]["reason"]["shield"]
    finding = reason["findings"][0]
    assert (reply.json()["conclusion"], reason["shieldTriggered"]) == ("CONCLUSION_DENY", True)
    assert (finding["family"], finding["place"], finding["name"]) == ("XSS", "query", "email")


def test_middleware_and_handler_look_once(make: MakeApp) -> None:
    """``protect`` in the handler gets what the middleware found."""
    marking = Marking()
    reply = make(marked(marking)).get("/handler?email=weigh(0.4)", headers=API)
    assert reply.json()["ruleResults"][0]["reason"]["shield"]["weight"] == 0.4
    assert marking.seen == ["weigh(0.4)"]


def test_a_guarded_route_has_a_shield_of_its_own(make_decorated: MakeApp) -> None:
    """``guard(shield())`` on one route: others are left alone."""
    app = make_decorated(guards=[SHIELD])
    attack = quote(ATTACKS["script"])
    assert [app.get(f"{path}?q={attack}", headers=API).status for path in ("/guarded", "/echo")] == [403, 200]
    assert app.get("/guarded?q=tea", headers=API).status == 200


def test_a_refusal_by_a_route_s_shield_can_be_lifted(make_decorated: MakeApp) -> None:
    """It holds for that route, is listed, and ends by ``unban`` and by ``reset``."""
    app = make_decorated(guards=[marked(threshold=0.5, name="own")])
    suspicious, plain = "/guarded?q=weigh(0.6)", ("/guarded", "/echo")
    for lift in (app.aj.unban, app.aj.reset):
        assert app.get(suspicious, headers=API).status == 403
        assert [app.get(path, headers=API).status for path in plain] == [403, 200]
        assert app.settle(app.aj.stats("203.0.113.9")).refused_for == {"own": 600.0}
        app.settle(lift("203.0.113.9"))
        assert [app.get(path, headers=API).status for path in plain] == [200, 200]


def test_a_shield_charges_no_limit_for_what_it_refuses(make: MakeApp) -> None:
    """A refused attack takes nothing from the limit beside it."""
    app = make(SHIELD, sliding_window(max=1, interval="1m"))
    assert [in_query(app, text, "203.0.113.9").status for text in (ATTACKS["script"], "tea", "tea")] == [403, 200, 429]


def test_dry_runs_change_nothing(make: MakeApp) -> None:
    """The application answers attack after attack; the decision says what would have been."""
    app = make(shield(mode="DRY_RUN", name="trial"))
    attack = f"/handler?email={quote(ATTACKS['script'])}"
    replies = [app.get(attack, headers=API) for _ in range(6)]
    assert [(reply.status, reply.json()["dryRun"]) for reply in replies] == [(200, "trial")] * 6
    assert app.get("/handler", headers=API).status == 200


@pytest.mark.parametrize(("variable", "status"), [("OFF", 200), ("DRY_RUN", 200), ("LIVE", 403)])
def test_the_environment_switches_it(
    make: MakeApp, monkeypatch: pytest.MonkeyPatch, variable: str, status: int
) -> None:
    """``DOORWARD_MODE``."""
    monkeypatch.setenv("DOORWARD_MODE", variable)
    assert in_json(make(SHIELD), ATTACKS["script"], "203.0.113.9").status == status


# --- suspicion that adds up


def test_a_slow_attacker_is_refused_within_the_window(make: MakeApp) -> None:
    """0.4 at a time, never conclusive: the eighth makes 3.2 and is refused, and so is everything after it."""
    app = make(marked(threshold=3.0), layer={"rate_limit_headers": True})
    probing = [app.get("/echo?q=weigh(0.4)", headers=API) for _ in range(8)]
    assert [reply.status for reply in probing] == [200] * 7 + [403]
    after = app.get("/echo?q=tea", headers=API)
    assert [reply.header("retry-after") for reply in (probing[-1], after)] == ["600", "600"]
    assert after.status == 403
    assert app.get("/echo", headers=API, peer="203.0.113.77").status == 200
    app.clock.advance(601)
    assert app.get("/echo", headers=API).status == 200


def test_what_lies_apart_does_not_add_up(make: MakeApp) -> None:
    """One suspicious request a window, for a day."""
    app = make(marked(threshold=1.0))
    for _ in range(24):
        assert app.get("/echo?q=weigh(0.6)", headers=API).status == 200
        app.clock.advance(601)


def test_refused_attacks_count_towards_the_threshold(make: MakeApp) -> None:
    """Three attacks refused one by one: then everything of that client is."""
    app = make(shield(threshold=3.0))
    assert [in_query(app, ATTACKS["script"], "203.0.113.9").status for _ in range(3)] == [403] * 3
    assert app.get("/echo", headers=API).status == 403
    assert app.get("/echo", headers=API).header("retry-after") == "600"


def test_a_suspect_is_not_looked_at_again(make: MakeApp) -> None:
    """While it is refused, nothing of it is scanned: the refusal is remembered."""
    marking = Marking()
    app = make(marked(marking, threshold=0.5), layer={"enforce": False})
    replies = [app.get("/handler?email=weigh(0.6)", headers=API).json() for _ in range(3)]
    assert [reply["ruleResults"][0]["state"] for reply in replies] == ["RULE_STATE_RUN", *["RULE_STATE_CACHED"] * 2]
    assert len(marking.seen) == 1


def test_an_operator_can_lift_a_refusal(make: MakeApp) -> None:
    """``stats`` says who is refused by which rule; ``unban`` lifts it, for a fresh start."""
    app = make(marked(threshold=1.0, name="guard"))
    assert app.statuses(2, "/echo?q=weigh(0.6)", headers=API) == [200, 403]
    assert app.settle(app.aj.stats("203.0.113.9")).refused_for == {"guard": 600.0}
    assert app.settle(app.aj.unban("203.0.113.9")) is True
    assert app.settle(app.aj.stats("203.0.113.9")).refused_for == {}
    assert app.statuses(2, "/echo?q=weigh(0.6)", headers=API) == [200, 403]


# --- by user


def test_suspicion_by_user_waits_for_the_handler(make: MakeApp) -> None:
    """A shield by ``userId`` looks in the middleware, and adds up where the handler says who it is."""
    app = make(marked(threshold=1.0, characteristics=["userId"]))
    url = "/handler?userId={}&note=weigh(0.6)"
    conclusions = [app.get(url.format(user), headers=API).json()["conclusion"] for user in (1, 2, 1, 2, 3)]
    assert [each.removeprefix("CONCLUSION_") for each in conclusions] == ["ALLOW", "ALLOW", "DENY", "DENY", "ALLOW"]
    assert app.get("/handler?userId=1", headers=API, peer="203.0.113.50").json()["conclusion"] == "CONCLUSION_DENY"
    assert app.get("/handler?userId=3", headers=API).json()["conclusion"] == "CONCLUSION_ALLOW"


def test_an_attack_is_refused_whoever_it_is(make: MakeApp) -> None:
    """Before the user is known."""
    app = make(shield(characteristics=["userId"]))
    assert in_json(app, ATTACKS["script"], "203.0.113.9").status == 403
