"""Public doubles for tests: of doorward, and of applications that use it.

With pytest the fixture ``doorward`` has all of it at hand (``docs/testing.md``); elsewhere it is :class:`Harness`.
"""

from __future__ import annotations

from doorward.testing.assertions import assert_allowed, assert_challenged, assert_denied, assert_would_deny
from doorward.testing.doubles import FakeClock, ScriptedResolver, swallowed_errors
from doorward.testing.harness import Harness
from doorward.testing.recorder import MissingInput
from doorward.testing.scripted_service import ScriptedService

__all__ = [
    "FakeClock",
    "Harness",
    "MissingInput",
    "ScriptedResolver",
    "ScriptedService",
    "assert_allowed",
    "assert_challenged",
    "assert_denied",
    "assert_would_deny",
    "swallowed_errors",
]
