"""What a picture and a sound of a challenge cost, beside hashing: ``python -m benchmarks.pictures``.

Processor time of drawing one, as a multiple of what SHA-256 of one MiB takes on the same machine: a figure that
says the same on a slow machine and on a fast one.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from random import Random
from typing import TYPE_CHECKING

from benchmarks.common import Row, Table
from doorward.challenges.pictures.forms import Grade
from doorward.challenges.pictures.letters import Letters
from doorward.challenges.pictures.media import MOST_AT_ONCE, THREADS
from doorward.challenges.pictures.odd import Odd
from doorward.challenges.pictures.shapes import Shapes
from doorward.challenges.pictures.sound import Sound
from doorward.offload import Offload

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, QUICK_ROUNDS = 60, 10
MOST_MS, MOST_BYTES, MOST_SOUND_BYTES = 50.0, 20_000, 64_000
MIB = bytes(1 << 20)


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.process_time_ns()
    call()
    return (time.process_time_ns() - began) / 1e6


def tables(*, quick: bool = False) -> list[Table]:
    """Each form, easy, hard, and so long that guessing is hopeless."""
    rows = []
    for form in (Letters(), Shapes(), Odd(), Sound()):
        for grade in (Grade(1), Grade(5), Grade(5, long=True)):
            random, yard, drawing, sizes = Random(1), [], [], []
            answer = form.answer(random, grade)
            form.draw(answer, random, grade)
            for _ in range(QUICK_ROUNDS if quick else ROUNDS):
                yard.append(_milliseconds(lambda: hashlib.sha256(MIB).digest()))
                drawing.append(_milliseconds(lambda: sizes.append(len(form.draw(answer, random, grade).content))))  # noqa: B023
            rows.append(_row(f"{form.name}, {grade.hardness}{', long' * grade.long}", yard, drawing, max(sizes)))
    rows.append(_waiting(quick=quick))
    note = "Processor time of one drawing, the median; the package captcha took 621 ms for a sound."
    return [Table("Pictures and sounds", note, ("", "ms", "MiB hashed", "largest, kB"), rows)]


def _waiting(*, quick: bool) -> Row:
    """How long the event loop waits while sixteen at once have hard rows drawn, on the threads that kinds have."""

    async def measured() -> float:
        pool, form, grade, waits = Offload(MOST_AT_ONCE, THREADS), Odd(), Grade(5), [0.0]

        async def drawing(number: int) -> None:
            random = Random(number)
            for _ in range(1 if quick else 4):
                await asyncio.wrap_future(pool.submit(form.draw, form.answer(random, grade), random, grade))

        async def ticking() -> None:
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.001)
                waits.append((time.perf_counter() - began) * 1e3 - 1)

        ticks = asyncio.ensure_future(ticking())
        await asyncio.gather(*[drawing(number) for number in range(16)])
        ticks.cancel()
        pool.close()
        return sorted(waits)[int(len(waits) * 0.99) - 1]

    waited = asyncio.run(measured())
    return Row(["event loop's wait while 16 draw, p99", f"{waited:.1f}"], {"ms": waited})


def _row(name: str, yard: list[float], drawing: list[float], size: int) -> Row:
    took, hashing = statistics.median(drawing), statistics.median(yard)
    most = MOST_SOUND_BYTES if name.startswith("sound") else MOST_BYTES
    return Row(
        [name, f"{took:.1f}", f"{took / hashing:.1f}", f"{size / 1000:.1f}"],
        {"ms": took, "ratio": took / hashing, "bytes": size},
        f"≤ {MOST_MS:.0f} ms, ≤ {most // 1000} kB",
        met=took <= MOST_MS and size <= most,
    )


if __name__ == "__main__":
    for table in tables():
        print(table.markdown())
