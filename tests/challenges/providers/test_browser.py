"""In a real Chromium, under the page's own policy: each widget's script from the address that the table has for it.

The providers' scripts are stood in for by such as do what their documentation says that they do; the browser asks for
them where the page says, if its policy lets it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.challenges.providers.speaking import PROTOCOLS, Speaking, Told
from tests.chromium import UNTOUCHED, launched
from tests.loopback import served_by_asgi

from doorward import AsyncDoorward, challenge
from doorward.asgi import DoorwardMiddleware
from doorward.challenges.providers import captcha_field
from doorward.locks import lock_over_forks

pytestmark = pytest.mark.timeout(120)

WIDGETS = """
for (const at of document.querySelectorAll("SELECTOR")) {
  const box = document.createElement("button");
  box.type = "button"; box.id = "solve"; box.textContent = "I am a person";
  box.onclick = () => {
    const input = document.createElement("input");
    input.type = "hidden"; input.name = "FIELD"; input.value = "response.1";
    at.append(input);
    const callback = at.dataset.callback || (window.mtcaptchaConfig || {})["verified-callback"];
    if (callback) window[callback]("response.1");
  };
  at.append(box);
}
"""
FRAMED = (
    """{ const f = document.createElement("iframe"); f.id = "framed"; f.src = "FRAME"; document.body.append(f); }"""
)
SCORED = """
window.grecaptcha = { ready: (go) => go(), execute: async (key, { action }) => "response." + key + "." + action };
window.grecaptcha.enterprise = window.grecaptcha;
"""
SELECTORS = {
    "recaptcha_v2": ".g-recaptcha",
    "hcaptcha": ".h-captcha",
    "turnstile": ".cf-turnstile",
    "friendly_v1": ".frc-captcha",
    "friendly_v2": ".frc-captcha",
    "altcha_sentinel": "altcha-widget",
    "cap": "cap-widget",
    "captchafox": ".captchafox",
    "mtcaptcha": ".mtcaptcha",
}
FRAMES = {
    "recaptcha_v2": "https://www.google.com/recaptcha/api2/anchor",
    "hcaptcha": "https://newassets.hcaptcha.com/captcha/v1/x",
    "turnstile": "https://challenges.cloudflare.com/cdn-cgi/x",
    "friendly_v2": "https://global.frcapi.com/api/v2/captcha/agent",
    "mtcaptcha": "https://service.mtcaptcha.com/mtcv1/client/iframe.html",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@contextlib.contextmanager
def opened(browser: Browser, name: str, *, refused: bool = False) -> Iterator[tuple[Page, list[str]]]:
    """A page whose requests to providers are answered here; and what the browser complains about.

    The first response is one that its provider has not made, if it is to be ``refused``.
    """
    script = SCORED if name not in SELECTORS else WIDGETS.replace("SELECTOR", SELECTORS[name])
    if name in FRAMES:
        script += FRAMED.replace("FRAME", FRAMES[name])
    field = PROTOCOLS[name].build("http://127.0.0.1:1").provider.response_field

    loaded: list[str] = []

    def answer(route: Route) -> None:
        if route.request.resource_type == "script":
            headers = {"access-control-allow-origin": "*"}  # as modules need it, and providers send it
            content = script.replace("FIELD", field)
            if refused and not loaded:
                content = content.replace("response.", "made-up.")
            loaded.append(route.request.url)
            route.fulfill(content_type="text/javascript", body=content, headers=headers)
        else:
            route.fulfill(content_type="text/html", body="<p>framed</p>")

    context: BrowserContext = browser.new_context()
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(lambda url: not url.startswith("http://127.0.0.1"), answer)
    try:
        yield page, complaints
    finally:
        context.close()


def application(protocol_url: str, name: str, **options: Any) -> tuple[AsyncDoorward, Any]:
    aj = AsyncDoorward(
        [challenge("human", paths=["/secret"])],
        secret="s" * 40,
        challenges={"kinds": ["wait", PROTOCOLS[name].build(protocol_url, **options)]},
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<h1>The application</h1>"})

    return aj, DoorwardMiddleware(app, aj)


def answered(page: Page, name: str) -> None:
    """What a person does."""
    if name in SELECTORS:
        page.locator("#solve").click()
    if name in ("altcha_sentinel", "cap"):  # they have no callback: the page's button
        page.locator("#go").click()


OFTEN = {"turnstile", "recaptcha_v3", "friendly_v2", "mtcaptcha"}
"""One of each way to come to a response; the others' scripts do as these do."""


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.soak) for name in sorted(PROTOCOLS)]
)
def test_a_person_passes(name: str, browser: Browser) -> None:
    """By a click, or without one where nothing is shown; and sees the page that was asked for."""
    with Speaking(name, Told(time.time(), host="127.0.0.1")) as server, opened(browser, name) as (page, complaints):
        _, app = application(server.url, name)
        with served_by_asgi(app) as url:
            page.goto(f"{url}/secret?a=1")
            if name in SELECTORS and name in FRAMES:
                page.frame_locator("#framed").get_by_text("framed").wait_for()
            answered(page, name)
            page.get_by_role("heading", name="The application").wait_for()
            assert page.url == f"{url}/secret?a=1"
    blocked = [each for each in complaints if "Content Security Policy" in each or "Error" in each]
    assert not blocked
    assert server.problems == []


