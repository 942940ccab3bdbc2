"""``doorward serve``: what a first-time user sees, and mistakes in one line."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from doorward import cli, serve_cli
from doorward.service.server import launch


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What would have been served: nothing is."""
    runs: list[Any] = []

    def run(app: Any, listener: socket.socket, settings: Any) -> None:
        runs.append((app, listener.getsockname(), settings))
        listener.close()

    monkeypatch.setattr(launch, "run", run)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve_cli, "_keys", lambda _: "none yet")
    monkeypatch.setattr(serve_cli, "_pages", lambda _settings, url: f"{url}/")
    return runs


def test_the_first_start(started: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where it is, and where things are; the folder is its user's only."""
    assert cli.main(["serve", "--port", "0"]) == 0
    ((_, (host, port), settings),) = started
    out = capsys.readouterr().out
    assert host == "127.0.0.1"
    assert f"on http://127.0.0.1:{port}\n" in out
    assert str(tmp_path / "doorward-service") in out
    assert "WARNING" not in out
    assert settings.folder.stat().st_mode & 0o077 == 0


def test_options_go_before_variables(
    started: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options, then variables, then defaults; a clear-text port for everybody is warned of."""
    monkeypatch.setenv("DOORWARD_SERVICE_TIMEOUT", "0.2")
    monkeypatch.setenv("DOORWARD_SERVICE_LOG_DAYS", "3")
    arguments = ["--host", "0.0.0.0", "--port", "0", "--log-days", "5", "--no-pages", "--folder", str(tmp_path / "x")]
    assert cli.main(["serve", *arguments]) == 0
    settings = started[0][2]
    assert (settings.timeout, settings.log_days, settings.pages, settings.folder) == (0.2, 5.0, False, tmp_path / "x")
    assert "WARNING: keys and visitors' data pass in clear text" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--workers", "0"], "--workers: must be from 1 to 256"),
        (["--port", "70000"], "--port: must be from 0"),
        (["--timeout", "soon"], "--timeout: "),
        (["--body-limit", "x"], "--body-limit: must be a whole number"),
        (["--certificate", "/nowhere.pem"], "private_key"),
        (["--host", "192.0.2.1", "--port", "0"], "--port: 192.0.2.1:0 cannot be had"),
        (["--host", "no such host.invalid", "--port", "0"], "--host: "),
        (["--port", "0", "--workers", "2", "--store", "memory://"], "--store: memory:// belongs to one process"),
    ],
    ids=lambda value: "-".join(value).replace("/", "") if isinstance(value, list) else None,
)
def test_mistakes(started: list[Any], arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the option, and status 2."""
    assert cli.main(["serve", *arguments]) == 2
    said = capsys.readouterr().err
    assert error.lower() in said.lower()
    assert said.count("\n") == 1
    assert not started


def test_a_port_that_is_taken(started: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and status 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert cli.main(["serve", "--port", str(other.getsockname()[1])]) == 2
    assert "cannot be had: Address already in use" in capsys.readouterr().err


def test_without_a_server(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what to install."""
    monkeypatch.setattr(launch, "find_spec", lambda _: None)
    assert cli.main(["serve"]) == 2
    assert "pip install 'doorward[service]'" in capsys.readouterr().err


def test_without_hypercorn(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """uvicorn serves, and what that does not speak is said."""
    monkeypatch.setattr(launch, "find_spec", lambda name: None if name == "hypercorn" else object())
    assert cli.main(["serve", "--port", "0"]) == 0
    assert "pip install 'doorward[arcjet]'" in capsys.readouterr().out
