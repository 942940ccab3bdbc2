"""settings.DOORWARD: mistakes are found when the middleware is built, and by manage.py check."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import path
from tests.adapters.django.conftest import Awaited, ok
from tests.adapters.django_setup import MIDDLEWARE, urlconf

from doorward import ConfigurationError, Doorward, sliding_window
from doorward.stores import MemoryStore
from doorward_django import client, limit
from doorward_django.decorators import decorators
from doorward_django.middleware import DoorwardMiddleware

RULES = [sliding_window(max=1, interval=60)]
LOCALE = "django.middleware.locale.LocaleMiddleware"
CACHE = "django.middleware.cache.UpdateCacheMiddleware"
CORS = "corsheaders.middleware.CorsMiddleware"

aj = Doorward(RULES, name="mine")
store = MemoryStore()
not_callable = 1


def on_denied(request: Any, decision: Any) -> HttpResponse:
    return HttpResponse(status=418)


WRONG: dict[str, tuple[Any, str]] = {
    "not set": (None, "DOORWARD: is not set"),
    "no dict": ([], "DOORWARD: must be a dict"),
    "unknown key": ({"ruels": RULES}, "Did you mean rules?"),
    "unknown layer key": ({"rate_limit_header": True}, "Did you mean rate_limit_headers?"),
    "no rule": ({"rules": ["5/minute"]}, "DOORWARD['rules']: cannot be imported"),
    "wrong path": ({"client": f"{__name__}.nothing"}, "DOORWARD['client']: cannot be imported"),
    "wrong client": ({"client": f"{__name__}.store"}, "DOORWARD['client']: must be a Doorward"),
    "client and more": ({"client": aj, "mode": "DRY_RUN"}, "DOORWARD['mode']: belongs to the client"),
    "wrong value": ({"mode": "DEAD"}, "mode: must be"),
    "wrong layer value": ({"on_denied": f"{__name__}.not_callable"}, "on_denied: must be callable"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_found_at_the_start(configure: Any, case: str) -> None:
    """Building the middleware raises, and manage.py check reports doorward.E001, with the same words."""
    setting, message = WRONG[case]
    configure(DOORWARD=setting)
    with pytest.raises(ConfigurationError) as raised:
        DoorwardMiddleware(ok)
    assert message in str(raised.value)
    assert [(error.id, message in error.msg) for error in found()] == [("doorward.E001", True)]


def found() -> list[Any]:
    return run_checks(tags=["doorward"])


def test_dotted_paths_are_imported(configure: Any) -> None:
    """Client, store, rules and callables may be named."""
    configure(DOORWARD={"client": f"{__name__}.aj", "on_denied": f"{__name__}.on_denied"})
    assert client().runtime is aj.runtime
    configure(DOORWARD={"rules": f"{__name__}.RULES", "store": f"{__name__}.store"})
    assert client().runtime.store is store
    assert list(client().health()["rules"]) == ["sliding_window"]  # type: ignore[call-overload]


def test_one_client_for_all(configure: Any) -> None:
    """Every middleware of a process and protect() share one client, and so its counters."""
    configure(DOORWARD={"rules": RULES})
    first, second = DoorwardMiddleware(ok), DoorwardMiddleware(ok)
    assert first.protection is second.protection
    assert first.protection.runtime is client().runtime


def test_an_asynchronous_store_needs_an_async_stack(configure: Any) -> None:
    """A sync stack cannot wait for an asynchronous store, and says so when it is built."""
    configure(DOORWARD={"store": Awaited(MemoryStore())})
    with pytest.raises(ConfigurationError, match="asynchronous"):
        DoorwardMiddleware(ok)


def checked(configure: Any, *middleware: str, urls: Any = None, apps: Any = (), **doorward: Any) -> list[str]:
    configure(
        MIDDLEWARE=middleware, ROOT_URLCONF=urls or urlconf(path("", ok)), INSTALLED_APPS=apps,
        DOORWARD={"rules": RULES, **doorward},
    )  # fmt: skip
    assert all(message.hint for message in found())
    return [message.id for message in found()]


@pytest.fixture
def unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decorators, "used", False)


def test_a_right_setting_passes(configure: Any) -> None:
    """Nothing is reported about a site that is in order."""
    assert checked(configure, LOCALE, MIDDLEWARE, CACHE, apps=["doorward_django"]) == []


def test_the_middleware_twice(configure: Any) -> None:
    """E002: it is listed twice."""
    assert checked(configure, MIDDLEWARE, MIDDLEWARE) == ["doorward.E002"]


class Own(DoorwardMiddleware):
    """Somebody's subclass."""


def test_a_subclass_is_known(configure: Any) -> None:
    """A subclass counts as the middleware; what cannot be imported is left to Django."""
    assert checked(configure, f"{__name__}.Own", "no.such.Middleware") == []


def test_installed_without_middleware(configure: Any, unused: None) -> None:
    """W003: the application is installed, and nothing is protected."""
    assert checked(configure, apps=["doorward_django"]) == ["doorward.W003"]
    assert checked(configure) == []


def test_decorated_without_middleware(configure: Any, unused: None) -> None:
    """W003: views are decorated in a URLconf that the check imports itself."""

    class Late:
        @property
        def urlpatterns(self) -> Any:
            return [path("", limit("1/minute")(ok))]

    assert checked(configure, urls=Late()) == ["doorward.W003"]


def test_above_the_locale_middleware(configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """W004: i18n_patterns cannot be resolved before the language is known."""
    monkeypatch.setattr(decorators, "used", True)
    localized = urlconf(*i18n_patterns(path("", ok)))
    assert checked(configure, MIDDLEWARE, LOCALE, urls=localized) == ["doorward.W004"]
    assert checked(configure, MIDDLEWARE, LOCALE) == []


def test_below_the_cache_middleware(configure: Any) -> None:
    """W005: what is cached is served undecided."""
    assert checked(configure, CACHE, MIDDLEWARE) == ["doorward.W005"]


def test_above_the_cors_middleware(configure: Any) -> None:
    """W006: refusals lack the headers that let scripts read them."""
    assert checked(configure, MIDDLEWARE, CORS) == ["doorward.W006"]
