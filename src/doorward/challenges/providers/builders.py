"""A function for each provider of the table.

::

    Doorward(rules, challenges={"kinds": ["wait", "work", turnstile(site_key="0x4…", secret="0x4…")]})
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import urlsplit

from doorward.challenges.providers import table
from doorward.challenges.providers.hosted import Hosted
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.providers.provider import Provider
    from doorward.challenges.providers.settings import HostedOptions
_PROJECT = re.compile(r"[A-Za-z0-9.:-]{1,100}")


def recaptcha_v2(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Google reCAPTCHA v2, the checkbox."""
    return Hosted(table.RECAPTCHA_V2, site_key, secret, **options)


def recaptcha_v3(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Google reCAPTCHA v3, which shows nothing and gives a score."""
    return Hosted(table.RECAPTCHA_V3, site_key, secret, **options)


def recaptcha_enterprise(*, site_key: str, project: str, api_key: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Google reCAPTCHA Enterprise with a score-based key; ``project`` is the Google Cloud project's id."""
    row = table.RECAPTCHA_ENTERPRISE
    if not _PROJECT.fullmatch(str(project)):
        raise ConfigurationError(f"{row.name}.project", f"must be the id of a project, not {project!r}")
    return Hosted(_filled(row, project=str(project)), site_key, api_key, **options)


def hcaptcha(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """hCaptcha."""
    return Hosted(table.HCAPTCHA, site_key, secret, **options)


def turnstile(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Cloudflare Turnstile."""
    return Hosted(table.TURNSTILE, site_key, secret, **options)


def friendly_v1(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Friendly Captcha v1; ``secret`` is the API key."""
    return Hosted(table.FRIENDLY_V1, site_key, secret, **options)


def friendly_v2(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """Friendly Captcha v2; ``secret`` is the API key."""
    return Hosted(table.FRIENDLY_V2, site_key, secret, **options)


def altcha_sentinel(
    *, instance: str, script: str, site_key: str, secret: str, **options: Unpack[HostedOptions]
) -> Hosted:
    """An ALTCHA Sentinel of yours.

    Without one, the challenge ``"work"`` is what ALTCHA's widget solves.

    Args:
        instance: Its URL, such as ``https://sentinel.example.com``.
        script: URL of the widget's script, as you host it.
        site_key: The API key's id, ``key_…``.
        secret: The API key's secret, ``sec_…``.
        **options: As of any provider.
    """
    return Hosted(_self_hosted(table.ALTCHA_SENTINEL, instance, script, site_key), site_key, secret, **options)


def cap(*, instance: str, script: str, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """A Cap Standalone of yours; ``instance`` is its URL, ``script`` that of the widget."""
    return Hosted(_self_hosted(table.CAP, instance, script, site_key), site_key, secret, **options)


def captchafox(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """CaptchaFox."""
    return Hosted(table.CAPTCHAFOX, site_key, secret, **options)


def mtcaptcha(*, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """MTCaptcha; ``secret`` is the private key."""
    return Hosted(table.MTCAPTCHA, site_key, secret, **options)


def hosted(provider: Provider, *, site_key: str, secret: str, **options: Unpack[HostedOptions]) -> Hosted:
    """A provider of your own."""
    return Hosted(provider, site_key, secret, **options)


def _self_hosted(row: Provider, instance: Any, script: Any, site_key: Any) -> Provider:
    values = {
        "instance": _url(instance, f"{row.name}.instance").rstrip("/"),
        "script": _url(script, f"{row.name}.script"),
        "origin": _origin(instance),
        "script_origin": _origin(script),
    }
    return _filled(row, **values, site_key=str(site_key))


def _filled(row: Provider, **values: str) -> Provider:
    """A row with what it leaves open for one application; the widget's site key is filled in later, escaped."""
    late = {name: value for name, value in values.items() if name != "site_key"}
    sources = {name: tuple([_put(each, late) for each in listed]) for name, listed in row.sources.items()}
    return replace(
        row,
        verify_url=_put(row.verify_url, values),
        widget=_put(row.widget, late),
        scripts=tuple([_put(url, late) for url in row.scripts]),
        sources=sources,
    )


def _put(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _url(value: Any, field: str) -> str:
    plain = isinstance(value, str) and value.isascii() and not any(c in value for c in "\"'<>{};, \\\t\r\n?#")
    if not plain or urlsplit(value).scheme not in ("https", "http") or not urlsplit(value).hostname:
        raise ConfigurationError(field, f"must be a URL such as https://captcha.example.com, not {value!r}")
    return str(value)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
