"""Templates of pages: text with ``${name}``, which is replaced by escaped text, and nothing else.

No expressions, loops or includes: an operator's page is a frame around what doorward has to say.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.markup import Markup
from doorward.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection

_PLACEHOLDER = re.compile(r"\$(?:\$|\{([a-z_]*)\}|)")


class Template:
    """One template, checked when it is made.

    Args:
        text: ``$$`` is a dollar sign.
        known: What may stand in ``${…}``.
        needed: What has to.
        field: What messages call it.

    Raises:
        ConfigurationError: A placeholder is unknown, one is missing, or a ``$`` stands alone.
    """

    def __init__(self, text: str, known: Collection[str], needed: Collection[str] = (), *, field: str) -> None:
        self._pieces: list[tuple[str, str | None]] = []
        end = 0
        for found in _PLACEHOLDER.finditer(text):
            before, end = text[end : found.start()], found.end()
            if found[0] == "$$":
                self._pieces.append((before + "$", None))
            elif found[1] in known:
                self._pieces.append((before, found[1]))
            else:
                raise ConfigurationError(field, _mistake(text, found, known))
        self._end = text[end:]
        names = {name for _, name in self._pieces}
        missing = [name for name in needed if name not in names]
        if missing:
            raise ConfigurationError(field, f"has to have {', '.join(f'${{{name}}}' for name in missing)}")

    def render(self, **values: object) -> Markup:
        """The text with its placeholders replaced: by text that is escaped, by Markup as it is."""
        parts = [before if name is None else before + shown(values[name]) for before, name in self._pieces]
        return Markup("".join(parts) + self._end)


def shown(value: object) -> str:
    """A value as HTML."""
    return value if isinstance(value, Markup) else escape(visible(str(value)))


def _mistake(text: str, found: re.Match[str], known: Collection[str]) -> str:
    line = text.count("\n", 0, found.start()) + 1
    if found[1] is None:
        return f"line {line}: a $ stands for itself as $$, and before {{name}}"
    return f"line {line}: ${{{found[1]}}} is none of {', '.join(sorted(known))}"
