"""The README and the pages of docs: every block of Python and every command runs, and does what they say."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from doorward.cli import main
from doorward.patterns import DEFAULT_EXEMPT

README = Path(__file__).parents[2] / "README.md"
PAGES = {page.name: page.read_text() for page in (README, *sorted((README.parent / "docs").glob("*.md")))}
TEXT = PAGES["README.md"]
FENCED_OR_HEADING = re.compile(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED_SIXTH = [200] * 5 + [429]


class Block(NamedTuple):
    """A fenced block, and where it stands."""

    page: str
    heading: str
    language: str
    source: str

    def __str__(self) -> str:
        return f"{self.page}: {self.heading}"

    def run(self) -> dict[str, Any]:
        """Run it as a module of its own; what it defines."""
        namespace: dict[str, Any] = {"__name__": "readme"}
        exec(compile(self.source, str(self), "exec", dont_inherit=True), namespace)
        return namespace


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    found, heading = [], ""
    for match in re.finditer(FENCED_OR_HEADING, PAGES[page]):
        heading = match[1] or heading
        if match[2]:
            found.append(Block(page, heading, match[2], match[3]))
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]
QUICK_STARTS = ("Flask", "FastAPI", "Starlette", "Any ASGI application", "Any WSGI application", "A plain function")
# Those that ask a service are run against one, in test_service.py.
SERVED = [
    block for block in BLOCKS if block.language == "python" and re.search(r":8710(?s:.*)\.protect\(", block.source)
]
ELSEWHERE = [block for block in BLOCKS if block.language == "python" and block.heading in (*QUICK_STARTS, "Django")]
PYTHON = [block for block in BLOCKS if block.language == "python" and block not in (*ELSEWHERE, *SERVED)]
CONSOLE = [block for block in BLOCKS if block.language == "console"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No DOORWARD_ variables."""
    for name in list(os.environ):
        if name.startswith("DOORWARD_"):
            monkeypatch.delenv(name)


