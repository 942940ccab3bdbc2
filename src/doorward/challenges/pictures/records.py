"""What the server remembers of one challenge: the seed of each drawing, from which its answer follows.

Only the server has it. Nothing of an answer is in the page, in the token, or in anything whose length could tell of it.
The seed and not the drawing is kept, which is small; and a picture or sound that a browser fetches again, as it does to
play a sound a second time, is the same again. What is drawn and what the answer is come from generators of their own,
so that no noise in a picture leads back to the answer.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from contextlib import suppress
from random import Random
from secrets import token_bytes
from typing import TYPE_CHECKING, NamedTuple

from doorward.effects import AskStore
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.effects import Effect

SEED_BYTES = 16
MOST_HERE = 2_000
"""Seeds that one process keeps while the store fails."""


class Found(NamedTuple):
    """What is known about a drawing.

    Attributes:
        seed: Its seed; None where there was none, or it has been answered.
        failed: Whether the store could not be asked.
    """

    seed: bytes | None
    failed: bool = False


class Records:
    """Seeds by challenge and form: in the store; in this process while that fails."""

    def __init__(self) -> None:
        self._here: OrderedDict[str, bytes] = OrderedDict()
        self._lock = lock_over_forks()

    def seed(self, asked: Asked, form: str) -> Generator[Effect, object, bytes | None]:
        """The seed of a drawing, a new one if there is none; None where it cannot be kept, and must be."""
        found = yield from self.find(asked, form)
        if found.seed is not None:
            return found.seed
        seed = token_bytes(SEED_BYTES)
        failed = found.failed or not (yield from _put(_key(asked, form), seed, asked))
        if failed and asked.on_store_error == "deny":
            return None
        if failed:
            self._keep(_key(asked, form), seed)
        return seed

    def find(self, asked: Asked, form: str) -> Generator[Effect, object, Found]:
        """The seed of a drawing."""
        key = _key(asked, form)
        with self._lock:
            here = self._here.get(key)
        if here is not None:
            return Found(here)
        try:
            held = yield AskStore("get", (key,))
        except Exception:
            return Found(None, failed=True)
        return Found(held if isinstance(held, bytes) and len(held) == SEED_BYTES else None)

    def forget(self, asked: Asked, form: str) -> Generator[Effect, object, None]:
        """Forget a drawing: it has been answered."""
        key = _key(asked, form)
        with self._lock:
            self._here.pop(key, None)
        with suppress(Exception):  # the challenge is spent all the same: see the gate
            yield AskStore("delete", (key,))

    def _keep(self, key: str, seed: bytes) -> None:
        with self._lock:
            while len(self._here) >= MOST_HERE:
                self._here.popitem(last=False)
            self._here[key] = seed


def of_answer(seed: bytes, issue: Issue, form: str) -> Random:
    """What an answer is drawn with."""
    return _random(b"answer", seed, issue, form)


def of_drawing(seed: bytes, issue: Issue, form: str) -> Random:
    """What everything else of a drawing is drawn with."""
    return _random(b"drawing", seed, issue, form)


def _random(use: bytes, seed: bytes, issue: Issue, form: str) -> Random:
    mixed = hashlib.sha256(b"\0".join([use, seed.hex().encode(), form.encode(), issue.id.encode()]))
    return Random(mixed.digest())  # noqa: S311  (seeded with 128 bits of chance, and never seen but as a drawing)


def _put(key: str, seed: bytes, asked: Asked) -> Generator[Effect, object, bool]:
    ttl = max(1.0, (asked.issue.expires_ms - asked.now_ms) / 1000)
    try:
        yield AskStore("put", (key, seed, ttl))
    except Exception:
        return False
    return True


def _key(asked: Asked, form: str) -> str:
    return f"gate:picture:{asked.issue.id}:{form}"
