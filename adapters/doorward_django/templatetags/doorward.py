"""``{% load doorward %}``: what templates have of doorward. The application has to be in ``INSTALLED_APPS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from doorward_django.stepping_up import form_fields

if TYPE_CHECKING:
    from collections.abc import MutableMapping

register = template.Library()


@register.simple_tag(takes_context=True)
def doorward_form(context: MutableMapping[str, Any], name: str = "") -> SafeString:
    """Inside of a form: the fields that ``protect(request, form=request.POST)`` looks at.

    Needs ``request`` in the context, as ``render`` and the context processor ``request`` put it there.
    """
    return mark_safe(form_fields(context["request"], name))  # noqa: S308  (doorward has escaped what is in it)
