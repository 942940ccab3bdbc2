"""Why a provider could not be asked. Never leaves doorward."""

from __future__ import annotations


class ProviderFailed(Exception):
    """There is no answer that says anything about the response.

    Args:
        cause: One word, for counters and for :attr:`~doorward.challenges.providers.verified.Verified.failure`.
        message: Why, in plain English, with no secret and no byte of what was sent or came back.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
