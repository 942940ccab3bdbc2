"""What several workers are told by the process that starts them, and where commands look for the folder."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from doorward.service.server import supervisor
from doorward.service.server.folder import service_folder


def test_workers_know_how_many_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each admits its part of a limit while the store is away: ``workers=None`` goes by WEB_CONCURRENCY."""
    told = tmp_path / "told"
    code = f"import os, sys; print(os.environ['WEB_CONCURRENCY'], file=open({str(told)!r}, 'a')); sys.exit(2)"
    monkeypatch.setattr(supervisor, "WORKER", [sys.executable, "-c", code])
    monkeypatch.setenv("WEB_CONCURRENCY", "9")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert supervisor.Supervisor(3, listener, {}).run() == 1
    assert set(told.read_text().split()) == {"3"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "doorward-service"),
        ({"DOORWARD_FOLDER": "/a"}, "/a"),
        ({"DOORWARD_SERVICE_FOLDER": "/b"}, "/b"),
        ({"DOORWARD_SERVICE_FOLDER": "/b", "DOORWARD_FOLDER": "/a"}, "/b"),
        ({"DOORWARD_SERVICE_FOLDER": "", "DOORWARD_FOLDER": "/a"}, "/a"),
    ],
    ids=["none", "shared", "of the service", "both", "empty"],
)
def test_all_commands_find_the_folder_of_the_service(environ: dict[str, str], expected: str) -> None:
    """What ``doorward serve`` goes by, ``doorward keys`` and ``doorward tail`` go by."""
    assert service_folder(None, environ) == Path(expected)
    assert service_folder("/given", environ) == Path("/given")
