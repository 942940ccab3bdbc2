"""What stands in pages and their headers, and the options that change it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.pages.sites import BROWSER, Fields, made, make_client, visitor

from doorward import ConfigurationError, Doorward, RequestContext, deny
from doorward.answers import refusal
from doorward.challenges.appearance import Appearance, parse_appearance
from doorward.challenges.csp import policy
from doorward.challenges.skin import Skin, contrast, plain_style, readable_on
from doorward.challenges.templates import Template
from doorward.testing import FakeClock


def site(clock: FakeClock | None = None, **challenges: Any) -> httpx.Client:
    return visitor("wsgi", made("wsgi", lambda **_: None, clock=clock or FakeClock(), challenges=challenges))


def test_headers_of_a_page_are_strict() -> None:
    headers = site().get("/x").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    wanted = {
        "cache-control": "no-store", "x-content-type-options": "nosniff", "x-robots-tag": "noindex",
        "referrer-policy": "same-origin", "x-frame-options": "DENY", "content-language": "en",
        "content-type": "text/html; charset=utf-8",
    }  # fmt: skip
    assert {name: headers[name] for name in wanted} == wanted
    assert {"Accept", "Accept-Language", "Cookie"} <= set(headers["vary"].split(", "))


def test_a_page_has_no_script_or_style_in_it() -> None:
    page = Fields(site().get("/x").text)
    for tag, attributes in page.attributes:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "script":
            assert attributes.get("type") == "application/json" or attributes["src"]
        assert tag != "style"


@pytest.mark.parametrize(
    ("status", "header"),
    [(200, None), (401, ("www-authenticate", 'Doorward realm="challenge"')), (403, None), (429, ("retry-after", "2")),
     (503, ("retry-after", "2"))],
)  # fmt: skip
def test_the_status_is_the_operators(status: int, header: tuple[str, str] | None) -> None:
    answer = site(status=status).get("/x")
    assert answer.status_code == status
    called = site(status=status).get("/x", headers={"accept": "application/json"})
    assert called.status_code == called.json()["status"] == (status if status != 200 else 403)
    if header is not None:
        assert answer.headers[header[0]] == called.headers[header[0]] == header[1]


def test_a_program_can_pass_a_challenge(clock: FakeClock) -> None:
    visit = site(clock)
    told = visit.get("/x", headers={"accept": "application/json"}).json()["challenge"]
    clock.advance(3)
    passed = visit.post(told["verify"], json={"token": told["token"]}, headers={"accept": "application/json"}).json()
    assert passed["passed"] is True
    assert visit.get(passed["landed"], headers={"accept": "application/json"}).json() == {"cookie": True, "since": True}


def test_an_expired_challenge_goes_on_where_it_was(clock: FakeClock) -> None:
    """No time limit that loses work (WCAG 2.2.1): where it led to, and the form that it kept."""
    visit = site(clock)
    kept = visit.post("/x?a=1", data={"text": "a long letter"})
    clock.advance(3600)
    again = visit.post("/.doorward/verify", data=dict(Fields(kept.text).forms[0][1]))
    assert "has expired" in again.text
    assert 'role="alert"' in again.text
    clock.advance(3)
    ready = visit.post("/.doorward/verify", data=dict(Fields(again.text).forms[0][1]))
    assert Fields(ready.text).forms[0][1] == [("text", "a long letter")]
    assert Fields(ready.text).forms[0][0]["action"] == "/x?a=1"


def test_a_page_without_javascript_comes_back_by_itself(clock: FakeClock) -> None:
    visit = site(clock)
    found = re.search(r'<noscript><meta http-equiv="refresh" content="2;url=([^"]+)">', visit.get("/x").text)
    assert found is not None
    early = visit.get(found[1])
    assert "too early" in early.text
    clock.advance(2)
    assert visit.get(found[1]).status_code == 303


def test_who_comes_too_early_does_not_come_by_itself_for_ever(clock: FakeClock) -> None:
    visit = site(clock)
    page = visit.get("/x").text
    for _ in range(5):
        found = re.search(r'content="2;url=([^"]+)"', page)
        if found is None:
            break
        page = visit.get(found[1]).text
    assert found is None
    assert 'id="answer"' in page


@given(st.text(max_size=50))
def test_nothing_that_a_client_sends_is_html(text: str) -> None:
    """XSS by path, query, agent and language."""
    hostile = text + "<script>x</script>\"'><img src=x>"
    environ_safe = hostile.encode("utf-8", "replace").decode("latin-1")
    headers = [(name, value) for name, value in BROWSER.items() if name not in ("user-agent", "accept-language")]
    client = make_client(clock=FakeClock())
    request = RequestContext(
        path="/x", query=environ_safe, peer="203.0.113.5",
        headers=[*headers, ("user-agent", environ_safe), ("accept-language", environ_safe)],
    )  # fmt: skip
    gate = client.runtime.gatekeeper.gate
    answer = gate.answer(request, client.protect(request))
    page = answer.body.decode()
    assert "<script>x" not in page
    assert "<img" not in page
    assert {tag for tag, _ in Fields(page).attributes} <= {
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "noscript",
        "body",
        "div",
        "main",
        "h1",
        "p",
        "form",
        "input",
        "button",
        "footer",
        "code",
    }


def test_operators_change_the_looks(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "own.css").write_text("h1 { color: red }")
    visit = site(
        theme="dark",
        accent="#FFDD00",
        logo=tmp_path / "logo.svg",
        title="A & B",
        css=tmp_path / "own.css",
        contact="<Help> desk",
        words={"en": {"title": "Wait <here>"}},
    )
    page = visit.get("/x").text
    assert 'data-theme="dark"' in page
    assert "A &amp; B" in page
    assert "&lt;Help&gt; desk" in page
    assert "<h1>Wait &lt;here&gt;</h1>" in page
    urls = [str(a.get("href") or a.get("src")) for tag, a in Fields(page).attributes if tag in ("link", "img")]
    own = [visit.get(url) for url in urls]
    assert [answer.status_code for answer in own] == [200] * 3
    assert ":root{--accent:#ffdd00;--accent-ink:#000000}\nh1 { color: red }" in [answer.text for answer in own]
    assert visit.get(urls[-1]).headers["content-security-policy"].endswith("sandbox")


def test_a_picture_of_another_site_is_allowed_by_the_policy() -> None:
    answer = site(logo="https://cdn.example/logo.png").get("/x")
    assert "img-src 'self' https://cdn.example;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("contact", ["mailto:a@b.example", "https://b.example/help", "call us", "javascript:alert(1)"])
def test_a_contact_is_a_link_only_where_that_is_safe(contact: str) -> None:
    links = [a["href"] for tag, a in Fields(site(contact=contact).get("/x").text).attributes if tag == "a"]
    assert links == ([] if contact in ("call us", "javascript:alert(1)") else [contact])


def test_a_denied_request_gets_the_same_looks() -> None:
    client = Doorward([deny(paths=["/"])], challenges={"contact": "mailto:a@b.example"})
    request = RequestContext(headers={**BROWSER, "accept-language": "he"}, peer="203.0.113.5")
    answer = refusal(request, client.protect(request), client.runtime.gatekeeper.skin)
    page = answer.body.decode()
    assert '<html lang="he" dir="rtl"' in page
    assert "a@b.example" in page
    assert "unsafe" not in dict(answer.headers)["Content-Security-Policy"]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"theme": "grey"}, "challenges.theme.*auto, light, dark"),
    ({"accent": "blue"}, "challenges.accent"),
    ({"logo": "//evil.example/x.png"}, "challenges.logo"),
    ({"logo": "javascript:1"}, "challenges.logo"),
    ({"logo": Path("/nowhere.svg")}, "challenges.logo.*read"),
    ({"logo": Path("/etc/passwd")}, "challenges.logo.*image"),
    ({"css": "/nowhere.css"}, "challenges.css.*read"),
    ({"title": 3}, "challenges.title"),
    ({"contact": "x" * 301}, "challenges.contact"),
    ({"words": {"not a tag": {}}}, "challenges.words"),
    ({"words": {"de": {"title": 1}}}, "challenges.words"),
    ({"words": ["de"]}, "challenges.words"),
    ({"language": "xx"}, "challenges.language"),
    ({"template_dir": "/nowhere"}, "challenges.template_dir"),
    ({"thema": "dark"}, "theme"),
]


@pytest.mark.parametrize(("challenges", "message"), MISTAKES, ids=str)
def test_mistakes_are_errors_when_the_client_is_built(challenges: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Doorward([], challenges=challenges)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("page", "${head} ${content} ${nonsense}", r"page.html.*line 1: \$\{nonsense\} is none of"),
        ("page", "${head}", r"has to have \$\{content\}"),
        ("page", "${head}\n${content} $5", r"line 2: a \$ stands for itself as \$\$"),
        ("pgae", "${head} ${content}", "pgae.html is none of"),
    ],
)
def test_a_wrong_template_is_an_error_when_the_client_is_built(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / f"{name}.html").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        Doorward([], challenges={"template_dir": tmp_path})


def test_a_template_frames_the_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<html lang="${lang}">$$5 ${title} ${head} ${content} ${footer}')
    page = site(template_dir=tmp_path).get("/x").text
    assert page.startswith('<html lang="en">$5 One moment')
    assert 'id="answer"' in page


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_template_escapes_what_it_shows(before: str, value: str) -> None:
    text = before.replace("$", "$$") + "${title}"
    shown = Template(text, ["title"], field="t").render(title=value)
    assert shown.startswith(before)
    assert not set(shown[len(before) :]) & set("<>\"'")


def test_policies_take_sources_and_nothing_else() -> None:
    assert "script-src 'self' https://a.example" in policy({"script-src": ["https://a.example"]})
    assert "frame-src https://a.example" in policy({"frame-src": ["https://a.example"]})
    assert "default-src 'none'" in policy({})
    for bad in ({"script-src": ["a; script-src *"]}, {"script-src": ["a, b"]}, {"x y": ["a"]}, {"x": ["a\r\nb"]}):
        with pytest.raises(ValueError, match="cannot stand"):
            policy(bad)


def colours(theme: str) -> dict[str, str]:
    """The custom properties of a theme, as the style sheet has them."""
    style = plain_style().decode()
    light = style.partition(":root {")[2].partition("}")[0]
    dark = style.partition(':root[data-theme="dark"] {')[2].partition("}")[0]
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found | (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark)) if theme == "dark" else {})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_enough_in_both_themes(theme: str) -> None:
    """WCAG 2.2: 1.4.3 for text, 1.4.11 for what fields and buttons are known by."""
    found = colours(theme)
    for ink, ground in [
        ("ink", "card"),
        ("soft", "card"),
        ("ink", "note"),
        ("accent-ink", "accent"),
        ("ink", "ground"),
    ]:
        assert contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
    for edge, ground in [("edge", "card"), ("ink", "card")]:
        assert contrast(found[edge], found[ground]) >= 3, (edge, ground)


def test_both_ways_to_the_dark_theme_are_the_same() -> None:
    style = plain_style().decode()
    by_system = style.partition(':root:not([data-theme="light"]) {')[2].partition("}")[0]
    assert set(re.findall(r"--[a-z]+: #[0-9a-f]+", by_system)) == {
        f"--{name}: {value}" for name, value in colours("dark").items() if name not in ("accent", "accent-ink")
    }


@given(st.integers(0, 0xFFFFFF))
def test_text_on_any_accent_can_be_read(colour: int) -> None:
    accent = f"#{colour:06x}"
    assert contrast(readable_on(accent), accent) >= 4.5


def test_style_in_a_page_cannot_end_its_element(tmp_path: Path) -> None:
    (tmp_path / "own.css").write_text("a::after { content: '</style><script>alert(1)</script>' }")
    skin = Skin(parse_appearance({"css": tmp_path / "own.css"}, "challenges"))
    assert skin.inline_style[0].count("</") == 1
    assert Skin(Appearance()).own_style == b""


def test_what_a_page_is_told_cannot_end_its_element() -> None:
    told = re.search(
        r'<script type="application/json" id="challenge">(.*?)</script>', site().get("/x?a=</script>").text
    )
    assert told is not None
    assert json.loads(told[1])["target"] == "/x?a=%3C/script%3E"
