"""HTML of a provider's widget: escaped, with external scripts only, so that a strict policy lets it be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.assets import url_of
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from doorward.challenges.providers.provider import Provider
    from doorward.challenges.providers.settings import HostedSettings


SCRIPT = "captcha.js"


class SafeHtml(Markup):
    """HTML that the templates of Jinja and Django take as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def element(provider: Provider, settings: HostedSettings, action: str, *, callback: str = "") -> Markup:
    """The widget's element.

    Args:
        provider: Whose.
        settings: Keys and attributes.
        action: What the response is for.
        callback: Name of the page's function that is called when there is a response.
    """
    return fill(
        provider.widget,
        site_key=settings.site_key,
        action=action,
        callback=_attribute("data-callback", callback) if callback else Markup(""),
        more=join([_attribute(name, value) for name, value in settings.attributes.items()], ""),
    )


def scripts(provider: Provider, settings: HostedSettings, nonce: str = "") -> Markup:
    """The provider's scripts."""
    kind = Markup(' type="module"') if provider.modules else Markup("")
    urls = [url.replace("{site_key}", settings.site_key) for url in provider.scripts]
    return join([_script(url, nonce, kind) for url in urls])


def own_script(prefix: str, nonce: str = "") -> Markup:
    """Ours, which comes before them; ``prefix`` is that of the endpoints."""
    return _script(url_of(SCRIPT, prefix), nonce, Markup(""))


def _script(url: str, nonce: str, kind: Markup) -> Markup:
    secret = _attribute("nonce", nonce) if nonce else Markup("")
    return fill('<script src="{url}" defer{kind}{nonce}></script>', url=url, kind=kind, nonce=secret)


def _attribute(name: str, value: str) -> Markup:
    return fill(' {name}="{value}"', name=name, value=value)
