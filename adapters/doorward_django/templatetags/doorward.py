"""``{% load doorward %}``: what forms have of doorward, which has to be in ``INSTALLED_APPS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from doorward_django.current import client
from doorward_django.stepping_up import form_fields

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from django.template import Context

register = template.Library()


@register.simple_tag(takes_context=True)
def doorward_form(context: MutableMapping[str, Any], name: str = "") -> SafeString:
    """Inside of a form: the fields that ``protect(request, form=request.POST)`` looks at.

    Needs ``request`` in the context, as ``render`` and the context processor ``request`` put it there.
    """
    return mark_safe(form_fields(context["request"], name))  # noqa: S308  (doorward has escaped what is in it)


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
