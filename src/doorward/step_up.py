"""What a handler asks for beyond the decision: more clearance, the answer to who lacks it, traps in forms.

Shared by both kinds of client; :class:`~doorward.facade.Facade` has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from doorward.context import RequestContext
from doorward.levels import DEFAULT_LEVEL, Level
from doorward.progress import Inputs, Progress
from doorward.requests import carrier_of, from_carrier
from doorward.runtime import DECISION, STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.answers import Answer
    from doorward.challenges.forms import Form
    from doorward.decision import Decision
    from doorward.engine import Engine
    from doorward.layer import Layer
    from doorward.markup import Markup
    from doorward.route_challenges import MaxAge
    from doorward.rules.access import ChallengeRule
    from doorward.rules.forms import FormFacts
    from doorward.runtime import Runtime

MOST_STEP_UPS = 64
"""Pairs of level and age that are kept ready: applications write them in their code, and have a few."""


class StepUp:
    """The part of a client that handlers use.

    Attributes:
        runtime: Of the client.
        engine: Its rules.
    """

    runtime: Runtime
    engine: Engine
    _layer: Layer | None = None
    _stepped: WeakKeyDictionary[Engine, dict[tuple[Level, float], Engine]] | None = None

    def answer(self, request: object, decision: Decision) -> Answer | None:
        """What a request is answered that a decision does not let in: a challenge or a refusal, as middleware has it.

        The endpoints that the challenge is answered to are those of the middleware, or of
        ``doorward.asgi.ChallengeEndpoints`` and ``doorward.wsgi.ChallengeEndpoints``.

        Args:
            request: As of ``protect``.
            decision: About it.

        Returns:
            Status, headers and body; None where the request may go on.

        Raises:
            UnsupportedRequest: ``request`` is none.
        """
        if decision.is_allowed():
            return None
        if self._layer is None:
            from doorward.layer import Layer  # takes what middleware takes

            self._layer = Layer(self, {})  # type: ignore[arg-type]  # both kinds of client are one
        return self._layer.refusal(context_of(request), decision)

    def form_fields(self, request: object, name: str = "") -> Markup:
        """HTML for the inside of a form that :meth:`check_form`, or a rule ``form_trap``, is to check.

        A field that nobody sees and only programs fill, under a name that changes, and a signed token with the time.

        Args:
            request: The one that is answered with the form.
            name: The form's name: a token of one form is nothing to another.
        """
        from doorward.challenges.forms import fields

        gate, context = self.runtime.gatekeeper.gate, context_of(request)
        return fields(gate.signer, context, name, self.runtime.clock.now_ns() // 1_000_000)

    def check_form(self, form: Form | None, request: object, name: str = "", *, min_seconds: float = 1.5) -> FormFacts:
        """Whether a form was filled in by something that looks at pages, and no faster than a person does.

        Args:
            form: The fields that came, by name: what the framework made of the body.
            request: The one that brought them.
            name: The form's name, as given to :meth:`form_fields`.
            min_seconds: The least time that a person takes, by the server's clock.

        Returns:
            The facts; ``.passed`` says whether all is well, ``.why`` what is not. Never raises for what was sent.
        """
        from doorward.challenges.forms import facts

        now_ms = self.runtime.clock.now_ns() // 1_000_000
        found = facts(self.runtime.gatekeeper.gate.signer, form, context_of(request), name, now_ms)
        return found.judged(min_seconds)

    def with_form(self, inputs: Inputs, form: Form | None, progress: Progress) -> Inputs:
        """The inputs with what a form says about who has filled it in."""
        from doorward.challenges.forms import facts

        now_ms, signer = self.runtime.clock.now_ns() // 1_000_000, self.runtime.gatekeeper.gate.signer
        values: Mapping[str, object] = {**inputs.values, "form": facts(signer, form, progress.request, None, now_ms)}
        return inputs._replace(values=values)

    def stepping_up(self, request: object, level: Level | str, max_age: MaxAge) -> Progress:
        """What is known about a request, with a rule in force that asks for ``level``."""
        from doorward.builders.access import challenge  # few handlers ask

        rule = challenge(level, max_age=max_age, name="require")
        progress = self._known(request)
        progress.engine = self._asking(progress.engine, rule)
        return progress

    def _known(self, request: object) -> Progress:
        """As of ``protect``; but a request that middleware left alone has nothing to pass but this."""
        if isinstance(request, RequestContext):
            return self._prepared(request)
        carrier = carrier_of(request)
        if DECISION in carrier and id(self.runtime) not in (carrier.get(STATE) or ()):
            return Progress(from_carrier(carrier), self.runtime.routes.without_rules(self.engine))
        return self._prepared(request)

    def _prepared(self, request: object) -> Progress:
        raise NotImplementedError

    def _asking(self, engine: Engine, rule: ChallengeRule) -> Engine:
        if any([bound.rule == rule for bound in engine.bound]):
            return engine
        if self._stepped is None:
            self._stepped = WeakKeyDictionary()
        known = self._stepped.setdefault(engine, {})
        key = (rule.level, rule.max_age)
        found = known.get(key)
        if found is None:
            if len(known) >= MOST_STEP_UPS:
                known.clear()
            found = known[key] = self.runtime.extended(engine, [rule], additive=True)
            self.runtime.gatekeeper.look_at(found.bound[len(engine.bound) :])
        return found


def context_of(request: object) -> RequestContext:
    """The context of whatever is called a request. Raises UnsupportedRequest."""
    if isinstance(request, RequestContext):
        return request
    return from_carrier(carrier_of(request))


__all__ = ["DEFAULT_LEVEL", "StepUp", "context_of"]
