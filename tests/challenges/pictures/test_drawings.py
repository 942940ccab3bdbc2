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
from doorward.challenges.pictures.canvas import PALEST, ink_and_paper
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
    steps = [letters.LENGTHS, letters.TURNS, letters.WAVES, letters.LINES, letters.WIDTHS, letters.REGIONS,
             shapes.ROWS, shapes.TURNS, shapes.LEANS, shapes.LINES, odd.ROWS, odd.JITTER, odd.LINES,
             sound.LENGTHS, sound.SPEEDS, sound.NOISE, sound.BABBLE]  # fmt: skip
    for table in steps:
        values = [table[hardness] for hardness in range(1, 6)]
        assert values == sorted(values)
        assert values[0] < values[-1]
    for tables in (steps[:6], steps[6:10], steps[10:13], steps[13:]):
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


def shade(palette: list[int], grey: int):
    """The colour of one shade of grey."""
    at = 3 * (grey * 16 // 256)
    return palette[at : at + 3]


@given(seeds, st.integers(1, 5))
def test_ink_stands_out(seed: int, hardness: int) -> None:
    """By 7 to 1 at least (WCAG 2.2, 1.4.6), the palest of it too; at hardness 4 and 5 by 4.5 to 1 (1.4.3).

    Also where light and dark are exchanged.
    """
    palette, least = ink_and_paper(Random(seed), hardness), 7 if hardness < 4 else 4.5
    assert contrast(shade(palette, PALEST), palette[-3:]) >= least
    assert contrast(shade(palette, 255 - PALEST), palette[:3]) >= least


@given(seeds)
def test_shapes_are_as_dark_as_letters(seed: int) -> None:
    assert 0 <= tiles.ink(Random(seed)) <= PALEST


@pytest.mark.parametrize("hardness", range(1, 6))
@pytest.mark.parametrize("form", PICTURES[1:], ids=lambda form: form.name)
def test_no_brightness_tells_shapes_from_their_ground(form, hardness: int) -> None:
    """Else a threshold cuts them out, and twenty lines more compare them: rows were solved at all hardnesses."""
    middles = []
    for seed in range(20):
        random, grade = Random(seed), Grade(hardness)
        with Image.open(io.BytesIO(form.draw(form.answer(random, grade), random, grade).content)) as picture:
            grey = picture.convert("L")
        centres = [(x, y) for x in range(36, grey.width, 72) for y in range(36, grey.height, 72)]
        middles += [grey.getpixel(centre) < 128 for centre in centres]
    assert 0.15 < sum(middles) / len(middles) < 0.85


@pytest.mark.parametrize("hardness", range(1, 6))
def test_no_brightness_tells_letters_from_their_ground(hardness: int) -> None:
    """What has ink at its corners is dark ground, for no letter is there."""
    corners = []
    for seed in range(60):
        drawn = PICTURES[0].draw("ACDE", Random(seed), Grade(hardness))
        with Image.open(io.BytesIO(drawn.content)) as picture:
            grey = picture.convert("L")
        corners += [grey.getpixel((x, y)) < 128 for x in (2, grey.width - 3) for y in (2, grey.height - 3)]
    assert 0.05 < sum(corners) / len(corners) < 0.95


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


@pytest.mark.parametrize("form", PICTURES, ids=lambda form: form.name)
def test_there_is_nothing_in_a_file_but_the_picture(form) -> None:
    """No text, no time, no name of a program (PNG specification, section 11): nothing that goes with an answer."""
    content, chunks, at = form.draw(form.answer(Random(1), Grade(2)), Random(1), Grade(2)).content, [], 8
    while at < len(content):
        chunks.append(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4])
    assert set(chunks) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
