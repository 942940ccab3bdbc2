"""What is wrong with a configuration is said when it is built, by name, and without the secret."""

from __future__ import annotations

from typing import Any

import pytest

from doorward import Doorward, RequestContext
from doorward.challenges import providers
from doorward.challenges.csp import policy
from doorward.challenges.providers import TABLE, Hosted, Provider, captcha_field, hosted, turnstile
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.levels import Level

KEYS = {"site_key": "0x4AAA", "secret": "0xsecret"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"site_key": ""}, "turnstile.site_key: must be the key"),
        ({"site_key": '"><script>'}, "turnstile.site_key: must be the key"),
        ({"site_key": None}, "turnstile.site_key: must be the key"),
        ({"secret": ""}, "turnstile.secret: must be the secret"),
        ({"secret": "a\r\nX: y"}, "turnstile.secret: must be the secret"),
        ({"secret": 7}, "turnstile.secret: must be the secret"),
        ({"secret": "0x4AAA"}, "turnstile.secret: is the site key"),
        ({"hostnames": "app.example"}, "turnstile.hostnames: must be a list"),
        ({"hostnames": []}, "turnstile.hostnames: must be a list"),
        ({"hostnames": ["a", 1]}, "turnstile.hostnames: must be a list"),
        ({"action": "a b"}, "turnstile.action: must be"),
        ({"min_score": 1.1}, "turnstile.min_score: must be a number from 0 to 1"),
        ({"min_score": True}, "turnstile.min_score: must be a number"),
        ({"max_age": 0}, "turnstile.max_age: must be a number from 1 to 3600"),
        ({"max_age": "soon"}, "turnstile.max_age: must be seconds"),
        ({"remoteip": "yes"}, "turnstile.remoteip: must be True or False"),
        ({"on_error": "ignore"}, "turnstile.on_error: must be one of deny, allow, local"),
        ({"timeout": 0}, "turnstile.timeout: must be a number from 0.1 to 30"),
        ({"timeout": float("nan")}, "turnstile.timeout: must be a number"),
        ({"level": "robot"}, "turnstile.level: must be one of"),
        ({"attributes": {"onclick": "x"}}, "turnstile.attributes: must map names"),
        ({"attributes": {"data-x": 1}}, "turnstile.attributes: must map names"),
        ({"name": "No Name"}, "name: must be a short word"),
        ({"verify_url": "http://captcha.example/verify"}, "turnstile.verify_url: must begin with https://"),
        ({"verify_url": "https://user:pw@captcha.example/"}, "turnstile.verify_url: must be a URL without user name"),
        ({"verify_url": "https:///x"}, "turnstile.verify_url: "),
        ({"verify_url": 1}, "turnstile.verify_url: must be a URL"),
        ({"verify": "/no/such/file"}, "turnstile.verify_url: holds no certificates"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, Any], message: str) -> None:
    """Each mistake, by its field."""
    with pytest.raises(ConfigurationError) as caught:
        turnstile(**{**KEYS, **options})
    assert str(caught.value).startswith(message)
    assert "0xsecret" not in str(caught.value)


def test_an_unknown_option_is_named() -> None:
    """With what was meant."""
    with pytest.raises(UnknownArgument, match="Did you mean hostnames"):
        turnstile(**KEYS, hostname=["a"])  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("builder", "options", "field"),
    [
        ("recaptcha_enterprise", {"site_key": "k", "api_key": "s", "project": "a/b"}, "recaptcha_enterprise.project"),
        ("cap", {**KEYS, "instance": "cap.example", "script": "https://x.example/w.js"}, "cap.instance"),
        ("cap", {**KEYS, "instance": "https://cap.example", "script": 'https://x.example/"'}, "cap.script"),
        (
            "altcha_sentinel",
            {**KEYS, "instance": "https://a;b", "script": "https://x/w.js"},
            "altcha_sentinel.instance",
        ),
    ],
)
def test_what_providers_of_your_own_need(builder: str, options: dict[str, Any], field: str) -> None:
    """URLs of what is self-hosted are held to what a page and a policy can hold."""
    with pytest.raises(ConfigurationError, match=field):
        getattr(providers, builder)(**options)


def test_options_arrive() -> None:
    """All that may be said."""
    captcha = turnstile(
        **KEYS,
        name="gate",
        hostnames=["WWW.Example", "bücher.example"],
        action="signup",
        max_age="2m",
        timeout=2,
        level="work",
        attributes={"data-theme": "dark"},
    )
    settings = captcha.settings
    assert (captcha.name, captcha.level) == ("gate", Level.WORK)
    assert settings.hostnames == {"www.example", "xn--bcher-kva.example"}
    assert (settings.max_age, settings.timeout, settings.action) == (120.0, 2.0, "signup")


@pytest.mark.parametrize("url", ["http://cap:3000/x", "http://10.0.0.7/x", "http://[::1]:3000/x", "http://localhost/"])
def test_what_is_near_needs_no_tls(url: str) -> None:
    """Another container of the same network."""
    assert turnstile(**KEYS, verify_url=url).provider.verify_url == url


def test_one_is_added_in_ten_lines() -> None:
    """A provider that the table does not have."""
    row = Provider(
        name="friend",
        docs="Friend: how to verify",
        verify_url="https://friend.example/verify",
        response_field="friend-response",
        widget='<div class="friend" data-key="{site_key}"{callback}{more}></div>',
        scripts=("https://friend.example/widget.js",),
        sources={"script-src": ("https://friend.example",)},
    )
    captcha = hosted(row, **KEYS)
    page = captcha_field(Doorward([], challenges={"kinds": ["wait", captcha]}))()
    assert 'data-key="0x4AAA"' in page
    assert "https://friend.example/widget.js" in page
    assert "https://friend.example" in policy(captcha.sources)


def test_what_is_put_into_html_is_escaped() -> None:
    """Humanify did not escape site keys; attributes, actions and nonces come from the application: escaped too."""
    captcha = turnstile(**KEYS, attributes={"data-x": '"><script>alert(1)</script>'})
    field = captcha_field(Doorward([], challenges={"kinds": ["wait", captcha]}))
    page = field(action='"><b>', nonce='"><i>')
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert page.__html__() is page


@pytest.mark.parametrize("name", sorted(TABLE))
def test_rows_have_no_inline_script(name: str) -> None:
    """Strict policies let every widget be: only external scripts, no handlers of events."""
    row = TABLE[name]
    assert "<script" not in row.widget
    assert "on" not in [word[:2] for word in row.widget.split() if "=" in word]
    assert row.docs
    assert all(url.startswith(("https://", "{script}")) for url in row.scripts)
    assert row.verify_url.startswith(("https://", "{instance}"))


def test_a_captcha_that_is_not_there_is_named() -> None:
    """Of a client without one, and of a name that none has."""
    request = RequestContext(host="a.example")
    with pytest.raises(ConfigurationError, match="captcha: must be one of challenges"):
        Doorward([]).verify_captcha(request, "x")
    with pytest.raises(ConfigurationError, match=r"\(turnstile\)"):
        Doorward([], challenges={"kinds": [turnstile(**KEYS)]}).verify_captcha(request, "x", captcha="hcaptcha")
    with pytest.raises(ConfigurationError, match="one kind twice"):
        Doorward([], secret="s" * 40, challenges={"kinds": [turnstile(**KEYS), turnstile(**KEYS)]})


def test_verified_is_true_only_where_it_passed() -> None:
    """``if aj.verify_captcha(…):`` does what it says."""
    assert not providers.Verified(False)
    assert providers.Verified(True)
    assert isinstance(turnstile(**KEYS), Hosted)
