"""Captchas in forms: ``{% load doorward %}`` and, within the form, ``{% doorward_captcha %}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from doorward_django.current import client

if TYPE_CHECKING:
    from django.template import Context

register = template.Library()


@register.simple_tag(takes_context=True)
def doorward_captcha(context: Context, captcha: str | None = None, *, action: str = "", nonce: str = "") -> Any:
    """The widget of a hosted captcha among ``settings.DOORWARD["challenges"]["kinds"]``, with its scripts.

    Args:
        context: The template's: its ``csp_nonce`` (Django's, or django-csp's) is taken where there is one.
        captcha: Name of the one that is meant, where there are several.
        action: What the response is for; ``verify_captcha`` must be told the same.
        nonce: Of the page's Content-Security-Policy, in the place of the template's.
    """
    from doorward.challenges.providers.forms import captcha_field  # few templates have one

    request = context.get("request")
    return captcha_field(client())(
        captcha,
        action=action,
        nonce=str(nonce or context.get("csp_nonce") or getattr(request, "csp_nonce", "") or ""),
        root_path=request.META.get("SCRIPT_NAME", "") if request is not None else "",
    )
