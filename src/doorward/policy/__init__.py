"""Rules from a file: TOML or YAML, with the names and the arguments of the builders in code.

::

    # policy.toml
    [[rules]]
    rule = "sliding_window"
    max = 5
    interval = "10m"
    paths = ["/login"]

>>> policy = doorward.policy.load("policy.toml")  # doctest: +SKIP
>>> aj = policy.client()                          # doctest: +SKIP
>>> aj = Doorward(policy="policy.toml")           # doctest: +SKIP   the same, and it follows the file while it runs
"""

from __future__ import annotations

from doorward.policy.errors import Mistake, PolicyError
from doorward.policy.loading import Entry, Policy, load

__all__ = ["Entry", "Mistake", "Policy", "PolicyError", "load"]
