"""Session fixation: where a session's identifier comes from."""

from __future__ import annotations

import pytest
from tests.attacks.asking import of_request, weight

from doorward import RequestContext

FOREIGN = ("Referer", "https://b.example/x")


def ask(query: str = "", *headers: tuple[str, str], body: bytes | None = None, path: str = "/") -> float:
    request = RequestContext(
        method="POST" if body else "GET", path=path, query=query, headers=[("Host", "a.example"), *headers], body=body
    )
    return sum(of_request("session", request).values())


@pytest.mark.parametrize("name", ["PHPSESSID", "jsessionid", "ASP.NET_SessionId", "connect.sid", "laravel_session"])
def test_a_session_in_a_link_of_another_site_is_denied(name: str) -> None:
    """In its own site's links it is how old applications work, and without a page nothing is known."""
    assert ask(f"{name}=abc", FOREIGN) >= 1
    assert ask(f"a=b&{name}=abc", ("Referer", "https://a.example.b.example/")) >= 1
    assert ask(f"{name}=abc", ("Referer", "https://a.example/b")) == 0
    assert 0 < ask(f"{name}=abc") < 1


def test_the_host_is_compared_without_port_and_scheme() -> None:
    """Behind a proxy both are others."""
    assert ask("PHPSESSID=a", ("Referer", "http://A.example:8080/")) == 0


def test_general_names_are_conclusive_only_where_people_log_in() -> None:
    """Payment providers send people back with one."""
    assert 0 < ask("session_id=cs_1", FOREIGN, path="/thanks") < 1
    assert ask("sessionid=1", FOREIGN, path="/login") >= 1


def test_forms_and_json_of_another_site_are_read() -> None:
    """The beginning of the body, where a form has its fields."""
    form = ("Content-Type", "application/x-www-form-urlencoded")
    json = ("Content-Type", "application/json")
    assert ask("", FOREIGN, form, body=b"PHPSESSID=a&user=b") >= 1
    assert ask("", FOREIGN, json, body=b'{"jsessionid": "a"}') >= 1
    assert ask("", json, body=b'{"jsessionid": "a"}') == 0


def test_an_identifier_in_the_path_is_ordinary() -> None:
    """Servlets rewrite addresses so."""
    assert ask("", FOREIGN, path="/a;jsessionid=abc") == 0


def test_scripts_that_set_a_session_cookie_are_denied() -> None:
    """Others are theirs to set."""
    assert weight("cookies", 'document.cookie="PHPSESSID=a; domain=.b.example"') >= 1
    assert weight("cookies", "document.cookie='theme=dark'") == 0
    assert weight("cookies", "why is document.cookie empty?") == 0
