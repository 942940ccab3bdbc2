"""What the routes do, in whatever framework.

========================  =====================================================================
/echo, /anything/…        method, routed path, length and sha256 of the body
/stream                   ``CHUNKS``, one at a time
/boom                     raises :class:`Boom`
/login                    status ``?status=``
/handler                  ``protect`` with the query's email, requested and characteristics
/refund                   gives the middleware's charge back
/step-up                  ``require`` with the query's level and max_age
/own-headers              writes RateLimit headers and Set-Cookie twice of its own
/limited, /exempt         route limit; exempt
/limited-and-exempt       both
/beside, /guarded         a limit beside the application's; ``guard`` (decorated frameworks only)
/static/x.js, /health        as /echo
========================  =====================================================================
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl

from doorward import Decision

CHUNKS = (b"first,", b"second,", b"third")
OWN_HEADERS = (("RateLimit", "the app's own"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-App", "yes"))
ECHOING = ("/echo", "/limited", "/exempt", "/limited-and-exempt", "/beside", "/guarded", "/static/x.js", "/health")


class Boom(Exception):
    """What /boom raises."""


def boom() -> None:
    raise Boom("the application's own")


def echo(method: str, path: str, body: bytes) -> dict[str, Any]:
    return {"method": method, "path": path, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def status_of(query: str) -> int:
    return int(dict(parse_qsl(query)).get("status", "200"))


def protect_arguments(query: str) -> dict[str, Any]:
    """Keyword arguments of ``protect`` from a query."""
    given = dict(parse_qsl(query))
    arguments: dict[str, Any] = {}
    if "email" in given:
        email = given.pop("email")
        arguments["email"] = None if email == "none" else email
    if "requested" in given:
        arguments["requested"] = int(given.pop("requested"))
    return {**arguments, "characteristics": given} if given else arguments


def step_up_arguments(query: str) -> dict[str, Any]:
    """Arguments of ``require`` from a query."""
    given = dict(parse_qsl(query))
    return {name: given[name] for name in ("level", "max_age") if name in given}


def told(decision: Decision) -> str:
    return json.dumps(decision.to_dict())
