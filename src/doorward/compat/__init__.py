"""The ways in which other packages write what doorward does, for who comes from there."""

from __future__ import annotations

ENDPOINT = "endpoint"
"""The characteristic that patterns of endpoints look at; doorward_flask gives it, others have to."""

__all__: list[str] = ["ENDPOINT"]
