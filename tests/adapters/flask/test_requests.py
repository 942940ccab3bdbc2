"""A request's way through a protected application: hooks, answers, headers, limits that wait, async views, bodies."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, after_this_request, copy_current_request_context, g, request
from tests.adapters.flask.support import client, environ_of, limit, make_app, protected, status_of, statuses
from tests.behaviour.doubles import BodySpy, EmailSpy, Refuser, Spy

from doorward import Decision
from doorward.answers import Answer
from doorward.wsgi import DoorwardMiddleware
from doorward_flask import DoorwardFlask, current_decision


class Boom(Exception):
    """What a view raises."""


def boom() -> None:
    raise Boom


# --- first


def test_unknown_paths_are_limited() -> None:
    """Regression (flask-Humanify): paths without a route were never limited, so that scanners ran free."""
    app, _ = protected(limit(2))
    assert statuses(app, 3, "/wp-login.php") == [404, 404, 429]


def test_wrong_methods_are_limited() -> None:
    """A method that no route takes is counted as any request."""
    app, _ = protected(limit(2))
    assert statuses(app, 3, "/", "DELETE") == [405, 405, 429]


def test_it_decides_before_hooks_that_were_there_first() -> None:
    """A ``before_request`` that was registered earlier does not run for a refused request."""
    app, ran = make_app(), []
    app.before_request(lambda: ran.append(g.doorward.conclusion))
    DoorwardFlask(app, rules=[limit(1)])
    statuses(app, 2)
    assert ran == ["ALLOW"]


def test_it_decides_before_url_value_preprocessors() -> None:
    """Those look things up and abort: guessing names of users must be limited too."""
    app = make_app()
    app.url_value_preprocessor(lambda *_: abort(404))
    DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 2) == [404, 429]


def test_preprocess_request_in_a_test_request_context_decides() -> None:
    """What Flask's documentation says for testing hooks holds: ``app.preprocess_request()`` gives the refusal."""
    app, _ = protected(limit(1))
    answers = []
    for _ in range(2):
        with app.test_request_context("/"):
            answers.append(app.preprocess_request())
    assert answers[0] is None
    assert isinstance(answers[1], Response)
    assert answers[1].status_code == 429


# --- refusals


def test_refusals_pass_the_after_request_hooks_of_the_application() -> None:
    """What an application adds to every response (CORS headers) is on a refusal too."""
    app, _ = protected(Refuser())
    app.after_request(lambda response: (response.headers.add("X-App", "yes"), response)[1])
    reply = app.test_client().get("/?attack")
    assert (reply.status_code, reply.headers["X-App"]) == (403, "yes")


def test_a_refusal_is_worded_as_the_client_accepts() -> None:
    """Problem details, HTML or text, by ``Accept``; with Retry-After, RateLimit and a length."""
    app, _ = protected(limit(1, name="app"))
    replies = [
        app.test_client().get("/", headers={"Accept": kind}) for kind in ("*/*", "text/html", "application/json")
    ]
    assert [reply.mimetype for reply in replies[1:]] == ["text/html", "application/problem+json"]
    assert replies[1].headers["Retry-After"] == "60"
    assert replies[1].headers.getlist("RateLimit") == ['"app";r=0;t=60']
    assert replies[1].content_length == len(replies[1].data)


def test_a_refused_head_has_no_body() -> None:
    """HEAD gets the head that GET gets."""
    app, _ = protected(Refuser())
    reply = app.test_client().head("/?attack")
    assert (reply.status_code, reply.data) == (403, b"")


@pytest.mark.parametrize(
    "answer",
    [
        "slow down",
        ("slow down", 418),
        {"slow": "down"},
        Response("slow down", 418),
        Answer(418, [("X-Own", "yes")], b"slow down"),
    ],
)
def test_on_denied_may_return_what_a_view_may(answer: Any) -> None:
    """Text, tuples, dicts and responses, and doorward's own Answer."""
    app, _ = protected(Refuser(), on_denied=lambda *_: answer)
    reply = app.test_client().get("/?attack")
    assert b"slow" in reply.data
    assert reply.status_code == (200 if isinstance(answer, str | dict) else 418)


def test_on_denied_may_abort_to_an_error_handler() -> None:
    """``abort(429)`` is answered by the application's own page for 429."""
    app, _ = protected(limit(1), on_denied=lambda *_: abort(429))
    app.register_error_handler(429, lambda error: (f"own page for {error.code}", 429))
    assert [app.test_client().get("/").text for _ in range(2)] == ["index", "own page for 429"]


