"""A benign request, and the topics that write them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Kind = Literal["ordinary", "technical"]


@dataclass(frozen=True, slots=True)
class BenignRequest:
    """One request that must not be refused.

    `kind` is "ordinary" (what people and applications send) or "technical" (code, mail, markup, documentation);
    `source` names the topic, as "suite:signup-form".
    """

    id: str
    kind: Kind
    source: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def row(self) -> dict[str, object]:
        """The request as a row of a labelled set; bytes that are not UTF-8 stand as the Latin-1 characters they are."""
        try:
            body = self.body.decode()
        except UnicodeDecodeError:
            body = self.body.decode("latin-1")
        return {
            "id": self.id,
            "class": self.kind,
            "source": self.source,
            "is_attack": False,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": body,
        }


@dataclass(slots=True)
class Draft:
    """A request as its topic writes it: without the headers that every browser or client sends."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def digest(self) -> str:
        """16 hexadecimal digits that tell drafts of different content apart."""
        parts = (self.method, self.path, self.query, *self.headers, *self.headers.values())
        content = "\0".join(parts).encode("utf-8", "surrogatepass") + b"\0" + self.body
        return hashlib.sha256(content).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Topic:
    """What `count` drafts are written about, by `write`."""

    name: str
    kind: Kind
    count: int
    write: Callable[[Random], Draft]

    def drafts(self, seed: int) -> list[Draft]:
        """Up to `count` different drafts; each topic draws from a generator of its own, so that none moves another."""
        rng = Random(f"{seed}:{self.name}")
        drafts = (self.write(rng) for _ in range(self.count))
        return list({draft.digest(): draft for draft in drafts}.values())
