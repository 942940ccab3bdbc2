"""A feed server, a data folder, and ``doorward data`` as a call."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.data.feed_server import FeedServer

from doorward.data_cli import add_data
from doorward.errors import ConfigurationError


class Run(NamedTuple):
    """What one command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Data = Callable[..., Run]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A server that plays all feeds of the catalogue."""
    with FeedServer() as running:
        running.play_samples()
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def data(folder: Path, capsys: pytest.CaptureFixture[str]) -> Data:
    """Runs ``doorward data …`` on the folder."""
    parser = argparse.ArgumentParser()
    add_data(parser.add_subparsers(dest="command"))

    def run(*arguments: str) -> Run:
        capsys.readouterr()
        parsed = parser.parse_args(["data", arguments[0], "--folder", str(folder), *arguments[1:]])
        try:
            status = parsed.run(parsed)
        except ConfigurationError as error:
            return Run(2, "", str(error))
        out, err = capsys.readouterr()
        return Run(status, out, err)

    return run


@pytest.fixture
def update(data: Data, server: FeedServer) -> Data:
    """Runs ``doorward data update`` from the server, for programs."""
    return lambda *arguments: data("update", "--mirror", server.url, "--json", *arguments)
