"""What applications hold: :class:`Doorward`, and :class:`AsyncDoorward` where they await."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self, overload

from doorward import admin
from doorward.client_challenges import AsyncChallenges, Challenges
from doorward.decision import NOTHING, Decision
from doorward.drivers import run
from doorward.effects import AskStore
from doorward.errors import ConfigurationError
from doorward.progress import NOT_GIVEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping

    from doorward.admin import ClientState
    from doorward.async_driver import ReadBodyAsync
    from doorward.bound import Bound
    from doorward.challenges.forms import Form
    from doorward.drivers import ReadBodySync
    from doorward.duration import Duration
    from doorward.effects import Charge, Effect
    from doorward.engine import Engine
    from doorward.fingerprint import Scalar
    from doorward.progress import Inputs, NotGiven, Progress
    from doorward.rules.limits import Response
    from doorward.runtime import Runtime

    Client = Scalar | Mapping[str, Scalar]


class Doorward(Challenges):
    """Request protection for code that blocks: WSGI applications, Flask, Django views, plain functions.

    ::

        aj = Doorward([sliding_window(max=5, interval="10m")])
        decision = aj.protect(request)
        if decision.is_denied():
            ...

    Args:
        rules: Rules, and sequences of rules, in the order in which results list them.
        **options: See :class:`doorward.settings.Options`.

    Raises:
        ConfigurationError: An argument is wrong; the message names it and what is accepted.
    """

    def _adopt(self, runtime: Runtime, engine: Engine | None = None, extra: tuple[Bound, ...] = ()) -> Self:
        if runtime.awaits_only:
            raise ConfigurationError(runtime.awaits_only, "is asynchronous: use AsyncDoorward")
        return super()._adopt(runtime, engine, extra)

    def protect(
        self,
        request: object,
        *,
        email: str | NotGiven | None = NOT_GIVEN,
        requested: int | None = None,
        characteristics: Mapping[str, Scalar] | None = None,
        form: Form | NotGiven | None = NOT_GIVEN,
    ) -> Decision:
        """Decide about a request. Rules that ran for it already, in middleware, are not run again.

        Args:
            request: A RequestContext, an ASGI scope, a WSGI environ, or a framework's request.
            email: The address that e-mail rules look at; None, as of a form without the field, is INVALID.
            requested: Units that this request takes on its limits; 1 when None. Given again, it is charged again.
            characteristics: Values of the characteristics of your own, such as ``{"userId": 42}``.
            form: The fields of a form that rules such as :func:`doorward.form_trap` look at.

        Raises:
            UnsupportedRequest: ``request`` is none of the above.
        """
        if self.runtime.off:
            return self.runtime.switched_off(self.engine)
        progress = self._prepared(request)
        inputs = self._inputs(email, requested, characteristics)
        if form is not NOT_GIVEN:
            inputs = self.with_form(inputs, form, progress)
        if not progress.engine.reads_body:
            return self.decide(progress, inputs)
        return self.decide(progress, inputs, read_body=self._body_of(request, progress).read)

    def decide(
        self,
        progress: Progress,
        inputs: Inputs,
        *,
        deferring: bool = False,
        read_body: ReadBodySync | None = None,
    ) -> Decision:
        """Go on with a request. For middleware: never raises."""
        ports = partial(self.runtime.sync_ports, read_body, waits=progress.engine.waits)
        return self._walk(progress, inputs, ports, deferring=deferring)

    def settle(self, progress: Progress, response: Response) -> None:
        """Take back what turns out not to count, now that the response is known. For middleware: never raises."""
        if progress.engine.conditional and progress.ledger is not None:
            self._refund(self._uncounted(progress.ledger, response))

    def look_back(self, progress: Progress) -> None:
        """Ask the rules that look after the response. For middleware: never raises."""
        if not self._is_late(progress):
            return
        try:
            runtime = self.runtime
            self._looked_back(progress, run(progress.engine.afterwards(progress), runtime.sync_ports(waits=True)))
        except Exception as error:
            self.runtime.journal.swallowed("after the response", error)

    def _refund(self, charges: list[Charge]) -> Any:
        if charges:
            try:
                self._ask(admin.refund(self.runtime, charges))
            except Exception as error:
                self.runtime.journal.swallowed("refund", error)
        return NOTHING

    def _ask(self, flow: Generator[Effect, Any, Any]) -> Any:
        return run(flow, self.runtime.sync_ports())

    def peek(self, client: Client) -> ClientState:
        """How a client stands, named by its plain value (``"203.0.113.9"``) or a mapping, without charging it.

        Raises:
            ConfigurationError: The value names nobody.
            StoreError: The store cannot answer.
        """
        state: ClientState = self._ask(admin.peek(self.runtime, self.engine, client))
        return state

    def reset(self, client: Client) -> int:
        """Forget what a client has used; how many counters. Raises as :meth:`peek`."""
        return int(self._ask(admin.reset(self.runtime, self.engine, client)))

    def ban(self, client: Client, duration: Duration = "1h") -> None:
        """Refuse a client for ``duration``, whatever the rules say; in a dry-run client, report that only.

        Raises as :meth:`peek`.
        """
        self._ask(admin.ban(self.runtime, self.engine, client, duration))

    def unban(self, client: Client) -> bool:
        """Lift a ban; whether there was one. Raises as :meth:`peek`."""
        return bool(self._ask(admin.unban(self.runtime, self.engine, client)))

    def bans(self) -> dict[str, float]:
        """Who is banned, and for how many seconds more. By fingerprint: stores hold no addresses. Raises StoreError."""
        found: dict[str, float] = self._ask(admin.bans(self.engine))
        return found

    @overload
    def stats(self) -> dict[str, int]: ...
    @overload
    def stats(self, client: Client) -> ClientState: ...
    def stats(self, client: Client | None = None) -> dict[str, int] | ClientState:
        """Counters of this process, and the store's figures where it answers; of one client, how it stands.

        ``outage.failures``, ``outage.degraded`` (decisions without the store), ``outage.times`` and ``outage.since``
        (seconds since the Unix epoch, 0 while it answers) say how the store does. Of a client, raises as :meth:`peek`.
        """
        flow = admin.stats(self.runtime) if client is None else admin.peek(self.runtime, self.engine, client)
        figures: dict[str, int] | ClientState = self._ask(flow)
        return figures

    def as_async(self) -> AsyncDoorward:
        """This client for code that awaits; everything is shared."""
        return AsyncDoorward.__new__(AsyncDoorward)._adopt(self.runtime, self.engine, self._extra)

    def close(self) -> None:
        """Give back what the store holds open."""
        try:
            self._ask(_closing())
        finally:
            self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncDoorward(AsyncChallenges):
    """Request protection for code that awaits: ASGI applications, FastAPI, Starlette, Django's async views.

    Args:
        rules: Rules, and sequences of rules, in the order in which results list them.
        **options: See :class:`doorward.settings.Options`.

    Raises:
        ConfigurationError: An argument is wrong; the message names it and what is accepted.
    """

    async def protect(
        self,
        request: object,
        *,
        email: str | NotGiven | None = NOT_GIVEN,
        requested: int | None = None,
        characteristics: Mapping[str, Scalar] | None = None,
        form: Form | NotGiven | None = NOT_GIVEN,
    ) -> Decision:
        """As :meth:`Doorward.protect`."""
        if self.runtime.off:
            return self.runtime.switched_off(self.engine)
        progress = self._prepared(request)
        inputs = self._inputs(email, requested, characteristics)
        if form is not NOT_GIVEN:
            inputs = self.with_form(inputs, form, progress)
        if not progress.engine.reads_body:
            return await self.decide(progress, inputs)
        return await self.decide(progress, inputs, read_body=self._body_of(request, progress).aread)

    async def decide(
        self,
        progress: Progress,
        inputs: Inputs,
        *,
        deferring: bool = False,
        read_body: ReadBodyAsync | None = None,
    ) -> Decision:
        """Go on with a request. For middleware: never raises but when cancelled."""
        if not self.waits(progress):
            return self.decide_now(progress, inputs, deferring=deferring)
        runtime = self.runtime
        before = progress.decision
        try:
            decision = self._straight(progress, inputs, deferring=deferring)
            if decision is None:
                flow = progress.engine.evaluate(progress, inputs, deferring=deferring)
                decision = await runtime.drive(flow, read_body)
        except Exception as error:
            decision = runtime.broken(progress, error)
        return decision if decision is before else self._finished(progress, decision)

    def waits(self, progress: Progress) -> bool:
        """Whether deciding may have to wait for anything."""
        return progress.engine.waits or not self.runtime.inline

    def decide_now(self, progress: Progress, inputs: Inputs, *, deferring: bool = False) -> Decision:
        """As :meth:`decide`, where there is nothing to wait for."""
        return self._walk(progress, inputs, self._inline_ports, deferring=deferring)

    async def settle(self, progress: Progress, response: Response) -> None:
        """Take back what turns out not to count, now that the response is known. For middleware: never raises."""
        if progress.engine.conditional and progress.ledger is not None:
            await self._refund(self._uncounted(progress.ledger, response))

    async def look_back(self, progress: Progress) -> None:
        """Ask the rules that look after the response. For middleware: never raises but when cancelled."""
        if not self._is_late(progress):
            return
        try:
            self._looked_back(progress, await self.runtime.drive(progress.engine.afterwards(progress)))
        except Exception as error:
            self.runtime.journal.swallowed("after the response", error)

    def _refund(self, charges: list[Charge]) -> Awaitable[None]:
        if not self.runtime.inline:
            return self._refunded(charges)
        # Nothing to wait for: done now, so that it is done even where the caller forgets to await.
        try:
            run(admin.refund(self.runtime, charges), self.runtime.inline_ports)
        except Exception as error:
            self.runtime.journal.swallowed("refund", error)
        return NOTHING

    async def _refunded(self, charges: list[Charge]) -> None:
        try:
            await self._ask(admin.refund(self.runtime, charges))
        except Exception as error:
            self.runtime.journal.swallowed("refund", error)

    async def _ask(self, flow: Generator[Effect, Any, Any]) -> Any:
        return await self.runtime.drive(flow)

    async def peek(self, client: Client) -> ClientState:
        """As :meth:`Doorward.peek`."""
        state: ClientState = await self._ask(admin.peek(self.runtime, self.engine, client))
        return state

    async def reset(self, client: Client) -> int:
        """As :meth:`Doorward.reset`."""
        return int(await self._ask(admin.reset(self.runtime, self.engine, client)))

    async def ban(self, client: Client, duration: Duration = "1h") -> None:
        """As :meth:`Doorward.ban`."""
        await self._ask(admin.ban(self.runtime, self.engine, client, duration))

    async def unban(self, client: Client) -> bool:
        """As :meth:`Doorward.unban`."""
        return bool(await self._ask(admin.unban(self.runtime, self.engine, client)))

    async def bans(self) -> dict[str, float]:
        """As :meth:`Doorward.bans`."""
        found: dict[str, float] = await self._ask(admin.bans(self.engine))
        return found

    @overload
    async def stats(self) -> dict[str, int]: ...
    @overload
    async def stats(self, client: Client) -> ClientState: ...
    async def stats(self, client: Client | None = None) -> dict[str, int] | ClientState:
        """As :meth:`Doorward.stats`."""
        flow = admin.stats(self.runtime) if client is None else admin.peek(self.runtime, self.engine, client)
        figures: dict[str, int] | ClientState = await self._ask(flow)
        return figures

    def as_sync(self) -> Doorward:
        """This client for code that blocks; everything is shared.

        Raises:
            ConfigurationError: The store is asynchronous.
        """
        return Doorward.__new__(Doorward)._adopt(self.runtime, self.engine, self._extra)

    async def aclose(self) -> None:
        """Give back what the store holds open."""
        try:
            await self._ask(_closing())
        finally:
            if self.runtime.service is not None:
                await self.runtime.service.aclose()
            self.runtime.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _closing() -> Generator[Effect, Any, None]:
    yield AskStore("close")


__all__ = ["AsyncDoorward", "Doorward"]
