"""What an extension is configured with: keyword arguments, and ``app.config`` behind them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.client import AsyncDoorward, Doorward
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.layer import Layer, LayerOptions
from doorward.settings import ENVIRONMENT_VARIABLE, MODE_VARIABLE, Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.rules.base import Rule

PREFIX = "DOORWARD_"
DEFAULT_MODE = "DOORWARD_DEFAULT_MODE"
"""The key of ``mode``: ``DOORWARD_MODE`` is an environment variable, and overrides where this is only a default."""


class FlaskOptions(Options, LayerOptions, total=False):
    """Everything that the extension takes by keyword: middleware's options, and a client's unless there is one."""


KEYS = {
    DEFAULT_MODE if name == "mode" else PREFIX + name.upper(): name
    for name in (*Options.__annotations__, *LayerOptions.__annotations__)
}
"""The option that each key of ``app.config`` stands for."""

_OF_THE_ENVIRONMENT = (MODE_VARIABLE, ENVIRONMENT_VARIABLE)


class Configuration(NamedTuple):
    """What one application is protected with.

    Attributes:
        client: Its client.
        layer: What its hooks decide with.
        exempts_static: Whether Flask's own views of static files are left alone.
    """

    client: Doorward
    layer: Layer
    exempts_static: bool


def check_names(options: Mapping[str, object], aj: object) -> None:
    """Refuse keyword arguments that do not exist, or that a ready client has settled already.

    Raises:
        ConfigurationError: There is one.
    """
    for name in options:
        if name not in KEYS.values():
            raise UnknownArgument("DoorwardFlask", name, ["app", "aj", "rules", *KEYS.values()])
        _refuse_settled(name, name, aj)


def configured(
    aj: Doorward | None, rules: Sequence[Rule], explicit: Mapping[str, Any], config: Mapping[str, Any]
) -> Configuration:
    """The client and the layer of an application; what is explicit wins over ``app.config``.

    Raises:
        ConfigurationError: A key or a value is wrong; it names the key where the value came from ``config``.
    """
    keys = {option: key for key, option in _known_keys(config).items()}
    for option, key in keys.items():
        _refuse_settled(option, key, aj)
    options: dict[str, Any] = {**{option: config[key] for option, key in keys.items()}, **explicit}
    of_client: Any = {name: value for name, value in options.items() if name in Options.__annotations__}
    of_layer: Any = {name: value for name, value in options.items() if name in LayerOptions.__annotations__}
    try:
        client = aj or Doorward(rules, **of_client)
        return Configuration(client, Layer(client, of_layer), of_layer.get("default_exemptions", True))
    except ConfigurationError as error:
        if error.field in keys and error.field not in explicit:
            raise ConfigurationError(keys[error.field], error.problem) from error
        raise


def client_of(aj: object) -> Doorward:
    """A ready client as Flask can use it: one that blocks.

    Raises:
        ConfigurationError: It is no client, or its store is asynchronous.
    """
    if isinstance(aj, AsyncDoorward):
        return aj.as_sync()
    if not isinstance(aj, Doorward):
        raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
    return aj


def _known_keys(config: Mapping[str, Any]) -> dict[str, str]:
    """The option of each of our keys in ``config``."""
    for key, value in config.items():
        if not key.startswith(PREFIX) or key in KEYS:
            continue
        if key not in _OF_THE_ENVIRONMENT:
            raise UnknownArgument("app.config", key, KEYS)
        # Not an error where an application copies its whole environment into its configuration.
        if os.environ.get(key) != value:
            problem = f"is read from the environment only; the mode of rules that name none is {DEFAULT_MODE}"
            raise ConfigurationError(key, problem)
    return {key: option for key, option in KEYS.items() if key in config}


def _refuse_settled(option: str, written: str, aj: object) -> None:
    if aj is not None and option in Options.__annotations__:
        raise ConfigurationError(written, "belongs to the client: with aj=, give it where that is built")
