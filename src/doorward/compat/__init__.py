"""The ways in which other packages write what doorward does, for who comes from there."""

from __future__ import annotations

__all__: list[str] = []
