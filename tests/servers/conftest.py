"""Each server is started once for a module, and ended by its process id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from tests.servers.wire import KINDS, Kind, Server


def _fixture(kinds: Sequence[Kind]) -> Callable[..., Iterator[Server]]:
    def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        log = tmp_path_factory.mktemp(request.param.name) / "log"
        with Server(request.param, log) as running:
            yield running
            counts = running.state()["counts"]
        # A swallowed internal error is counted in its process, out of the reach of the fixture that watches for them.
        # A rule that could not be evaluated, since its client had gone before it had sent its body, is none.
        assert not [cause for cause in counts if cause.startswith("error.") and not cause.startswith("error.rule ")]
        assert "failed, the request goes on" not in log.read_text()

    return pytest.fixture(scope="session", params=kinds, ids=[kind.name for kind in kinds])(server)


server = _fixture(KINDS)
"""Every server."""

awaiting = _fixture([kind for kind in KINDS if kind.awaits and not kind.django])
"""The ASGI servers, with an application that takes websockets and sees lines apart."""

plain = _fixture([kind for kind in KINDS if not kind.django])
"""Every server, with an application that streams what it reads and writes."""

asking = _fixture([kind for kind in KINDS if not kind.continues_itself])
"""The servers that leave 100 Continue to the application's first ``receive``."""
