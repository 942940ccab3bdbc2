"""Runs a fuzz target: under atheris, which steers by coverage, or with plain mutations where there is no atheris.

A target takes bytes and raises if its promise is broken. Whatever breaks it is printed as a Python literal, and the
process ends with a status that is not zero.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

Target = Callable[[bytes], None]

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 4096
HANG_SECONDS = 60  # an input that takes so long is reported by libFuzzer; promises are counted in steps, not seconds
TOKENS = (
    b"", b" ", b"\t", b"\n", b"\n\n", b"\0", b"%", b"%00", b"%ff", b"..", b"//", b";", b"&", b"=", b'"', b"'", b"\\",
    b"<", b"&lt;", b",", b",,", b":", b"unix:", b"_hidden", b"for=", b"[::1]", b"::ffff:1.2.3.4", b"fe80::1%eth0",
    b"10.0.0.1", b"203.0.113.9", b"*/*", b"q=", b";q=0.5", b"text/html", b"nan", b"1e9", b"-1", b"9" * 19, b"/minute",
    b" per ", b"1h", b"DRY_RUN", b"(", b")", b"(?:", b"(?=", b"(?i)", b"(?a:", b"|", b"*", b"+", b"?", b"{2}", b"{0,3}",
    b"{2,}", b"[^a]", b"\\b", b"\\1", b"^", b"$", b".*", "\u0660".encode(), "\u2028".encode(), "\u212a".encode(),
    "\U0001f600".encode(), b"\xed\xa0\x80", b"\xff\xfe", b"a" * 200,
)  # fmt: skip
"""What trips parsers; plain mutations put it into the inputs."""


def instrumented(name: str) -> AbstractContextManager[object]:
    """A context in which doorward is imported with coverage, if the importer is run as a script under atheris."""
    if name != "__main__" or find_spec("atheris") is None:
        return nullcontext()
    if "doorward" in sys.modules:
        raise RuntimeError("doorward is loaded already: what is imported before the block must not import it")
    context: AbstractContextManager[object] = import_module("atheris").instrument_imports(include=["doorward"])
    return context


def fuzz(target: Target, corpus: str) -> None:
    """Try inputs on ``target`` for ``FUZZ_SECONDS``, beginning with ``corpus``."""
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    warnings.simplefilter("ignore")  # re.compile warns of what some patterns will mean in the future
    if find_spec("atheris") is None:
        say(f"atheris is missing (it needs Python 3.11 on x86-64 Linux): plain mutations for {seconds} s")
        fuzz_plainly(target, seeds(corpus), seconds)
    else:
        fuzz_with_coverage(target, CORPUS / corpus, seconds)


def fuzz_with_coverage(target: Target, corpus: Path, seconds: int) -> None:
    """Let libFuzzer choose the inputs; it ends the process."""
    atheris = import_module("atheris")
    found = tempfile.mkdtemp(prefix="doorward-fuzz-")  # first of the two: where libFuzzer adds to the corpus
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "len_control": 20,  # grow faster than by default: bodies are long
        "timeout": HANG_SECONDS,
        "print_final_stats": 1,
        "artifact_prefix": f"{found}/",
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), found, str(corpus)]
    atheris.Setup(arguments, lambda data: check(target, data))
    atheris.Fuzz()


def fuzz_plainly(target: Target, corpus: Sequence[bytes], seconds: float) -> None:
    """Try the corpus and mutations of it."""
    start, executions = time.monotonic(), 0
    for data in inputs(corpus, random.Random()):
        check(target, data)
        executions += 1
        if time.monotonic() - start >= seconds:
            break
    say(f"{executions} executions, {executions / (time.monotonic() - start):.0f} a second")


def check(target: Target, data: bytes) -> None:
    """Run ``target`` once; print the input that breaks it."""
    try:
        target(data)
    except BaseException:
        say(f"broken by the input {data!r}")
        raise


def say(line: str) -> None:
    """Tell whoever watches; at once, since libFuzzer ends the process without emptying Python's buffers."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def seeds(corpus: str) -> list[bytes]:
    """The hand-written inputs of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / corpus).iterdir())]


def inputs(corpus: Sequence[bytes], source: random.Random) -> Iterator[bytes]:
    """The corpus, then mutations of it without end."""
    yield from corpus
    while True:
        data = source.choice(corpus)
        for _ in range(source.randint(1, 4)):
            data = mutated(data, source, corpus)
        yield data[:LONGEST]


def mutated(data: bytes, source: random.Random, corpus: Sequence[bytes]) -> bytes:
    """``data`` with one stretch taken out, doubled, or replaced by a byte, a nasty token, or a piece of a seed."""
    start = source.randint(0, len(data))
    end = min(len(data), start + source.choice((0, 1, 1, 2, 8, 40)))
    other = source.choice(corpus)
    cut = source.randint(0, len(other))
    replacement = source.choice(
        (b"", data[start:end] * 2, source.randbytes(1), source.choice(TOKENS), other[cut : cut + source.randint(1, 40)])
    )
    return data[:start] + replacement + data[end:]


def text_of(raw: bytes) -> str:
    """Bytes as text that may hold anything text can: UTF-8 with lone surrogates, or else latin-1."""
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