def test_on_denied_may_be_async() -> None:
    """As views may be."""

    async def on_denied(*_: Any) -> tuple[str, int]:
        return "slow down", 418

    app, _ = protected(Refuser(), on_denied=on_denied)
    assert app.test_client().get("/?attack").status_code == 418


@pytest.mark.swallows_errors
@pytest.mark.parametrize("on_denied", [lambda *_: boom(), lambda *_: object()])
def test_a_broken_on_denied_gives_the_built_in_refusal(on_denied: Any) -> None:
    """Whatever it raises or returns, the request is refused."""
    app, _ = protected(Refuser(), on_denied=on_denied)
    assert statuses(app, 1, "/?attack") == [403]


# --- the decision


def test_the_decision_is_at_hand() -> None:
    """In the view at ``g``, in the environ, and from ``current_decision``: one object."""
    app, _ = protected(limit(5))
    found: list[Any] = []

    @app.get("/x")
    def keep() -> str:
        found.extend([g.doorward, request.environ["doorward.decision"], current_decision()])
        return "kept"

    statuses(app, 1, "/x")
    assert isinstance(found[0], Decision)
    assert found[0] is found[1] is found[2]


def test_there_is_no_decision_outside_of_a_request() -> None:
    """``current_decision`` says None rather than raising."""
    assert current_decision() is None


def test_a_decision_does_not_outlive_its_request() -> None:
    """``g`` lives on where a test holds an application context open: each request still finds its own decision."""
    app, guard = protected(limit(9))
    app.add_url_rule("/free", "free", guard.exempt(lambda: f"{g.doorward.reason.explain()}"))
    with app.app_context():
        statuses(app, 1)
        assert "exempt" in app.test_client().get("/free").text


def test_protect_asks_what_was_left_open() -> None:
    """``guard.protect(email=…)`` in a view runs the rules that waited for it, and no other again."""
    first, email = Spy(), EmailSpy(name="email")
    app, guard = protected(first, email)
    app.add_url_rule("/x", "x", lambda: str(guard.protect(email="a@b.example") is current_decision()))
    assert app.test_client().get("/x").text == "True"
    assert len(first.seen) == 1
    assert [view.inputs["email"] for view in email.seen] == ["a@b.example"]


def test_protect_of_the_client_takes_the_request_proxy() -> None:
    """``aj.protect(flask.request)`` goes on from the hook's decision: nothing is charged twice."""
    aj, app = client(limit(2)), make_app()
    DoorwardFlask(app, aj)
    app.add_url_rule("/x", "x", lambda: str(aj.protect(request).conclusion))
    assert statuses(app, 3, "/x") == [200, 200, 429]


def test_protect_works_in_a_test_request_context() -> None:
    """A view function can be tested with nothing but a request context."""
    app, guard = protected(limit(1))
    conclusions = []
    for _ in range(2):
        with app.test_request_context("/"):
            conclusions.append(guard.protect().conclusion)
    assert conclusions == ["ALLOW", "DENY"]


# --- RateLimit headers


def test_headers_are_written_last_and_once() -> None:
    """Hooks of the application, even those of one request, cannot leave a second RateLimit."""
    app, _ = protected(limit(5, name="app"), rate_limit_headers=True)
    add = lambda response: (response.headers.add("RateLimit", "the app's"), response)[1]  # noqa: E731  (two uses)
    app.after_request(add)
    app.add_url_rule("/x", "x", lambda: after_this_request(add) and "x")
    assert app.test_client().get("/x").headers.getlist("RateLimit") == ['"app";r=4;t=60']


def test_headers_are_not_written_unless_asked_for() -> None:
    """An allowed response is the application's own, RateLimit header of its own included."""
    app, _ = protected(limit(5))
    app.add_url_rule("/x", "x", lambda: ("x", {"RateLimit": "the app's"}))
    assert app.test_client().get("/x").headers.getlist("RateLimit") == ["the app's"]


def test_headers_tell_what_protect_has_charged() -> None:
    """A view that charges more is answered with what is left after that."""
    app, guard = protected(limit(9, name="app"), rate_limit_headers=True)
    app.add_url_rule("/x", "x", lambda: str(guard.protect(requested=3)))
    assert app.test_client().get("/x").headers["RateLimit"] == '"app";r=5;t=60'


# --- limits that wait for the response


