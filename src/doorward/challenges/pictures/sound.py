"""Spoken digits to type, among noise and voices that say nothing.

The voices are the recordings of the package ``captcha``: one for each digit, in English. That is a finite set, and what
is made of it here, by speed, loudness, noise and other voices, only raises the price of telling them apart. No encoder
is needed: a WAV of 8,000 samples a second, one byte each, is what every browser plays.
"""

from __future__ import annotations

import struct
import wave
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from doorward.challenges.pictures.canvas import pillow
from doorward.challenges.pictures.forms import Media, typed
from doorward.markup import fill

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from doorward.challenges.pictures.forms import Grade
    from doorward.markup import Markup

DIGITS = "0123456789"
LENGTHS = {1: 4, 2: 5, 3: 5, 4: 6, 5: 6}
LONG = 8
SPEEDS = {1: 0.08, 2: 0.12, 3: 0.15, 4: 0.18, 5: 0.22}
"""By which share a digit may be spoken faster, or slower."""
NOISE = {1: 4, 2: 6, 3: 9, 4: 12, 5: 15}
"""Of the loudest 128; digits reach about 65."""
BABBLE = {1: 0.0, 2: 0.08, 3: 0.13, 4: 0.18, 5: 0.23}
"""Loudness of the voices in the background, which speak backwards, as a share of that of the digits."""
RATE = 8_000
"""Samples in a second."""
MIDDLE = 128
"""The value of silence."""

_PARTS = '<p><audio controls preload="none" src="{url}" aria-label="{alt}"></audio></p>'


class Sound:
    """Digits, spoken."""

    name = "sound"
    path = "sound"
    typed = True

    def chance(self, grade: Grade) -> float:
        """One over the number of texts."""
        return 10.0 ** -_length(grade)

    def answer(self, random: Random, grade: Grade) -> str:
        """Digits; all texts of a length are equally likely."""
        return "".join(random.choices(DIGITS, k=_length(grade)))

    def draw(self, answer: str, random: Random, grade: Grade) -> Media:
        """A WAV."""
        clips = [_spoken(digit, random, grade.hardness) for digit in answer]
        gaps = [random.randint(RATE // 4, RATE // 2) for _ in range(len(clips) + 1)]
        length = sum(gaps) + sum([clip.width for clip in clips])
        track, at = _background(length, random, grade.hardness), gaps[0]
        for clip, gap in zip(clips, gaps[1:], strict=True):
            _mix(track, clip, at)
            at += clip.width + gap
        return Media("audio/wav", _wav(track.tobytes()))

    def parts(self, url: Markup, grade: Grade, words: Mapping[str, str], described_by: str) -> Markup:
        """What plays it, when somebody starts it: nothing is fetched, or heard, before."""
        return fill(_PARTS, url=url, alt=words["picture_sound_alt"])

    def given(self, fields: Mapping[str, object], grade: Grade) -> str | None:
        """What was typed, if it is digits."""
        text = typed(fields)
        return text if text.isdigit() else None


def _length(grade: Grade) -> int:
    return max(LENGTHS[grade.hardness], LONG if grade.long else 0)


# Samples are handled as pictures of one row, so that Pillow's loops do the arithmetic and not Python's.


def _spoken(digit: str, random: Random, hardness: int) -> Any:
    speed = random.uniform(1 - SPEEDS[hardness], 1 + SPEEDS[hardness])
    return _changed(_recording(digit), speed, random.uniform(0.85, 1.25))


def _background(length: int, random: Random, hardness: int) -> Any:
    pil = pillow()
    track = _row(random.randbytes(length).translate(_noise(NOISE[hardness])))
    loudness = BABBLE[hardness]
    at = random.randint(0, RATE // 4)
    while loudness and at < length:
        backwards = _recording(random.choice(DIGITS)).transpose(pil.Image.Transpose.FLIP_LEFT_RIGHT)
        voice = _changed(backwards, random.uniform(0.8, 1.3), loudness * random.uniform(0.7, 1.3))
        _mix(track, voice, at)
        at += voice.width + random.randint(0, RATE // 8)
    return track


@cache
def _noise(loudest: int) -> bytes:
    return bytes([MIDDLE + (value * (2 * loudest + 1) // 256) - loudest for value in range(256)])


@cache
def _recording(digit: str) -> Any:
    with (files("captcha") / "data" / digit / "default.wav").open("rb") as file, wave.open(file) as recording:
        assert recording.getparams()[:3] == (1, 1, RATE)
        return _row(recording.readframes(-1))


def _row(samples: bytes) -> Any:
    return pillow().Image.frombytes("L", (len(samples), 1), samples)


def _changed(voice: Any, speed: float, loudness: float) -> Any:
    """A voice that is faster by ``speed``, and higher with it, and louder by ``loudness``."""
    how = pillow().Image.Resampling.BILINEAR
    # Clipped at the ends of a byte, as loud recordings are.
    louder = [max(0, min(255, round(MIDDLE + (value - MIDDLE) * loudness))) for value in range(256)]
    return voice.resize((max(1, round(voice.width / speed)), 1), how).point(louder)


def _mix(track: Any, voice: Any, at: int) -> None:
    """Add ``voice`` to ``track`` from sample ``at`` on; what is beyond its end falls away."""
    box = (at, 0, min(at + voice.width, track.width), 1)
    under = track.crop(box)
    track.paste(pillow().ImageChops.add(under, voice.crop((0, 0, under.width, 1)), 1, -MIDDLE), box)


def _wav(samples: bytes) -> bytes:
    """A WAV file (Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft 1991, chapter 3)."""
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples + b"\0" * (len(samples) % 2)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data
