"""What a dry run is given back is what it was charged."""

from __future__ import annotations

from doorward import Doorward, RequestContext, sliding_window
from doorward.testing import FakeClock


def test_what_was_not_charged_is_not_given_back() -> None:
    """Of two dry-run limits, one is used up: neither is charged, and a refund leaves both as they were."""
    tight = sliding_window(max=1, interval="1m", name="tight", mode="DRY_RUN")
    wide = sliding_window(max=5, interval="1m", name="wide", mode="DRY_RUN")
    aj = Doorward([tight, wide], clock=FakeClock())
    request = {"peer": "203.0.113.9"}
    aj.protect(RequestContext(**request))  # type: ignore[arg-type]
    aj.protect(RequestContext(**request)).refund()  # type: ignore[arg-type]
    assert aj.peek("203.0.113.9").limits["wide"].remaining == 4
    aj.protect(RequestContext(**request)).refund()  # type: ignore[arg-type]
    assert aj.peek("203.0.113.9").limits["wide"].remaining == 4
