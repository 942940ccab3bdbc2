"""Protected sign-up in Django, in one file: ``gunicorn django_signup:application``."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST
from rules import RULES, advice, needs_review

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        INSTALLED_APPS=["doorward_django"],
        MIDDLEWARE=["doorward_django.middleware.DoorwardMiddleware"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=secrets.token_hex(),
        DOORWARD={"rules": [*RULES]},
    )
application = get_wsgi_application()

from doorward_django import protect  # noqa: E402  (after the settings, as in any views.py)


@require_POST
def signup(request: HttpRequest) -> HttpResponse:
    """The middleware has decided about address and agent; what is left is the e-mail address."""
    decision = protect(request, email=request.POST.get("email", ""))
    if decision.is_denied():
        return HttpResponse(advice(decision), status=decision.status, headers=decision.headers)
    if needs_review(decision):
        return HttpResponse("Thank you. We will look at your sign-up and write to you.", status=202)
    return HttpResponse("Welcome", status=201)


urlpatterns = [path("signup", signup)]
