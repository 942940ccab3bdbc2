"""What attack detection is told to leave alone: by path, parameter and family."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.patterns import is_plain_path

_NAMES = re.compile(r"[^.\[\]]+")

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.attacks.evidence import Family, Finding
    from doorward.context import RequestContext
    from doorward.patterns import RouteMatcher


class Exclusion(NamedTuple):
    """Findings to leave out: those to which everything applies that is given.

    Attributes:
        paths: Requests to these paths; None for all.
        parameter: Values of this name, or below it (``item`` is also ``item.text`` and ``item[0]``); empty for all.
        families: Findings of these families; empty for all.
    """

    paths: RouteMatcher | None
    parameter: str
    families: frozenset[Family]

    def covers(self, request: RequestContext, finding: Finding) -> bool:
        """Whether it applies to a finding."""
        return (
            (not self.families or finding.family in self.families)
            and (not self.parameter or _is_below(finding.name, self.parameter))
            and (self.paths is None or self._matches(request))
        )

    def covers_request(self, request: RequestContext) -> bool:
        """Whether nothing in a request has to be looked at."""
        everything = not self.parameter and not self.families
        return everything and self.paths is not None and self._matches(request)

    def _matches(self, request: RequestContext) -> bool:
        # "/webhooks/../login" is no webhook.
        path = request.path
        return self.paths is not None and is_plain_path(path) and self.paths.match(request.method, path) is not None


class Exclusions:
    """All of a rule's.

    Args:
        exclusions: One of them has to apply.
    """

    __slots__ = ("_exclusions",)

    def __init__(self, exclusions: Sequence[Exclusion] = ()) -> None:
        self._exclusions = exclusions

    def cover(self, request: RequestContext, finding: Finding) -> bool:
        """Whether a finding is to be left out."""
        return any([exclusion.covers(request, finding) for exclusion in self._exclusions])

    def cover_request(self, request: RequestContext) -> bool:
        """Whether a request is to be left alone."""
        return any([exclusion.covers_request(request) for exclusion in self._exclusions])


def _is_below(name: str, parameter: str) -> bool:
    """Whether one of the names in a path to a value is the parameter's, or the path begins with it."""
    if name == parameter or name.startswith((parameter + ".", parameter + "[")):
        return True
    return parameter in _NAMES.findall(name)
