"""Error pages of a Django project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.views.defaults import ERROR_PAGE_TEMPLATE

from doorward.error_pages import ErrorPages
from doorward_django.responses import response_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

SETTING = "DOORWARD_ERROR_PAGES"
_USUAL = ERROR_PAGE_TEMPLATE.partition("%(")[0].encode()
"""How the pages begin that Django makes where a project has no templates for errors."""


class ErrorPagesMiddleware:
    """Puts a page in the place of Django's own bare ones, and of errors without any content, such as that of a 405.

    First in ``MIDDLEWARE``; options are in ``settings.DOORWARD_ERROR_PAGES``. Templates of the project's, and what
    ``DEBUG`` shows, are left alone.

    Args:
        get_response: The next layer, as Django hands it over.

    Raises:
        ConfigurationError: An option is wrong.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.pages = ErrorPages(**getattr(settings, SETTING, {}))
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Handle one request."""
        return self._acall(request) if self._is_async else self._replaced(request, self.get_response(request))

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        return self._replaced(request, await self.get_response(request))

    def _replaced(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        bare = not response.streaming and (not response.content or response.content.startswith(_USUAL))
        original: HttpResponseBase = response
        if not bare or not self.pages.covers(original.status_code):
            return original
        get = request.headers.get
        lines = list(original.items())
        accept, languages = [get("accept", "")], [get("accept-language", "")]
        answer = self.pages.answer(original.status_code, accept, languages, headers=lines)
        page = response_of(answer, head=request.method == "HEAD")
        page.cookies.update(original.cookies)
        return page
