"""Schemathesis against a description of the service: nothing that it makes up is answered by a failure."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from tests.conftest import SOAK
from tests.service.app import doubles
from tests.service.app.conftest import DECIDE, REPORT

from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server.application import create_app
from doorward.service.server.connect import CODES
from doorward.service.server.settings import ServiceSettings

ANSWER = {"description": "The answer", "content": {"application/json": {"schema": {"type": "object"}}}}
HEADERS = [
    {"name": "connect-timeout-ms", "in": "header", "schema": {"type": "integer", "minimum": 0, "maximum": 10**10 - 1}},
    {"name": "connect-protocol-version", "in": "header", "schema": {"const": "1"}},
]


def document() -> dict[str, Any]:
    """The two methods."""

    def method(kind: Any) -> dict[str, Any]:
        schema = kind.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
        kinds.update(schema.pop("$defs", {}))
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        return {"post": {"parameters": HEADERS, "requestBody": body, "responses": {"200": ANSWER}}}

    kinds: dict[str, Any] = {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "doorward", "version": "1"},
        "paths": {
            DECIDE: method(DecideRequest),
            REPORT: method(ReportRequest),
        },
        "components": {"schemas": kinds},
    }


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", [DECIDE, REPORT], ids=["decide", "report"])
def test_nothing_fails(path: str, mode: GenerationMode, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every answer is a decision or a Connect error with a code; a 5xx only for a time that is too short."""
    settings = ServiceSettings(folder=tmp_path_factory.mktemp("service"), store="memory://")
    # Not by schemathesis's own plugin: the application's lifespan is to run once, not for each call.
    operation = schemathesis.openapi.from_dict(document())[path]["POST"]

    @hypothesis.settings(
        max_examples=2_000 if SOAK else 20,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        given = {name: str(value).encode("utf-8", "replace") for name, value in (case.headers or {}).items()}
        head = {"content-type": b"application/json", **given, "authorization": f"Bearer {doubles.KEY}".encode()}
        body = b"" if isinstance(case.body, NotSet) else case.body
        body = body if isinstance(body, bytes) else json.dumps(body, default=repr).encode()
        response = portal.call(partial(client.post, path, content=body, headers=head))
        if response.status_code != 200:
            assert set(response.json()) == {"code", "message"}
            assert response.json()["code"] in CODES
            assert response.status_code < 500 or response.json()["code"] in ("deadline_exceeded", "unimplemented")
        codes[response.status_code] += 1

    codes: Counter[int] = Counter()
    app = create_app(settings, doubles.parts_of)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.example")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        portal.wrap_async_context_manager(client),
    ):
        check()
    assert sum(codes.values()) > 0
    assert codes[200] if mode is GenerationMode.POSITIVE else codes[400], codes
