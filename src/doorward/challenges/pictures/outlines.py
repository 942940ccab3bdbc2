"""Shapes of our own, as outlines: points between -1 and 1, y downwards. No file, and nobody else's drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

Outline = Sequence[tuple[float, float]]

_CURVE_POINTS = 40


def _curve(point: Callable[[float], tuple[float, float]]) -> Outline:
    return [point(math.tau * at / _CURVE_POINTS) for at in range(_CURVE_POINTS)]


def _star() -> Outline:
    radii = [(1.0, 0.42)[at % 2] for at in range(10)]
    return [(r * math.sin(math.pi * at / 5), -r * math.cos(math.pi * at / 5)) for at, r in enumerate(radii)]


def _flower() -> Outline:
    return _curve(
        lambda a: ((0.68 + 0.3 * math.cos(5 * a)) * math.cos(a), (0.68 + 0.3 * math.cos(5 * a)) * math.sin(a))
    )


def _heart() -> Outline:
    return _curve(
        lambda a: (
            0.95 * math.sin(a) ** 3,
            -(0.78 * math.cos(a) - 0.3 * math.cos(2 * a) - 0.12 * math.cos(3 * a) - 0.06 * math.cos(4 * a)),
        )
    )


def _drop() -> Outline:
    return _curve(lambda a: (0.9 * math.sin(a) * math.sin(a / 2) ** 1.6, -0.95 * math.cos(a)))


def _moon() -> Outline:
    outer = [(math.cos(a), math.sin(a)) for a in [math.radians(50 + 13 * at) for at in range(21)]]
    inner = [(0.45 + 0.77 * math.cos(a), 0.77 * math.sin(a)) for a in [math.radians(282 - 10 * at) for at in range(21)]]
    return [*outer, *inner]


def _mirrored(half: Outline) -> Outline:
    return [*half, *[(-x, y) for x, y in reversed(half)]]


OUTLINES: Mapping[str, Outline] = {
    "star": _star(),
    "flower": _flower(),
    "heart": _heart(),
    "drop": _drop(),
    "moon": _moon(),
    "arrow": _mirrored([(0, -1), (0.75, -0.15), (0.3, -0.15), (0.3, 1)]),
    "cross": _mirrored([(0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3), (0.3, 1)]),
    "bolt": [(0.25, -1), (-0.6, 0.15), (-0.05, 0.15), (-0.3, 1), (0.6, -0.25), (0.05, -0.25)],
    "crown": _mirrored([(0, -0.9), (0.48, 0), (1, -0.6), (0.85, 0.75)]),
    "fish": [(1, 0), (0.75, -0.3), (0.3, -0.5), (-0.2, -0.38), (-0.5, -0.12), (-1, -0.55), (-0.82, 0), (-1, 0.55),
             (-0.5, 0.12), (-0.2, 0.38), (0.3, 0.5), (0.75, 0.3)],
}  # fmt: skip
"""Told apart at every angle; so there are no two with a head and a stem."""

POINTING = ("arrow", "crown", "drop", "fish", "heart")
"""Those that plainly point somewhere."""


def placed(
    outline: Outline, centre: tuple[float, float], size: float, turn: float, lean: float = 0.0
) -> list[tuple[float, float]]:
    """The points of a picture that ``outline`` comes to.

    Args:
        outline: The shape.
        centre: Where its middle is, in pixels.
        size: From its middle to its edge, in pixels.
        turn: Degrees that it is turned by, clockwise.
        lean: How far it leans: the share of its height that its top is moved by.
    """
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    leaning = [(x + lean * y, y) for x, y in outline]
    return [(centre[0] + size * (x * cos - y * sin), centre[1] + size * (x * sin + y * cos)) for x, y in leaning]
