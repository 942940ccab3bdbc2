"""Templates, drawn."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from doorward.errors import ConfigurationError
from doorward.service.server.pages.rows import BLANK
from doorward.service.server.pages.texts import link, minute, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

TEMPLATES = Path(__file__).with_name("templates")


class Renderer:
    """Draws pages.

    Args:
        assets: URLs of the assets, by the names of their files.
        sections: (name, path) of what the navigation offers.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """

    def __init__(self, assets: Mapping[str, str], sections: list[tuple[str, str]]) -> None:
        self._templates = _templates()
        self._shared = {"asset": assets.__getitem__, "sections": sections, "token": "", "here": ""}

    def response(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.text(template, status=status, **values), status)

    def text(self, template: str, **values: Any) -> str:
        """What a template makes of ``values``."""
        return self._templates[template].render({**self._shared, **values})


@cache
def _templates() -> Mapping[str, Template]:
    """All templates. Parsed at once, so that a mistake in one is found before anybody asks for it."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise ConfigurationError("pages", "need jinja2: pip install 'doorward[service]'") from None
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(shown=shown, number=number, minute=minute)
    environment.globals.update(link=link, blank=BLANK)
    return {name: environment.get_template(name) for name in environment.list_templates()}
