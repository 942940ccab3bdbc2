"""Captchas in forms of the application's own: the field in its templates, and the check in its handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorward.challenges.providers import widgets
from doorward.challenges.providers.hosted import Hosted, Question
from doorward.challenges.providers.widgets import SafeHtml
from doorward.challenges.targets import mounted
from doorward.errors import ConfigurationError
from doorward.markup import join

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from doorward.challenges.providers.verified import Verified
    from doorward.context import RequestContext
    from doorward.effects import Effect
    from doorward.facade import Facade
    from doorward.runtime import Runtime

MILLISECOND = 1_000_000


def captchas_of(runtime: Runtime) -> list[Hosted]:
    """The hosted captchas among a client's kinds of challenges."""
    return [kind for kind in runtime.settings.challenges.kinds if isinstance(kind, Hosted)]


def chosen(runtime: Runtime, captcha: Hosted | str | None) -> Hosted:
    """The captcha that is meant: itself, the one of that name, or the first.

    Raises:
        ConfigurationError: There is none.
    """
    if isinstance(captcha, Hosted):
        return captcha
    known = captchas_of(runtime)
    found = [each for each in known if captcha is None or each.name == captcha]
    if not found:
        names = ", ".join([each.name for each in known]) or "none"
        raise ConfigurationError("captcha", f"must be one of challenges['kinds'] ({names}), or be given itself")
    return found[0]


def captcha_field(client: Facade) -> Callable[..., SafeHtml]:
    """What renders a captcha in templates.

    ::

        {{ captcha_field(action="signup", nonce=csp_nonce) }}

        templates.env.globals["captcha_field"] = captcha_field(aj)      # Starlette, FastAPI
        app.jinja_env.globals["captcha_field"] = captcha_field(aj)      # Flask

    Args:
        client: The client whose kinds of challenges have the captcha.
    """
    runtime = client.runtime

    def field(
        captcha: Hosted | str | None = None, *, action: str = "", nonce: str = "", root_path: str = ""
    ) -> SafeHtml:
        """The widget with its scripts.

        Args:
            captcha: Which, where there are several.
            action: What the response is for; :meth:`verify_captcha` must be told the same.
            nonce: Of the page's Content-Security-Policy, for the scripts.
            root_path: The path that the application is mounted at.
        """
        hosted = chosen(runtime, captcha)
        prefix = f"{mounted(root_path)}{runtime.settings.challenges.prefix}"
        return rendered(hosted, prefix, action=action, nonce=nonce)

    return field


def rendered(hosted: Hosted, prefix: str, *, action: str = "", nonce: str = "") -> SafeHtml:
    """A widget with its scripts, for any form."""
    provider, settings = hosted.provider, hosted.settings
    pieces = [
        widgets.element(provider, settings, action or settings.action),
        widgets.own_script(prefix, nonce) if provider.needs_help else SafeHtml(""),
        widgets.scripts(provider, settings, nonce),
    ]
    return SafeHtml(join([piece for piece in pieces if piece]))


def verification(
    runtime: Runtime, request: RequestContext, response: Any, captcha: Hosted | str | None, action: str
) -> Generator[Effect, Any, Verified]:
    """Have a response checked that came with a request: the text itself, or the form or object that has it.

    Raises:
        ConfigurationError: No captcha is meant.
    """
    hosted = chosen(runtime, captcha)
    token = response.get(hosted.provider.response_field) if _has_fields(response) else response
    ip = runtime.settings.ips.resolve(request.peer, request.header_values).address
    question = Question(
        token,
        request.host,
        ip,
        runtime.clock.now_ns() // MILLISECOND,
        runtime.journal,
        action,
        runtime.settings.challenges.on_store_error,
    )
    return hosted.verified(question)


def _has_fields(response: Any) -> Any:
    """Whether it is a form: Django's and Werkzeug's are no Mapping to ``isinstance``."""
    return isinstance(response, Mapping) or (not isinstance(response, str) and callable(getattr(response, "get", None)))
