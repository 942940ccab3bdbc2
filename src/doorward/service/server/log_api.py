"""``GET /v1/decisions`` and ``GET /v1/decisions/{id}``: a site looks at its own decisions, with its key.

A list is ``{"decisions": […]}``, the newest first; with ``after=<cursor>`` the oldest first, and the next cursor
beside them (``after=0`` begins with the newest few). Errors are as in the Connect protocol: ``{"code", "message"}``.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.routing import Route

from doorward.errors import ConfigurationError, DataError
from doorward.service.server.log_json import document, summary
from doorward.service.server.log_questions import question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request

    from doorward.service.server.log_questions import Question
    from doorward.service.server.ports import LogReader, LogRecord, Site

Answer = TypeVar("Answer")

MOST_AT_ONCE = 8
"""Threads that look things up at the same time, for all sites."""

MOST_OF_A_SITE = 16
"""Requests of one site that are answered at the same time; most of them wait for decisions to come."""

_PAUSE = 0.25
_BEARER = "bearer "
_LONGEST_ID = 64


class Finds(Protocol):
    """Knows whose a key is, as :class:`~.keys.Keys` does."""

    def find(self, token: str) -> Site | None:
        """Whose key it is. Raises ``DataError`` where that cannot be known."""
        ...


class Refused(Exception):
    """An answer that is none.

    Args:
        status: Of HTTP.
        code: Of Connect.
        message: For whoever asked.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def routes(reader: LogReader, keys: Finds) -> list[Route]:
    """The routes.

    Args:
        reader: The log.
        keys: Whose key a request bears.
    """
    api = _Api(reader, keys)
    return [
        Route("/v1/decisions", api.answering(api.several), methods=["GET"]),
        Route("/v1/decisions/{id}", api.answering(api.one), methods=["GET"]),
    ]


class _Api:
    def __init__(self, reader: LogReader, keys: Finds) -> None:
        self._reader = reader
        self._keys = keys
        self._busy: Counter[str] = Counter()
        self._limiter: anyio.CapacityLimiter | None = None

    def answering(
        self, answer: Callable[[Request, str], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that asks for the key first, and says what is wrong in one way."""

        async def endpoint(request: Request) -> Response:
            try:
                site = self._site(request).name
                with self._turn(site):
                    return _json(200, await answer(request, site))
            except Refused as refused:
                return _json(refused.status, {"code": refused.code, "message": refused.message})
            except ConfigurationError as error:
                return _json(400, {"code": "invalid_argument", "message": str(error)})
            except DataError as error:
                # What is wrong with it, and not where it is: that is the operators' business.
                return _json(503, {"code": "unavailable", "message": error.problem})

        return endpoint

    async def several(self, request: Request, site: str) -> dict[str, Any]:
        asked = question(request.query_params.multi_items(), site, time.time_ns())
        if asked.cursor is None:
            found = await self._in_thread(partial(self._reader.latest, asked.query, asked.limit))
            return {"decisions": [summary(record) for record in found]}
        found, cursor = await self._after(request, asked, asked.cursor)
        return {"decisions": [summary(record) for record in found], "cursor": str(cursor)}

    async def one(self, request: Request, site: str) -> dict[str, Any]:
        decision = request.path_params["id"]
        # Looked for also where it is another site's, in the same way and with the same answer.
        record = None
        if len(decision) <= _LONGEST_ID:
            record = await self._in_thread(partial(self._reader.find, decision, site))
        if record is None or record.site != site:
            raise Refused(404, "not_found", "there is no decision with this id")
        return document(record)

    async def _after(self, request: Request, asked: Question, cursor: int) -> tuple[list[LogRecord], int]:
        ends = time.monotonic() + asked.wait
        while True:
            begin = cursor
            found, cursor = await self._in_thread(partial(self._reader.after, asked.query, begin, asked.limit))
            if found or time.monotonic() >= ends or await request.is_disconnected():
                return found, cursor
            await anyio.sleep(_PAUSE if cursor == begin else 0)

    def _site(self, request: Request) -> Site:
        given = request.headers.get("authorization", "")
        site = None
        if given[: len(_BEARER)].lower() == _BEARER:
            site = self._keys.find(given[len(_BEARER) :].strip())
        if site is None:
            raise Refused(401, "unauthenticated", "this needs a site key: Authorization: Bearer dwk_…")
        return site

    @contextmanager
    def _turn(self, site: str) -> Iterator[None]:
        if self._busy[site] >= MOST_OF_A_SITE:
            raise Refused(429, "resource_exhausted", f"{MOST_OF_A_SITE} requests of this site are being answered")
        self._busy[site] += 1
        try:
            yield
        finally:
            self._busy[site] -= 1
            if not self._busy[site]:
                del self._busy[site]

    async def _in_thread(self, ask: Callable[[], Answer]) -> Answer:
        if self._limiter is None:  # belongs to the event loop
            self._limiter = anyio.CapacityLimiter(MOST_AT_ONCE)
        return await anyio.to_thread.run_sync(ask, limiter=self._limiter)


def _json(status: int, body: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    data = json.dumps(body, separators=(",", ":")).encode()
    return Response(data, status, headers, "application/json")


__all__ = ["routes"]
