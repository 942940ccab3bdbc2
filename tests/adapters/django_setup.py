"""Django for tests: configured once a process, with as little as possible; tests override what they are about."""

from __future__ import annotations

import types
from typing import Any

import django
from django.conf import settings

MIDDLEWARE = "doorward_django.middleware.DoorwardMiddleware"


def ensure_django() -> None:
    """Configure Django unless it is; settings are process-global, so that every test must go through this."""
    if settings.configured:
        return
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={},
        DEBUG=False,
        INSTALLED_APPS=["doorward_django"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[MIDDLEWARE],
        ROOT_URLCONF=urlconf(),
        SECRET_KEY="not a secret",
        USE_TZ=True,
    )
    django.setup(set_prefix=False)


def urlconf(*patterns: Any, **handlers: Any) -> types.ModuleType:
    """A URLconf for ``override_settings(ROOT_URLCONF=…)``; one of its own each time, since Django caches resolvers."""
    module = types.ModuleType("tests_urlconf")
    vars(module).update(handlers, urlpatterns=list(patterns))
    return module
