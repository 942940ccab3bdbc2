"""The Content-Security-Policy (CSP Level 3) of a challenge's page, with what the kind of challenge needs besides."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STRICT: Mapping[str, Sequence[str]] = MappingProxyType(
    {
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
)
"""What every page of ours gets along with."""

EXTENDED = frozenset({"style", "script", "img", "media", "connect", "frame", "child", "worker", "font"})
"""What a kind may add to, with ``-src``: never where forms go, nor who may frame the page."""
_SOURCE = re.compile(
    r"https?://[A-Za-z0-9*:._/@\[\]-]+|blob:|data:|'wasm-unsafe-eval'|'unsafe-inline'|'nonce-[\w+/=-]+'"
)


def policy(sources: Mapping[str, Sequence[str]]) -> str:
    """The policy of a page; what is no source, or for no such directive, is left out rather than let anything in."""
    directives = {name: list(listed) for name, listed in STRICT.items()}
    for name, added in sources.items():
        if name.removesuffix("-src") in EXTENDED:
            known = directives.setdefault(name, [])
            known += [each for each in added if _allowed(name, each) and each not in known]
    return "; ".join(f"{name} {' '.join(listed)}" for name, listed in directives.items() if listed)


def _allowed(name: str, source: str) -> bool:
    # Scripts of the page itself are what a policy is for.
    return _SOURCE.fullmatch(source) is not None and not (name == "script-src" and source == "'unsafe-inline'")
