"""protect and aprotect in views: they go on from where the middleware has got to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.test import AsyncClient
from django.urls import path
from tests.adapters.django.conftest import Awaited, MakeSite
from tests.adapters.django_setup import urlconf

from doorward import Conclusion, RuleReason, sliding_window
from doorward.rules.base import Outcome, Phase, Rule
from doorward.stores import MemoryStore
from doorward_django import aprotect, limit, protect


@dataclass(frozen=True, kw_only=True)
class NoAnn(Rule):
    """Refuses one address."""

    kind: ClassVar[str] = "EMAIL"
    phase: ClassVar[Phase] = Phase.LOCAL
    needs: ClassVar[str] = "email"

    def evaluate(self, view: Any) -> Outcome:
        refused = view.inputs["email"].startswith("ann@")
        return Outcome(Conclusion.DENY if refused else Conclusion.ALLOW, RuleReason("no_ann", "is Ann"))


def wrapped_in_a_stranger(inner: Any) -> Any:
    """A decorator without functools.wraps: the limit shows when the view is reached, in a thread of Django's."""

    def hiding(request: Any) -> Any:
        return inner(request)

    return hiding


def told(decision: Any, request: Any) -> JsonResponse:
    states = {result.rule: str(result.state) for result in decision.results}
    return JsonResponse({"denied": decision.is_denied(), "states": states, "attached": request.doorward is decision})


def view(request: Any) -> JsonResponse:
    return told(protect(request, email=request.GET["email"]), request)


async def aview(request: Any) -> JsonResponse:
    return told(await aprotect(request, email=request.GET["email"]), request)


@pytest.mark.parametrize("handler", [view, aview])
def test_protect_runs_what_was_left(make_site: MakeSite, handler: Any) -> None:
    """The e-mail rule waits for the view; the limit has run in the middleware and is charged once."""
    site = make_site(path("", handler), rules=[sliding_window(max=2, interval=60, name="limit"), NoAnn(name="mail")])
    assert site.get("/?email=bob@b.example").json() == {
        "denied": False, "states": {"limit": "RUN", "mail": "RUN"}, "attached": True}  # fmt: skip
    assert site.get("/?email=ann@b.example").json()["denied"] is True
    assert site.get("/?email=bob@b.example").status_code == 429


@pytest.mark.parametrize("handler", [view, aview])
def test_protect_without_the_middleware_runs_all(make_site: MakeSite, handler: Any) -> None:
    """Without middleware protect() runs every rule of the setting."""
    rules = [sliding_window(max=1, interval=60, name="limit"), NoAnn(name="mail")]
    site = make_site(path("", handler), middleware=(), rules=rules)
    assert [site.get("/?email=bob@b.example").json()["denied"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("handler", [view, aview])
def test_a_switch_for_everything(make_site: MakeSite, handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=OFF allows everything, in the middleware, in protect() and in decorators."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    site = make_site(path("", limit("1/minute")(handler)), rules=[sliding_window(max=1, interval=60), NoAnn()])
    assert [site.get("/?email=ann@b.example").json()["denied"] for _ in range(3)] == [False] * 3


def test_headers_tell_of_the_charge_in_the_view(make_site: MakeSite) -> None:
    """RateLimit headers are of the newest decision: a view may have charged more."""

    def costly(request: Any) -> JsonResponse:
        return told(protect(request, requested=3), request)

    site = make_site(
        path("", costly), rules=[sliding_window(max=9, interval=60, name="limit")], rate_limit_headers=True
    )
    assert site.get("/")["RateLimit"] == '"limit";r=5;t=60'


@pytest.mark.parametrize("handler", [view, aview])
def test_an_asynchronous_store(configure: Any, clock: Any, handler: Any) -> None:
    """With a store that has to be awaited, middleware, decorators and protect() work in views of either kind."""
    rules = [sliding_window(max=9, interval=60, name="limit"), NoAnn(name="mail")]
    hidden = limit("2/minute", count_when=[200])(handler)
    urls = urlconf(path("", wrapped_in_a_stranger(hidden) if handler is view else hidden))
    configure(DOORWARD={"rules": rules, "store": Awaited(MemoryStore(clock=clock)), "clock": clock}, ROOT_URLCONF=urls)
    statuses = [async_to_sync(AsyncClient().get)("/?email=bob@b.example").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
