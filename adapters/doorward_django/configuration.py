"""``settings.DOORWARD``: one dict for the client and the middleware, checked when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from doorward import AsyncDoorward, ConfigurationError, Doorward, UnknownArgument
from doorward.layer import LayerOptions
from doorward.settings import Options

SETTING = "DOORWARD"
_FOR_LAYER = tuple(LayerOptions.__annotations__)
_FOR_CLIENT = ("rules", *Options.__annotations__)
ACCEPTED = ("client", *_FOR_CLIENT, *_FOR_LAYER)

_IMPORTED = ("client", "rules", "clock", "logger", "on_decision", "on_denied")
"""Options that may be dotted paths; so may ``store``, where it is no URL, and each rule in ``rules``."""


def is_set() -> bool:
    """Whether there is anything to read."""
    return getattr(settings, SETTING, None) is not None


def read() -> tuple[Doorward | AsyncDoorward, LayerOptions]:
    """The client and the middleware's options; those of an empty dict when the setting is absent.

    Raises:
        ConfigurationError: The setting is wrong; the message names the option.
    """
    options = _given()
    layer: Any = {name: options.pop(name) for name in _FOR_LAYER if name in options}
    if "client" not in options:
        return AsyncDoorward(**options), layer
    client = options.pop("client")
    if options:
        raise ConfigurationError(f"{SETTING}[{min(options)!r}]", "belongs to the client, which 'client' brings along")
    if not isinstance(client, Doorward | AsyncDoorward):
        raise ConfigurationError(f"{SETTING}['client']", f"must be a Doorward or an AsyncDoorward, not {client!r}")
    return client, layer


def _given() -> dict[str, Any]:
    given = getattr(settings, SETTING, None)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(SETTING, f"must be a dict such as {{'rules': […]}}, not {given!r}")
    for name in given:
        if name not in ACCEPTED:
            raise UnknownArgument(f"settings.{SETTING}", str(name), ACCEPTED)
    options: dict[str, Any] = {name: _imported(name, value) for name, value in given.items()}
    if isinstance(options.get("rules"), list | tuple):
        options["rules"] = [_resolved("rules", rule) for rule in options["rules"]]
    return options


def _imported(name: str, value: object) -> object:
    if name in _IMPORTED or (name == "store" and isinstance(value, str) and "://" not in value):
        return _resolved(name, value)
    return value


def _resolved(name: str, value: object) -> object:
    """What a dotted path names; anything that is not text as it is."""
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ConfigurationError(f"{SETTING}[{name!r}]", f"cannot be imported: {error}") from error
