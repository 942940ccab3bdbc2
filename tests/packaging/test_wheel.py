"""The wheel: what it holds, and that it works alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "doorward",
    "doorward_django",
    "doorward_fastapi",
    "doorward_flask",
    "doorward_pytest",
    "doorward_starlette",
]
# Loading any of these would make `import doorward` slow, or need what a user has not installed.
NOT_LOADED = [
    "PIL",
    "captcha",
    "django",
    "dns",
    "email_validator",
    "fastapi",
    "flask",
    "google.protobuf",
    "h11",
    "httpcore",
    "httpx",
    "hypercorn",
    "iporigin",
    "jinja2",
    "maxminddb",
    "pydantic",
    "re2",
    "rich",
    "starlette",
    "uvicorn",
    "werkzeug",
]
DATA = "doorward/intelligence/data/"
LARGEST = 5 * 2**20


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree; built without isolation, so that no registry is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    return next(folder.glob("doorward-*.whl"))


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this tree."""
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder, cwd=ROOT)
    return next(folder.glob("doorward-*.tar.gz"))


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment that holds the wheel and what it depends on, no framework."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True)
    binaries = folder / "bin"
    run(binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    return binaries


@pytest.mark.timeout(300)
def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    """The top level is the six import packages and the metadata; each package is typed; no tests, no caches."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {*PACKAGES, "doorward-0.1.0.dist-info"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert [name for name in names if "__pycache__" in name or "/test_" in name] == []
    entry_points = zipfile.ZipFile(wheel).read("doorward-0.1.0.dist-info/entry_points.txt").decode()
    assert "[pytest11]\ndoorward = doorward_pytest\n" in entry_points


@pytest.mark.timeout(300)
def test_the_wheel_holds_every_source_file(wheel: Path) -> None:
    """Each file of the packages in the tree is in the wheel: none is left out by a pattern."""
    names = set(zipfile.ZipFile(wheel).namelist())
    roots = [ROOT / "src", ROOT / "adapters"]
    files = {path.relative_to(root).as_posix() for root in roots for path in root.rglob("*.*") if path.is_file()}
    expected = {name for name in files if not name.endswith(".pyc") and name.partition("/")[0] in PACKAGES}
    assert expected <= names


@pytest.mark.timeout(300)
def test_the_wheel_holds_the_compiled_data(wheel: Path) -> None:
    """Each kind of data is there and whole, with the licences that ask to be, and all of it is small."""
    with zipfile.ZipFile(wheel) as archive:
        data = {name.removeprefix(DATA) for name in archive.namelist() if name.startswith(DATA)}
        assert {"bots.dwd", "crawlers.dwd", "domains.dwd", "special.dwd", "NOTICE.txt"} <= data
        assert {Path(name).suffix for name in data} == {".dwd", ".txt"}
        contents = {name: archive.read(f"{DATA}{name}") for name in data if name.endswith(".dwd")}
        assert "Permission is hereby granted" in archive.read(f"{DATA}NOTICE.txt").decode()
    for content in contents.values():
        assert content[-32:] == hashlib.sha256(content[:-32]).digest()
    assert wheel.stat().st_size <= LARGEST


@pytest.mark.timeout(300)
def test_the_source_distribution_makes_the_same_wheel(wheel: Path, source_distribution: Path, tmp_path: Path) -> None:
    """It holds what compiles the data and none of the result, and the wheel built from it has the same files."""
    with tarfile.open(source_distribution) as archive:
        names = archive.getnames()
    assert "doorward-0.1.0/data_build/registry/bots.toml" in names
    # The fuzzers' seeds are data files too, of a few made-up entries.
    assert [name for name in names if name.endswith(".dwd") and "/tests/fuzz/" not in name] == []
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    run(*pip, "--no-build-isolation", "--wheel-dir", tmp_path, source_distribution, cwd=tmp_path)
    again = next(tmp_path.glob("doorward-*.whl"))
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_compiled_data_is_not_in_version_control() -> None:
    """A build makes it: a copy in the tree would grow old."""
    assert f"/src/{DATA}" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


@pytest.mark.timeout(300)
def test_the_metadata_is_complete(wheel: Path) -> None:
    """Name, version, licence, Python version, dependencies and extras are what the documentation says."""
    metadata = zipfile.ZipFile(wheel).read("doorward-0.1.0.dist-info/METADATA").decode()
    lines = metadata.partition("\n\n")[0].splitlines()
    for line in ("Name: doorward", "Version: 0.1.0", "License-Expression: Apache-2.0", "Requires-Python: >=3.11"):
        assert line in lines
    extras = [line.removeprefix("Provides-Extra: ") for line in lines if line.startswith("Provides-Extra")]
    assert sorted(extras) == [
        "all", "arcjet", "argon2", "captcha", "cli", "django", "fastapi", "flask", "geo", "ip", "otel", "redis",
        "service", "starlette", "valkey", "yaml",
    ]  # fmt: skip
    needed = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist")]
    always = [requirement for requirement in needed if "extra ==" not in requirement]
    assert sorted(always) == [
        "dnspython>=2.7", "email-validator>=2.2", "httpcore>=1.0", "httpx>=0.27", "pydantic>=2.10", "starlette>=0.37",
    ]  # fmt: skip


@pytest.mark.timeout(300)
def test_it_imports_alone_and_loads_no_framework(alone: Path) -> None:
    """In an environment with no framework ``import doorward`` works, and loads nothing heavy."""
    code = f"import sys, doorward; print(sorted(set({NOT_LOADED}) & set(sys.modules)))"
    assert run(alone / "python", "-c", code, cwd=alone) == "[]\n"


def test_it_loads_no_framework_even_where_they_are_installed() -> None:
    """``import doorward`` does not reach for what happens to be there."""
    code = f"import sys, doorward; print(sorted(set({NOT_LOADED}) & set(sys.modules)))"
    path = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); "
    assert run(sys.executable, "-c", path + code, cwd=ROOT) == "[]\n"


@pytest.mark.timeout(300)
def test_the_data_is_read_where_it_is_installed(alone: Path) -> None:
    """The wheel alone knows bots, offline: its own data is found beside its code."""
    code = "from doorward.intelligence import bot_index, library; print(*[bot.id for bot in bot_index.BotIndex.open("
    code += "library.wheel_folder() / bot_index.FILE).find('curl/8.5')])"
    assert run(alone / "python", "-c", code, cwd=alone) == "CURL\n"


@pytest.mark.timeout(300)
def test_pictures_say_which_extra_they_need(alone: Path) -> None:
    """Without what draws, a client that asks for pictures cannot be built; one that does not is."""
    code = """
from doorward import ConfigurationError, Doorward
Doorward([], challenges={"kinds": ["wait"]})
try:
    Doorward([], challenges={"kinds": ["wait", "letters"]})
except ConfigurationError as error:
    print(error)
"""
    told = run(alone / "python", "-c", code, cwd=alone)
    assert told.startswith("challenges.kinds")
    assert "pip install 'doorward[captcha]'" in told


@pytest.mark.timeout(300)
def test_challenges_are_posed_with_the_wheel_alone(alone: Path) -> None:
    """Every kind that needs no extra, with all files that its page names, offline."""
    code = """
import io, re
from doorward import Doorward, challenge
from doorward.wsgi import DoorwardMiddleware
def ask(app, path):
    path, _, query = path.partition("?")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "203.0.113.9",
               "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "shop.example", "HTTP_ACCEPT": "text/html",
               "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO()}
    told = []
    body = b"".join(app(environ, lambda status, headers, _=None: told.append(status[:3])))
    return told[0], body.decode()
for kind in ("wait", "work", "browser"):
    aj = Doorward([challenge(kind)], secret="only for this test, and long enough", challenges={"kinds": [kind]})
    app = DoorwardMiddleware(None, aj)
    status, page = ask(app, "/")
    files = sorted(set(re.findall(r'"(/[.]doorward/static/[^"]+)"', page)))
    print(kind, status, bool(files), {ask(app, file)[0] for file in files})
"""
    expected = "".join([f"{kind} 403 True {{'200'}}\n" for kind in ("wait", "work", "browser")])
    assert run(alone / "python", "-c", code, cwd=alone) == expected


@pytest.mark.timeout(300)
def test_a_sign_up_is_decided_with_the_wheel_alone(alone: Path) -> None:
    """Bots, throw-away domains, reserved addresses and crawlers are known, offline; of the rest nothing is said."""
    code = """
from doorward import Doorward, RequestContext, protect_signup
aj = Doorward([*protect_signup()], data="there-is-none")
browser = [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), ("Accept", "*/*"),
           ("Accept-Language", "en"), ("Accept-Encoding", "gzip")]
