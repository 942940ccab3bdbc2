"""The Content-Security-Policy of pages of challenges (CSP level 3): files of our own, and what a kind asks for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN: Mapping[str, tuple[str, ...]] = {
    "default-src": ("'none'",),
    "style-src": ("'self'",),
    "script-src": ("'self'",),
    "img-src": ("'self'",),
    "media-src": ("'self'",),
    "connect-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}
_DIRECTIVE = re.compile(r"[a-z][a-z-]*")
_SOURCE = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]+")
"""Visible ASCII without comma and semicolon, which would begin another policy or directive."""


def policy(sources: Mapping[str, Sequence[str]] | None = None) -> str:
    """The policy, as the header has it.

    Args:
        sources: What has to be allowed besides, by directive: ``{"script-src": ["https://…"]}``.

    Raises:
        ValueError: Something in ``sources`` could not stand in the header as one source.
    """
    more = sources or {}
    return _policy(tuple(sorted((name, tuple(values)) for name, values in more.items())))


@lru_cache(64)
def _policy(sources: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    merged = dict(_OWN)
    for name, values in sources:
        for text, form in [(name, _DIRECTIVE), *[(value, _SOURCE) for value in values]]:
            if not form.fullmatch(text):
                raise ValueError(f"{text!r} cannot stand in a Content-Security-Policy")
        before = [value for value in merged.get(name, ()) if value != "'none'"]
        merged[name] = tuple(dict.fromkeys([*before, *values]))
    return "; ".join(f"{name} {' '.join(values)}" for name, values in merged.items())
