"""An evaluator with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.service.evaluate.asking import Log

from doorward.service.server.evaluation import Evaluator
from doorward.testing import FakeClock, ScriptedResolver


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make(clock: FakeClock, log: Log) -> Callable[..., Evaluator]:
    """Evaluators; in memory, since nothing else is asked for."""

    def make(store: Any = "memory://", **options: Any) -> Evaluator:
        return Evaluator(store, log, **{"clock": clock, "resolver": ScriptedResolver({}), "timeout": 30.0, **options})

    return make
