"""Pictures and sounds as answers: drawn when they are fetched, within limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from doorward.answers import Answer
from doorward.challenges.pictures.luck import counted
from doorward.challenges.pictures.records import of_answer, of_drawing
from doorward.challenges.replies import SAFETY, plain
from doorward.effects import Algorithm, Compute, Hit
from doorward.errors import StoreError
from doorward.neighbours import network_of
from doorward.offload import Offload
from doorward.reason import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.challenges.kinds import Asked
    from doorward.challenges.pictures.forms import Form, Grade, Media
    from doorward.challenges.pictures.records import Records
    from doorward.context import RequestContext
    from doorward.effects import Effect

MOST_OF_ONE = 12
"""Times that the media of one challenge may be fetched: players fetch a sound in pieces, and again to play it again."""
MOST_OF_NETWORK = 40
"""Drawings in a minute for one network: as many as the endpoints let it answer, with some to look at again."""
MOST_IN_A_MINUTE = 1_200
"""Drawings in a minute for everybody: at 5 ms each, 10 % of one processor."""
MOST_AT_ONCE = 64
"""Drawings that are being made, or wait for the thread, in one process that awaits: at 5 ms each, the last waits for
0.3 s."""
THREADS = 1
"""More draw hardly more in a second, since they share one interpreter, and keep the event loop from it: with 2 it waits
twice as long, with 16 five to nine times (``python -m benchmarks.pictures``)."""
MINUTE_NS = 60 * 1_000_000_000

_RANGE = re.compile(r"bytes=([0-9]{1,9})-([0-9]{0,9})")


class Drawer:
    """Serves drawings.

    Args:
        records: Remembers their seeds.
        most: Drawings in a minute for everybody.
    """

    def __init__(self, records: Records, most: int) -> None:
        self._records = records
        self._most = most
        self._pool = Offload(MOST_AT_ONCE, THREADS)

    def serve(self, form: Form, grade: Grade, asked: Asked) -> Generator[Effect, object, Answer]:
        """A drawing of ``form``: the same whenever it is fetched for one challenge."""
        if asked.request.method not in ("GET", "HEAD"):
            return plain(405, "method", [("Allow", "GET, HEAD")])
        refused = yield from self._too_many(asked)
        if refused is not None:
            return refused
        seed = yield from self._records.seed(asked, form.name)
        if seed is None:
            return plain(403, "unavailable")
        answer = form.answer(of_answer(seed, asked.issue, form.name), grade)
        drawing: Any
        try:
            drawing = yield Compute(self._pool, form.draw, (answer, of_drawing(seed, asked.issue, form.name), grade))
        except StoreError:  # too many are waiting for a thread
            return _later(1)
        return _as_answer(drawing, asked.request)

    def _too_many(self, asked: Asked) -> Generator[Effect, object, Answer | None]:
        lifetime = max(1, asked.issue.expires_ms - asked.issue.issued_ms) * 1_000_000
        verdicts = yield from counted(
            [
                Hit(f"gate:drawn:{asked.issue.id}", Algorithm.FIXED_WINDOW, MOST_OF_ONE, lifetime),
                Hit(f"gate:draw:{network_of(asked.ip)}", Algorithm.FIXED_WINDOW, MOST_OF_NETWORK, MINUTE_NS),
                Hit("gate:draw", Algorithm.FIXED_WINDOW, self._most, MINUTE_NS),
            ]
        )
        if all([verdict.admitted for verdict in verdicts]):
            return None
        return _later(max([whole_seconds(verdict.retry_after) for verdict in verdicts]))


def _later(seconds: int) -> Answer:
    return plain(429, "too_many", [("Retry-After", str(max(1, seconds)))])


def _as_answer(drawing: Media, request: RequestContext) -> Answer:
    """The drawing, or the part of it that was asked for (RFC 9110 section 14): some players ask for nothing else."""
    headers = [("Content-Type", drawing.kind), ("Accept-Ranges", "bytes"), *SAFETY]
    headers.append(("Cross-Origin-Resource-Policy", "same-origin"))
    size, found = len(drawing.content), _RANGE.fullmatch(request.headers.get("range"))
    if found is None:
        return Answer(200, headers, drawing.content)
    first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if first > last:
        return plain(416, "range", [("Content-Range", f"bytes */{size}")])
    headers.append(("Content-Range", f"bytes {first}-{last}/{size}"))
    return Answer(206, headers, drawing.content[first : last + 1])
