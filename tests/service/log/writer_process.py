"""A process that appends to a log: ``writer_process.py PATH SITE COUNT [limit BYTES | as UID | forever]``."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from tests.service.log.records import record

from doorward.service.server.log_file import LogFile


def main(path: str, site: str, count: str, *how: str) -> None:
    """Append, as it is said; print the figures of the log."""
    if how[:1] == ("limit",):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(how[1]), resource.RLIM_INFINITY))
    if how[:1] == ("as",):
        os.setgid(int(how[1]))
        os.setuid(int(how[1]))
    log = LogFile(Path(path))
    number = 0
    while number < int(count) or how == ("forever",):
        log.append(record(number, id=f"req_{site}_{number}", site=site, at_ns=time.time_ns()))
        number += 1
        if number % 500 == 0:
            log.flush(0.2)
            print(number, flush=True)  # noqa: T201  (to the test)
    done = log.flush(1.5)
    figures = log.figures()
    if how[:1] == ("limit",):  # room again
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        done = log.flush(20)
    document = {"done": done, "before": figures, "after": log.figures(), "closed": log.close(1)}
    print(json.dumps(document), flush=True)  # noqa: T201  (the same)


if __name__ == "__main__":
    main(*sys.argv[1:])
