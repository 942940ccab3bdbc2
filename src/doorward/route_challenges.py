"""What an application says about challenges on its routes: ``challenge``, ``block``, ``protect`` and the others.

Each of them is a rule of the route, which the engine asks as it asks all others: replays, explanations and dry runs see
it, and what is said about one route is nothing to any other.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from doorward.errors import ConfigurationError
from doorward.levels import DEFAULT_LEVEL, Level

if TYPE_CHECKING:
    from datetime import timedelta

    from doorward.context import RequestContext
    from doorward.rules.access import ChallengeRule, Matcher
    from doorward.rules.base import Rule, RuleOptions

    When = str | Sequence[str] | Mapping[str, Any] | Callable[[RequestContext], object]
    MaxAge = str | float | timedelta | None

View = TypeVar("View", bound=Callable[..., Any])
Target = TypeVar("Target")
"""What can be marked: of Flask also a blueprint."""


class ChallengeDecorators:
    """The decorators about challenges that every adapter's object has.

    A clearance that a client has for one route is good for all: after a pass the route is reachable.
    """

    @abstractmethod
    def insisting(self, view: Any, rules: Sequence[Rule], *, on_all: bool = False) -> Any:
        """Mark ``view`` with rules that hold although the application leaves the route alone."""

    @abstractmethod
    def exempt(self, view: Any) -> Any:
        """Ask no rule on this route."""

    def skip(self, view: Target) -> Target:
        """As :meth:`exempt`: the name that NoBot has for it."""
        return self.exempt(view)  # type: ignore[no-any-return]  # what was given

    def protect(self, view: Any, /) -> Any:
        """Ask all rules on this route, although ``include``, ``exclude`` or a default exemption leave it alone.

        They are live there, also where the client's ``mode`` is DRY_RUN; those that say themselves that they are dry
        stay so. ``DOORWARD_MODE`` goes before this, as before everything. A preflight (OPTIONS) is left alone
        where the view does not answer it.
        """
        return self.insisting(view, (), on_all=True)

    @overload
    def challenge(self, level: View, /) -> View: ...
    @overload
    def challenge(
        self,
        level: Level | str = ...,
        *,
        max_age: MaxAge = ...,
        when: When | None = ...,
        **options: Any,
    ) -> Callable[[Target], Target]: ...
    def challenge(
        self,
        level: Any = DEFAULT_LEVEL,
        *,
        max_age: MaxAge = None,
        when: When | None = None,
        **options: Any,
    ) -> Any:
        """Ask for a challenge on this route, whoever comes: step-up.

        Args:
            level: What has to be shown, at least: see :func:`doorward.challenge`. Or the view, as in
                ``@guard.challenge``.
            max_age: How long ago it may have been shown, such as ``"5m"``.
            when: Only of requests for which a filter expression holds (:mod:`doorward.filters`), a tree of conditions
                (:func:`doorward.deny`), or a function of the request context.
            **options: As of :func:`doorward.challenge`.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        return self._stepped_up(level, DEFAULT_LEVEL, "challenge", max_age, when, options)

    always_challenge = challenge
    """As :meth:`challenge`: the name that Humanify has for it."""

    @overload
    def require_human(self, level: View, /) -> View: ...
    @overload
    def require_human(
        self,
        level: Level | str = ...,
        *,
        max_age: MaxAge = ...,
        when: When | None = ...,
        **options: Any,
    ) -> Callable[[Target], Target]: ...
    def require_human(
        self,
        level: Any = Level.HUMAN,
        *,
        max_age: MaxAge = None,
        when: When | None = None,
        **options: Any,
    ) -> Any:
        """As :meth:`challenge`, for what only a person passes, unless another level is given."""
        return self._stepped_up(level, Level.HUMAN, "require_human", max_age, when, options)

    def block(self, view: Target) -> Target:
        """Deny here whom a rule would have challenged. Who has a clearance that is enough passes."""
        from doorward.rules.blocking import BlockRule

        rules = self._once("block", lambda: BlockRule(name="block"))
        return self.insisting(view, rules)  # type: ignore[no-any-return]  # what was given

    @overload
    def block_bots(self, view: View, /) -> View: ...
    @overload
    def block_bots(
        self, view: None = ..., /, *, allow: Sequence[str] = ..., **options: Unpack[RuleOptions]
    ) -> Callable[[Target], Target]: ...
    def block_bots(self, view: Any = None, /, *, allow: Sequence[str] = (), **options: Unpack[RuleOptions]) -> Any:
        """Deny bots on this route, also those that have passed a challenge.

        Args:
            view: The view, as in ``@guard.block_bots``.
            allow: Bots that may pass: see :func:`doorward.detect_bot`.
            **options: As of every rule.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        from doorward.builders.bots import detect_bot  # brings the list of bots along

        named: RuleOptions = {"name": "block_bots", **options}

        def make() -> Rule:
            return detect_bot(allow=list(allow), **named)

        return self._decorating([make()]) if view is None else self.insisting(view, self._once("block_bots", make))

    def _stepped_up(
        self, level: Any, default: Level, name: str, max_age: MaxAge, when: When | None, options: dict[str, Any]
    ) -> Any:
        named = {"name": name, **options}
        if isinstance(level, str | Level):
            return self._decorating([step_up(level, max_age, when, named)])
        if not callable(level) and not hasattr(level, "__dict__"):
            raise ConfigurationError("level", f"must be a level such as 'work', not {level!r}")
        return self.insisting(level, self._once(name, lambda: step_up(default, max_age, when, named)))

    def _once(self, name: str, make: Callable[[], Rule]) -> Sequence[Rule]:
        """The rules of a decorator without arguments: Django's ``method_decorator`` decorates anew for each request."""
        made: dict[str, Sequence[Rule]] = self.__dict__.setdefault("_bare_rules", {})
        return made.get(name) or made.setdefault(name, (make(),))

    def _decorating(self, rules: Sequence[Rule]) -> Callable[[Any], Any]:
        return lambda view: self.insisting(view, rules)


def step_up(level: Level | str, max_age: MaxAge, when: When | None, options: dict[str, Any]) -> ChallengeRule:
    """The rule of a decorator.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    from dataclasses import replace

    from doorward.builders.access import challenge  # few applications have such a route

    if callable(when):
        rule = challenge(level, max_age=max_age, **options)
        return replace(rule, matchers=(*rule.matchers, _condition(when)))
    if when is None or isinstance(when, Mapping):
        conditions: dict[str, Any] = options if when is None else {**options, "when": when}
        return challenge(level, max_age=max_age, **conditions)
    if "where" in options:
        raise ConfigurationError("when", "is another name for where: give one of them")
    named: dict[str, Any] = {**options, "where": when}
    return challenge(level, max_age=max_age, **named)


def _condition(function: Callable[[RequestContext], object]) -> Matcher:
    from doorward.rules.access import Finding, Matcher
    from doorward.rules.base import WHOLE_REQUEST

    if inspect.iscoroutinefunction(function):
        raise ConfigurationError("when", f"must be a plain function, since nobody awaits it: {function!r}")
    name = getattr(function, "__qualname__", type(function).__qualname__)

    def find(view: Any) -> Finding:
        return Finding(bool(function(view.request)), "the condition holds")

    return Matcher(parameter=("when", name), find=find, parts=WHOLE_REQUEST)
