"""What is drawn: valid, small, never twice the same, harder by each step, and legible."""

from __future__ import annotations

import io
import wave
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from doorward.challenges.pictures import letters, odd, shapes, sound, tiles
from doorward.challenges.pictures.canvas import ink_and_paper
from doorward.challenges.pictures.forms import Grade
from doorward.challenges.pictures.outlines import OUTLINES, placed

FORMS = [letters.Letters(), shapes.Shapes(), odd.Odd(), sound.Sound()]
PICTURES = FORMS[:3]
MOST_BYTES, MOST_SOUND_BYTES = 20_000, 64_000
seeds = st.integers(0, 2**64)
grades = st.builds(Grade, st.integers(1, 5), st.booleans())


@settings(max_examples=40)
@given(st.sampled_from(PICTURES), seeds, grades)
def test_pictures_are_small_and_valid(form, seed: int, grade: Grade) -> None:
    """Another reader decodes all of each, and it is as large as the page says."""
    random = Random(seed)
    drawn = form.draw(form.answer(random, grade), random, grade)
    assert drawn.kind == "image/png"
    assert len(drawn.content) <= MOST_BYTES
    with Image.open(io.BytesIO(drawn.content)) as picture:
        picture.load()
        assert f'width="{picture.width}"' in form.parts("/u", grade, Words(), "hint")
        assert f'height="{picture.height}"' in form.parts("/u", grade, Words(), "hint")


class Words(dict):
    """Texts that all are there."""

    def __missing__(self, key: str) -> str:
        return key


@settings(max_examples=40)
@given(seeds, grades)
def test_sounds_are_small_and_valid(seed: int, grade: Grade) -> None:
    """Read by the standard library."""
    random = Random(seed)
    drawn = FORMS[3].draw(FORMS[3].answer(random, grade), random, grade)
    assert drawn.kind == "audio/wav"
    assert len(drawn.content) <= MOST_SOUND_BYTES
    with wave.open(io.BytesIO(drawn.content)) as played:
        assert played.getparams()[:3] == (1, 1, 8000)
        assert len(played.readframes(-1)) == played.getnframes()
        assert 1 < played.getnframes() / 8000 < 8


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_no_two_drawings_are_the_same(form) -> None:
    """Not even of one answer; and one seed gives one drawing."""
    grade = Grade(1)
    answer = form.answer(Random(1), grade)
    drawn = [form.draw(answer, Random(seed), grade).content for seed in range(30)]
    assert len(set(drawn)) == 30
    assert form.draw(answer, Random(7), grade).content == drawn[7]


def test_no_tile_comes_twice() -> None:
    """Weakness 6: two thousand pictures that anybody could download, of which a script knew each again."""
    grade, tiles_seen = Grade(1), []
    for seed in range(20):
        drawn = FORMS[1].draw(FORMS[1].answer(Random(seed), grade), Random(seed), grade)
        with Image.open(io.BytesIO(drawn.content)) as picture:
            grey = picture.convert("L")
        for at in range(12):
            left, top = at % 4 * 72, at // 4 * 72 + 72
            tiles_seen.append(grey.crop((left, top, left + 72, top + 72)).point(lambda value: value // 128).tobytes())
    assert len(set(tiles_seen)) == len(tiles_seen)


def test_each_step_is_harder_than_the_one_before() -> None:
    """Weakness of Humanify: hardness changed nothing there, or was drawn by chance."""
    steps = [letters.LENGTHS, letters.TURNS, letters.WAVES, letters.LINES, shapes.ROWS, shapes.TURNS, shapes.LEANS,
             shapes.LINES, odd.ROWS, odd.JITTER, odd.LINES, sound.LENGTHS, sound.SPEEDS, sound.NOISE,
             sound.BABBLE]  # fmt: skip
    for table in steps:
        values = [table[hardness] for hardness in range(1, 6)]
        assert values == sorted(values)
        assert values[0] < values[-1]
    for tables in (steps[:4], steps[4:8], steps[8:11], steps[11:]):
        for before, after in pairwise(range(1, 6)):
            assert any(table[after] > table[before] for table in tables)


def test_the_odd_one_is_further_turned_than_any_chance() -> None:
    """At every hardness, so that nobody has to guess."""
    for hardness, (least, most) in odd.DIFFERENCES.items():
        assert least == 360 - most
        assert least > 2 * 2 * odd.JITTER[hardness]


def luminance(colour) -> float:
    """WCAG 2.2: relative luminance."""
    parts = [c / 255 for c in colour]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other) -> float:
    """WCAG 2.2: contrast ratio."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@given(seeds, st.integers(1, 5))
def test_letters_stand_out(seed: int, hardness: int) -> None:
    """By 7 to 1 at least (WCAG 2.2, 1.4.6), the palest of them too; at hardness 4 and 5 by 4.5 to 1 (1.4.3)."""
    palette = ink_and_paper(Random(seed), hardness)
    palest = 3 * (40 * 16 // 256)
    assert contrast(palette[palest : palest + 3], palette[-3:]) >= (7 if hardness < 4 else 4.5)


@given(seeds, st.integers(1, 5))
def test_shapes_stand_out(seed: int, hardness: int) -> None:
    """By 3 to 1 at least (WCAG 2.2, 1.4.11)."""
    random = Random(seed)
    assert contrast(tiles.ink(random, hardness), tiles.paper(random)) >= 3


@given(st.sampled_from(sorted(OUTLINES)), st.floats(-180, 180), st.floats(-0.25, 0.25))
def test_shapes_stay_in_their_tiles(name: str, turn: float, lean: float) -> None:
    """However they are turned: a neighbour is no part of a tile."""
    points = placed(OUTLINES[name], (36, 36), 72 * 0.36, turn, lean)
    assert all(-1 <= value <= 73 for point in points for value in point)


def test_letters_have_no_doubles() -> None:
    """None that people take for each other, and none that are digits."""
    assert not set("0O1IL8B5S2ZGQUV6") & set(letters.ALPHABET) - {"L"}
    assert letters.ALPHABET.isalpha()
    assert len(set(letters.ALPHABET)) == len(letters.ALPHABET)
