"""Why a call came to nothing, in plain English: one line, with no secret, no address and no byte of the service's."""

from __future__ import annotations

import socket
import ssl

import httpcore

from doorward.errors import ServiceError
from doorward.printable import printable

LATE = "the decision service did not answer within the deadline"
_CAUSES: dict[type[Exception], str] = {
    socket.gaierror: "its name cannot be resolved",
    ConnectionRefusedError: "it refuses connections",
    ConnectionError: "the connection was reset",
}


class NotAsked(ServiceError):
    """Nothing was sent: to ask again later is safe."""


class TooLate(ServiceError):
    """The deadline came first."""

    def __init__(self, message: str = LATE, code: str = "") -> None:
        super().__init__(message, code)


def explained(error: Exception) -> ServiceError:
    """What is to be raised in the place of ``error``, whatever library it comes from.

    Tracebacks refer to frames, and these to what was read so far: whoever keeps an error shall not keep that.
    """
    if isinstance(error, ServiceError):
        error.__traceback__ = error.__context__ = None
        return error
    if isinstance(error, TimeoutError):
        return TooLate()
    if isinstance(error, httpcore.ProtocolError):
        return ServiceError("the decision service did not answer in HTTP/1.1")
    return ServiceError(f"the decision service cannot be reached: {_cause(error)}")


def _cause(error: Exception) -> str:
    for kind, text in _CAUSES.items():
        if isinstance(error, kind):
            return text
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed ({printable(error.verify_message)})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({printable(str(error.reason or type(error).__name__))})"
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror)
    # Of anything else the text may quote what was sent.
    return type(error).__name__


__all__ = ["LATE", "NotAsked", "TooLate", "explained"]
