"""The counters of the endpoints: the store's, and while it fails those of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.counting import check_verdicts
from doorward.effects import CountHits

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.effects import Effect, Hit, Verdict
    from doorward.journal import Journal


def metered(hits: list[Hit], journal: Journal | None = None) -> Generator[Effect, object, Sequence[Verdict]]:
    """Charge counters. A store whose answer makes no sense has failed, too."""
    try:
        verdicts: Any = yield CountHits(hits)
        check_verdicts(verdicts, len(hits))
    except Exception as error:
        if journal is not None:
            journal.swallowed("challenge store", error)
        verdicts = yield CountHits(hits, local=True)
    found: Sequence[Verdict] = verdicts
    return found
