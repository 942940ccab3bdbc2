"""HTML from templates that escape: the few lines of it that a page of ours needs, since the core has no jinja2."""

from __future__ import annotations

import string
from html import escape
from typing import TYPE_CHECKING

from doorward.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable


class Markup(str):
    """HTML that is safe as it stands. Only :func:`fill`, :func:`join` and constants of ours make it."""

    __slots__ = ()


def fill(template: str, /, **values: object) -> Markup:
    """``template`` with each ``{name}`` replaced: by a value as visible text, escaped; by :class:`Markup` as it is."""
    return Markup(_ESCAPING.vformat(template, (), values))


def join(pieces: Iterable[Markup], between: str = "\n") -> Markup:
    """Pieces one after the other."""
    return Markup(between.join(pieces))


class _Escaping(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        return value if isinstance(value, Markup) else escape(visible(str(value)))


_ESCAPING = _Escaping()
