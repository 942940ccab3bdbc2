"""The process's one :class:`Protection`, and what views ask of it. Django is configured globally, and so is this."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from django.core.signals import setting_changed

from doorward.errors import ConfigurationError
from doorward.progress import NOT_GIVEN, Inputs, given
from doorward.requests import carrier_of
from doorward_django import configuration
from doorward_django.protection import HANDLED, Protection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from doorward import AsyncDoorward, Decision, Doorward
    from doorward.challenges.providers.hosted import Hosted
    from doorward.challenges.providers.verified import Verified
    from doorward.fingerprint import Scalar
    from doorward.progress import NotGiven, Progress

# Reentrant: reading the setting imports modules of the application, which may ask for the client.
_lock = threading.RLock()
_current: list[Protection] = []


def protection() -> Protection:
    """The process's one Protection; made from ``settings.DOORWARD`` when first asked for.

    Raises:
        ConfigurationError: The setting is wrong.
    """
    with _lock:
        if not _current:
            made = Protection(*configuration.read())
            _current[:] = _current or [made]
        return _current[0]


def client() -> Doorward | AsyncDoorward:
    """The client behind ``settings.DOORWARD``, for ``peek``, ``reset``, ``ban`` and ``stats``.

    An :class:`~doorward.AsyncDoorward` only where the store is asynchronous. Raises as :func:`protection`.
    """
    current = protection()
    return current.blocking or current.awaiting


def protect(
    request: HttpRequest,
    *,
    email: str | NotGiven | None = NOT_GIVEN,
    requested: int | None = None,
    characteristics: Mapping[str, Scalar] | None = None,
) -> Decision:
    """Decide in a view. Rules that ran in the middleware are not run again; arguments as of ``Doorward.protect``.

    Raises:
        UnsupportedRequest: ``request`` is no request.
        ConfigurationError: There is no middleware, and ``settings.DOORWARD`` is wrong.
    """
    current, progress = _opened(request)
    if progress is None:
        return current.runtime.switched_off(current.awaiting.engine)
    return current.decide(request, progress, Inputs(given(email), characteristics or {}, requested), deferring=False)


async def aprotect(
    request: HttpRequest,
    *,
    email: str | NotGiven | None = NOT_GIVEN,
    requested: int | None = None,
    characteristics: Mapping[str, Scalar] | None = None,
) -> Decision:
    """As :func:`protect`, in an async view."""
    current, progress = _opened(request)
    if progress is None:
        return current.runtime.switched_off(current.awaiting.engine)
    inputs = Inputs(given(email), characteristics or {}, requested)
    return await current.adecide(request, progress, inputs, deferring=False)


def verify_captcha(
    request: HttpRequest, response: object, *, captcha: Hosted | str | None = None, action: str = ""
) -> Verified:
    """:meth:`doorward.Doorward.verify_captcha`, in a view: ``verify_captcha(request, request.POST)``.

    Raises:
        ConfigurationError: There is no such captcha; or the store is asynchronous: use :func:`averify_captcha`.
    """
    blocking = protection().blocking
    if blocking is None:
        raise ConfigurationError("store", "is asynchronous: use averify_captcha, in an async view")
    return blocking.verify_captcha(request, response, captcha=captcha, action=action)


async def averify_captcha(
    request: HttpRequest, response: object, *, captcha: Hosted | str | None = None, action: str = ""
) -> Verified:
    """As :func:`verify_captcha`, in an async view."""
    return await protection().awaiting.verify_captcha(request, response, captcha=captcha, action=action)


def _opened(request: HttpRequest) -> tuple[Protection, Progress | None]:
    carrier = carrier_of(request)
    handled = request.META.get(HANDLED)
    current: Protection = handled[0] if handled is not None else protection()
    if current.runtime.off:
        return current, None
    return current, current.runtime.resume(carrier, current.awaiting.engine)


def _forget(*, setting: str, **_: object) -> None:
    if setting == configuration.SETTING:
        with _lock:
            _current.clear()


setting_changed.connect(_forget)