@contextlib.contextmanager
def unconfigured_logging() -> Iterator[None]:
    """Logging as a new process finds it, without pytest's handlers; afterwards as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def quick_start(heading: str) -> dict[str, Any]:
    """What the quick start under a heading defines."""
    (block,) = [block for block in BLOCKS if block.heading == heading and block.language == "python"]
    return block.run()


def expected_output(block: Block) -> str:
    """The text block that follows a block of Python; empty where there is none."""
    following = BLOCKS[BLOCKS.index(block) + 1 :][:1]
    return following[0].source if following and following[0].language == "text" else ""


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_blocks_run_and_print_what_follows(block: Block) -> None:
    """Each block runs by itself, and prints the text block behind it; ids are random."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), unconfigured_logging():
        block.run()
    assert re.sub(r"lreq_\w+", "lreq_…", printed.getvalue()) == expected_output(block)


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_commands_print_what_is_shown(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the command line prints what is shown below it."""
    command, _, output = block.source.partition("\n")
    prompt, program, *arguments = shlex.split(command)
    assert (prompt, program) == ("$", "doorward")
    assert main(arguments) in (0, 1)  # yes or no, but no wrong argument
    assert capsys.readouterr().out == output


def sixth(send: Callable[[], int]) -> list[int]:
    return [send() for _ in range(6)]


@pytest.mark.parametrize("heading", ["FastAPI", "Starlette", "Any ASGI application"])
def test_asgi_quick_starts_refuse_the_sixth(heading: str) -> None:
    """Five requests pass; the sixth is a 429 with Retry-After."""
    transport = httpx.ASGITransport(quick_start(heading)["app"])

    async def drive() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.post("/signup") for _ in range(6)]

    responses = asyncio.run(drive())
    assert [response.status_code for response in responses] == REFUSED_SIXTH
    assert 0 < int(responses[5].headers["Retry-After"]) <= 600


@pytest.mark.parametrize("heading", ["Flask", "Any WSGI application"])
def test_wsgi_quick_starts_refuse_the_sixth(heading: str) -> None:
    """Five requests pass; the sixth is a 429 with Retry-After."""
    transport = httpx.WSGITransport(quick_start(heading)["app"])
    with httpx.Client(transport=transport, base_url="http://test") as client:
        responses = [client.post("/signup") for _ in range(6)]
    assert [response.status_code for response in responses] == REFUSED_SIXTH
    assert 0 < int(responses[5].headers["Retry-After"]) <= 600


def test_the_fastapi_dependency_limits_its_route() -> None:
    """The search of the FastAPI quick start is refused by the application's rule at the sixth request."""
    transport = httpx.ASGITransport(quick_start("FastAPI")["app"])

    async def drive() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [(await client.get("/search")).status_code for _ in range(6)]

    assert asyncio.run(drive()) == REFUSED_SIXTH


def test_the_plain_function_refuses_the_sixth() -> None:
    """Five calls pass for one client; the sixth does not, and another client is not touched."""
    signup = quick_start("A plain function")["signup"]
    assert sixth(lambda: signup("203.0.113.9")) == REFUSED_SIXTH
    assert signup("203.0.113.10") == 200


DRIVE_DJANGO = """
import django
from django.test import Client
django.setup()
client = Client()
answers = [client.post("/signup") for _ in range(6)]
print([answer.status_code for answer in answers], 0 < int(answers[5]["Retry-After"]) <= 600)
"""


def test_the_django_quick_start_refuses_the_sixth(tmp_path: Path) -> None:
    """The settings and the view of the quick start make a project that refuses the sixth request."""
    settings, views = (block.source for block in BLOCKS if block.heading == "Django")
    assert settings.startswith("# settings.py")
    assert views.startswith("# views.py")
    (tmp_path / "settings.py").write_text(
        f"{settings}\nROOT_URLCONF = 'urls'\nSECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\n"
    )
    (tmp_path / "views.py").write_text(views)
    (tmp_path / "urls.py").write_text(
        "from django.urls import path\nimport views\nurlpatterns=[path('signup', views.signup)]\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRIVE_DJANGO],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stdout == f"{REFUSED_SIXTH} True\n", done.stderr


def test_every_block_is_tested() -> None:
    """No block of Python escapes: each is driven above or run by itself."""
    driven = {block.heading for block in ELSEWHERE}
    assert driven == {*QUICK_STARTS, "Django"}
    # Read only: toml, a catalogue of feeds, below, and policies, as yaml, in tests/policy; ini, dockerfile and nginx,
    # how services are run; js, as tests/arcjet has it; json, below.
    read = {"toml", "yaml", "ini", "dockerfile", "nginx", "js", "json"}
    assert {block.language for block in BLOCKS} == {"python", "sh", "console", "text", *read}
    assert all(tomllib.loads(block.source) for block in BLOCKS if block.language == "toml")
    assert all(json_objects(block.source) for block in BLOCKS if block.language == "json")


def json_objects(text: str) -> list[Any]:
    """Objects one after the other, each over as many lines as it likes."""
    found, decoder, at = [], json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def test_the_exempt_paths_are_all_named() -> None:
    """The table of exemptions names what middleware leaves alone, and nothing else."""
    section = TEXT.split("## What is exempt")[1].split("\n`exclude=")[0]
    named = set(re.findall(r"`(/[^`]+)`", section))
    assert named == {pattern for exemption in DEFAULT_EXEMPT for pattern in exemption.patterns}


def anchors(page: str) -> set[str]:
    """What links may lead to within a page."""
    titles = re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_lead_somewhere(page: str) -> None:
    """Each link to a file or a heading has its target."""
    folder = README.parent if page == "README.md" else README.parent / "docs"
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        path, _, anchor = target.partition("#")
        if not target.startswith("https://"):
            assert (folder / path).exists(), target
            assert not anchor or anchor in anchors(Path(path).name or page), target


def test_the_place_of_the_benchmarks_is_marked() -> None:
    """``make bench`` finds where its table goes."""
    assert TEXT.count("<!-- bench:start -->") == TEXT.count("<!-- bench:end -->") == 1