@pytest.mark.parametrize("name", ["turnstile", "cap", "recaptcha_v3"])
def test_a_refused_response_is_told_and_asked_for_again(name: str, browser: Browser) -> None:
    """Regression: by script the reason was never shown. Where nobody is there to answer, a person decides to go on."""
    told = Told(time.time(), host="127.0.0.1")
    with Speaking(name, told) as server, opened(browser, name, refused=True) as (page, complaints):
        _, app = application(server.url, name)
        if name == "recaptcha_v3":
            page.add_init_script(UNTOUCHED)
        with served_by_asgi(app) as url:
            page.goto(f"{url}/secret?a=1")
            answered(page, name)
            if name == "recaptcha_v3":
                expect(page.get_by_role("status")).to_have_text("That was not right. Please try again.")
                page.get_by_role("button", name="Try again").click()
            expect(page.get_by_role("alert")).to_have_text("That was not right. Please try again.")
            answered(page, name)
            page.get_by_role("heading", name="The application").wait_for()
            assert page.url == f"{url}/secret?a=1"
    assert not [each for each in complaints if "Content Security Policy" in each or "Error" in each]


def test_a_script_that_is_blocked_is_told(browser: Browser) -> None:
    """By an extension, or a network: the page says what can be done."""
    with opened(browser, "turnstile") as (page, _):
        _, app = application("http://127.0.0.1:1", "turnstile")
        page.route("https://challenges.cloudflare.com/**", lambda route: route.abort())
        with served_by_asgi(app) as url:
            page.goto(f"{url}/secret")
            expect(page.get_by_role("status")).to_contain_text("could not be loaded")
            expect(page.get_by_role("button", name="Try again")).to_be_visible()
            expect(page.get_by_text("Please complete the check below.")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "missing"), [("recaptcha_v3", ""), ("recaptcha_v3", "requestSubmit"), ("turnstile", "")]
)
def test_a_form_under_a_strict_policy(name: str, missing: str, browser: Browser) -> None:
    """The field in a form of the application's own, whose policy has nonces: nothing inline is needed.

    Nor is what Safari has since version 16 only.
    """
    seen: list[Any] = []
    lock = lock_over_forks()
    with Speaking(name, Told(time.time(), host="127.0.0.1", action="signup")) as server:
        server.protocol = type(server.protocol)(**{**vars(server.protocol), "extra": {}})
        aj, _ = application(server.url, name)
        field = captcha_field(aj)(action="signup", nonce="n0nce")

        async def app(scope: Any, receive: Any, send: Any) -> None:
            body = (await receive()).get("body", b"")
            said = b"<!doctype html><title>x</title>"
            if scope["method"] == "POST":
                from urllib.parse import parse_qsl

                found = await aj.verify_captcha(scope, dict(parse_qsl(body.decode())), action="signup")
                with lock:
                    seen.append(found)
                said += b"<h1>Welcome</h1>" if found else b"<h1>No</h1>"
            else:
                form = f'<form method="post"><input name="a" value="b">{field}<button id="send">Send</button></form>'
                said += form.encode()
            policy = (
                b"default-src 'none'; script-src 'nonce-n0nce'; frame-src https://challenges.cloudflare.com; "
                b"form-action 'self'"
            )
            headers = [(b"content-type", b"text/html"), (b"content-security-policy", policy)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": said})

        with served_by_asgi(DoorwardMiddleware(app, aj)) as url, opened(browser, name) as (page, complaints):
            if missing:
                page.add_init_script(f"delete HTMLFormElement.prototype.{missing}")
            page.goto(f"{url}/form")
            if name == "turnstile":
                page.locator("#solve").click()
            page.locator("#send").click()
            page.get_by_role("heading", name="Welcome").wait_for()
        assert [found.passed for found in seen] == [True]
        assert not [each for each in complaints if "Content Security Policy" in each]
