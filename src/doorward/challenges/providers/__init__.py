"""Hosted captchas: reCAPTCHA, hCaptcha, Turnstile, Friendly Captcha, ALTCHA Sentinel, Cap, CaptchaFox, MTCaptcha.

::

    from doorward.challenges.providers import turnstile

    aj = Doorward(rules, challenges={"kinds": ["wait", "work", turnstile(site_key="0x4…", secret="0x4…")]})
    result = aj.verify_captcha(request, request.form)  # in a form of your own

Each is a row of a table (:mod:`doorward.challenges.providers.table`); :func:`hosted` takes rows of your own.
"""

from __future__ import annotations

from doorward.challenges.providers.builders import (
    altcha_sentinel,
    cap,
    captchafox,
    friendly_v1,
    friendly_v2,
    hcaptcha,
    hosted,
    mtcaptcha,
    recaptcha_enterprise,
    recaptcha_v2,
    recaptcha_v3,
    turnstile,
)
from doorward.challenges.providers.forms import captcha_field
from doorward.challenges.providers.hosted import Hosted
from doorward.challenges.providers.provider import Provider
from doorward.challenges.providers.settings import HostedOptions
from doorward.challenges.providers.table import TABLE
from doorward.challenges.providers.verified import Verified

__all__ = [
    "TABLE",
    "Hosted",
    "HostedOptions",
    "Provider",
    "Verified",
    "altcha_sentinel",
    "cap",
    "captcha_field",
    "captchafox",
    "friendly_v1",
    "friendly_v2",
    "hcaptcha",
    "hosted",
    "mtcaptcha",
    "recaptcha_enterprise",
    "recaptcha_v2",
    "recaptcha_v3",
    "turnstile",
]
