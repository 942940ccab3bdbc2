"""Requests that must pass: what people and applications send, in many languages, formats and encodings.

The suite was written before the detectors, and is made anew with a fixed seed: `python -m tests.attacks.benign --out
FILE.jsonl` writes it as rows of a labelled set. All but the documentation of installed packages is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

from . import code_questions, documentation, documents, markup, names, people, prose, values, web_api
from .model import BenignRequest, Draft, Kind, Topic
from .wearing import dressed

SEED = 20240501

TOPICS: tuple[Topic, ...] = (
    *people.TOPICS,
    *names.TOPICS,
    *prose.TOPICS,
    *values.TOPICS,
    *web_api.TOPICS,
    *documents.TOPICS,
    *code_questions.TOPICS,
    *markup.TOPICS,
    *documentation.TOPICS,
)
# What a path holds as it is (RFC 3986, 3.3).
_PATH = "/:@!$&'()*+,;=~-._"


def requests(seed: int = SEED) -> list[BenignRequest]:
    """All requests of the suite, the same for the same seed; all are different."""
    return [request for topic in TOPICS for request in _of(topic, seed)]


def _of(topic: Topic, seed: int) -> Iterator[BenignRequest]:
    rng = Random(f"{seed}:{topic.name}:headers")
    for draft in topic.drafts(seed):
        yield _request(topic, draft, dressed(rng, draft))


def _request(topic: Topic, draft: Draft, headers: tuple[tuple[str, str], ...]) -> BenignRequest:
    return BenignRequest(
        id=draft.digest(),
        kind=topic.kind,
        source=f"suite:{topic.name}",
        method=draft.method,
        path=quote(draft.path, safe=_PATH),
        query=draft.query,
        headers=headers,
        body=draft.body,
    )


__all__ = ["SEED", "TOPICS", "BenignRequest", "Kind", "requests"]
