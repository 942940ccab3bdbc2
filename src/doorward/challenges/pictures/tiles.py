"""Pictures of shapes in tiles: what both forms made of them share."""

from __future__ import annotations

import colorsys
import math
from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import pillow

if TYPE_CHECKING:
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.outlines import Outline

TILE = 72
"""Pixels of a tile's side."""
BITS = {1: 5, 2: 6, 3: 7, 4: 7, 5: 8}
"""Bits of shapes in each tile: 3 to 7 pixels from their middles to their corners, a quarter of a shape."""
CUTS = {1: 2, 2: 2, 3: 2, 4: 3, 5: 3}
"""Light lines along each axis, for each tile."""
CUT_WIDTH = 2
"""Pixels of a light line."""
FINER = 2
"""Pixels are drawn this much finer along each axis, and made coarser at the end, for smooth edges."""

Colour = tuple[int, int, int]


def blank(columns: int, rows: int, paper: Colour) -> Image:
    """A picture of so many tiles."""
    picture: Image = pillow().Image.new("RGB", (columns * TILE * FINER, rows * TILE * FINER), paper)
    return picture


def smooth(picture: Image) -> Image:
    """The picture at its final size."""
    return picture.reduce(FINER)


def paper(random: Random) -> Colour:
    """A light colour, for the ground."""
    return _colour(random.random(), random.uniform(0.90, 0.95), 0.45)


def ink(random: Random, hardness: int) -> Colour:
    """A dark colour, for shapes; less dark when it is harder, and over 3 to 1 against the ground (WCAG 2.2, 1.4.11)."""
    return _colour(random.random(), random.uniform(0.16, 0.22 + 0.015 * hardness), 0.75)


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def shape(picture: Image, points: Outline, colour: Colour) -> None:
    """A filled shape, given in pixels of the final size."""
    pillow().drawing(picture).polygon([(x * FINER, y * FINER) for x, y in points], fill=colour)


def scribble(picture: Image, random: Random, lines: int, colour: Colour) -> None:
    """Thin lines across everything, in the colour that shapes have."""
    draw = pillow().drawing(picture)
    for _ in range(lines):
        ends = [(random.randint(0, picture.width), random.randint(0, picture.height)) for _ in range(3)]
        draw.line(ends, fill=colour, width=random.randint(1, 2) * FINER, joint="curve")


def clutter(picture: Image, random: Random, colour: Colour, hardness: int) -> None:
    """Bits of shapes between the shapes, in their colour: what is dark is not all of one shape.

    Without them a program of a few lines measures each shape by its dark pixels, and knows which it is.
    """
    draw, side = pillow().drawing(picture), TILE * FINER
    for left in range(0, picture.width, side):
        for top in range(0, picture.height, side):
            for _ in range(BITS[hardness]):
                draw.polygon(_bit(random, left, top, side), fill=colour)


def _bit(random: Random, left: int, top: int, side: int) -> list[tuple[float, float]]:
    """A triangle, a square or a pentagon with uneven sides, somewhere in a tile."""
    x, y = left + random.random() * side, top + random.random() * side
    corners, turn = 3 + int(random.random() * 3), random.random() * math.tau
    found = []
    for corner in range(corners):
        size, angle = FINER * (3 + 4 * random.random()), turn + math.tau * corner / corners
        found.append((x + size * math.cos(angle), y + size * math.sin(angle)))
    return found


def cut(picture: Image, random: Random, ground: Colour, hardness: int) -> None:
    """Lines in the colour of the ground across everything: no shape is in one piece."""
    draw, gap = pillow().drawing(picture), TILE * FINER / CUTS[hardness]
    for width, height, turned in ((picture.width, picture.height, False), (picture.height, picture.width, True)):
        for place in range(int(width / gap)):
            start, end = [(place + random.uniform(0.2, 0.8)) * gap + random.uniform(-gap, gap) / 4 for _ in range(2)]
            ends = [(start, 0.0), (end, float(height))]
            draw.line([(y, x) for x, y in ends] if turned else ends, fill=ground, width=CUT_WIDTH * FINER)


def frame(picture: Image, columns: int, rows: int, top: int = 0) -> None:
    """Lines between the tiles, from row ``top`` on."""
    draw, side = pillow().drawing(picture), TILE * FINER
    for column in range(1, columns):
        draw.line([(column * side, top * side), (column * side, rows * side)], fill=(128, 128, 128), width=FINER)
    for row in range(max(top, 1), rows):
        draw.line([(0, row * side), (columns * side, row * side)], fill=(128, 128, 128), width=FINER)
