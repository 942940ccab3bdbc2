"""P23: a client is sent to a path of the site that challenged it, whatever it asked for."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from tests.challenges.pages.hostile_targets import TABLE
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from doorward import RequestContext
from doorward.challenges.gate import is_exact_target, target_of
from doorward.challenges.issue import LONGEST_TARGET
from doorward.challenges.targets import safe_target

BASE = "http://site.example/.doorward/landed?t=x"
ESCAPES = """(targets) => targets.filter((target) => {
  const link = document.createElement('a');
  link.href = target;
  try { const url = new URL(target, 'http://site.example/.doorward/landed');
        if (url.origin !== 'http://site.example') return true; } catch { return true; }
  return link.protocol === 'javascript:';
})"""


def sent_back(hostile: str) -> set[str]:
    """Where clients are sent to who have something of ``hostile`` in their request, by every way into a target."""
    requests = [
        RequestContext(path=hostile),
        RequestContext(path="/", raw_path=hostile),
        RequestContext(path="/", query=hostile),
        RequestContext(path="/", raw_path="/" + hostile),
        RequestContext(path=hostile.lstrip("/"), raw_path=hostile, query=hostile),
    ]
    mounted = RequestContext(path="/x", raw_path=hostile)
    mounted.root_path = "/mounted"
    return {safe_target(hostile, LONGEST_TARGET), *[target_of(request) for request in [*requests, mounted]]}


def test_the_table_is_large_enough() -> None:
    assert len(set(TABLE)) >= 300


@pytest.mark.parametrize("part", range(4))
def test_no_hostile_target_leaves_the_site(part: int) -> None:
    for hostile in TABLE[part::4]:
        for target in sent_back(hostile):
            assert target.startswith("/")
            assert urlsplit(urljoin(BASE, target)).netloc == "site.example", (hostile, target)
            assert target.isascii()
            assert target.isprintable()
            assert not target.startswith(("//", "/\\"))


def test_no_hostile_target_leaves_the_site_in_a_browser(browser: Browser) -> None:
    """By the URL parser of a real one."""
    targets = sorted({target for hostile in TABLE for target in sent_back(hostile)})
    page = browser.new_page()
    assert page.evaluate(ESCAPES, targets) == []
    # The test would see one that does.
    assert (
        page.evaluate(ESCAPES, ["//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]) != []
    )
    page.close()


def test_no_hostile_target_leaves_the_site_after_a_framework_has_rewritten_it() -> None:
    """Werkzeug joins locations with the request's URL where it is asked to; others send them as they are."""
    for hostile in TABLE:
        for target in sent_back(hostile):
            response: Response = redirect(target)
            response.autocorrect_location_header = True
            environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "site.example", "REQUEST_METHOD": "GET"}
            sent = dict(response.get_wsgi_headers(environ))["Location"]  # type: ignore[arg-type]
            assert urlsplit(sent).netloc == "site.example", (hostile, sent)


@given(st.text(max_size=60) | st.text("/\\.:@?#%\t\r\n\x00 aevil", max_size=20))
def test_any_text_is_a_path_of_the_site_or_the_front_page(text: str) -> None:
    for target in sent_back(text):
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\"))
        assert target.isascii()
        assert target.isprintable()
        assert not set(target) & set(' "<>\\^`{|}')


@given(st.from_regex(r"/[a-z0-9/._~%+-]{0,20}", fullmatch=True).filter(lambda path: not path.startswith("//")))
def test_what_is_safe_stays_what_it_is(path: str) -> None:
    request = RequestContext(path="/", raw_path=path, query='a={"b":[1]}&c=|^')
    assert target_of(request) == f"{path}?a=%7B%22b%22:[1]%7D&c=%7C%5E"
    assert is_exact_target(RequestContext(path="/", raw_path=path, query="a=1"))
