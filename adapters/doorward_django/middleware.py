"""The middleware: one class for sync and async stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from doorward import ConfigurationError
from doorward_django import configuration
from doorward_django.current import protection
from doorward_django.endpoints import aanswer, answer
from doorward_django.routing import policy_for
from doorward_django.stepping_up import Refused, context_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class DoorwardMiddleware:
    """Decides about every request before the middleware below it and the view.

    The decision is at ``request.doorward`` and ``request.META["doorward.decision"]``. In an async stack nothing is
    handed to a thread, unless a store may block.

    Args:
        get_response: The next layer, as Django hands it over.

    Raises:
        ConfigurationError: ``settings.DOORWARD`` is missing or wrong.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        if not configuration.is_set():
            raise ConfigurationError(
                configuration.SETTING, "is not set: a dict such as {'rules': […]}; see doorward_django"
            )
        self.get_response = get_response
        self.protection = protection()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        elif self.protection.blocking is None:
            raise ConfigurationError(
                "store", "is asynchronous: serve Django through ASGI, with async-capable middleware below"
            )

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Handle one request."""
        if self.protection.layer.serves(request.path_info):
            return (aanswer if self._is_async else answer)(self.protection.runtime, request)
        handle = self.protection.ahandle if self._is_async else self.protection.handle
        return handle(request, policy_for, self.get_response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """The answer to what a view's ``require`` has refused. In an async stack Django hands this to a thread."""
        if not isinstance(exception, Refused):
            return None
        return self.protection.refusal(request, context_of(request), exception.decision)
