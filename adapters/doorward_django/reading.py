"""Django's requests as doorward reads them: where ``FORCE_SCRIPT_NAME`` moves the application, its path is with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from doorward.requests import from_carrier

if TYPE_CHECKING:
    from doorward.context import RequestContext
    from doorward.requests import Carrier, ReadRequest


def reading() -> ReadRequest:
    """How to read a request, as of now: tests change settings."""
    forced = settings.FORCE_SCRIPT_NAME
    if not forced:
        return from_carrier

    def read(carrier: Carrier, path: str | None = None) -> RequestContext:
        context = from_carrier(carrier, path)
        context.root_path = forced.rstrip("/")
        return context

    return read
