"""Every application under test."""

from __future__ import annotations

from tests.behaviour.clients.base import AppUnderTest
from tests.behaviour.clients.django_app import DjangoAsync, DjangoSync
from tests.behaviour.clients.fastapi_app import FastAPIApp
from tests.behaviour.clients.flask_app import FlaskApp
from tests.behaviour.clients.raw_asgi import RawAsgi
from tests.behaviour.clients.raw_wsgi import RawWsgi
from tests.behaviour.clients.starlette_app import StarletteApp

EVERY: tuple[type[AppUnderTest], ...] = (
    RawAsgi,
    RawWsgi,
    StarletteApp,
    FastAPIApp,
    FlaskApp,
    DjangoSync,
    DjangoAsync,
)
DECORATED = tuple(kind for kind in EVERY if kind.decorates)
SOCKETS = tuple(kind for kind in EVERY if kind.sockets)
UNDECORATED = tuple(kind for kind in EVERY if not kind.decorates)
CHUNKED = tuple(kind for kind in EVERY if kind.chunked)
AWAITING = tuple(kind for kind in EVERY if kind.awaits)
