"""A sign-up application in Django, in one file.

Serve it with ``gunicorn django_app:application``, and try:

    curl -i -X POST http://127.0.0.1:8000/api/signup -H 'Content-Type: application/json' -d '{"email": "a@b.example"}'
"""

from __future__ import annotations

import json
import secrets

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from doorward import token_bucket

FORM = """<!doctype html><html lang="en"><title>Sign up</title><h1>Sign up</h1>
<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label>
<button>Sign up</button></form></html>"""

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    INSTALLED_APPS=["doorward_django"],
    MIDDLEWARE=["doorward_django.middleware.DoorwardMiddleware"],  # first, so that a refusal costs nothing else
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    # Everything, by address: 60 requests at once, then one a second.
    DOORWARD={
        "rules": [token_bucket(capacity=60, refill_rate=1, interval="1s")],
        "rate_limit_headers": True,
    },
)
application = get_wsgi_application()

from doorward_django import exempt, limit  # noqa: E402  (after the settings, as in any views.py)


def form(request: HttpRequest) -> HttpResponse:
    """The form."""
    return HttpResponse(FORM)


@limit("5 per 10 minutes", name="signup", scope="signup")
@require_POST
def signup_form(request: HttpRequest) -> HttpResponse:
    """Sign up with the form. The same ``scope`` makes this and the API share one limit."""
    if "@" not in request.POST.get("email", ""):
        return HttpResponse("Bad address", status=400)
    return HttpResponse("<!doctype html><h1>Welcome</h1>")


@limit("5 per 10 minutes", name="signup", scope="signup")
@require_POST
def signup_api(request: HttpRequest) -> HttpResponse:
    """Sign up with JSON. The limit takes the place of the one for everything."""
    try:
        data = json.loads(request.body)
    except ValueError:
        data = None
    email = data.get("email") if isinstance(data, dict) else None
    if not isinstance(email, str) or "@" not in email:
        return JsonResponse({"error": "send an e-mail address"}, status=400)
    return JsonResponse({"email": email}, status=201)


@limit("3/minute", name="failed-logins", count_when=401)
@require_POST
def login(request: HttpRequest) -> HttpResponse:
    """Log in. Only answers with status 401 use up the limit."""
    good = request.POST.get("password") == "correct horse"
    return JsonResponse({"message": "welcome"} if good else {"error": "wrong password"}, status=200 if good else 401)


@exempt
def status(request: HttpRequest) -> HttpResponse:
    """Never limited. ``/health`` and the like are exempt without being told."""
    return HttpResponse("ok")


urlpatterns = [
    path("", form),
    path("signup", signup_form),
    path("api/signup", signup_api),
    path("login", login),
    path("status", status),
]
