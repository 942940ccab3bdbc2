"""System checks: what is wrong with the setting, the middleware and their order, before the first request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks
from django.urls import get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.module_loading import import_string

from doorward.checks import findings_of
from doorward.checks.subject import subject_of
from doorward_django import configuration
from doorward_django.current import client, protection
from doorward_django.decorators import decorators
from doorward_django.middleware import DoorwardMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.checks import Code

_MIDDLEWARE = "doorward_django.middleware.DoorwardMiddleware"
_LOCALE = "django.middleware.locale.LocaleMiddleware"
_CACHES = ("django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware",
           "django.middleware.cache.CacheMiddleware")  # fmt: skip
_CORS = "corsheaders.middleware.CorsMiddleware"


@checks.register("doorward")
def check_setting(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.E001``: ``settings.DOORWARD`` is wrong, or missing where the middleware needs it."""
    if not configuration.is_set() and not _positions():
        return []
    problem = "DOORWARD: is not set, but DoorwardMiddleware is in MIDDLEWARE"
    try:
        if configuration.is_set():
            protection()
            return []
    except Exception as error:
        problem = str(error)
    hint = "DOORWARD = {'rules': [sliding_window(max=100, interval='1m')], …}; the message names what is accepted."
    return [checks.Error(problem, hint=hint, id="doorward.E001")]


@checks.register("doorward")
def check_once(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.E002``: the middleware is there more than once."""
    if len(_positions()) < 2:
        return []
    message = "DoorwardMiddleware is in MIDDLEWARE more than once."
    return [checks.Error(message, hint="Rules run once a request anyway: keep the first.", id="doorward.E002")]


@checks.register("doorward")
def check_present(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.W003``: views are decorated, or the application is installed, but there is no middleware."""
    if _positions():
        return []
    _urlconf()
    hint = f"Add {_MIDDLEWARE!r} to MIDDLEWARE, near the top: below SecurityMiddleware and LocaleMiddleware."
    if decorators.used:
        message = "Views are decorated, but DoorwardMiddleware is not in MIDDLEWARE: all others are not protected."
    elif "doorward_django" in map(_root, settings.INSTALLED_APPS):
        message = "doorward_django is installed, but DoorwardMiddleware is not in MIDDLEWARE: nothing is protected."
    else:
        return []
    return [checks.Warning(message, hint=hint, id="doorward.W003")]


@checks.register("doorward")
def check_order(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.W004`` to ``W006``: the middleware stands where other middleware gets in its way."""
    positions = _positions()
    if not positions:
        return []
    above, below = settings.MIDDLEWARE[: positions[0]], settings.MIDDLEWARE[positions[0] + 1 :]
    found: list[checks.CheckMessage] = []
    if _LOCALE in below and decorators.used and _is_localized(_urlconf()):
        message = (
            "DoorwardMiddleware is above LocaleMiddleware: it cannot see which view an i18n_patterns URL leads to."
        )
        found.append(checks.Warning(message, hint="Move it below LocaleMiddleware.", id="doorward.W004"))
    if any(cache in above for cache in _CACHES):
        message = "DoorwardMiddleware is below the cache middleware: cached pages are served without a decision."
        hint = "Move it above UpdateCacheMiddleware; RateLimit headers of one client must not be cached either."
        found.append(checks.Warning(message, hint=hint, id="doorward.W005"))
    if _CORS in below:
        message = "DoorwardMiddleware is above CorsMiddleware: scripts of other origins cannot read a refusal."
        found.append(checks.Warning(message, hint="Move it below CorsMiddleware.", id="doorward.W006"))
    return found


@checks.register("doorward")
def check_rules(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.DW001`` and on: rules that cannot work. Warnings at most, so that a server starts for all that."""
    levels = {"note": checks.Info, "warning": checks.Warning, "error": checks.Warning}
    return _findings(levels, lambda code: code.about == "rules")


@checks.register("doorward", deploy=True)
def check_deployment(**_: Any) -> list[checks.CheckMessage]:
    """``doorward.DW041`` and on, under ``check --deploy``: where and how the rules are run."""
    levels = {"note": checks.Info, "warning": checks.Warning, "error": checks.Error}
    return _findings(levels, lambda code: code.about == "deployment")


def _findings(levels: Mapping[str, Any], only: Callable[[Code], bool]) -> list[checks.CheckMessage]:
    """What ``doorward check`` finds, as messages of Django's, silenced by id in ``SILENCED_SYSTEM_CHECKS``."""
    if not configuration.is_set():
        return []
    try:
        # The command line is that of manage.py.
        subject = subject_of(client(), os.environ, (), exempts=_exempts())
    except Exception:
        return []  # the setting is wrong: doorward.E001
    return [
        levels[level](f"{rule}: {message}" if rule else message, hint=hint, id=f"doorward.{code}")
        for code, level, rule, message, hint in findings_of(subject, only=only)
    ]


def _exempts() -> bool:
    return bool(getattr(settings, configuration.SETTING).get("default_exemptions", True))


def _positions() -> list[int]:
    return [index for index, path in enumerate(settings.MIDDLEWARE) if _is_doorward(path)]


def _is_doorward(path: str) -> bool:
    try:
        middleware = import_string(path)
    except ImportError:
        # Django says so itself, when it loads the middleware.
        return False
    return isinstance(middleware, type) and issubclass(middleware, DoorwardMiddleware)


def _root(application: str) -> str:
    return application.partition(".")[0]


def _urlconf() -> Sequence[Any]:
    """The URL patterns; none where they cannot be imported, which Django's own checks report."""
    try:
        patterns: Sequence[Any] = get_resolver().url_patterns
    except Exception:
        return ()
    return patterns


def _is_localized(patterns: Sequence[Any]) -> bool:
    return any(isinstance(getattr(pattern, "pattern", None), LocalePrefixPattern) for pattern in patterns)
