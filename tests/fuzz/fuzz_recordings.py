"""Whatever is in a recording, it is read or counted: nothing is raised, and requests come in the order of time.

An input is the format in the first line, as on the command line, then the file.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward.errors import ConfigurationError
    from doorward.replay.readers import read
    from doorward.replay.reading import LONGEST_TEXT, MOST_SAMPLES, Reading
    from doorward.replay.records import Recorded


@cache
def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="doorward-fuzz-"))


def target(data: bytes) -> None:
    """Read a file; look at everything of the requests that a rule may look at."""
    form, _, content = data.partition(b"\n")
    file = folder() / "recording"
    file.write_bytes(content)
    reading, last, count = Reading(), 0, 0
    try:
        requests = read([str(file)], format=form.decode("latin-1"), reading=reading)
    except ConfigurationError as error:
        assert str(error).isprintable()  # noqa: PT017  (no test)
        return
    for recorded in requests:
        assert recorded.at_ns >= last
        last, count = recorded.at_ns, count + 1
        check(recorded)
    # A database, or a HAR file without entries, has no lines.
    assert count + sum(reading.skipped.values()) <= max(reading.lines, 1)
    assert not [why for why in reading.skipped if why.startswith("doorward failed")], reading.skipped
    assert len(reading.samples) <= MOST_SAMPLES
    assert all(len(text) <= LONGEST_TEXT for *_, text in reading.samples)
    assert all(note.isprintable() for note in reading.notes)


def check(recorded: Recorded) -> None:
    request = recorded.request
    assert request.method
    assert isinstance(request.path, str)
    for name, value in request.headers:
        value.encode("latin-1", "surrogatepass" if recorded.told else "strict")
        assert name == name.lower()
    request.query_values("a")
    request.cookies("a")
    assert isinstance(request.host, str)
    assert request.body is None or isinstance(request.body, bytes)
    assert all(isinstance(value, str) for value in recorded.inputs.values())


if __name__ == "__main__":
    fuzz(target, "recordings")
