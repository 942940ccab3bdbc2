"""The two kinds of failure that are told apart from others."""

from __future__ import annotations

from doorward.errors import ResolverError


class NoAnswer(ResolverError):
    """Every name server was silent until the time was over."""


class NotAsked(ResolverError):
    """The name servers have been silent for some time: this question was not put to them."""
