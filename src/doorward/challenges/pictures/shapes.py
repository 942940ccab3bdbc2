"""Tiles with a shape in each: all are to be picked that show the shape at the top."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import as_coloured_png
from doorward.challenges.pictures.forms import Media, is_marked
from doorward.challenges.pictures.outlines import OUTLINES, placed
from doorward.challenges.pictures.tiles import TILE, blank, clutter, cut, frame, ink, paper, scribble, shape, smooth
from doorward.markup import fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.forms import Grade
    from doorward.challenges.pictures.outlines import Outline
    from doorward.challenges.pictures.tiles import Colour
    from doorward.markup import Markup

COLUMNS = 4
ROWS = {1: 3, 2: 3, 3: 4, 4: 4, 5: 4}
FEWEST, MOST = 2, 6
"""Tiles to pick."""
TURNS = {1: 25, 2: 60, 3: 180, 4: 180, 5: 180}
LEANS = {1: 0.0, 2: 0.1, 3: 0.15, 4: 0.2, 5: 0.25}
LINES = {1: 3, 2: 6, 3: 9, 4: 12, 5: 15}

_PARTS = """<fieldset class="captcha-tiles" aria-describedby="{described}"><legend>{legend}</legend>
<div class="captcha-board" data-rows="{rows}"><img src="{url}" alt="{alt}" width="{width}" height="{height}">
<div class="captcha-grid" data-columns="4">{tiles}</div></div></fieldset>"""
_TILE = '<label><input type="checkbox" name="tile-{number}" value="1"><span>{text}</span></label>'


class Shapes:
    """A grid of shapes, with an example above it."""

    name = "shapes"
    path = "picture"
    typed = False

    def chance(self, grade: Grade) -> float:
        """One over the number of choices of 2 to 6 tiles."""
        return 1 / sum(_choices(grade))

    def answer(self, random: Random, grade: Grade) -> str:
        """Numbers of tiles, from 1; all choices are equally likely."""
        sizes = range(FEWEST, MOST + 1)
        size = random.choices(sizes, weights=_choices(grade))[0]
        return ",".join([str(number) for number in sorted(random.sample(range(1, _tiles(grade) + 1), size))])

    def draw(self, answer: str, random: Random, grade: Grade) -> Media:
        """A PNG: the example in the first row, the tiles below."""
        picked = {int(number) for number in answer.split(",")}
        wanted, *others = random.sample(list(OUTLINES), len(OUTLINES))
        ground, colour = paper(random), ink(random, grade.hardness)
        picture = blank(COLUMNS, ROWS[grade.hardness] + 1, ground)
        clutter(picture, random, colour, grade.hardness)
        middle = (COLUMNS * TILE / 2, TILE / 2)
        shape(picture, placed(OUTLINES[wanted], middle, TILE * 0.4, 0), colour)
        for number in range(1, _tiles(grade) + 1):
            name = wanted if number in picked else random.choice(others)
            _tile(picture, number, OUTLINES[name], random, grade.hardness, colour)
        cut(picture, random, ground, grade.hardness)
        scribble(picture, random, LINES[grade.hardness], colour)
        frame(picture, COLUMNS, ROWS[grade.hardness] + 1, top=1)
        return as_coloured_png(smooth(picture))

    def parts(self, url: Markup, grade: Grade, words: Mapping[str, str], described_by: str) -> Markup:
        """The picture, and a check box on each tile."""
        rows = ROWS[grade.hardness]
        numbers = range(1, _tiles(grade) + 1)
        text = words["picture_tile"]
        return fill(
            _PARTS,
            described=described_by,
            legend=words["picture_shapes"],
            rows=rows,
            url=url,
            alt=words["picture_shapes_alt"].replace("{rows}", str(rows)).replace("{columns}", str(COLUMNS)),
            width=COLUMNS * TILE,
            height=(rows + 1) * TILE,
            tiles=join([fill(_TILE, number=at, text=text.replace("{number}", str(at))) for at in numbers], ""),
        )

    def given(self, fields: Mapping[str, object], grade: Grade) -> str | None:
        """The tiles that were checked."""
        numbers = [str(at) for at in range(1, _tiles(grade) + 1) if is_marked(fields, f"tile-{at}")]
        return ",".join(numbers) or None


def _tiles(grade: Grade) -> int:
    return COLUMNS * ROWS[grade.hardness]


def _choices(grade: Grade) -> list[int]:
    """How many ways there are to pick each number of tiles."""
    return [comb(_tiles(grade), size) for size in range(FEWEST, MOST + 1)]


def _tile(picture: Image, number: int, outline: Outline, random: Random, hardness: int, colour: Colour) -> None:
    row, column = divmod(number - 1, COLUMNS)
    centre = ((column + 0.5) * TILE + random.uniform(-7, 7), (row + 1.5) * TILE + random.uniform(-7, 7))
    size, turn = TILE * random.uniform(0.26, 0.36), random.uniform(-1, 1) * TURNS[hardness]
    lean = random.uniform(-1, 1) * LEANS[hardness]
    shape(picture, placed(outline, centre, size, turn, lean), colour)
