"""Single use: what was redeemed once is not accepted again, by whichever worker it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.effects import AskStore

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.challenges.gate import Gate
    from doorward.effects import Effect


def spent_first(gate: Gate, name: str, expires_ms: int, now_ms: int) -> Generator[Effect, object, bool]:
    """Whether nobody has redeemed ``name`` before; from now on somebody has, until it would not be accepted anyway."""
    try:
        return bool((yield AskStore("add_if_absent", (f"gate:spent:{name}", (expires_ms - now_ms) / 1000 + 1))))
    except Exception as error:
        gate.journal.swallowed("challenge store", error)
    if gate.settings.on_store_error == "local":
        return gate.spent_here(name, now_ms, expires_ms)
    return gate.settings.on_store_error == "allow"
