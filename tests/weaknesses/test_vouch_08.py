"""vouch.md, section 7, items 8 to 14: where flask-Vouch, tollbooth or django-waf failed, tried on us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from tests.behaviour.challenged import JSON, LONG_ENOUGH, PAGE, Visitor
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import FailingStore
from tests.challenges.test_presets import BROWSERS, browser_headers
from tests.weaknesses.attacking import CURL, SECRET, WAIT, lines_run, post

from doorward import ConfigurationError, Doorward, RequestContext, challenge, deny, detect_bot, sliding_window, weigh
from doorward.challenges.verifying import MOST_ANSWERS
from doorward.effects import Algorithm, Hit
from doorward.errors import ResolverError
from doorward.presets import preset
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock, ScriptedResolver
from doorward_flask import DoorwardFlask


def test_07_08_one_ipv6_network_is_one_client(make: MakeApp) -> None:
    """200 challenges out of 200 for one /64, where IPv4 got 10: limits went by the whole address."""
    app = make(sliding_window(max=10, interval="1h"), **WAIT)
    statuses = [app.get("/echo", peer=f"2001:db8:1:2::{number:x}").status for number in range(60)]
    assert statuses == [200] * 10 + [429] * 50
    answers = [
        post(app, "/.doorward/verify", b"{}", peer=f"2001:db8:1:3::{n:x}").status for n in range(MOST_ANSWERS + 5)
    ]
    assert answers == [403] * MOST_ANSWERS + [429] * 5


def test_07_08_posing_and_answering_cost_the_same_when_all_is_full() -> None:
    """Issuing a challenge looked through all open ones, under a lock: 8.2 ms at 99,000; and a flood pushed out those of
    people. We keep no open challenges at all, and a full store costs what an empty one does.
    """
    clock = FakeClock()
    store = MemoryStore(max_keys=3_000, max_values=3_000, clock=clock)
    aj = Doorward([challenge("wait"), sliding_window(max=10**6, interval="1h")], store=store, clock=clock, **WAIT)

    def one(number: int) -> None:
        request = RequestContext(headers=PAGE, peer=f"9.{number % 250}.{number // 250 % 250}.9")
        answer = aj.answer(request, aj.protect(request))
        assert answer is not None
        assert answer.status == 403

    empty = [lines_run(lambda number=number: one(number)) for number in range(100)]  # type: ignore[misc]
    before = store.stats()
    for number in range(20_000):
        store.add_if_absent(f"gate:spent:{number}", 1800)
        store.count([Hit(f"flood {number}", Algorithm.FIXED_WINDOW, 9, 3600 * 10**9)])
    full = [lines_run(lambda number=number: one(number)) for number in range(30_000, 30_100)]  # type: ignore[misc]
    assert before["values"] == 0
    assert max(store.stats()["values"], store.stats()["keys"]) <= 3_000
    assert sum(full) < 1.5 * sum(empty)


def test_07_09_several_workers_with_the_memory_of_each_are_warned_of(
    make_flask: MakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two workers 3 of 40 right answers were refused, and limits were twice as wide; nothing said so."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    make_flask(sliding_window(max=9, interval="1h"), challenge("wait"), **WAIT).get()
    assert "counters are kept in this process alone (memory://)" in caplog.text
    assert "shared:///" in caplog.text


class _Down(FailingStore):
    """Nothing of it answers."""

    def add_if_absent(self, key: str, ttl: float) -> bool:
        raise self.error

    def get(self, key: str) -> bytes | None:
        raise self.error


@pytest.mark.swallows_errors
@pytest.mark.parametrize("policy", ["allow", "deny", "local"])
def test_07_09_a_store_that_is_down_is_the_policy_that_was_asked_for(make: MakeApp, policy: str) -> None:
    """Redis down: 500 for everybody who was challenged, whatever one wished."""
    limit = sliding_window(max=9, interval="1h", on_error=policy, paths=["/limited"])
    app = make(limit, challenge("wait", paths=["/echo"]), secret=SECRET, store=_Down(),
               challenges={"kinds": ["wait"], "on_store_error": policy})  # fmt: skip
    visitor = Visitor(app)
    page = visitor.go("/echo")
    visitor.wait()
    assert (page.status, visitor.answer(page).status) == (403, 403 if policy == "deny" else 303)
    assert visitor.go("/echo").status == (403 if policy == "deny" else 200)
    assert visitor.go("/limited").status == (503 if policy == "deny" else 200)


SPELLINGS: list[Callable[[str], str]] = [str, str.lower, str.upper, str.title]


@pytest.mark.parametrize("written", SPELLINGS, ids=["as it is", "lower", "upper", "title"])
@pytest.mark.parametrize("sent", SPELLINGS, ids=["as it is", "lower", "upper", "title"])
def test_07_10_header_rules_are_the_same_everywhere(
    make: MakeApp, written: Callable[[str], str], sent: Callable[[str], str]
) -> None:
    """Names were compared with their case, which WSGI and ASGI write differently: rules never matched, or always."""
    app = make(deny(headers={written("CF-Worker"): True}), weigh(9, headers={written("Sec-CH-UA"): False}),
               thresholds={"DENY": 9})  # fmt: skip
    hints = (sent("sec-CH-UA"), '"Chromium";v="131"')
    lines = [[], [hints], [hints, (sent("cf-worker"), "x")], [hints, (sent("CF-Worker"), "")]]
    assert [app.get(headers=each).status for each in lines] == [403, 200, 403, 200]


@pytest.mark.parametrize("browser", ["naver", "sogou", "cubot", "search-preview", "opera-presto"])
def test_07_10_people_whom_others_took_for_bots_are_let_in(make: MakeApp, browser: str) -> None:
    """People in Naver's app were impostors of its crawler; ``/shellfish`` was a shell."""
    policy = preset("default")
    app = make(*policy.rules, secret=SECRET, **policy.options)
    headers = [line for line in browser_headers(BROWSERS[browser], "navigation", "http") if line[0] != "Host"]
    for path in ("/echo", "/shellfish", "/.github/x", "/x/cmdline", "/.environment", "/blog/wp-login-guide"):
        assert app.get(path, headers=headers, peer="9.9.9.9").status in (200, 404), path


