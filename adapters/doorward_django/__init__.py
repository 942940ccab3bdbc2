"""doorward for Django: middleware for sync and async stacks, settings, decorators, system checks.

::

    # settings.py
    INSTALLED_APPS = [..., "doorward_django"]
    MIDDLEWARE = ["doorward_django.middleware.DoorwardMiddleware", ...]
    DOORWARD = {"rules": [sliding_window(max=100, interval="1m")], "rate_limit_headers": True}

    # views.py
    @limit("5/minute")
    def login(request): ...

    def sign_up(request):
        decision = protect(request, email=request.POST["email"])
"""

from __future__ import annotations

from doorward_django import checks as _checks  # noqa: F401  (registers the system checks)
from doorward_django.current import aprotect, averify_captcha, client, protect, verify_captcha
from doorward_django.decorators import DjangoDecorators, exempt, guard, limit

__all__ = [
    "DjangoDecorators",
    "aprotect",
    "averify_captcha",
    "client",
    "exempt",
    "guard",
    "limit",
    "protect",
    "verify_captcha",
]
