"""Pictures of shapes in tiles: what both forms made of them share."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import pillow

if TYPE_CHECKING:
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.outlines import Outline

TILE = 72
"""Pixels of a tile's side."""
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


def scribble(picture: Image, random: Random, lines: int, hardness: int) -> None:
    """Thin lines across everything, in the colours that shapes have."""
    draw = pillow().drawing(picture)
    for _ in range(lines):
        ends = [(random.randint(0, picture.width), random.randint(0, picture.height)) for _ in range(3)]
        draw.line(ends, fill=ink(random, hardness), width=random.randint(1, 2) * FINER, joint="curve")


def frame(picture: Image, columns: int, rows: int, top: int = 0) -> None:
    """Lines between the tiles, from row ``top`` on."""
    draw, side = pillow().drawing(picture), TILE * FINER
    for column in range(1, columns):
        draw.line([(column * side, top * side), (column * side, rows * side)], fill=(128, 128, 128), width=FINER)
    for row in range(max(top, 1), rows):
        draw.line([(0, row * side), (columns * side, row * side)], fill=(128, 128, 128), width=FINER)
