"""Rows of one shape: in each row, the one is to be picked that points another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import as_coloured_png
from doorward.challenges.pictures.outlines import OUTLINES, POINTING, placed
from doorward.challenges.pictures.tiles import TILE, blank, clutter, cut, frame, ink, paper, scribble, shape, smooth
from doorward.markup import fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.forms import Grade, Media
    from doorward.challenges.pictures.tiles import Colour
    from doorward.markup import Markup

COLUMNS = 5
ROWS = {1: 4, 2: 4, 3: 5, 4: 5, 5: 5}
DIFFERENCES = {1: (120, 240), 2: (100, 260), 3: (80, 280), 4: (65, 295), 5: (60, 300)}
"""Degrees between the odd one and the others of its row."""
JITTER = {1: 4, 2: 6, 3: 8, 4: 10, 5: 11}
"""Degrees that each is turned by beside that: always too few to be taken for the difference."""
LINES = {1: 2, 2: 5, 3: 8, 4: 11, 5: 14}

_PARTS = """<p id="captcha-odd">{question}</p><div class="captcha-board" data-rows="{rows}" data-columns="5">
<img src="{url}" alt="{alt}" width="{width}" height="{height}"><div class="captcha-rows">{fields}</div></div>"""
_ROW = """<fieldset aria-describedby="captcha-odd {described}"><legend>{legend}</legend>
<div class="captcha-grid" data-columns="5">{tiles}</div></fieldset>"""
_TILE = '<label><input type="radio" name="row-{row}" value="{number}"><span>{text}</span></label>'


class Odd:
    """Rows in which one points another way."""

    name = "odd"
    path = "picture"
    typed = False

    def chance(self, grade: Grade) -> float:
        """One over the number of choices of one tile in each row."""
        return float(COLUMNS) ** -ROWS[grade.hardness]

    def answer(self, random: Random, grade: Grade) -> str:
        """For each row the number of a tile, from 1; all are equally likely."""
        return ",".join([str(random.randint(1, COLUMNS)) for _ in range(ROWS[grade.hardness])])

    def draw(self, answer: str, random: Random, grade: Grade) -> Media:
        """A PNG."""
        rows = ROWS[grade.hardness]
        ground, colour = paper(random), ink(random, grade.hardness)
        picture = blank(COLUMNS, rows, ground)
        clutter(picture, random, colour, grade.hardness)
        for row, odd in enumerate(answer.split(",")):
            _row(picture, row, int(odd) - 1, random, grade.hardness, colour)
        cut(picture, random, ground, grade.hardness)
        scribble(picture, random, LINES[grade.hardness], colour)
        frame(picture, COLUMNS, rows)
        return as_coloured_png(smooth(picture))

    def parts(self, url: Markup, grade: Grade, words: Mapping[str, str], described_by: str) -> Markup:
        """The picture, and a radio button on each tile."""
        rows = ROWS[grade.hardness]
        return fill(
            _PARTS,
            question=words["picture_odd"],
            rows=rows,
            url=url,
            alt=words["picture_odd_alt"].replace("{rows}", str(rows)).replace("{columns}", str(COLUMNS)),
            width=COLUMNS * TILE,
            height=rows * TILE,
            fields=join([_fields(row, words, described_by) for row in range(1, rows + 1)]),
        )

    def given(self, fields: Mapping[str, object], grade: Grade) -> str | None:
        """What was picked in each row; ``0`` where nothing was."""
        picked = [_picked(fields.get(f"row-{row}")) for row in range(1, ROWS[grade.hardness] + 1)]
        return ",".join(picked) if any([each != "0" for each in picked]) else None


def _fields(row: int, words: Mapping[str, str], described_by: str) -> Markup:
    text = words["picture_tile"]
    numbers = range(1, COLUMNS + 1)
    tiles = [fill(_TILE, row=row, number=at, text=text.replace("{number}", str(at))) for at in numbers]
    legend = words["picture_row"].replace("{number}", str(row))
    return fill(_ROW, described=described_by, legend=legend, tiles=join(tiles, ""))


def _picked(value: object) -> str:
    text = str(value) if isinstance(value, str | int) else ""
    return text if text in [str(number) for number in range(1, COLUMNS + 1)] else "0"


def _row(picture: Image, row: int, odd: int, random: Random, hardness: int, colour: Colour) -> None:
    outline, turn = OUTLINES[random.choice(POINTING)], random.uniform(0, 360)
    other, jitter = turn + random.uniform(*DIFFERENCES[hardness]), JITTER[hardness]
    for column in range(COLUMNS):
        centre = ((column + 0.5) * TILE + random.uniform(-5, 5), (row + 0.5) * TILE + random.uniform(-5, 5))
        angle = (other if column == odd else turn) + random.uniform(-jitter, jitter)
        points = placed(outline, centre, TILE * random.uniform(0.3, 0.36), angle)
        shape(picture, points, colour)
