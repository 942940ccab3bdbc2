"""The two kinds of failure that are told apart from others."""

from __future__ import annotations

from doorward.errors import ResolverError


class NoAnswer(ResolverError):
    """Every name server was silent until the time was over."""


class NotAsked(ResolverError):
    """This question was not put to the name servers, for a reason that has nothing to do with it."""
