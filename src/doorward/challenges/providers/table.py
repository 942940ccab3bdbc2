"""The providers. Each row says by which public documentation it was written; addresses and names are from there."""

from __future__ import annotations

from doorward.challenges.providers.provider import Provider

_GOOGLE = {
    "script-src": ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    "frame-src": ("https://www.google.com/recaptcha/", "https://recaptcha.google.com/recaptcha/"),
    "connect-src": ("https://www.google.com/recaptcha/",),
}
_SCORED = (
    '<input type="hidden" name="g-recaptcha-response" data-doorward-captcha="{api}" data-sitekey="{site_key}" '
    'data-action="{action}"{more}>'
)

RECAPTCHA_V2 = Provider(
    name="recaptcha_v2",
    docs="Google: reCAPTCHA v2, Verifying the user's response",
    verify_url="https://www.google.com/recaptcha/api/siteverify",
    response_field="g-recaptcha-response",
    widget='<div class="g-recaptcha" data-sitekey="{site_key}"{callback}{more}></div>',
    scripts=("https://www.google.com/recaptcha/api.js",),
    sources=_GOOGLE,
)
RECAPTCHA_V3 = Provider(
    name="recaptcha_v3",
    docs="Google: reCAPTCHA v3, Site Verify Response",
    verify_url="https://www.google.com/recaptcha/api/siteverify",
    response_field="g-recaptcha-response",
    widget=_SCORED.replace("{api}", "recaptcha"),
    needs_help=True,
    scripts=("https://www.google.com/recaptcha/api.js?render={site_key}",),
    action="action",
    score="score",
    sources=_GOOGLE,
)
RECAPTCHA_ENTERPRISE = Provider(
    name="recaptcha_enterprise",
    docs="Google Cloud: reCAPTCHA, Create assessments for websites (REST projects.assessments.create)",
    verify_url="https://recaptchaenterprise.googleapis.com/v1/projects/{project}/assessments",
    response_field="g-recaptcha-response",
    widget=_SCORED.replace("{api}", "enterprise"),
    needs_help=True,
    scripts=("https://www.google.com/recaptcha/enterprise.js?render={site_key}",),
    encoding="json",
    parameters={
        "event.token": "token",
        "event.siteKey": "site_key",
        "event.expectedAction": "action",
        "event.userIpAddress": "ip",
    },
    # The documentation has the key in the query, where logs on the way would hold it; Google takes this header too.
    headers={"X-Goog-Api-Key": "secret"},
    passed="tokenProperties.valid",
    hostname="tokenProperties.hostname",
    action="tokenProperties.action",
    score="riskAnalysis.score",
    solved_at="tokenProperties.createTime",
    errors="tokenProperties.invalidReason",
    sources=_GOOGLE,
)
HCAPTCHA = Provider(
    name="hcaptcha",
    docs="hCaptcha: Developer Guide, Verify the User Response Server Side; Content-Security-Policy Settings",
    verify_url="https://api.hcaptcha.com/siteverify",
    response_field="h-captcha-response",
    widget='<div class="h-captcha" data-sitekey="{site_key}"{callback}{more}></div>',
    scripts=("https://js.hcaptcha.com/1/api.js",),
    parameters={"secret": "secret", "response": "token", "sitekey": "site_key", "remoteip": "ip"},
    # Its Enterprise score goes the other way (1.0 is a machine): it is in ``Verified.answer`` for who wants it.
    sources={
        "script-src": ("https://hcaptcha.com", "https://*.hcaptcha.com"),
        "frame-src": ("https://hcaptcha.com", "https://*.hcaptcha.com"),
        "style-src": ("https://hcaptcha.com", "https://*.hcaptcha.com"),
        "connect-src": ("https://hcaptcha.com", "https://*.hcaptcha.com"),
    },
    longest_token=16_384,
)
TURNSTILE = Provider(
    name="turnstile",
    docs="Cloudflare Turnstile: Validate the token; Content Security Policy",
    verify_url="https://challenges.cloudflare.com/turnstile/v0/siteverify",
    response_field="cf-turnstile-response",
    widget='<div class="cf-turnstile" data-sitekey="{site_key}" data-action="{action}"{callback}{more}></div>',
    scripts=("https://challenges.cloudflare.com/turnstile/v0/api.js",),
    action="action",
    sources={
        "script-src": ("https://challenges.cloudflare.com",),
        "frame-src": ("https://challenges.cloudflare.com",),
    },
    longest_token=2_048,
)
_FRIENDLY_SOURCES = {
    "script-src": ("https://cdn.jsdelivr.net/npm/friendly-challenge@0.9.19/", "'wasm-unsafe-eval'"),
    "connect-src": ("https://api.friendlycaptcha.com", "https://eu-api.friendlycaptcha.eu"),
    "worker-src": ("blob:",),
    "child-src": ("blob:",),
    "style-src": ("'unsafe-inline'",),
}
FRIENDLY_V1 = Provider(
    name="friendly_v1",
    docs="Friendly Captcha v1: Verification API; Widget API",
    verify_url="https://api.friendlycaptcha.com/api/v1/siteverify",
    response_field="frc-captcha-solution",
    widget='<div class="frc-captcha" data-sitekey="{site_key}"{callback}{more}></div>',
    scripts=("https://cdn.jsdelivr.net/npm/friendly-challenge@0.9.19/widget.module.min.js",),
    modules=True,
    encoding="json",
    parameters={"solution": "token", "secret": "secret", "sitekey": "site_key"},
    hostname="",
    solved_at="",
    errors="errors",
    sources=_FRIENDLY_SOURCES,
    longest_token=16_384,
)
FRIENDLY_V2 = Provider(
    name="friendly_v2",
    docs="Friendly Captcha v2: /api/v2/captcha/siteverify; Authentication",
    verify_url="https://global.frcapi.com/api/v2/captcha/siteverify",
    response_field="frc-captcha-response",
    widget='<div class="frc-captcha" data-sitekey="{site_key}"{callback}{more}></div>',
    scripts=("https://cdn.jsdelivr.net/npm/@friendlycaptcha/sdk@0.1.31/site.min.js",),
    modules=True,
    encoding="json",
    parameters={"response": "token", "sitekey": "site_key"},
    headers={"X-API-Key": "secret"},
    hostname="data.challenge.origin",
    solved_at="data.challenge.timestamp",
    errors="error.error_code",
    sources={
        "script-src": ("https://cdn.jsdelivr.net/npm/@friendlycaptcha/",),
        "frame-src": ("https://*.frcapi.com",),
        "connect-src": ("https://*.frcapi.com",),
    },
    longest_token=16_384,
)
ALTCHA_SENTINEL = Provider(
    name="altcha_sentinel",
    docs="ALTCHA v2: Server Integration, Using the HTTP API; altcha-lib: Server Signatures (Sentinel)",
    verify_url="{instance}/v1/verify/signature",
    response_field="altcha",
    # Both names of the attribute: `challenge` since version 3 of the widget, `challengeurl` before.
    widget='<altcha-widget challenge="{instance}/v1/challenge?apiKey={site_key}" '
    'challengeurl="{instance}/v1/challenge?apiKey={site_key}"{more}></altcha-widget>',
    scripts=("{script}",),
    modules=True,
    encoding="json",
    parameters={"payload": "token", "secret": "secret"},
    passed="verified",
    hostname="",
    solved_at="verificationData.time",
    errors="error",
    # The endpoint is public, and verifies what any key of the instance has signed.
    site_key="apiKey",
    # A response is signed JSON in base64: the same one can be written in many ways.
    once="verificationData.id",
    sources={
        "script-src": ("{script_origin}",),
        "connect-src": ("{origin}",),
        "worker-src": ("blob:",),
        "style-src": ("'unsafe-inline'",),
    },
    longest_token=16_384,
)
CAP = Provider(
    name="cap",
    docs="Cap: Standalone, Usage; Widget",
    verify_url="{instance}/{site_key}/siteverify",
    response_field="cap-token",
    widget='<cap-widget data-cap-api-endpoint="{instance}/{site_key}/"{more}></cap-widget>',
    scripts=("{script}",),
    modules=True,
    encoding="json",
    parameters={"secret": "secret", "response": "token"},
    hostname="",
    solved_at="",
    errors="error",
    sources={
        "script-src": ("{script_origin}", "'wasm-unsafe-eval'"),
        "connect-src": ("{origin}", "{script_origin}"),
        "worker-src": ("blob:",),
        "style-src": ("'unsafe-inline'",),
    },
)
CAPTCHAFOX = Provider(
    name="captchafox",
    docs="CaptchaFox: Server-side Verification",
    verify_url="https://api.captchafox.com/siteverify",
    response_field="cf-captcha-response",
    widget='<div class="captchafox" data-sitekey="{site_key}"{callback}{more}></div>',
    scripts=("https://cdn.captchafox.com/api.js",),
    parameters={"secret": "secret", "response": "token", "sitekey": "site_key", "remoteIp": "ip"},
    sources={
        "script-src": ("https://*.captchafox.com",),
        "frame-src": ("https://*.captchafox.com",),
        "connect-src": ("https://*.captchafox.com",),
        "style-src": ("https://*.captchafox.com", "'unsafe-inline'"),
        "img-src": ("https://*.captchafox.com", "data:"),
    },
)
MTCAPTCHA = Provider(
    name="mtcaptcha",
    docs="MTCaptcha: Validate Token (With Private Key), CheckToken API",
    verify_url="https://service.mtcaptcha.com/mtcv1/api/checktoken",
    response_field="mtcaptcha-verifiedtoken",
    widget='<div class="mtcaptcha" data-doorward-captcha="mtcaptcha" data-sitekey="{site_key}" '
    'data-action="{action}"{more}></div>',
    needs_help=True,
    scripts=("https://service.mtcaptcha.com/mtcv1/client/mtcaptcha.min.js",),
    method="GET",
    encoding="query",
    parameters={"privatekey": "secret", "token": "token"},
    hostname="tokeninfo.hostname",
    action="tokeninfo.action",
    solved_at="tokeninfo.timestampSec",
    errors="fail_codes",
    sources={
        "script-src": ("https://service.mtcaptcha.com", "https://service2.mtcaptcha.com"),
        "frame-src": ("https://service.mtcaptcha.com", "https://service2.mtcaptcha.com"),
    },
)

TABLE = {
    row.name: row
    for row in (
        RECAPTCHA_V2,
        RECAPTCHA_V3,
        RECAPTCHA_ENTERPRISE,
        HCAPTCHA,
        TURNSTILE,
        FRIENDLY_V1,
        FRIENDLY_V2,
        ALTCHA_SENTINEL,
        CAP,
        CAPTCHAFOX,
        MTCAPTCHA,
    )
}
"""All of them, by name."""
