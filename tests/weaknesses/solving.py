"""Scripts of a few lines that solve captchas: they know all that an attacker can install, and no more.

No model is trained, and nothing but Pillow is used: this is what Humanify's pictures cost (row 6 of section 5). Whoever
takes more trouble than this gets further; ``docs/challenges/pictures.md`` says how far.
"""

from __future__ import annotations

import io
from functools import cache
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from doorward.challenges.pictures.forms import Grade
from doorward.challenges.pictures.letters import Letters
from doorward.challenges.pictures.outlines import OUTLINES, placed

TILE = 72


def distance(one: Any, other: Any) -> float:
    """How different two pictures of one size are."""
    return sum(value * count for value, count in enumerate(ImageChops.difference(one, other).histogram()))


# --- letters: the nearest of thumbnails that the attacker has drawn, and so knows


def _cells(content: bytes, letters: int) -> list[Any]:
    picture = Image.open(io.BytesIO(content)).convert("L")
    cells = [picture.crop((18 + 44 * at, 0, 74 + 44 * at, 90)) for at in range(letters)]
    return [ImageOps.autocontrast(cell.resize((14, 22), Image.Resampling.BOX)) for cell in cells]


@cache
def _known_letters(hardness: int) -> list[tuple[Any, str]]:
    known = []
    for seed in range(120):
        text = Letters().answer(Random(9000 + seed), Grade(hardness))
        drawn = Letters().draw(text, Random(seed + 5000), Grade(hardness)).content
        known += zip(_cells(drawn, len(text)), text, strict=True)
    return known


def read_letters(content: bytes, hardness: int, letters: int) -> str:
    known = _known_letters(hardness)
    return "".join([min(known, key=lambda each: distance(each[0], cell))[1] for cell in _cells(content, letters)])


# --- shapes: what is dark, laid over each outline at each angle


def _dark(tile: Any) -> Any:
    grey = tile.convert("L").point([255 if value < 128 else 0 for value in range(256)])
    return grey.filter(ImageFilter.MedianFilter(5))


def _normal(mask: Any) -> Any | None:
    """Its middle in the middle, at one size."""
    width, values = mask.width, mask.tobytes()
    places = [(at % width, at // width) for at, value in enumerate(values) if value]
    if len(places) < 20:
        return None
    x, y = (sum(each) / len(places) for each in zip(*places, strict=True))
    scale = len(places) ** 0.5 / 14
    how = (scale, 0, x - 20 * scale, 0, scale, y - 20 * scale)
    return mask.transform((40, 40), Image.Transform.AFFINE, how)


@cache
def _outline(name: str, angle: int) -> Any:
    picture = Image.new("L", (TILE, TILE), 0)
    ImageDraw.Draw(picture).polygon(placed(OUTLINES[name], (36, 36), TILE * 0.3, angle), fill=255)
    return _normal(picture)


def _shape(tile: Any) -> tuple[str, int]:
    """What a tile shows, and how it is turned."""
    seen = _normal(_dark(tile))
    candidates = [(name, angle) for name in OUTLINES for angle in range(0, 360, 15)]
    return min(candidates, key=lambda each: distance(seen, _outline(*each))) if seen is not None else ("", 0)


def _tile(picture: Any, row: int, column: int) -> Any:
    return picture.crop((column * TILE + 3, row * TILE + 3, column * TILE + TILE - 3, row * TILE + TILE - 3))


def pick_shapes(content: bytes) -> str:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    wanted = _shape(picture.crop((108, 0, 180, TILE)))[0]
    tiles = [(row, column) for row in range(1, picture.height // TILE) for column in range(4)]
    return ",".join([str(at) for at, tile in enumerate(tiles, 1) if _shape(_tile(picture, *tile))[0] == wanted])
