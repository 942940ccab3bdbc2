"""Pictures of shapes in tiles: what both forms made of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import PALEST, as_png, counterchanged, ink_and_paper, pillow

if TYPE_CHECKING:
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.forms import Media
    from doorward.challenges.pictures.outlines import Outline

TILE = 72
"""Pixels of a tile's side."""
FINER = 2
"""Pixels are drawn this much finer along each axis, and made coarser at the end, for smooth edges."""
GROUND = 255
REGIONS = {1: 2, 2: 3, 3: 4, 4: 4, 5: 5}
"""Ellipses in which light and dark are exchanged."""


def blank(columns: int, rows: int) -> Image:
    """A picture of so many tiles: ground alone."""
    picture: Image = pillow().Image.new("L", (columns * TILE * FINER, rows * TILE * FINER), GROUND)
    return picture


def finished(picture: Image, random: Random, hardness: int) -> Media:
    """The picture at its final size, in the colours of one ink and one paper, either of which is the ground somewhere.

    So no colour, and no brightness, tells shapes from their ground.
    """
    turned = counterchanged(picture, random, REGIONS[hardness])
    return as_png(turned.reduce(FINER), ink_and_paper(random, hardness))


def ink(random: Random) -> int:
    """A dark shade, for shapes."""
    return random.randint(0, PALEST)


def shape(picture: Image, points: Outline, shade: int) -> None:
    """A filled shape, given in pixels of the final size."""
    pillow().drawing(picture).polygon([(x * FINER, y * FINER) for x, y in points], fill=shade)


def scribble(picture: Image, random: Random, lines: int) -> None:
    """Thin lines across everything: in the ink of shapes, and in the ground's, which cut shapes."""
    draw = pillow().drawing(picture)
    for at in range(lines):
        ends = [(random.randint(0, picture.width), random.randint(0, picture.height)) for _ in range(3)]
        draw.line(ends, fill=(ink(random), GROUND)[at % 2], width=random.randint(1, 2) * FINER, joint="curve")


def frame(picture: Image, columns: int, rows: int, top: int = 0) -> None:
    """Lines between the tiles, from row ``top`` on; grey, which stays grey where light and dark are exchanged."""
    draw, side = pillow().drawing(picture), TILE * FINER
    for column in range(1, columns):
        draw.line([(column * side, top * side), (column * side, rows * side)], fill=128, width=FINER)
    for row in range(max(top, 1), rows):
        draw.line([(0, row * side), (columns * side, row * side)], fill=128, width=FINER)
