"""The process's one :class:`Protection`, and what views ask of it. Django is configured globally, and so is this."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

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
    from doorward.challenges.forms import Form
    from doorward.challenges.providers.hosted import Hosted
    from doorward.challenges.providers.verified import Verified
    from doorward.fingerprint import Scalar
    from doorward.progress import NotGiven, Progress

View = TypeVar("View", bound=Callable[..., Any])

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


@overload
def protect(request: View, /) -> View: ...
@overload
def protect(
    request: HttpRequest,
    *,
    email: str | NotGiven | None = ...,
    requested: int | None = ...,
    characteristics: Mapping[str, Scalar] | None = ...,
    form: Form | NotGiven | None = ...,
) -> Decision: ...
def protect(
    request: Any,
    *,
    email: str | NotGiven | None = NOT_GIVEN,
    requested: int | None = None,
    characteristics: Mapping[str, Scalar] | None = None,
    form: Form | NotGiven | None = NOT_GIVEN,
) -> Any:
    """Decide in a view. Rules that ran in the middleware are not run again; arguments as of ``Doorward.protect``.

    As a decorator of a view, :meth:`doorward.routes.RouteDecorators.protect`: all rules hold on its route.

    Raises:
        UnsupportedRequest: ``request`` is no request.
        ConfigurationError: There is no middleware, and ``settings.DOORWARD`` is wrong.
    """
    view: Any = request
    if callable(view) and not hasattr(view, "META"):
        from doorward_django.decorators import decorators  # which need this module

        return decorators.protect(view)
    return _protected(request, Inputs(given(email), characteristics or {}, requested), form)


def _protected(request: HttpRequest, inputs: Inputs, form: Form | NotGiven | None) -> Decision:
    current, progress = _opened(request)
    if progress is None:
        return current.runtime.switched_off(current.awaiting.engine)
    inputs = _inputs(current, progress, inputs, form)
    return current.decide(request, progress, inputs, deferring=False)


async def aprotect(
    request: HttpRequest,
    *,
    email: str | NotGiven | None = NOT_GIVEN,
    requested: int | None = None,
    characteristics: Mapping[str, Scalar] | None = None,
    form: Form | NotGiven | None = NOT_GIVEN,
) -> Decision:
    """As :func:`protect`, in an async view."""
    current, progress = _opened(request)
    if progress is None:
        return current.runtime.switched_off(current.awaiting.engine)
    inputs = _inputs(current, progress, Inputs(given(email), characteristics or {}, requested), form)
    return await current.adecide(request, progress, inputs, deferring=False)


def _inputs(current: Protection, progress: Progress, inputs: Inputs, form: Form | NotGiven | None) -> Inputs:
    return inputs if form is NOT_GIVEN else current.awaiting.with_form(inputs, form, progress)


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
