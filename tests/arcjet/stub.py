"""A service that answers as the plan says, so that the SDKs prove the wire alone; and writes down what it is asked.

Run by hypercorn, which speaks HTTP/1.1 and HTTP/2 in clear text on one port.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.arcjet.documented import fingerprint, rule_id
from tests.arcjet.plan import PLAN, Call

from doorward.service.server import proto_codec

SERVICE = "/proto.decide.v1alpha1.DecideService"
SECONDS = 30
ID = "req_01k00000000000000000000000"
REASONS: dict[str, dict[str, Any]] = {
    "RATE_LIMIT": {"rateLimit": {"max": 5, "remaining": 0, "resetInSeconds": SECONDS, "windowInSeconds": 60}},
    "SHIELD": {"shield": {"shieldTriggered": True}},
    "BOT": {"botV2": {"denied": ["UNKNOWN_BOT"]}},
    "EMAIL": {"email": {"emailTypes": ["EMAIL_TYPE_DISPOSABLE"]}},
    "ERROR": {"error": {"message": "the service has no such rule"}},
}
KINDS = {"shield": "SHIELD", "rateLimit": "RATE_LIMIT", "botV2": "BOT", "email": "EMAIL"}
FINE = {
    "SHIELD": {"shield": {}},
    "RATE_LIMIT": {"rateLimit": {"max": 5, "remaining": 4, "resetInSeconds": 60, "windowInSeconds": 60}},
    "BOT": {"botV2": {}},
    "EMAIL": {"email": {}},
}
served: dict[str, list[Call]] = {step.name: [call for call in step.calls if call.served] for step in PLAN}
asked: Counter[str] = Counter()


def decision(message: dict[str, Any]) -> dict[str, Any]:
    path = message["details"]["path"]
    call = served[path.rpartition("/")[2]][asked[path]]
    asked[path] += 1
    results = [result(rule, message, call) for rule in message["rules"]]
    conclusion, _, kind = call.answer.partition(" ")
    reason = REASONS[kind] if kind else next(one["reason"] for one in results if "error" not in one["reason"])
    answer = {"id": ID, "conclusion": f"CONCLUSION_{conclusion}", "reason": reason, "ruleResults": results}
    return {
        **answer,
        "ttl": max(one["ttl"] for one in results),
        "ipDetails": {"country": "DE", "countryName": "Germany", "latitude": 52.5},
    }


def result(rule: dict[str, Any], message: dict[str, Any], call: Call) -> dict[str, Any]:
    ((field, options),) = rule.items()
    kind = KINDS.get(field, "ERROR")
    denies = call.answer == f"DENY {kind}" or kind in call.dry
    requested = int(message["details"].get("extra", {}).get("requested", 1))
    names = options.get("characteristics") or message.get("characteristics", [])
    return {
        "ruleId": rule_id(rule, message.get("characteristics", [])),
        "fingerprint": fingerprint(message["details"], names),
        "state": "RULE_STATE_DRY_RUN" if options["mode"] == "MODE_DRY_RUN" else "RULE_STATE_RUN",
        "conclusion": "CONCLUSION_DENY" if denies else "CONCLUSION_ERROR" if kind == "ERROR" else "CONCLUSION_ALLOW",
        "reason": REASONS[kind] if denies or kind == "ERROR" else FINE[kind],
        "ttl": SECONDS if denies and kind == "RATE_LIMIT" and requested == 1 else 0,
    }


async def message_of(request: Request, kind: proto_codec.RequestKind) -> dict[str, Any]:
    body = await request.body()
    coding = request.headers.get("content-encoding", "identity")
    plain = gzip.decompress(body) if coding == "gzip" else body
    message: dict[str, Any] = json.loads(proto_codec.decode(kind, plain))
    heard = {
        "call": kind.removesuffix("Request"),
        "path": message["details"]["path"],
        "coding": coding,
        "bytes": len(plain),
        "http": request.scope["http_version"],
        "type": request.headers["content-type"],
        "message": message,
    }
    note(heard)
    return message


def note(heard: dict[str, Any]) -> None:
    with Path(os.environ["STUB_LOG"]).open("a") as log:
        log.write(json.dumps(heard) + "\n")


async def decide(request: Request) -> Response:
    if request.headers.get("authorization") != f"Bearer {os.environ['ARCJET_KEY']}":
        return JSONResponse({"code": "unauthenticated", "message": "the key is not known"}, status_code=401)
    answer = {"decision": decision(await message_of(request, "DecideRequest"))}
    # In the coding that connect-python asks for first; connect-es takes it, too.
    body = gzip.compress(proto_codec.encode("DecideResponse", answer))
    return Response(body, media_type="application/proto", headers={"content-encoding": "gzip"})


async def report(request: Request) -> Response:
    await message_of(request, "ReportRequest")
    return Response(proto_codec.encode("ReportResponse", {}), media_type="application/proto")


app = Starlette(
    routes=[
        Route(f"{SERVICE}/Decide", decide, methods=["POST"]),
        Route(f"{SERVICE}/Report", report, methods=["POST"]),
    ]
)
