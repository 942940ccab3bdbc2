"""``doorward serve`` for ``test_service_workers``, with a store that is waited for.

A worker that a busy machine keeps from its Valkey for a quarter of a second decides by itself, and says so. Whether
the Valkey's count is exact is another question, and the only one that is asked here.
"""

from __future__ import annotations

import sys

from doorward import cli
from doorward.service.server import parts, supervisor, worker

if __name__ == "__main__":
    parts.LONGEST_STORE_CALL = 20.0
    supervisor.WORKER = [sys.executable, "-m", "tests.servers.service_host", "worker"]
    sys.exit(worker.main(*sys.argv[2:]) if sys.argv[1] == "worker" else cli.main())
