"""What guessing comes to, and why nobody gets in by it: the arithmetic of blind guesses.

Each form has a chance that a blind guess is right (:meth:`~.forms.Form.chance`). Each network has an allowance of
luck: the sum of the chances of its answers in any hour is at most :data:`ALLOWANCE`. The chance that at least one of
several guesses is right is never over the sum of their chances (Boole's inequality), however they are spread over
kinds, levels of hardness, workers and addresses of the network. Right answers are given back: who answers right does
not guess.

A network whose allowance is used up is not shut out, for many people may share its address. It is given drawings so
long that no number of guesses matters: at most :data:`NEGLIGIBLE` each, and they cost nothing of the allowance. The
endpoints admit 300 requests a minute from a network, 18,000 an hour, which is a chance of 18,000 times 4.2e-8, or
0.08 %.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from doorward.challenges.metering import metered
from doorward.effects import Algorithm, AskStore, Charge, Hit
from doorward.neighbours import network_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.challenges.kinds import Asked
    from doorward.effects import Effect, Verdict

UNIT = 1e-7
"""The chance that one unit of the counter stands for."""
ALLOWANCE = 0.008
"""Sum of chances that the answers of a network may have in an hour."""
NEGLIGIBLE = 1e-7
"""A chance that needs no counting."""
WINDOW_NS = 3600 * 1_000_000_000
LONGEST_WAIT_SECONDS = 30


def cost(chance: float) -> int:
    """Units that an answer with ``chance`` costs; 0 where it is too little to matter."""
    return 0 if chance <= NEGLIGIBLE else math.ceil(chance / UNIT)


def tries(chance: float) -> float:
    """How many answers with ``chance`` a network may give in an hour, before it is given long drawings."""
    units = cost(chance)
    return float(most() // units) if units else math.inf


def most() -> int:
    """The units of an hour."""
    return int(ALLOWANCE / UNIT)


def earliest_seconds(attempt: int) -> int:
    """Seconds from which on an answer counts: 1 at first, and twice as many with each challenge in a row."""
    return min(LONGEST_WAIT_SECONDS, 1 << min(max(attempt - 1, 0), 10))


def take(asked: Asked, chance: float) -> Generator[Effect, object, Charge | None]:
    """Take ``chance`` from the allowance of the network; None where there is not as much left."""
    hit = Hit(f"gate:luck:{network_of(asked.ip)}", Algorithm.SLIDING_WINDOW, most(), WINDOW_NS, cost(chance))
    verdict = (yield from counted([hit]))[0]
    return Charge(hit, verdict.at) if verdict.admitted else None


def give_back(charge: Charge) -> Generator[Effect, object, None]:
    """Undo :func:`take`. While the store fails, it stays."""
    with suppress(Exception):  # an allowance that is a little smaller harms nobody
        yield AskStore("refund", ([charge],))


def counted(hits: list[Hit]) -> Generator[Effect, object, Sequence[Verdict]]:
    """Charge counters; those of this process while the store fails."""
    return (yield from metered(hits))
