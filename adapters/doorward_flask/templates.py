"""What templates of the application's own find."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

if TYPE_CHECKING:
    from flask import Flask

    from doorward.client import Doorward


def fill_templates(app: Flask, client: Doorward) -> None:
    """Let templates have ``captcha_field``, where there is a captcha."""
    if all([isinstance(kind, str) for kind in client.runtime.settings.challenges.kinds]):
        return
    from doorward.challenges.providers.forms import captcha_field, captchas_of

    if captchas_of(client.runtime):
        render = captcha_field(client)
        field = partial(_below_mount, render)
        app.context_processor(lambda: {"captcha_field": field})


def _below_mount(render: Any, *arguments: Any, **options: Any) -> Any:
    """``captcha_field``, which finds out itself where the application is mounted."""
    root_path = request.script_root if has_request_context() else ""
    return render(*arguments, **{"root_path": root_path, **options})
