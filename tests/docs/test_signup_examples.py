"""The sign-up examples, in all four frameworks: Arcjet's worked example, with a manual check of doubtful sign-ups."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.dns.server import DnsServer

from doorward.intelligence.container import Meta
from doorward.intelligence.range_writer import write_ranges

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "signup"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
HOME, VPN, TOR = "9.9.9.1", "9.9.9.2", "9.9.9.3"
Post = Callable[..., tuple[int, str]]
FORM = "application/x-www-form-urlencoded"
# What every browser sends; a client that calls itself Firefox and does not is a program.
USUAL = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}


@pytest.fixture
def options(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Options of a client: a name server on loopback, and data about VPNs and Tor."""
    meta = Meta("2026-01-01", (), ("vpn", "tor"))
    write_ranges(tmp_path / "labels.dwd", [(VPN, "vpn:test"), (TOR, "tor:test")], meta)
    with DnsServer({"mail.example": {"MX": ["10 mx.mail.example."]}, "gmail.com": {"MX": ["5 mx.example."]}}) as server:
        yield {"resolver": server.address, "data": tmp_path}


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports an example as its folder would be imported from."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def of_flask(app: Any) -> Post:
    def post(body: str, address: str, agent: str) -> tuple[int, str]:
        client = app.test_client()
        headers = {**USUAL, "Content-Type": FORM, "User-Agent": agent}
        answer = client.post("/signup", data=body, headers=headers, environ_base={"REMOTE_ADDR": address})
        return answer.status_code, answer.get_data(as_text=True)

    return post


def of_asgi(app: Any) -> Post:
    async def posted(body: str, address: str, agent: str) -> tuple[int, str]:
        transport = httpx.ASGITransport(app, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post(
                "/signup", content=body, headers={**USUAL, "Content-Type": FORM, "User-Agent": agent}
            )
        return answer.status_code, answer.text

    return lambda *given: asyncio.run(posted(*given))


def of_django(options: dict[str, Any]) -> Post:
    """In a process of its own: Django is configured once in a process."""
    script = """
import json, sys
from django.conf import settings
body, address, agent, options, usual = json.loads(sys.argv[1])
sys.path.insert(0, "")
from rules import RULES
settings.configure(
    ALLOWED_HOSTS=["localhost"], MIDDLEWARE=["doorward_django.middleware.DoorwardMiddleware"],
    ROOT_URLCONF="django_signup", SECRET_KEY="x", DOORWARD={"rules": [*RULES], **options},
)
from django.test import Client
answer = Client().post("/signup", body, "application/x-www-form-urlencoded", REMOTE_ADDR=address,
                       headers={"User-Agent": agent, "Host": "localhost", **usual})
print(json.dumps([answer.status_code, answer.content.decode()]))
"""

    def post(body: str, address: str, agent: str) -> tuple[int, str]:
        given = {**options, "data": str(options["data"])}
        done = subprocess.run(
            [sys.executable, "-c", script, json.dumps([body, address, agent, given, USUAL])],
            cwd=EXAMPLES, check=False, capture_output=True, text=True, timeout=50,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        status, text = json.loads(done.stdout.splitlines()[-1])
        return status, text

    return post


@pytest.fixture(params=["flask", "starlette", "fastapi", "django"])
def post(request: pytest.FixtureRequest, example: Callable[[str], Any], options: dict[str, Any]) -> Post:
    """Posts the form to one of the examples."""
    if request.param == "django":
        return of_django(options)
    app = example(f"{request.param}_signup").create_app(**options)
    return of_flask(app) if request.param == "flask" else of_asgi(app)


def sign_up(post: Post, email: str, address: str = HOME, agent: str = FIREFOX) -> tuple[int, str]:
    return post(urlencode({"email": email}), address, agent)


@pytest.mark.parametrize(
    ("email", "address", "status"),
    [
        ("ada@mail.example", HOME, 201),
        ("ada@mail.example", VPN, 202),
        ("ada@mail.example", TOR, 202),
        ("ada@gmail.com", HOME, 202),
    ],
)
def test_a_doubtful_sign_up_is_looked_at_by_hand(post: Post, email: str, address: str, status: int) -> None:
    """A VPN, Tor, a free provider: allowed by the rules, and for the handler to see."""
    assert sign_up(post, email, address)[0] == status


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("ada@mailinator.com", "Please use an address that you will keep."),
        ("ada@@mail.example", "That is not an e-mail address. Please check it."),
        ("ada@nowhere.example", "Mail cannot be delivered to that domain. Is it spelled right?"),
    ],
)
def test_a_person_is_told_what_to_correct(post: Post, email: str, said: str) -> None:
    """With status 400."""
    assert sign_up(post, email) == (400, said)


def test_a_program_is_told_nothing(post: Post) -> None:
    """It may not even send a good address."""
    status, text = sign_up(post, "ada@mail.example", agent="curl/8.5.0")
    assert status == 403
    page = re.sub(r"(?s)<style>.*?</style>", "", text.lower().replace('name="robots"', ""))
    assert not any(word in page for word in ("bot", "curl", "agent", "automat"))