MISTAKES: dict[str, Callable[[], object]] = {
    "cookie_tll": lambda: Doorward([], cookie_tll=9),  # type: ignore[call-arg]
    "lifetme": lambda: Doorward([], challenges={"lifetme": "1h"}),
    "per_addres": lambda: Doorward([], challenges={"clients": {"per_addres": 2}}),
    "secure": lambda: Doorward([], challenges={"secure": "False"}),
    "bind": lambda: Doorward([], challenges={"bind": "False"}),
    "mask_addresses": lambda: Doorward([], mask_addresses="False"),  # type: ignore[arg-type]
    "dificulty": lambda: challenge("work", dificulty=4),  # type: ignore[call-arg]
    "bindip": lambda: DoorwardFlask(bindip=True),  # type: ignore[call-arg]
    "DOORWARD_PROXYS": lambda: _configured(DOORWARD_PROXYS=()),
    "DOORWARD_DEFAULT_EXEMPTIONS": lambda: _configured(DOORWARD_DEFAULT_EXEMPTIONS="False"),
    "DOORWARD_CHALLENGES.secure": lambda: _configured(DOORWARD_CHALLENGES={"secure": "False"}),
}


def _configured(**config: Any) -> object:
    app = Flask("shop")
    app.config.update(config)
    return DoorwardFlask(app)


@pytest.mark.parametrize("name", MISTAKES)
def test_07_11_a_misspelled_option_is_an_error_and_false_is_not_true(name: str) -> None:
    """``cookie_tll`` was accepted, and ``VOUCH_BIND_IP="False"`` turned it on."""
    with pytest.raises(ConfigurationError, match=name.rpartition(".")[2]):
        MISTAKES[name]()


