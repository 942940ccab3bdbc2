"""Marked views that check, as they run, that their mark was read before: where it was not, they are protected then."""

from __future__ import annotations

import inspect
import logging
from abc import abstractmethod
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint, has_request_context

from doorward.routes import RouteDecorators, RoutePolicy, name_of

if TYPE_CHECKING:
    from doorward_flask.installed import Installed

_CHECKING = "__doorward_flask__"


class Checking(RouteDecorators):
    """The decorators of :class:`doorward_flask.DoorwardFlask`, whose views look after their marks."""

    @abstractmethod
    def of_current_app(self) -> Installed:
        """What the current application has of this extension."""

    def enforced(self, view: Any) -> Any:
        """Check, as a marked view runs, that its mark was read before; if not, protect it then."""
        checking: list[Checking] = view.__dict__.get(_CHECKING, [])
        if isinstance(view, type | Blueprint) or self in checking:
            return view
        wrapper = self._checked(view)
        setattr(wrapper, _CHECKING, [*checking, self])
        return wrapper

    def _checked(self, view: Any) -> Any:
        @wraps(view)
        def checked(*arguments: Any, **named: Any) -> Any:
            refusal = self._overlooked(view)
            return view(*arguments, **named) if refusal is None else refusal

        @wraps(view)
        async def checked_async(*arguments: Any, **named: Any) -> Any:
            refusal = self._overlooked(view)
            return await view(*arguments, **named) if refusal is None else refusal

        return checked_async if inspect.iscoroutinefunction(view) else checked

    def _overlooked(self, view: Any) -> Any:
        mark: RoutePolicy | None = self.policy_of(view)
        if mark is None or not has_request_context():
            return None
        try:
            return self.of_current_app().overlooked(mark, name_of(view))
        except Exception:
            logging.getLogger("doorward").exception("doorward could not protect %s", name_of(view))
        return None
