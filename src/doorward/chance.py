"""Chance for what only spreads load: when a server that is away is asked again.

The application's own ``random`` is left alone. A draw of ours would change what a program that seeds it gets, and
workers forked from one process would all draw the same.
"""

from __future__ import annotations

import random

chance = random.SystemRandom().random
"""A number from 0 to 1, from the system's entropy."""
