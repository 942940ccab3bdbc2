"""``shield(when="after")`` in every framework: answers are untouched, what was found counts for the next request."""

from __future__ import annotations

import gc
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, send_file
from tests.adapters.django_setup import MIDDLEWARE
from tests.behaviour.clients.base import PEER, AppUnderTest, Lines, MakeApp, Setup
from tests.behaviour.clients.django_app import DjangoAsync, DjangoSync
from tests.behaviour.clients.drivers import call_wsgi, environ_of
from tests.behaviour.clients.views import Boom
from tests.unit.shield.marking import Marking, marked

from doorward import Doorward, shield, sliding_window
from doorward.progress import Progress
from doorward.wsgi import DoorwardMiddleware
from doorward_flask import DoorwardFlask

API: Lines = (("User-Agent", "shop-app/4.2 (Android 14)"), ("Accept", "application/json"))
JSON = ("Content-Type", "application/json")
SCRIPT = "<script>alert(1)</script>"
MARK = "q=weigh(0.6)"


def late(*detectors: Any, **fields: Any) -> Any:
    """Two marks of 0.6 are enough."""
    return marked(*detectors, when="after", **{"threshold": 1.0, **fields})


def statuses(app: AppUnderTest, *targets: str, **more: Any) -> list[int]:
    return [app.request(target, headers=API, **more).status for target in targets]


def test_the_request_is_answered_and_the_client_refused_later(make: MakeApp) -> None:
    """Two suspicious requests are answered; from then on everything of the client is refused, until the window ends."""
    app = make(late())
    assert statuses(app, f"/echo?{MARK}", f"/echo?{MARK}", "/echo", "/echo?q=tea") == [200, 200, 403, 403]
    assert statuses(app, "/echo", peer="203.0.113.50") == [200]
    app.clock.advance(601)
    assert statuses(app, "/echo") == [200]


def test_a_conclusive_attack_is_answered_too(make: MakeApp) -> None:
    """Nothing is denied for itself; three attacks reach the threshold."""
    app = make(shield(when="after", threshold=3.0))
    attack = f"/echo?q={quote(SCRIPT)}"
    assert statuses(app, attack, attack, attack, "/echo") == [200, 200, 200, 403]


@pytest.mark.parametrize("target", ["/stream", "/own-headers", "/nothing-here", "/login?status=401", "/refund"])
def test_whatever_was_answered(make: MakeApp, target: str) -> None:
    """Streams, errors and unknown paths: what the request carried counts all the same."""
    app = make(late())
    joint = "&" if "?" in target else "?"
    first, second = (app.get(f"{target}{joint}{MARK}", headers=API) for _ in range(2))
    assert first.status == second.status != 403
    assert first.chunks == second.chunks
    assert statuses(app, "/echo") == [403]


def test_after_an_exception(make: MakeApp) -> None:
    """An application that raises is asked about as well, and its exception goes on as it was."""
    app = make(late())
    replies = [app.get(f"/boom?{MARK}", headers=API) for _ in range(2)]
    assert [reply.status in (0, 500) for reply in replies] == [True, True]
    assert all(isinstance(reply.error, Boom | None) for reply in replies)
    assert statuses(app, "/echo") == [403]


def test_after_a_head(make: MakeApp) -> None:
    """HEAD has no body, and is over all the same."""
    app = make(late())
    assert statuses(app, f"/echo?{MARK}", f"/echo?{MARK}", method="HEAD") != [403, 403]
    assert statuses(app, "/echo") == [403]


def test_what_was_in_the_body(make: MakeApp) -> None:
    """The body is held for later, and reaches the application as it came."""
    app = make(late())
    body = json.dumps({"a": ["weigh(0.6)"]}).encode()
    replies = [app.post(headers=[*API, JSON], body=body) for _ in range(2)]
    assert [reply.json()["sha256"] for reply in replies] == [hashlib.sha256(body).hexdigest()] * 2
    assert statuses(app, "/echo") == [403]


def test_a_chunked_body(make_chunked: MakeApp) -> None:
    """The same without a length."""
    app = make_chunked(late())
    for _ in range(2):
        assert app.post(headers=[*API, JSON], body=[b'{"a": "wei', b'gh(0.6)"}']).status == 200
    assert statuses(app, "/echo") == [403]


