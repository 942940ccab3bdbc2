"""Letters to type: bent, turned, and crossed by lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from doorward.challenges.pictures.canvas import as_png, font, ink_and_paper, pillow
from doorward.challenges.pictures.forms import Media, typed
from doorward.markup import fill

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from PIL.Image import Image

    from doorward.challenges.pictures.forms import Grade
    from doorward.markup import Markup

ALPHABET = "ACDEFHJKLMNPRTWXY"
"""Without what looks alike once it is bent: B and 8, G and C, I and 1 and l, O and Q and 0, S and 5, U and V, Z and 2.
No digits: a text of digits answers a sound."""
TAKEN_FOR = str.maketrans({"B": "R", "G": "C", "0": "D", "O": "D", "Q": "D", "V": "Y"})
"""What is typed that is not in the alphabet, and what was meant by it."""
LENGTHS = {1: 4, 2: 4, 3: 5, 4: 5, 5: 6}
LONG = 6
TURNS = {1: 8, 2: 14, 3: 18, 4: 22, 5: 26}
"""Degrees that a letter is turned by at most. From 30 on people begin to mistake W for M, and N for Z."""
WAVES = {1: 2.0, 2: 3.0, 3: 4.0, 4: 5.0, 5: 6.0}
"""Pixels that the waves move a point by at most, along each axis; strokes are about 6 pixels wide."""
SHIFT = 9
"""Pixels that a letter stands left or right of its place at most: where one begins, a program has to find out."""
LINES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}

_CELL, _MARGIN, _HEIGHT, _SIZE, _STEP = 44, 24, 90, 52, 12


class Letters:
    """A picture of letters."""

    name = "letters"
    path = "picture"
    typed = True

    def chance(self, grade: Grade) -> float:
        """One over the number of texts."""
        return float(len(ALPHABET)) ** -_length(grade)

    def answer(self, random: Random, grade: Grade) -> str:
        """Letters; all texts of a length are equally likely."""
        return "".join(random.choices(ALPHABET, k=_length(grade)))

    def draw(self, answer: str, random: Random, grade: Grade) -> Media:
        """A PNG."""
        picture = pillow().Image.new("L", (_CELL * len(answer) + 2 * _MARGIN, _HEIGHT), 255)
        for at, letter in enumerate(answer):
            _stamp(picture, letter, _MARGIN + at * _CELL, random, TURNS[grade.hardness])
        _cross(picture, random, LINES[grade.hardness])
        bent = _bent(picture, random, WAVES[grade.hardness])
        return as_png(bent, ink_and_paper(random, grade.hardness))

    def parts(self, url: Markup, grade: Grade, words: Mapping[str, str], described_by: str) -> Markup:
        """The picture. Its text says what it is, and not what it shows."""
        width = _CELL * _length(grade) + 2 * _MARGIN
        template = '<p><img class="captcha" src="{url}" alt="{alt}" width="{width}" height="{height}"></p>'
        return fill(template, url=url, alt=words["picture_letters_alt"], width=width, height=_HEIGHT)

    def given(self, fields: Mapping[str, object], grade: Grade) -> str | None:
        """What was typed, unless it is digits; letters that are never drawn are read as those that look like them."""
        text = typed(fields)
        return text.translate(TAKEN_FOR) if text and not text.isdigit() else None


def _length(grade: Grade) -> int:
    return max(LENGTHS[grade.hardness], LONG if grade.long else 0)


def _stamp(picture: Image, letter: str, left: int, random: Random, turn: int) -> None:
    """One letter on the picture: of its own size, turned, leaning, up or down a little."""
    pil = pillow()
    tile = pil.Image.new("L", (_CELL + 36, _HEIGHT), 0)
    size = random.randint(_SIZE - 8, _SIZE + 4)
    pil.drawing(tile).text(
        (tile.width / 2, _HEIGHT / 2), letter, fill=255, font=font(size), anchor="mm", stroke_width=1
    )
    tile = tile.rotate(random.uniform(-turn, turn), pil.Image.Resampling.BILINEAR)
    lean = random.uniform(-0.01, 0.01) * turn
    slanted = (1, lean, -lean * _HEIGHT / 2, 0, 1, 0)
    tile = tile.transform(tile.size, pil.Image.Transform.AFFINE, slanted, pil.Image.Resampling.BILINEAR)
    at = (left - 18 + random.randint(-SHIFT, SHIFT), random.randint(-9, 9))
    picture.paste(random.randint(0, 40), at, tile)


def _cross(picture: Image, random: Random, lines: int) -> None:
    """Lines from side to side in the ink of the letters, so that colour does not tell them from letters."""
    draw = pillow().drawing(picture)
    for _ in range(lines):
        middle = picture.width // 2 + random.randint(-30, 30)
        ends = [(0, random.randint(8, _HEIGHT - 8)), (picture.width, random.randint(8, _HEIGHT - 8))]
        points = [ends[0], (middle, random.randint(8, _HEIGHT - 8)), ends[1]]
        draw.line(points, fill=random.randint(0, 90), width=random.randint(2, 3), joint="curve")
    for _ in range(12 * lines):
        x, y = random.randint(0, picture.width), random.randint(0, _HEIGHT)
        draw.ellipse((x, y, x + 2, y + 2), fill=random.randint(0, 160))


def _bent(picture: Image, random: Random, wave: float) -> Image:
    """The picture seen through waves of two directions, by a mesh of squares."""
    periods = random.uniform(60, 110), random.uniform(50, 90)
    phases = random.uniform(0, 6.28), random.uniform(0, 6.28)

    def source(x: int, y: int) -> tuple[float, float]:
        return (
            x + wave * math.sin(y / periods[1] * math.tau + phases[0]),
            y + wave * math.sin(x / periods[0] * math.tau + phases[1]),
        )

    mesh = []
    for left in range(0, picture.width, _STEP):
        for top in range(0, _HEIGHT, _STEP):
            right, bottom = min(left + _STEP, picture.width), min(top + _STEP, _HEIGHT)
            corners = ((left, top), (left, bottom), (right, bottom), (right, top))
            quad = tuple([value for corner in corners for value in source(*corner)])
            mesh.append(((left, top, right, bottom), quad))
    pil = pillow()
    how = pil.Image.Transform.MESH
    return picture.transform(picture.size, how, mesh, pil.Image.Resampling.BILINEAR, fillcolor=255)
