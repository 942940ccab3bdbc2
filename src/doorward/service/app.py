"""``doorward.service.app:app``: the decision service for any ASGI server, with settings from ``DOORWARD_SERVICE_*``."""

from __future__ import annotations

from doorward.service.server.application import create_app
from doorward.service.server.settings import ServiceSettings

app = create_app(ServiceSettings.from_environ())

__all__ = ["ServiceSettings", "app", "create_app"]