def test_a_websocket(make_socket: MakeApp) -> None:
    """Looked at once it has closed."""
    app: Any = make_socket(late())
    assert [app.socket(f"/ws?{MARK}").accepted for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("target", ["/echo", "/stream", "/own-headers", "/login?status=401", "/nothing-here"])
def test_answers_are_untouched(make: MakeApp, target: str) -> None:
    """Head, pieces and order are those of the same application without doorward."""
    protected, bare = make(late()), make(protected=False)
    for method in ("GET", "HEAD"):
        with_, without = (app.request(target, method=method, headers=API) for app in (protected, bare))
        assert (with_.status, list(with_.lines), list(with_.chunks)) == (
            without.status,
            list(without.lines),
            list(without.chunks),
        )


def test_it_stands_beside_limits(make: MakeApp) -> None:
    """With a limit in memory, which has a shorter way of its own, both do what they do alone."""
    app = make(late(), sliding_window(max=3, interval="1m"))
    assert statuses(app, f"/echo?{MARK}", "/echo", f"/echo?{MARK}", "/echo") == [200, 200, 200, 403]
    assert statuses(app, *["/echo"] * 4, peer="203.0.113.50") == [200, 200, 200, 429]


def test_it_stands_beside_limits_for_bodies(make: MakeApp) -> None:
    """The shorter way is no way around the body."""
    app = make(late(), sliding_window(max=9, interval="1m"))
    body = json.dumps({"a": "weigh(0.6)"}).encode()
    assert [app.post(headers=[*API, JSON], body=body).status for _ in range(3)] == [200, 200, 403]


def test_what_was_refused_is_not_looked_at(make: MakeApp) -> None:
    """A request that the application never saw adds nothing."""
    marking = Marking()
    app = make(late(marking), sliding_window(max=1, interval="1m"))
    assert statuses(app, "/echo", f"/echo?{MARK}", f"/echo?{MARK}") == [200, 429, 429]
    assert marking.seen == []


def test_the_decision_of_the_request_says_nothing_yet(make: MakeApp) -> None:
    """While the application answers, the rule has not run."""
    reply = make(late()).get("/handler?email=weigh(0.6)", headers=API)
    assert reply.json()["ruleResults"][0]["state"] == "RULE_STATE_NOT_RUN"


def test_it_adds_up_by_user(make: MakeApp) -> None:
    """The characteristic that the handler gave is known after the response."""
    app = make(late(characteristics=["userId"]))
    url = "/handler?userId=7&note=weigh(0.6)"
    conclusions = [app.get(url, headers=API, peer=f"203.0.113.{n}").json()["conclusion"] for n in range(3)]
    assert conclusions == ["CONCLUSION_ALLOW", "CONCLUSION_ALLOW", "CONCLUSION_DENY"]
    assert app.get("/handler?userId=8", headers=API).json()["conclusion"] == "CONCLUSION_ALLOW"


def test_dry_runs_only_say_so(make: MakeApp) -> None:
    """The application goes on answering; the decision names the rule."""
    app = make(late(mode="DRY_RUN", name="trial"))
    replies = [app.get("/handler?email=weigh(0.6)", headers=API) for _ in range(3)]
    assert [(reply.status, reply.json().get("dryRun")) for reply in replies] == [
        (200, None),
        (200, None),
        (200, "trial"),
    ]


def test_it_only_decides_with_enforce_false(make: MakeApp) -> None:
    """Observed, not refused."""
    app = make(late(), layer={"enforce": False})
    assert statuses(app, f"/echo?{MARK}", f"/echo?{MARK}", "/echo") == [200, 200, 200]
    assert app.get("/handler", headers=API).json()["conclusion"] == "CONCLUSION_DENY"


@pytest.mark.parametrize("variable", ["OFF", "DRY_RUN"])
def test_the_environment_switches_it_off(make: MakeApp, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """``DOORWARD_MODE``."""
    monkeypatch.setenv("DOORWARD_MODE", variable)
    assert statuses(make(late()), *[f"/echo?{MARK}"] * 4) == [200] * 4


def test_body_false_holds_nothing(make: MakeApp) -> None:
    """Only the head is looked at."""
    app = make(late(body=False))
    body = json.dumps({"a": "weigh(0.9)"}).encode()
    assert [app.post(headers=[*API, JSON], body=body).status for _ in range(3)] == [200] * 3


def left_for_the_collector(app: AppUnderTest) -> int:
    """How many requests' progress is there after a request, before the collector has run."""
    app.get(f"/echo?{MARK}", headers=API)
    gc.collect()
    gc.disable()
    try:
        app.get(f"/echo?{MARK}", headers=API)
        return sum(type(each) is Progress and each.engine is app.aj.engine for each in gc.get_objects())
    finally:
        gc.enable()


def test_nothing_more_is_left_for_the_collector(make: MakeApp) -> None:
    """What is kept for later goes with the request, as far as the framework lets go of those."""
    assert left_for_the_collector(make(late())) <= left_for_the_collector(make(marked()))


# --- what servers and frameworks do with responses


def test_a_wsgi_list_keeps_its_length() -> None:
    """Servers write Content-Length where they see that a body has one piece; a generator stays without a length."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"one"] if environ["PATH_INFO"] == "/list" else iter([b"one"])

    protected = DoorwardMiddleware(app, Doorward([late()]))
    listed, generated = (protected(environ_of(path), lambda *_: None) for path in ("/list", "/generator"))
    assert len(listed) == 1  # type: ignore[arg-type]
    assert not hasattr(generated, "__len__")
    assert [list(listed), list(generated)] == [[b"one"], [b"one"]]


def test_a_file_that_flask_hands_to_the_server(tmp_path: Any) -> None:
    """``send_file``: nobody tells when it has been sent, and the request counts all the same."""
    path = tmp_path / "file.txt"
    path.write_text("content")
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/file", view_func=lambda: send_file(path), endpoint="file")
    DoorwardFlask(app, rules=[late()])
    environ = {"wsgi.file_wrapper": lambda file, *_: file}
    replies = [call_wsgi(app, {**environ_of("/file?" + MARK, peer=PEER), **environ}) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 403]
    assert replies[0].body == b"content"


@pytest.mark.parametrize("kind", [DjangoSync, DjangoAsync], ids=["sync", "async"])
def test_a_response_that_other_middleware_of_django_replaces(kind: type[AppUnderTest]) -> None:
    """``If-None-Match`` makes it a 304, and does not let the request off."""
    from django.test import override_settings

    with kind(Setup(rules=[late()])) as app:
        application = app.app
        with override_settings(MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware", MIDDLEWARE]):
            app.app = type(application)()
            etag = str(app.get("/echo", headers=API).header("etag"))
            replies = [app.get(f"/echo?{MARK}", headers=[*API, ("If-None-Match", etag)]) for _ in range(3)]
    assert [reply.status for reply in replies] == [304, 304, 403]
