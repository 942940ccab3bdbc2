"""Every exception that doorward raises, in one tree.

::

    Exception
    └── DoorwardError
        ├── ConfigurationError(ValueError)     a wrong argument, found when the object is built
        │   ├── UnknownArgument(TypeError)     a keyword that does not exist
        │   └── PolicyError                    a policy file cannot be used (doorward.policy)
        ├── UnsupportedRequest(TypeError)      ``protect`` was given something that is no request
        ├── DataError                          a data file is missing, truncated or of another version
        ├── ResolverError                      the DNS, or another server that was asked, gave no usable answer
        ├── ServiceError                       the decision service gave no usable answer; never leaves ``protect``
        ├── StoreError                         a store could not answer; never leaves ``protect``
        └── DeadlineExceeded(StoreError)       remote work took longer than the decision's deadline

Bad *request* bytes never raise: they are data, and the decision says what was wrong with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class DoorwardError(Exception):
    """The root of everything that doorward raises."""


class ConfigurationError(DoorwardError, ValueError):
    """A wrong argument.

    Args:
        field: The argument or variable that is wrong, as its user wrote it.
        problem: What is wrong with it, and what is accepted.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


class UnknownArgument(ConfigurationError, TypeError):
    """A keyword argument that does not exist; the message lists those that do."""

    def __init__(self, owner: str, unknown: str, accepted: Iterable[str]) -> None:
        from difflib import get_close_matches  # imported where a mistake was made

        known = sorted(accepted)
        near = get_close_matches(unknown, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        super().__init__(unknown, f"{owner} takes no such argument.{hint} Accepted: {', '.join(known)}")


class UnsupportedRequest(DoorwardError, TypeError):
    """``protect`` was given an object that is no request doorward knows."""


class DataError(DoorwardError):
    """A data file is missing, truncated, damaged or of another version.

    Args:
        path: The file.
        problem: What is wrong with it, and what brings a good one.
    """

    def __init__(self, path: object, problem: str) -> None:
        self.path = str(path)
        self.problem = problem
        super().__init__(f"{path}: {problem}")


class ResolverError(DoorwardError):
    """A server that a rule had asked, of the DNS or of the web, gave no usable answer: silence, failure, nonsense."""


class ServiceError(DoorwardError):
    """The decision service gave no usable answer: it is down, slow, refuses the key, or its answer makes no sense.

    Args:
        message: Why, in plain English.
        code: Of the Connect protocol, such as ``unauthenticated``; empty where the service did not say so itself.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class StoreError(DoorwardError):
    """A store could not answer: it is down, slow, or its answer makes no sense."""


class DeadlineExceeded(StoreError):
    """Remote work was given up at the decision's deadline."""
