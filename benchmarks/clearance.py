"""What a challenge rule and a clearance cost a request that is let in by it, over bare applications and frameworks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from benchmarks import apps
from benchmarks.common import (
    NotMeasured,
    Row,
    Sample,
    Table,
    blocking,
    in_fresh_process,
    interleave,
    missing,
    progress,
    quietest,
)
from benchmarks.traffic import HEADERS, asgi_scope, timed_asgi, timed_wsgi, wsgi_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BUDGET = 25.0
CLIENT = "11.0.0.7"
OVER = {"wsgi": "bare WSGI", "raw": "bare ASGI", "flask": "Flask", "django": "Django", "starlette": "Starlette"}
SECRET = "an-own-secret-of-forty-characters-0123456"
NOTE = (
    "GET with 12 browser headers and the cookie of a clearance of 130 characters; a challenge rule for every path, "
    "which the clearance covers. `held` is reading and checking the cookie alone: the first time with its HMAC, then "
    "from what is kept at hand. Medians of the run in which the bare application was fastest."
)


def _client(**options: Any) -> tuple[Any, str]:
    """A client with a rule that challenges everybody, and the cookie of who has passed."""
    from doorward import Doorward, challenge
    from doorward.challenges.issue import Issue
    from doorward.levels import Level
    from doorward.requests import from_environ

    aj = Doorward([challenge("work")], secret=SECRET, **options)
    gate, now_ms = aj.runtime.gatekeeper.gate, aj.runtime.clock.now_ns() // 1_000_000
    issue = Issue("x" * 22, "work", Level.WORK)
    return aj, f"doorward={gate.clearance(issue, from_environ(wsgi_environ(CLIENT)), CLIENT, now_ms)}"


def _environ(cookie: str) -> dict[str, Any]:
    environ = wsgi_environ(CLIENT)
    environ["HTTP_COOKIE"] = f"{dict(HEADERS)['cookie']}; {cookie}"
    return environ


def measure(kind: str, rounds: int) -> dict[str, Sample]:
    """Time the bare application and one behind a clearance, in this process."""
    logging.disable(logging.CRITICAL)
    aj, cookie = _client()
    bare, guarded = _applications(kind, aj)
    if kind in apps.BARE_ASGI:
        own = f"{dict(HEADERS)['cookie']}; {cookie}".encode()

        def scope(_: int) -> tuple[dict[str, Any], bytes]:
            made = asgi_scope(CLIENT)
            made["headers"] = [(name, own if name == b"cookie" else value) for name, value in made["headers"]]
            return made, b""

        calls = {"bare": timed_asgi(bare, scope), "protected": timed_asgi(guarded, scope)}
    else:
        calls = {"bare": timed_wsgi(bare, lambda _: _environ(cookie)),
                 "protected": timed_wsgi(guarded, lambda _: _environ(cookie))}  # fmt: skip
    return asyncio.run(interleave(calls, rounds=rounds))


def _applications(kind: str, aj: Any) -> tuple[Any, Any]:
    """An application, and the same behind a client in its framework's own way."""
    if kind == "wsgi":
        from doorward.wsgi import DoorwardMiddleware

        return _wsgi, DoorwardMiddleware(_wsgi, aj)
    if kind == "flask":
        from doorward_flask import DoorwardFlask

        flask = apps.flask_app()
        DoorwardFlask(flask, aj=aj)
        return apps.flask_app(), flask
    if kind == "django":
        return apps.django_app(), apps.django_app(aj)
    if kind == "starlette":
        from doorward_starlette import DoorwardMiddleware as Starlettes

        starlette = apps.starlette_app()
        starlette.add_middleware(Starlettes, aj=aj)
        return apps.starlette_app(), starlette
    from doorward.asgi import DoorwardMiddleware as Middleware

    return apps.BARE_ASGI[kind](), Middleware(apps.BARE_ASGI[kind](), aj)


def measure_held(rounds: int) -> dict[str, Sample]:
    """Time the check of one cookie: known already, anew, and forged."""
    from doorward.requests import from_environ

    logging.disable(logging.CRITICAL)
    aj, cookie = _client()
    gate, now_ns = aj.runtime.gatekeeper.gate, aj.runtime.clock.now_ns()
    asked = {name: from_environ(_environ(each)) for name, each in
             (("known", cookie), ("new", cookie), ("forged", cookie[:-4] + "AAAA"), ("none", "x=y"))}  # fmt: skip

    def held(name: str) -> Callable[[int], object]:
        def once(_: int) -> object:
            request = asked[name]
            request._cookies, request._cookie_looks = None, 0  # noqa: SLF001  (a request looks for its cookies once)
            if name == "new":
                gate.passes._known.clear()  # noqa: SLF001  (what is kept at hand)
            return gate.held(request, CLIENT, now_ns)

        return once

    return asyncio.run(interleave({name: blocking(held(name)) for name in asked}, rounds=rounds))


def _wsgi(_: Any, start_response: Any) -> Sequence[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def tables(*, quick: bool) -> list[Table]:
    """Whole requests, and the check alone."""
    rounds, repeats = (6, 2) if quick else (30, 5)
    rows = [_row(kind, rounds, repeats) for kind in OVER]
    found = in_fresh_process(measure_held, rounds=rounds)
    rows += [
        Row([f"held, {name}", "", f"{found[name][0]:.1f}", ""], {"held": found[name][0]})
        for name in ("known", "new", "forged", "none")
    ]
    return [Table("A challenge rule and a clearance", NOTE, ("", "bare µs", "with it µs", "added µs"), rows)]


def _row(kind: str, rounds: int, repeats: int) -> Row:
    title = f"over {OVER[kind]}"
    progress(f"clearance {title}")
    try:
        runs = [in_fresh_process(measure, kind=kind, rounds=rounds) for _ in range(repeats)]
    except NotMeasured as error:
        return missing(title, error)
    best = quietest(runs, "bare")
    bare, own = float(best["bare"][0]), float(best["protected"][0])
    cells = [title, f"{bare:.1f}", f"{own:.1f}", f"{own - bare:+.1f}"]
    numbers = {"bare": bare, "with": own, "added": own - bare}
    return Row(cells, numbers, budget=f"+{BUDGET:.0f}", met=own - bare <= BUDGET)
