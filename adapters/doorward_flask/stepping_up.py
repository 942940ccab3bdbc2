"""What views ask the extension for: more clearance, the answer to who lacks it, the fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, g, has_request_context, request

from doorward.levels import DEFAULT_LEVEL, Level
from doorward.runtime import DECISION

if TYPE_CHECKING:
    from flask import Response

    from doorward.decision import Decision
    from doorward.markup import Markup
    from doorward.route_challenges import MaxAge
    from doorward_flask.installed import Installed


class SteppingUp:
    """The part of an extension that views use."""

    def of_current_app(self) -> Installed:
        """What the current application has of the extension."""
        raise NotImplementedError

    def require(self, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Decision:
        """:meth:`doorward.Doorward.require` for the current request, which is answered here if it is not let in.

        Raises:
            HTTPException: The answer: a challenge, or a refusal. Nothing with ``enforce=False``.
            ConfigurationError: An argument is wrong.
        """
        client = self.of_current_app().client
        decision = request.environ[DECISION] = g.doorward = client.require(request.environ, level, max_age=max_age)
        answer = self.answer(decision)
        if answer is not None:
            abort(answer)
        return decision

    def answer(self, decision: Decision | None = None) -> Response | None:
        """The response to the current request where it is not let in: a challenge, or a refusal; else None.

        Args:
            decision: The request's current one, when it is not given.
        """
        installed, found = self.of_current_app(), decision or current_decision()
        return installed.answer(found) if found is not None and installed.layer.refuses(found) else None

    def form_fields(self, name: str = "") -> Markup:
        """:meth:`doorward.Doorward.form_fields` for the current request; in templates ``doorward_form(…)``."""
        return self.of_current_app().client.form_fields(request.environ, name)


def current_decision() -> Decision | None:
    """The decision about the current request; None outside of one, and where nothing has decided yet."""
    decision: Decision | None = request.environ.get(DECISION) if has_request_context() else None
    return decision
