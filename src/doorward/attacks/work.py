"""Work in units: how much a scan may cost, whatever it is given.

A unit stands for about 10 ns of one core. Detectors say what they spend, from what they have to look at; nobody
measures time, so that the same request always comes to the same result.

The bound has three parts. One is for every request. One is for each character that there is to look at: of natural
text, prose costs 6 units a character, JSON 7, source code and Markdown 30 to 80. And one is for each text that has to
be looked at by itself, for what that costs however short it is: a list of prices costs more to ask about than to read.
Natural data costs less than all three, so that only what was built to be costly is past the bound.
"""

from __future__ import annotations

from doorward.errors import DoorwardError

BASE = 400_000
PER_CHARACTER = 128
SLICE = 100_000
"""Units between two pauses: about a millisecond, or a few where units are counted low."""


class OutOfWork(DoorwardError):
    """The bound of work is reached."""


class Work:
    """What one scan may spend.

    Args:
        size: Characters, or bytes, that there are to look at.

    Attributes:
        spent: Units spent so far.
        bound: Units that may be spent, as far as is known.
    """

    __slots__ = ("_resumed", "bound", "spent")

    def __init__(self, size: int) -> None:
        self.bound = BASE + PER_CHARACTER * size
        self.spent = 0
        self._resumed = 0

    def spend(self, units: int) -> None:
        """Take note of work done, or about to be.

        Raises:
            OutOfWork: That is more than the scan may cost.
        """
        self.spent += units
        if self.spent > self.bound:
            raise OutOfWork("the bound of work units is reached")

    def allow(self, units: int) -> None:
        """Let the scan cost more, for there is more to look at than its size tells.

        Args:
            units: What that costs in natural data; whoever could choose them freely would have no bound.
        """
        self.bound += units

    def is_due(self) -> bool:
        """Whether a slice is spent."""
        return self.spent - self._resumed >= SLICE

    def due(self) -> bool:
        """Whether others should be let run; says so once a slice."""
        if self.spent - self._resumed < SLICE:
            return False
        self._resumed = self.spent
        return True
