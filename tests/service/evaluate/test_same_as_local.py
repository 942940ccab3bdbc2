"""The service comes to what a client of doorward comes to that has the same rules."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.service.evaluate.asking import ATTACK, BROWSER, asking, bots, decided, email, limit, shield

from doorward import (
    AsyncDoorward,
    detect_bot,
    filter_request,
    fixed_window,
    sliding_window,
    token_bucket,
    validate_email,
)
from doorward import shield as local_shield
from doorward.context import RequestContext
from doorward.decision import Decision
from doorward.service.server import answers
from doorward.service.server.evaluation import Evaluator
from doorward.testing import FakeClock, ScriptedResolver

RESOLVER = ScriptedResolver({("good.example", "MX"): ["mx.good.example"], ("null.example", "MX"): [""]})
MODES = st.sampled_from(["LIVE", "DRY_RUN"])
NAMES = st.sampled_from(
    [[], ["userId"], ["ip.src", "http.host"], ['http.request.headers["x-key"]'], ["http.request.uri.path"]]
)


def _wire(mode: str) -> str:
    return f"MODE_{mode}"


def _window(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    fields = {"algorithm": 2, "windowInSeconds": 30, "interval": 0, "characteristics": names}
    return limit(most, _wire(mode), **fields), fixed_window(max=most, window=30, mode=mode, characteristics=names)


def _sliding(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    wire = limit(most, _wire(mode), characteristics=names)
    return wire, sliding_window(max=most, interval=60, mode=mode, characteristics=names)


def _bucket(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    fields = {"mode": _wire(mode), "algorithm": 1, "refillRate": 2, "interval": 7, "capacity": most}
    local = token_bucket(refill_rate=2, interval=7, capacity=most, mode=mode, characteristics=names)
    return {"rateLimit": {**fields, "characteristics": names}}, local


def _bots(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    listed = {"deny": ["CURL"]} if most % 2 else {"allow": []}
    return bots(mode=_wire(mode), **listed), detect_bot(mode=mode, **listed)


def _email(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    denied = ["DISPOSABLE", "NO_MX_RECORDS"] if most % 2 else ["FREE", "RELAY"]
    return email(*denied, mode=_wire(mode)), validate_email(deny=denied, mode=mode)


def _filter(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    expressions = ['http.request.uri.path eq "/login"', 'ip.src.country eq "DE"']
    return {"filter": {"mode": _wire(mode), "deny": expressions}}, filter_request(deny=expressions, mode=mode)


TEMPLATES = {mode: local_shield(mode=mode) for mode in ("LIVE", "DRY_RUN")}


def _shield(mode: str, names: list[str], most: int) -> tuple[Any, Any]:
    return shield(_wire(mode)), TEMPLATES[mode]


RULE = st.builds(
    lambda build, mode, names, most: build(mode, names, most),
    st.sampled_from([_window, _sliding, _bucket, _bots, _email, _filter, _shield]), MODES, NAMES, st.integers(1, 4),
)  # fmt: skip
REQUEST = st.fixed_dictionaries(
    {
        "ip": st.sampled_from(["203.0.113.9", "203.0.113.10", "2001:db8::1", "2001:db8::2"]),
        "method": st.sampled_from(["GET", "POST"]),
        "host": st.sampled_from(["shop.example", "SHOP.example:8080"]),
        "path": st.sampled_from(["/", "/login", "/a b"]),
        "query": st.sampled_from(["", "a=1", ATTACK, "q=it's"]),
        "headers": st.sampled_from([BROWSER, {"user-agent": "curl/8"}, {**BROWSER, "x-key": "k"}, {}]),
        "email": st.sampled_from(["a@good.example", "a@null.example", "a@no.example", "a@mailinator.com", "no", ""]),
        "extra": st.sampled_from([{}, {"userId": "7"}, {"userId": "7", "requested": "2"}]),
    }
)  # fmt: skip


async def _locally(client: AsyncDoorward, asked: dict[str, Any]) -> Decision:
    extra = dict(asked["extra"])
    requested = int(extra.pop("requested")) if "requested" in extra else None
    context = RequestContext(
        method=asked["method"], host=asked["host"], path=asked["path"], query=asked["query"],
        headers=list(asked["headers"].items()), peer=asked["ip"],
    )  # fmt: skip
    return await client.protect(context, email=asked["email"], requested=requested, characteristics=extra)


@settings(
    max_examples=settings.default.max_examples // 2,
    phases=[phase for phase in Phase if phase is not Phase.explain],  # explaining a failure takes minutes
)
@given(st.lists(RULE, min_size=1, max_size=5), st.lists(st.tuples(REQUEST, st.integers(0, 20)), min_size=1, max_size=6))
def test_result_by_result(rules: list[tuple[Any, Any]], requests: list[tuple[dict[str, Any], int]]) -> None:
    """Names, ids, states, conclusions, reasons, fingerprints, notes and ttl; what is refused, why, and the dry run."""

    async def run() -> None:
        clock = FakeClock()
        service = Evaluator("memory://", [], clock=clock, resolver=RESOLVER, timeout=30.0)
        client = AsyncDoorward(
            [local for _, local in rules], clock=clock, resolver=RESOLVER, proxies=(), name="shop", timeout=30.0
        )
        for asked, pause in requests:
            local = await _locally(client, asked)
            remote = await decided(service, asking(*[wire for wire, _ in rules], **asked))
            assert remote["conclusion"] == f"CONCLUSION_{local.conclusion}"
            assert remote["reason"] == answers.own_reason(local.reason)
            assert remote.get("dryRun") == local.dry_run
            assert [_without_charges(each) for each in remote["ruleResults"]] == [*map(answers.result, local.results)]
            clock.advance(pause)
        await service.aclose()
        await client.aclose()

    asyncio.run(run())


def _without_charges(result: dict[str, Any]) -> dict[str, Any]:
    result["reason"].get("rateLimit", {}).pop("charges", None)
    return result
