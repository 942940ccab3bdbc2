"""The demonstration in two parts: in a real browser, the form of the application and the pages of its service."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dns.message
import dns.query
import dns.rcode
import pytest
from demo.made_up_name_server import NameServer
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.docs.test_demo_browser import browser as browser  # noqa: PLC0414  (a fixture)
from tests.docs.test_demo_browser import sign_up
from tests.servers.wire import until

ROOT = Path(__file__).parents[2]
SIZES = {"desk": (1280, 900), "phone": (390, 844)}


class Both(NamedTuple):
    """The application and the service, and what was printed about them."""

    program: Any
    url: str
    service: str
    password: str
    pid: int
    folder: Path


@pytest.fixture
def both(start: Callable[..., Any]) -> Both:
    """Started as a user does."""
    program = start("-m", "demo.service", DOORWARD_DEMO_PORT="0", DOORWARD_DEMO_SERVICE_PORT="0")

    def said(pattern: str) -> str:
        until(lambda: re.search(pattern, program.output), f"{pattern} is missing in what it prints")
        return re.search(pattern, program.output)[1]

    return Both(
        program,
        f"http://127.0.0.1:{program.port}",
        said(r"service: +(http://\S+)/ "),
        said(r"password (\S+)"),
        int(said(r"kill -STOP (\d+)")),
        Path(said(r"--folder (\S+)")),
    )


@pytest.fixture
def context(browser: Browser, both: Both) -> Iterator[BrowserContext]:
    """A browser that somebody looks at: it does not call itself headless."""
    plain = browser.new_page()
    agent = plain.evaluate("navigator.userAgent").replace("Headless", "")
    plain.close()
    with browser.new_context(user_agent=agent, base_url=both.url) as opened:
        yield opened


def log_in(page: Page, both: Both) -> None:
    page.goto(f"{both.service}/login")
    page.fill("#password", both.password)
    page.press("#password", "Enter")
    page.wait_for_selector("h1:has-text('Overview'), h1:has-text('No decisions yet')")


def rows(page: Page, both: Both, count: int, query: str = "") -> list[str]:
    """What the page of decisions shows, the newest first, once there are as many: reports come a little later."""
    page.goto(f"{both.service}/decisions{query}")
    expect(page.locator("#rows tr")).to_have_count(count)
    return page.locator("#rows tr").all_inner_texts()


def take(page: Page, both: Both, path: str, name: str, folder: Path) -> None:
    """Pictures of a page, to be looked at."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(both.service + path)
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_signups_are_decided_by_the_service_and_its_pages_show_them(
    context: BrowserContext, both: Both, tmp_path: Path
) -> None:
    """Accepted, a throw-away address, a domain without mail, the sixth attempt: each with its rule, and why."""
    person, operator = context.new_page(), context.new_page()
    assert sign_up(person, "ada@example.com") == "Welcome"
    assert sign_up(person, "ada@mailinator.com") == "Please use an address that you will keep."
    assert sign_up(person, "ada@nomail.example") == "Mail cannot be delivered to that domain. Is it spelled right?"
    assert [sign_up(person, "grace@example.com") for _ in range(3)] == ["Welcome", "Welcome", "Too Many Requests"]
    log_in(operator, both)
    refused = rows(operator, both, 3, "?conclusion=DENY")
    expected = [
        ("signup 0 of 5 left in 600 s", "demo"),
        ("signup-email NO_MX_RECORDS", "demo"),
        ("signup-email DISPOSABLE", "demo reported"),  # the application needs nobody to tell
    ]
    for row, (why, whose) in zip(refused, expected, strict=True):
        time, conclusion, decided, address, what, site, _ = row.split("\t")
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", time)
        assert (conclusion, address, what, site) == ("DENY", "127.0.0.1", "POST /signup", whose)
        assert decided.startswith(why)
    for path, name in [("/", "overview"), ("/decisions", "decisions"), ("/keys", "keys")]:
        take(operator, both, path, name, tmp_path)
    operator.goto(f"{both.service}/decisions?conclusion=DENY&rule=signup-email")
    name = operator.locator("#rows tr:first-child .when a").get_attribute("href")
    take(operator, both, name, "decision", tmp_path)


