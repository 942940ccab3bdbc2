"""Dependencies as FastAPI sees them."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from doorward import Decision

    Dependency = Callable[..., Awaitable[Decision]]


def with_dependencies(function: Any, dependencies: Mapping[str, Any]) -> Dependency:
    """``function`` with the signature that FastAPI is to see: a connection, and what others find."""
    parameters = [Parameter("connection", Parameter.POSITIONAL_OR_KEYWORD, annotation=HTTPConnection)]
    for name, dependency in dependencies.items():
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=Depends(dependency)))
    function.__signature__ = Signature(parameters)
    seen: Dependency = function
    return seen
