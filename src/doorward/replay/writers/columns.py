"""Tables for terminals: columns as wide as what is in them, the widest texts cut where the terminal is narrower."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = "  "
_LEAST = 8
"""Characters that are left of a text, however narrow the terminal is."""


class Column(NamedTuple):
    """A column.

    Attributes:
        head: What is in it.
        right: Whether it holds figures: these stand to the right, and are never cut.
    """

    head: str
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Lines of a table, each at most ``width`` long; columns in which nothing stands are left out."""
    used = [n for n in range(len(columns)) if any(row[n] for row in rows)]
    shown = [columns[n] for n in used]
    cells = [[column.head for column in shown], *([row[n] for n in used] for row in rows)]
    widths = _fitting(shown, cells, width - len(_GAP))
    for line in cells:
        padded = (
            _cut(text, size).rjust(size) if column.right else _cut(text, size).ljust(size)
            for column, text, size in zip(shown, line, widths, strict=True)
        )
        yield (_GAP + _GAP.join(padded)).rstrip()


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    texts = [n for n, column in enumerate(columns) if not column.right]
    while over > 0 and texts:
        widest = max(texts, key=lambda n: widths[n])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 3]}..."