for peer, agent in (("66.249.66.1", [("User-Agent", "curl/8.5")]), ("127.0.0.1", browser)):
    decision = aj.protect(RequestContext(peer=peer, headers=agent), email="a@mailinator.com")
    ip = decision.ip
    print(decision.reason.type, ip.is_crawler(), ip.is_reserved(), ip.is_tor(), ip.is_hosting(), ip.is_vpn(),
          ip.is_proxy(), ip.is_relay(), ip.is_abuser(), ip.country, ip.asn)
"""
    nothing = " ".join(["None"] * 8)
    assert run(alone / "python", "-c", code, cwd=alone) == f"BOT True False {nothing}\nEMAIL False True {nothing}\n"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", [["doorward"], ["python", "-m", "doorward"]], ids=" ".join)
def test_the_command_line_runs_alone(alone: Path, command: list[str]) -> None:
    """``doorward --help`` and ``python -m doorward --help`` work without any framework, and say what there is."""
    assert "usage: doorward" in run(alone / command[0], *command[1:], "--help", cwd=alone)


@pytest.mark.timeout(300)
def test_the_service_says_what_to_install(alone: Path, tmp_path: Path) -> None:
    """``doorward serve`` needs an extra, and names it; it leaves nothing behind. Keys need none."""
    done = subprocess.run([alone / "doorward", "serve"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    expected = "doorward serve: server: none is installed: pip install 'doorward[service]', or 'doorward[arcjet]'\n"
    assert done.stderr == expected
    assert list(tmp_path.iterdir()) == []
    assert "dwk_" in run(alone / "doorward", "keys", "add", "shop", cwd=tmp_path)


@pytest.mark.timeout(300)
def test_a_service_can_be_asked_with_the_wheel_alone(alone: Path, tmp_path: Path) -> None:
    """The client of a service, and the service as an application for any ASGI server, need no extra."""
    code = """
import logging
from doorward import Doorward, RequestContext, sliding_window
from doorward.service.app import app
logging.getLogger("doorward").addHandler(logging.NullHandler())
aj = Doorward([sliding_window(max=1, interval=60)], service="http://127.0.0.1:9", key="dwk_example")
print(*[aj.protect(RequestContext(peer="203.0.113.9")).conclusion for _ in range(2)])
print(app.routes[0].path)
"""
    assert run(alone / "python", "-c", code, cwd=tmp_path) == "ALLOW DENY\n/{path:path}\n"
