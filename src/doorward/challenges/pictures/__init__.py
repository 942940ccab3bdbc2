"""Pictures and sounds that a person understands, drawn for each challenge: a price, and no proof of a person.

A model that reads pictures passes them, and so does somebody who is paid for it. What they hold against is a script
without either, and guessing: :mod:`.luck` has the arithmetic.

Nothing here comes from a set that can be collected: letters, shapes and rows are drawn anew each time, from a random
seed that only the server knows (:mod:`.records`). Sounds are spoken digits, changed and covered by noise; they are the
weakest of all, and there so that nobody is shut out who does not see.
"""

from doorward.challenges.pictures.kind import NAMES, Pictures

__all__ = ["NAMES", "Pictures"]