def test_a_decision_of_the_application_is_found_by_its_id(context: BrowserContext, both: Both) -> None:
    """The id that the application's own page of decisions has, pasted into the service's."""
    operator = context.new_page()
    refusal = both.program.request("POST", "/signup", "email=ada@example.com", User_Agent="curl/8.5.0")
    assert refusal.status == 403
    watching = context.new_page()
    watching.goto("/")
    found = watching.locator("body")
    expect(found).to_contain_text("req_")
    name = re.search(r"\bl?req_\w+", found.inner_text())[0]
    log_in(operator, both)
    rows(operator, both, 1)
    operator.fill("#find", name)
    operator.press("#find", "Enter")
    expect(operator.locator("h1")).to_contain_text(name)
    expect(operator.locator(".rules")).to_contain_text("signup-bots")
    expect(operator.locator(".rules")).to_contain_text("CURL")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_the_application_goes_on_without_the_service(context: BrowserContext, both: Both, number: int) -> None:
    """What is counted stays counted: the sixth attempt is refused, whoever decides about it."""

    def lost() -> int:
        return both.program.output.count("service lost")

    person = context.new_page()
    assert [sign_up(person, "ada@example.com") for _ in range(3)] == ["Welcome"] * 3
    # On a crowded computer a question may have taken longer than its deadline.
    until(lambda: lost() == both.program.output.count(": service back after"), "the service does not decide")
    before = lost()
    os.kill(both.pid, number)
    assert [sign_up(person, "ada@example.com") for _ in range(3)] == ["Welcome", "Welcome", "Too Many Requests"]
    assert lost() == before + 1
    if number == signal.SIGSTOP:
        os.kill(both.pid, signal.SIGCONT)
        until(lambda: "is back after" in both.program.output, "the service is not found back")
        # What was admitted locally the service does not know of: somebody else comes, and is decided about by it.
        assert both.program.request("POST", "/api/signup", X_Forwarded_For="203.0.113.9").status == 201
        until(lambda: ": service back after" in both.program.output, "the service does not decide again")
    assert both.program.interrupt() == 0


def test_the_name_server_answers_by_tcp_too() -> None:
    """And what is no question with nothing."""
    with NameServer() as server:
        host, _, port = server.address.partition(":")
        query = dns.message.make_query("shop.example", "MX")
        assert "mail.shop.example" in dns.query.tcp(query, host, 10, int(port)).answer[0].to_text()
        assert "mail.shop.example" in dns.query.udp(query, host, 10, int(port)).answer[0].to_text()
        query = dns.message.make_query("1.2.0.192.in-addr.arpa", "PTR")
        assert dns.query.udp(query, host, 10, int(port)).rcode() == dns.rcode.NXDOMAIN
        query = dns.message.make_query("nomail.example", "MX")
        answer = dns.query.udp(query, host, 10, int(port))
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(b"\0\3abc")
            assert connection.recv(10) == b""


@pytest.mark.parametrize("variable", ["DOORWARD_DEMO_PORT", "DOORWARD_DEMO_SERVICE_PORT"])
@pytest.mark.parametrize("port", ["taken", "x"])
def test_a_port_that_cannot_be_used_is_one_clear_line(variable: str, port: str) -> None:
    """The line names the variable; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"DOORWARD_DEMO_PORT": "0", "DOORWARD_DEMO_SERVICE_PORT": "0"}
        ports[variable] = str(taken.getsockname()[1]) if port == "taken" else port
        done = subprocess.run(
            [sys.executable, "-m", "demo.service"],
            check=False, cwd=ROOT, env={**os.environ, **ports}, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert variable in done.stderr


def test_both_end_upon_ctrl_c(both: Both) -> None:
    """With status 0; no process, no folder, no word about errors is left."""
    assert both.folder.is_dir()
    assert both.program.interrupt() == 0
    both.program.close()
    assert not both.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(both.pid, 0)
    assert "Traceback" not in both.program.output
