"""One application cannot stand in the way of another's decisions, by ids that it has come to know."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.service.evaluate.asking import BLOG, SHOP, asking, telling

from doorward.ids import decision_id
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.log_file import LogFile, LogFileReader


@pytest.mark.parametrize("prefix", ["lreq", "req"])
def test_a_report_does_not_hide_a_decision(tmp_path: Path, prefix: str) -> None:
    log = LogFile(tmp_path / "log.sqlite")
    evaluator = Evaluator("memory://", log)
    name = decision_id(evaluator.runtime.clock.now_ns())

    async def told() -> str:
        await evaluator.report(SHOP, telling({"id": name, "conclusion": "DENY"}))
        answer = await evaluator.decide(SHOP, asking(), None)
        own: str = name if prefix == "lreq" else answer["decision"]["id"]
        await evaluator.report(BLOG, telling({"id": own, "conclusion": "ALLOW"}))
        await evaluator.aclose()
        return own

    wanted = asyncio.run(told())
    assert log.close()
    found = LogFileReader(tmp_path / "log.sqlite").find(wanted)
    assert found is not None
    assert (found.site, found.reported) == (SHOP.name, prefix == "lreq")


def test_decisions_of_the_service_are_nobodys_to_report(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log.sqlite")
    evaluator = Evaluator("memory://", log)
    forged = decision_id(evaluator.runtime.clock.now_ns(), prefix="req")
    asyncio.run(evaluator.report(BLOG, telling({"id": forged, "conclusion": "ALLOW"})))
    assert log.close()
    assert LogFileReader(tmp_path / "log.sqlite").find(forged) is None
