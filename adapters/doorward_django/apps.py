"""The Django application; it only brings the system checks along."""

from __future__ import annotations

from django.apps import AppConfig


class DoorwardConfig(AppConfig):
    """``INSTALLED_APPS = [..., "doorward_django"]``."""

    name = "doorward_django"
    verbose_name = "doorward"
