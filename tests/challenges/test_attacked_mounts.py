"""Applications that are mounted at a path which the client has written, as ``Mount("/{tenant}", …)`` lets it."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.challenges.clearing import SECRET, Site

from doorward import AsyncDoorward, RequestContext, challenge
from doorward.asgi import DoorwardMiddleware
from doorward.challenges.gate import target_of
from doorward.challenges.targets import mounted
from doorward.testing import FakeClock

SITE = "https://shop.example"
HOSTILE = [
    "a\r\nSet-Cookie: evil=1", "\\evil.example", "\n", 'a"onload="x', "<script>", "Ж", "münchen", "a b", "\udcff",
    "a;Domain=evil.example", "a%0d%0a", "x" * 400, "a,b", "'", "\x00", "\u2028",
]  # fmt: skip


async def inside(_: object) -> PlainTextResponse:
    return PlainTextResponse("the application")


def tenants(clock: FakeClock) -> Starlette:
    aj = AsyncDoorward([challenge("wait")], secret=SECRET, clock=clock)
    below = DoorwardMiddleware(Starlette(routes=[Route("/page", inside)]), aj)
    return Starlette(routes=[Mount("/{tenant}", below)])


@pytest.mark.parametrize("tenant", [each for each in HOSTILE if each not in ("\udcff", "'")])
def test_a_challenge_below_a_mount_of_any_name_is_passed(tenant: str) -> None:
    """The pages, their files and where they lead stay on the site, below the mount; nothing is answered with a 5xx."""
    asyncio.run(pass_below(f"/{quote(tenant, safe='')}"))


async def pass_below(base: str) -> None:
    clock = FakeClock()
    transport = httpx.ASGITransport(tenants(clock))
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers={"Accept": "text/html"}) as client:
        page = await client.get(f"{base}/page")
        assert page.status_code == 403
        urls = [unescape(url) for url in re.findall(r'(?:action|src|href)="([^"]*)"', page.text)]
        assert {urlsplit(urljoin(SITE, url)).netloc for url in urls} == {"shop.example"}
        files = [url for url in urls if "/static/" in url]
        assert [(await client.get(url)).status_code for url in files] == [200] * len(files) != []
        token = re.search(r'name="token" value="([^"]+)"', page.text)
        assert token is not None
        clock.advance(3)
        answer = await client.post(f"{base}/.doorward/verify", data={"token": token[1]})
        landing = answer.headers["location"]
        assert answer.status_code == 303
        assert urlsplit(urljoin(SITE, landing)).netloc == "shop.example"
        onward = re.search(r'id="onward" href="([^"]+)"', (await client.get(landing)).text)
        assert onward is not None
        assert (await client.get(unescape(onward[1]))).text == "the application"


@pytest.mark.parametrize("root", [f"/{each}" for each in HOSTILE] + ["//evil.example", "/\\evil.example", "/", "//"])
def test_what_stands_before_a_path_leads_nowhere_else(root: str) -> None:
    prefix = mounted(root)
    assert re.fullmatch(r"[!-~]*", prefix)
    assert not set(prefix) & set(';"<>\\\r\n')
    assert urlsplit(urljoin(SITE, f"{prefix}/.doorward/verify")).netloc == "shop.example"


@pytest.mark.parametrize("root", ["/Ж", "/münchen", "/a b"])
def test_mounts_of_wsgi_are_read_as_utf_8(root: str) -> None:
    """PEP 3333 shows the bytes of SCRIPT_NAME as latin-1."""
    site = Site()
    page = site.get("/x", SCRIPT_NAME=root.encode().decode("latin-1"))
    assert f'action="{quote(root)}/.doorward/verify"'.encode() in page.body


@pytest.mark.parametrize(
    ("root", "path", "raw", "target"),
    [
        ("/Ж", "/x", "/%d0%96/x", "/%d0%96/x"),
        ("/a", "/x", "/%61/x", "/%61/x"),
        ("/a", "/", "/a", "/a"),
        ("/a", "/a/x", None, "/a/a/x"),
        ("/a", "/x", "/x", "/a/x"),  # a proxy has taken it off
        ("/a/", "/x", "/x", "/a/x"),
        ("//evil.example", "/x", None, "/x"),
    ],
)
def test_who_has_passed_goes_back_to_where_the_mount_is(root: str, path: str, raw: str | None, target: str) -> None:
    request = RequestContext(path=path, raw_path=raw)
    request.root_path = root
    assert target_of(request) == target