def waiting(status: int, **config: Any) -> Flask:
    """``/login`` is limited to one answer of ``status`` a minute."""
    app = make_app(**config)
    DoorwardFlask(app, rules=[limit(1, count_when=status)])
    app.add_url_rule("/login", "login", lambda: ("", int(request.args["status"])))
    app.add_url_rule("/boom", "boom", boom)
    return app


def test_only_answers_that_count_are_charged() -> None:
    """Successful logins use nothing; a failed one does."""
    app = waiting(401)
    assert [statuses(app, 1, f"/login?status={code}")[0] for code in (200, 200, 401, 200)] == [200, 200, 401, 429]


def test_an_answer_of_an_error_handler_counts_as_what_it_is() -> None:
    """An exception that the application answers is settled by that answer's status."""
    app = waiting(418)
    app.register_error_handler(Boom, lambda _: ("teapot", 418))
    assert statuses(app, 2, "/boom") == [418, 429]


def test_a_view_that_raises_counts_as_500() -> None:
    """In production the client sees 500: limits of other answers give their charge back."""
    assert statuses(waiting(401), 3, "/boom") == [500] * 3
    assert statuses(waiting(500), 2, "/boom") == [500, 429]


@pytest.mark.parametrize(("counted", "then"), [(401, 200), (500, 429)])
def test_a_view_that_raises_is_settled_under_testing(counted: int, then: int) -> None:
    """With TESTING the exception reaches the test, and no response comes about: the limit is settled all the same."""
    app = waiting(counted, TESTING=True)
    with pytest.raises(Boom):
        app.test_client().get("/boom")
    assert statuses(app, 1) == [then]


def test_a_hook_that_raises_is_settled() -> None:
    """An ``after_request`` that fails keeps ours from running; the teardown settles then."""
    app = waiting(401)
    app.after_request(lambda _: boom())
    assert statuses(app, 3, "/login?status=401") == [500] * 3


def test_a_client_that_keeps_its_context_is_settled_too() -> None:
    """``with app.test_client()`` puts teardown off; the next request sees the charge given back."""
    app = waiting(401)
    with app.test_client() as browser:
        assert [browser.get("/login?status=200").status_code for _ in range(3)] == [200] * 3


def test_testing_changes_no_decision() -> None:
    """An application under test refuses as it does in production, unless ``DOORWARD_ENFORCE`` says otherwise."""
    apps = make_app(TESTING=True), make_app(TESTING=True, DOORWARD_ENFORCE=False)
    for app in apps:
        DoorwardFlask(app, rules=[limit(1)])
    assert [statuses(app, 2) for app in apps] == [[200, 429], [200, 200]]


# --- async views


def test_async_views_are_limited() -> None:
    """A decorated async view stays async, and its limit is asked before it runs."""
    app, guard = protected()
    ran = []

    @app.get("/async")
    @guard.limit("2/minute")
    async def waits() -> str:
        ran.append(guard.protect().conclusion)
        return "async"

    assert statuses(app, 3, "/async") == [200, 200, 429]
    assert ran == ["ALLOW", "ALLOW"]


def test_async_views_are_protected_without_init_app(caplog: pytest.LogCaptureFixture) -> None:
    """As views are that block."""
    guard, app = DoorwardFlask(), make_app()

    @app.get("/async")
    @guard.limit("1/minute")
    async def waits() -> str:
        return "async"

    assert statuses(app, 2, "/async") == [200, 429]
    assert "init_app was not called" in caplog.text


# --- bodies and other layers


@pytest.mark.parametrize("held", [1_000, 1_000_000])
def test_a_form_that_a_rule_has_read_reaches_the_view(held: int) -> None:
    """Read to the limit by the rule, whole by the view: a form's file too."""
    spy = BodySpy()
    app, _ = protected(spy, body_limit=held)
    app.add_url_rule("/up", "up", lambda: str(len(request.files["f"].read())), methods=["POST"])
    reply = app.test_client().post("/up", data={"f": (BytesIO(b"x" * 70_000), "f.bin")})
    assert reply.text == "70000"
    assert spy.bodies[0][1] is (held > 70_000)


@pytest.mark.parametrize("size", [0, 10, 2**16, 2**16 + 1, 3_000_000])
def test_bytes_that_a_rule_has_read_reach_the_view(size: int) -> None:
    """Whatever the size, the view reads what was sent."""
    app, _ = protected(BodySpy())
    data = os.urandom(size)
    app.add_url_rule("/up", "up", lambda: hashlib.sha256(request.get_data()).hexdigest(), methods=["POST"])
    assert app.test_client().post("/up", data=data).text == hashlib.sha256(data).hexdigest()


