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
from doorward_django.decorators import (
    DjangoDecorators,
    always_challenge,
    block,
    block_bots,
    challenge,
    exempt,
    guard,
    limit,
    require_human,
    skip,
)
from doorward_django.stepping_up import Refused, aanswer, answer, arequire, form_fields, require

__all__ = [
    "DjangoDecorators",
    "Refused",
    "aanswer",
    "always_challenge",
    "answer",
    "aprotect",
    "arequire",
    "averify_captcha",
    "block",
    "block_bots",
    "challenge",
    "client",
    "exempt",
    "form_fields",
    "guard",
    "limit",
    "protect",
    "require",
    "require_human",
    "skip",
    "verify_captcha",
]
