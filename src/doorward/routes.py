"""What an application says about its routes: ``limit``, ``guard`` and ``exempt``, read before the view runs.

Precedence: exempt, then the route's own limits, then the application's. What is said about challenges is in
:mod:`doorward.route_challenges`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from doorward.errors import ConfigurationError
from doorward.route_challenges import ChallengeDecorators
from doorward.rules.base import Rule
from doorward.rules.limits import Limit, LimitFor, LimitOptions, rate_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "__doorward__"


class Insists(IntEnum):
    """What of its rules is in force on a route that ``include``, ``exclude`` or a default exemption leaves alone.

    Attributes:
        NOTHING: None.
        OWN: What was said about the route itself.
        ALL: Those of the application too, and live also where the client's ``mode`` is DRY_RUN.
    """

    NOTHING = 0
    OWN = 1
    ALL = 2


@dataclass(eq=False, slots=True)
class RoutePolicy:
    """What was said about one view.

    Attributes:
        owner: Whose decorators said it.
        exempt: No rule is asked.
        insists: What is in force although the application leaves the route alone.
        rules: Rules of this route. Its limits take the place of the application's.
        additive: Rules whose limits count beside the application's.
        earlier: What it was before more was said: marks of the views inside.
    """

    owner: object
    exempt: bool = False
    rules: list[Rule] = field(default_factory=list)
    additive: list[Rule] = field(default_factory=list)
    insists: Insists = Insists.NOTHING
    earlier: tuple[RoutePolicy, ...] = ()

    def covers(self, other: RoutePolicy) -> bool:
        """Whether ``other`` is this policy, or what it was before more was said."""
        return other is self or other in self.earlier


class RouteDecorators(ChallengeDecorators):
    """The decorators that every adapter's object has.

    They mark the view, and leave it to :meth:`enforced` to make sure that the mark is obeyed.
    """

    def limit(
        self,
        limit: str | LimitFor,
        *,
        algorithm: str = "sliding_window",
        replace: bool = True,
        **options: Unpack[LimitOptions],
    ) -> Callable[[View], View]:
        """Limit a route.

        Args:
            limit: ``"5/minute"``, several with ``;`` between them, or a callable: see :func:`doorward.rate_limit`.
            algorithm: ``sliding_window``, ``fixed_window`` or ``token_bucket``.
            replace: Take the place of the application's limits on this route; with False, count beside them.
            **options: As of :func:`doorward.fixed_window`; ``scope`` is the view's name unless given.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        rate_limit(limit, algorithm=algorithm, **options)

        def decorate(view: View) -> View:
            scoped: LimitOptions = {"scope": self._scope_of(view), **options}
            return self._marked(view, rate_limit(limit, algorithm=algorithm, **scoped), replace=replace)

        return decorate

    def guard(self, *rules: Rule, replace: bool = True) -> Callable[[View], View]:
        """Ask more rules on a route.

        Args:
            *rules: Rules; limits among them take the place of the application's, and count for this route alone
                unless they have a ``scope``.
            replace: With False, limits among them count beside the application's.

        Raises:
            ConfigurationError: Something given is no rule.
        """
        for rule in rules:
            if not isinstance(rule, Rule):
                raise ConfigurationError("guard", f"takes rules such as fixed_window(…), not {rule!r}")
        return lambda view: self._marked(view, scoped(rules, self._scope_of(view)), replace=replace)

    def exempt(self, view: View) -> View:
        """Ask no rule on this route, whatever else was said about it."""
        mark(view, self).exempt = True
        return self.enforced(view)

    def insisting(self, view: Any, rules: Sequence[Rule], *, on_all: bool = False) -> Any:
        """As :meth:`guard`, for rules that hold although ``include`` or ``exclude`` leave the route alone.

        Args:
            view: What is marked.
            rules: Asked on it besides those of the application.
            on_all: All those of the application hold there too.
        """
        policy = mark(view, self)
        policy.rules.extend(scoped(rules, self._scope_of(view)))
        policy.insists = max(policy.insists, Insists.ALL if on_all else Insists.OWN)
        return self.enforced(view)

    def enforced(self, view: View) -> View:
        """Make sure that the mark of ``view`` is obeyed. Middleware reads marks, so that nothing is left to do."""
        return view

    def policy_of(self, view: Callable[..., Any] | None) -> RoutePolicy | None:
        """What was said about ``view`` by these decorators, or None."""
        return getattr(view, _MARK, {}).get(id(self)) if view is not None else None

    def _scope_of(self, view: Callable[..., Any]) -> str:
        """A view's name. Views that one factory makes have one name, and are numbered as they are decorated."""
        name = name_of(view)
        if "<" not in name:
            return name
        seen: dict[str, int] = self.__dict__.setdefault("_seen", {})
        seen[name] = seen.get(name, 0) + 1
        return name if seen[name] == 1 else f"{name}#{seen[name]}"

    def _marked(self, view: View, rules: Iterable[Rule], *, replace: bool) -> View:
        policy = mark(view, self)
        (policy.rules if replace else policy.additive).extend(rules)
        return self.enforced(view)


def mark(view: Callable[..., Any], owner: object) -> RoutePolicy:
    """The policy of ``view`` by ``owner``; made at the first mark, so that stacked decorators add up."""
    # By owner: two clients may guard one view, each with its own marks. Copied, because functools.wraps hands the
    # inner view's dict to the wrapper: what is said about the wrapper is not said about the view.
    marks: dict[int, RoutePolicy] = dict(view.__dict__.get(_MARK, {}))
    known = marks.get(id(owner)) or RoutePolicy(owner)
    earlier = (*known.earlier, known)
    policy = RoutePolicy(owner, known.exempt, [*known.rules], [*known.additive], known.insists, earlier)
    marks[id(owner)] = policy
    setattr(view, _MARK, marks)
    return policy


def marks_of(view: Callable[..., Any]) -> Collection[RoutePolicy]:
    """What was said about ``view``, by whomever."""
    marks: dict[int, RoutePolicy] = getattr(view, _MARK, {})
    return marks.values()


def merged(policies: Sequence[RoutePolicy]) -> RoutePolicy | None:
    """What several policies about one route come to, the innermost first.

    One exemption exempts. The limits of an inner policy take the place of those further out; other rules add up.
    """
    if len(policies) <= 1:
        return policies[0] if policies else None
    whole = RoutePolicy(policies[0].owner, exempt=any(policy.exempt for policy in policies))
    whole.insists = max(policy.insists for policy in policies)
    for policy in policies:
        limited = any(isinstance(rule, Limit) for rule in whole.rules)
        whole.rules += [rule for rule in policy.rules if not (limited and isinstance(rule, Limit))]
        whole.additive += policy.additive
    return whole


def scoped(rules: Iterable[Rule], scope: str) -> list[Rule]:
    """``rules`` with limits that have no scope of their own counting in ``scope``."""
    return [replace(rule, scope=scope) if isinstance(rule, Limit) and not rule.scope else rule for rule in rules]


def name_of(view: Callable[..., Any]) -> str:
    """A view's name, as the scope of its counters."""
    module = getattr(view, "__module__", "")
    qualified: str = getattr(view, "__qualname__", type(view).__qualname__)
    # What is made by a factory (as_view, a blueprint) is qualified by the factory: only its own name tells it apart.
    name = getattr(view, "__name__", None) or getattr(view, "name", "")
    return f"{module}.{qualified}" if qualified.endswith(str(name)) else f"{module}.{qualified}[{name}]"
