"""What both kinds of client do about challenges: step-up, captchas in forms of the application's own, revocation."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from doorward import admin
from doorward.facade import Facade
from doorward.levels import DEFAULT_LEVEL, Level
from doorward.progress import NO_INPUTS

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.async_driver import ReadBodyAsync
    from doorward.challenges.providers.hosted import Hosted
    from doorward.challenges.providers.verified import Verified
    from doorward.challenges.work import AltchaChecked
    from doorward.decision import Decision
    from doorward.drivers import ReadBodySync
    from doorward.effects import Effect
    from doorward.progress import Inputs, Progress
    from doorward.route_challenges import MaxAge


class Challenges(Facade):
    """Of :class:`doorward.Doorward`."""

    def require(self, request: object, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Decision:
        """Ask for more clearance than the rules do, before something that matters: step-up.

        The rules that have run stand; where none have, because there is no middleware, those run that need no input.
        A challenge is answered by :meth:`answer`, or by the adapter's own ``require``, which answers by itself.

        Args:
            request: As of :meth:`protect`.
            level: What has to be shown, at least: see :func:`doorward.challenge`.
            max_age: How long ago it may have been shown, such as ``"5m"``; as long as the clearance holds by default.

        Raises:
            ConfigurationError: ``level`` or ``max_age`` is wrong.
            UnsupportedRequest: ``request`` is no request.
        """
        if self.runtime.off:
            return self.runtime.switched_off(self.engine)
        progress = self.stepping_up(request, level, max_age)
        if not progress.engine.reads_body:
            return self.decide(progress, NO_INPUTS, deferring=True)
        read_body = self._body_of(request, progress).read
        return self.decide(progress, NO_INPUTS, deferring=True, read_body=read_body)

    def check_altcha(self, payload: object, request: object) -> AltchaChecked:
        """Whether a form's field ``altcha`` solves a challenge of ``GET /.doorward/altcha``. True once for each.

        Args:
            payload: What was sent in the field; None where it was not.
            request: The request with the form, as :meth:`protect` takes it.

        Raises:
            UnsupportedRequest: ``request`` is none.
        """
        found: AltchaChecked = self._ask(self._altcha_flow(payload, request))
        return found

    def verify_captcha(
        self, request: object, response: object, *, captcha: Hosted | str | None = None, action: str = ""
    ) -> Verified:
        """Have the provider of a hosted captcha look at the response that a form of yours brought.

        Args:
            request: As of :meth:`protect`.
            response: The text that the widget put into the form, or the form (or JSON object) itself.
            captcha: Which, where ``challenges["kinds"]`` has several: its name; or one that is not among them.
            action: What the response must have been made for, where the template said so.

        Raises:
            ConfigurationError: There is no such captcha.
            UnsupportedRequest: ``request`` is no request.
        """
        verified: Verified = self._ask(self._captcha(request, response, captcha, action))
        return verified

    def revoke_clearances(self) -> None:
        """Refuse, from now on, every clearance and client id there is: everybody has to pass anew.

        Other processes on the same store know within five seconds. Raises StoreError.
        """
        self._ask(admin.revoke_clearances(self.runtime))

    @abstractmethod
    def decide(
        self,
        progress: Progress,
        inputs: Inputs,
        *,
        deferring: bool = False,
        read_body: ReadBodySync | None = None,
    ) -> Decision:
        """Go on with a request."""

    @abstractmethod
    def _ask(self, flow: Generator[Effect, Any, Any]) -> Any:
        """Perform what a flow asks for."""


class AsyncChallenges(Facade):
    """Of :class:`doorward.AsyncDoorward`."""

    async def require(self, request: object, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Decision:
        """As :meth:`Doorward.require`."""
        if self.runtime.off:
            return self.runtime.switched_off(self.engine)
        progress = self.stepping_up(request, level, max_age)
        if not progress.engine.reads_body:
            return await self.decide(progress, NO_INPUTS, deferring=True)
        read_body = self._body_of(request, progress).aread
        return await self.decide(progress, NO_INPUTS, deferring=True, read_body=read_body)

    async def check_altcha(self, payload: object, request: object) -> AltchaChecked:
        """As :meth:`Doorward.check_altcha`."""
        found: AltchaChecked = await self._ask(self._altcha_flow(payload, request))
        return found

    async def verify_captcha(
        self, request: object, response: object, *, captcha: Hosted | str | None = None, action: str = ""
    ) -> Verified:
        """As :meth:`Doorward.verify_captcha`."""
        verified: Verified = await self._ask(self._captcha(request, response, captcha, action))
        return verified

    async def revoke_clearances(self) -> None:
        """As :meth:`Doorward.revoke_clearances`."""
        await self._ask(admin.revoke_clearances(self.runtime))

    @abstractmethod
    async def decide(
        self,
        progress: Progress,
        inputs: Inputs,
        *,
        deferring: bool = False,
        read_body: ReadBodyAsync | None = None,
    ) -> Decision:
        """Go on with a request."""

    @abstractmethod
    async def _ask(self, flow: Generator[Effect, Any, Any]) -> Any:
        """Perform what a flow asks for."""