def test_a_chunked_body_that_a_rule_has_read_reaches_the_view() -> None:
    """A body without a length, as servers hand it on (``wsgi.input_terminated``)."""
    app, _ = protected(BodySpy())
    app.add_url_rule("/up", "up", lambda: ("", 200 if request.get_data() == b"some bytes" else 500), methods=["POST"])
    environ = environ_of("/up", method="POST", data=b"some bytes")
    del environ["CONTENT_LENGTH"]
    assert status_of(app, {**environ, "wsgi.input_terminated": True}) == 200


def test_middleware_around_the_application_decides_once() -> None:
    """``app.wsgi_app`` wrapped with the same client, and the extension inside: one charge, one header."""
    aj, app = client(limit(2, name="app")), make_app()
    DoorwardFlask(app, aj, rate_limit_headers=True)
    app.wsgi_app = DoorwardMiddleware(app.wsgi_app, aj, rate_limit_headers=True)  # type: ignore[method-assign]
    replies = [app.test_client().get("/") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[0].headers.getlist("RateLimit") == ['"app";r=1;t=60']


def test_middleware_alone_protects_a_flask_application() -> None:
    """Without the extension, ``doorward.wsgi`` around ``app.wsgi_app`` is enough for a client's own rules."""
    app = make_app()
    app.wsgi_app = DoorwardMiddleware(app.wsgi_app, client(limit(1)))  # type: ignore[method-assign]
    assert statuses(app, 2) == [200, 429]


def test_one_environ_through_two_applications_settles_both() -> None:
    """An application that hands its environ to another one keeps its own limits' account."""
    inner, outer = waiting(401), make_app()
    DoorwardFlask(outer, rules=[limit(1, count_when=500)])
    outer.add_url_rule("/login", "login", lambda: inner.wsgi_app)
    assert statuses(outer, 3, "/login?status=200") == [200] * 3


def test_a_stream_is_not_read() -> None:
    """An allowed response is passed on as it is made, one chunk after the other."""
    app, _ = protected(limit(5), rate_limit_headers=True)
    made: list[int] = []
    app.add_url_rule("/stream", "stream", lambda: Response(str(made.append(n)) for n in range(3)))
    reply = app.test_client().get("/stream", buffered=False)
    assert made in ([], [0])  # the test client asks for the first chunk to learn the status
    assert len(list(reply.response)) == 3


@pytest.mark.swallows_errors
def test_a_failure_of_our_own_lets_the_request_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails in the hook, the application answers."""
    app, guard = protected(limit(5))
    monkeypatch.setattr(guard, "policy_of", lambda _: boom())
    assert statuses(app, 2) == [200, 200]


def test_a_context_copied_to_another_thread_has_the_decision() -> None:
    """``copy_current_request_context`` keeps the environ, and so the decision."""
    app, _ = protected(limit(5))
    app.add_url_rule("/x", "x", lambda: str(copy_current_request_context(current_decision)() is current_decision()))
    assert app.test_client().get("/x").text == "True"


def test_hooks_of_a_blueprint_run_inside() -> None:
    """A blueprint's ``before_request`` sees the decision, and does not run for a refused request."""
    app, _ = protected(limit(1))
    blueprint, ran = Blueprint("api", __name__), []
    blueprint.before_request(lambda: ran.append(current_decision()))
    blueprint.add_url_rule("/x", "x", lambda: "x")
    app.register_blueprint(blueprint)
    assert statuses(app, 2, "/x") == [200, 429]
    assert len(ran) == 1


@pytest.mark.swallows_errors
def test_a_route_that_cannot_be_found_out_about_keeps_the_other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that raises takes the route's own rules away, and no others."""
    app, guard = protected(limit(1))
    monkeypatch.setattr("doorward_flask.routing.merged", lambda _: boom())
    assert statuses(app, 2) == [200, 429]
    with app.app_context():
        assert guard.client.health()["counts"]["error.route: Boom"] == 2  # type: ignore[index]


@pytest.mark.swallows_errors
def test_a_response_class_that_fails_lets_nobody_in() -> None:
    """What is refused does not reach the view because the application's own class of responses raises."""

    class Broken(Response):
        def __init__(self, *_: Any, **__: Any) -> None:
            raise Boom

    app, _ = protected(Refuser())
    app.response_class = Broken
    assert status_of(app, environ_of(query_string="attack")) == 403