GOOGLEBOT = [("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), *CURL[1:]]


def test_07_12_while_the_resolver_is_down_a_real_crawler_is_let_in(make_flask: MakeApp) -> None:
    """A resolver that failed made an impostor of Googlebot, for an hour. Unknown is not a lie, and is asked again."""
    peer, host = "9.9.9.9", "crawl-9-9-9-9.googlebot.com"
    resolver = ScriptedResolver({("9.9.9.9.in-addr.arpa", "PTR"): ResolverError("SERVFAIL")})
    app = make_flask(detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]), resolver=resolver)
    assert app.get(headers=GOOGLEBOT, peer=peer).status == 200
    resolver["9.9.9.9.in-addr.arpa", "PTR"] = ["host.evil.example"]
    assert app.get(headers=GOOGLEBOT, peer=peer).status == 403
    resolver["9.9.9.9.in-addr.arpa", "PTR"], resolver[host, "A"] = [host], [peer]
    assert app.get(headers=GOOGLEBOT, peer=peer).status == 200


def test_07_13_one_address_is_one_client_however_it_is_written(make: MakeApp) -> None:
    """``ip:port`` and mapped IPv6 were clients of their own, and a mapped proxy was no proxy."""
    app = make(sliding_window(max=2, interval="1h"))
    spellings = ["9.9.9.9", "9.9.9.9:5555", "::ffff:9.9.9.9", "[::ffff:9.9.9.9]:80", "8.8.8.8, 9.9.9.9"]
    statuses = [app.get(headers=[("X-Forwarded-For", each)], peer="127.0.0.1").status for each in spellings]
    assert statuses == [200, 200, 429, 429, 429]
    assert app.get(headers=[("X-Forwarded-For", "9.9.9.9")], peer="::ffff:127.0.0.1").status == 429
    assert app.get(headers=[("X-Forwarded-For", "8.8.4.4")], peer="::ffff:127.0.0.1").status == 200


def test_07_13_garbage_is_nobodys_address(make: MakeApp) -> None:
    """Each piece of garbage was an identity of its own."""
    app = make(sliding_window(max=2, interval="1h"))
    garbage = [f"garbage{number}" for number in range(5)] + [
        "1.2.3",
        "999.1.1.1",
        "::g",
        "",
        ",,,",
        "\x01",
        "\xff" * 50,
    ]
    statuses = [app.get(headers=[("X-Forwarded-For", each)], peer="127.0.0.1").status for each in garbage]
    assert statuses == [200] * 2 + [429] * (len(garbage) - 2)


def test_07_14_bytes_that_are_no_utf_8_are_no_error(make: MakeApp) -> None:
    """In a query, a header, or an answer to a challenge: UnicodeDecodeError, 500."""
    rules = [challenge("wait", paths=["/limited"]), deny(query={"a": "no"}), deny(cookies={"a": "no"}),
             deny(form={"a": "no"}), deny(json={"a": "no"}), sliding_window(max=999, interval="1h")]  # fmt: skip
    app, bare = make(*rules, **WAIT), make(protected=False)
    odd = "\xff\xfe\x80"
    headers = [("User-Agent", odd), ("Cookie", f"a={odd}; doorward={odd}"), ("Referer", odd), ("Accept-Language", odd)]
    for target in (f"/echo?a={odd}", "/echo?a=%ff%fe", "/anything/%ff%fe", f"/limited?{odd}"):
        for content_type in ("application/x-www-form-urlencoded", "application/json", f"text/{odd}"):
            sent = [*headers, ("Content-Type", content_type)]
            body = b'{"a": "\xff\xfe"}&a=\xff'
            reply, own = app.post(target, headers=sent, body=body), bare.post(target, headers=sent, body=body)
            # Starlette's own request.url raises for such a query: that application fails as it does without us.
            assert reply.status == 403 or (reply.status, type(reply.error)) == (own.status, type(own.error))
    page = app.get("/limited", headers=[*PAGE, ("X", odd)])
    app.clock.advance(LONG_ENOUGH)
    assert Visitor(app).answer(page).status == 303
    for path in ("verify", "next", "other", "landed?t=%ff", f"waited?t={odd}", "static/%ff", odd):
        reply = app.post(f"/.doorward/{path}", headers=[*JSON, *headers[1:]], body=b"token=\xff&\xfe=\xff")
        assert 200 <= reply.status < 500
        assert not reply.values("set-cookie")
