"""How many lines of an access log are read in a second: ``python benchmarks/replay_readers.py [LINES]``.

Clients, paths and browsers vary; figures are of CPU time, the best of three.
"""

from __future__ import annotations

import gc
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.replay.readers import parser_of, read
from doorward.replay.reading import Reading
from doorward.replay.records import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
ROUNDS = 3


def lines(count: int) -> Iterator[str]:
    """Lines in the combined format, ten a second."""
    source = random.Random(1)  # the same lines each time
    for number in range(count):
        second = number // 10
        clock = (
            f"{10 + second // 86_400:02d}/Oct/2025:{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        )
        yield (
            f"203.0.{source.randrange(114)}.{source.randrange(255)} - - [{clock} +0000] "
            f'"GET /p/{source.randrange(5_000)}?q=a%20b HTTP/1.1" 200 {source.randrange(9_999)} '
            f'"https://shop.example/" "{AGENT.format(source.randrange(100, 125))}"'
        )


def best(count: int, work: Callable[[], object]) -> float:
    """Lines a second."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return count / min(times)


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    texts = list(lines(count))
    gc.freeze()
    parse, source = parser_of("combined").parse, Source("access.log", 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "access.log")
        file.write_text("\n".join(texts) + "\n")

        def whole() -> None:
            assert sum(1 for _ in read([str(file)], reading=Reading())) == count

        print(
            f"parsing a line   {best(count, lambda: [parse(text, source) and None for text in texts]):12,.0f} lines/s"
        )
        print(f"read, in order   {best(count, whole):12,.0f} lines/s")


if __name__ == "__main__":
    main()
