"""The plan on standard input, done with Arcjet's SDK for Python: a line of JSON for each call.

The argument is ``sync`` or ``async``. ``$ARCJET_BASE_URL``, which the SDK reads when it is imported, is the service.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import arcjet
from arcjet import Decision

KEY = os.environ["ARCJET_KEY"]


def rules_of(step: dict[str, Any]) -> list[Any]:
    made: list[Any] = []
    for name, arguments in step["rules"]:
        if name == "protect_signup":
            made += arcjet.protect_signup(**arguments)
        else:
            made.append(getattr(arcjet, name)(**{"mode": "LIVE", **arguments}))
    return made


def request_of(step: dict[str, Any]) -> dict[str, Any]:
    request = {name: step[name] for name in ("ip", "path", "query", "headers")}
    return {**request, "method": "POST", "protocol": "http", "host": step["headers"]["host"]}


def keywords_of(call: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in call.items() if name != "userId"}
    return {**given, "characteristics": {"userId": call["userId"]}} if "userId" in call else given


def told(step: dict[str, Any], decision: Decision) -> None:
    plain = decision.to_dict()
    results = [
        {
            "id": result.rule_id,
            "state": wire.get("state", "").removeprefix("RULE_STATE_"),
            "conclusion": wire.get("conclusion", "").removeprefix("CONCLUSION_"),
            "reason": result.reason_v2.type,
            "fingerprint": result.fingerprint or "",
        }
        for result, wire in zip(decision.results, plain.get("rule_results", []), strict=True)
    ]
    line = {
        "step": step["name"],
        "id": decision.id,
        "conclusion": plain.get("conclusion", "").removeprefix("CONCLUSION_"),
        "reason": decision.reason_v2.type,
        "why": repr(decision.reason_v2),
        "ttl": decision.ttl,
        "country": decision.ip_details.country if decision.ip_details else None,
        "results": results,
    }
    sys.stdout.write(json.dumps(line) + "\n")


def do(plan: list[dict[str, Any]]) -> None:
    for step in plan:
        with arcjet.arcjet_sync(key=KEY, rules=rules_of(step), characteristics=step["characteristics"]) as client:
            for call in step["calls"]:
                told(step, client.protect(request_of(step), **keywords_of(call)))


async def do_async(plan: list[dict[str, Any]]) -> None:
    for step in plan:
        async with arcjet.arcjet(key=KEY, rules=rules_of(step), characteristics=step["characteristics"]) as client:
            for call in step["calls"]:
                told(step, await client.protect(request_of(step), **keywords_of(call)))
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))  # the reports


if __name__ == "__main__":
    if sys.argv[1] == "sync":
        do(json.load(sys.stdin))
    else:
        asyncio.run(do_async(json.load(sys.stdin)))
    sys.stdout.write("end\n")
    sys.stdout.flush()
