"""Challenges to try: a page for each level, a form that is sent on, and a button that forgets what was shown."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from doorward import challenge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from doorward.challenges.options import ChallengeOptions
    from doorward.rules.base import Rule

PAGE = Path(__file__).parent / "pages" / "challenges.html"
COOKIE = "doorward"
"""Of a clearance, over HTTP."""
LONGEST_COMMENT = 500
OPTIONS: ChallengeOptions = {"kinds": ["wait", "work", "browser", "pictures", "audio"]}
SHOWN = {
    "wait": "You have waited some seconds.",
    "work": "Your browser has paid with a calculation.",
    "browser": "Your browser has paid, and behaves as one that a person uses.",
    "human": "You have read a picture, or listened.",
}
"""By level: what whoever gets there has shown."""


def rules() -> Sequence[Rule]:
    """One for each level, and one for the form: whoever has shown more need not show less."""
    levels: list[Rule] = [challenge(level, name=f"try-{level}", paths=[f"/challenges/{level}"]) for level in SHOWN]
    return [*levels, challenge("wait", name="comments", paths=["/challenges"], methods=["POST"])]


def routes(headers: Mapping[str, str]) -> list[Route]:
    """The pages, with these headers."""

    async def overview(request: Request) -> Response:
        comment = _comment(await request.body()) if request.method == "POST" else ""
        said = f"Your comment has arrived: “{escape(comment)}”" if comment else ""
        return HTMLResponse(PAGE.read_text("utf-8").replace("<!-- message -->", said), headers=dict(headers))

    async def passed(request: Request) -> Response:
        said = SHOWN.get(request.path_params["level"])
        page = PAGE.read_text("utf-8").replace("<!-- message -->", said or "There is no such level.")
        return HTMLResponse(page, 200 if said else 404, dict(headers))

    return [
        Route("/challenges", overview, methods=["GET", "POST"]),
        Route("/challenges/forget", forget, methods=["POST"]),
        Route("/challenges/{level}", passed),
    ]


async def forget(request: Request) -> Response:
    """Be somebody who has shown nothing."""
    del request
    response = RedirectResponse("/challenges", 303)
    response.delete_cookie(COOKIE)
    return response


def _comment(body: bytes) -> str:
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10))
    return fields.get("comment", "")[:LONGEST_COMMENT]
