"""What may stand in a policy file: the arguments of the builders and of the client, taken from their own signatures.

Only what is data is left of their types: text for a mode, ``"10m"`` for a timedelta, ``"re:…"`` for a compiled pattern.
"""

from __future__ import annotations

import enum
import inspect
import re
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints, is_typeddict

import doorward
from doorward import settings
from doorward.challenges.options import ChallengeOptions
from doorward.client_ip import Proxies
from doorward.decision import Mode
from doorward.levels import Level
from doorward.rules import limits
from doorward.rules.base import OnError, Rule
from doorward.settings import Options

if TYPE_CHECKING:
    Builder = Callable[..., Rule | tuple[Rule, ...]]

BUILDERS = (
    "shield",
    "detect_bot",
    "validate_email",
    "protect_signup",
    "fixed_window",
    "sliding_window",
    "token_bucket",
    "rate_limit",
    "filter_request",
    "allow",
    "deny",
    "weigh",
    "challenge",
    "honeypot",
    "form_trap",
)
OPTIONS = (
    "mode",
    "on_error",
    "characteristics",
    "ipv6_prefix",
    "proxies",
    "limits",
    "thresholds",
    "body_limit",
    "challenges",
)
"""The options of a client that may stand in a file: those that take effect without a restart.

Where counters live and who is asked (``store``, ``service``, ``name``, ``timeout`` …) is about a deployment, and
objects (``clock``, ``logger`` …) are none of a file's: both are said in code.
"""

_IMPORTED_FOR_TYPES = {
    "re": re,
    "date": date,
    "timedelta": timedelta,
    "Callable": Callable,
    "Collection": Collection,
    "Mapping": Mapping,
    "Sequence": Sequence,
    "Mode": Mode,
    "ChallengeOptions": ChallengeOptions,
    "Level": Level,
    "OnError": OnError,
    "Rule": Rule,
}
"""Names that modules of builders import for type checkers only."""
# None is for what computes arguments: whoever writes a file leaves out what he does not want to say.
_CODE_ONLY: tuple[Any, ...] = (type(None), timedelta, re.Pattern, Proxies, Callable)
_LISTS = (list, tuple, set, frozenset, Sequence, Collection)


class Argument(NamedTuple):
    """One argument of a builder.

    Attributes:
        name: Its name.
        type: What it may be in a file: str, int, float, bool, and lists, mappings, unions and literals of them.
        required: Whether it has to be given.
        default: What it is otherwise; None where that is said elsewhere.
    """

    name: str
    type: Any
    required: bool
    default: Any = None


def builder(name: str) -> Builder:
    """The builder of a name."""
    found: Builder = getattr(doorward, name)
    return found


def by_names(build: Builder) -> Builder:
    """The same builder, in which also what code says by its place has its name: ``honeypot(traps=[…])``."""
    parameters = inspect.signature(build).parameters.values()
    placed = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")
    return (lambda **given: build(*given.pop(placed, ()), **given)) if placed else build


@cache
def arguments(name: str) -> dict[str, Argument]:
    """The arguments of a builder by name, its own first."""
    build = builder(name)
    hints = get_type_hints(build, None, _IMPORTED_FOR_TYPES)
    found: dict[str, Argument] = {}
    for parameter in inspect.signature(build).parameters.values():
        annotation = hints[parameter.name]
        if parameter.kind is parameter.VAR_KEYWORD:  # **options: Unpack[…]
            found |= {
                key: Argument(key, kind, required=False) for key, kind in hints_of(get_args(annotation)[0]).items()
            }
        elif parameter.kind is parameter.VAR_POSITIONAL:  # a list of at least one, in a file
            found[parameter.name] = Argument(parameter.name, list[as_data(annotation)], required=True)  # type: ignore[misc]
        else:
            required = parameter.default is parameter.empty
            default = None if required else parameter.default
            found[parameter.name] = Argument(parameter.name, as_data(annotation), required, default)
    return found


@cache
def options() -> dict[str, Argument]:
    """The client's options that may stand in a file."""
    chosen = {name: Options.__annotations__[name] for name in OPTIONS}
    hints = get_type_hints(type("Chosen", (), {"__annotations__": chosen}), dict(vars(settings)), _IMPORTED_FOR_TYPES)
    return {name: Argument(name, as_data(hints[name]), required=False) for name in OPTIONS}


def hints_of(table: Any) -> dict[str, Any]:
    """The types of a TypedDict's keys in a file."""
    hints = get_type_hints(table, None, {**vars(limits), **_IMPORTED_FOR_TYPES})
    return {name: as_data(kind) for name, kind in hints.items()}


def as_data(annotation: Any) -> Any:
    """What is left of a type in a file."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        left = [as_data(each) for each in inner if not _is_code(each)]
        return Union[tuple(left)] if left else Any  # noqa: UP007  (of a tuple that is made here)
    if origin in _LISTS:
        return list[as_data(inner[0])] if inner else list[Any]  # type: ignore[misc]  # made while it runs
    if origin is Mapping:
        return dict[str, as_data(inner[1])]  # type: ignore[misc]  # made while it runs
    return annotation


def _is_code(annotation: Any) -> bool:
    """Whether nothing in a file can be such a thing, or text can that stands beside it."""
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return True
    return kind in _CODE_ONLY or kind is get_origin(Callable[..., Any])


def shape(kind: Any) -> Any:
    """A type as pydantic is to check it: what values may be is for the builders to say, who say it better."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return str
    if is_typeddict(kind) or origin is dict:
        return dict[str, Any]
    if origin is Union:
        return Union[tuple(shape(each) for each in inner)]  # noqa: UP007  (of a tuple that is made here)
    if origin is list:
        return list[shape(inner[0])]  # type: ignore[misc]  # made while it runs
    return kind


__all__ = [
    "BUILDERS",
    "OPTIONS",
    "Argument",
    "arguments",
    "as_data",
    "builder",
    "by_names",
    "hints_of",
    "options",
    "shape",
]
