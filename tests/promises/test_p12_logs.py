"""P12: logs cannot be forged, flooded, or made to tell secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.behaviour.doubles import Breaker, FailingStore, Refuser

from doorward import Doorward, RequestContext, sliding_window
from doorward.testing import FakeClock

SECRET = "s3cr3t-t0k3n"
LONGEST = 1024
TRICKS = st.sampled_from(
    ["\r\n", "\n2026 ERROR forged", "\x1b[2J", "\u2028", "\u202e", "\ud800", "\x85", "\x00", "\\", '"', " "]
)
anything = st.lists(
    st.one_of(st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")), st.text(max_size=50), TRICKS)
).map("".join)


class Lines(logging.Handler):
    """Keeps records as they would be written to a file."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []
        self.levels: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record).encode("utf-8", "surrogatepass"))
        self.levels.append(record.levelno)


@pytest.fixture(scope="module")
def journal() -> Iterator[tuple[logging.Logger, Lines]]:
    logger, lines = logging.Logger("doorward.test", logging.INFO), Lines()  # noqa: LOG001  (of this test alone)
    logger.addHandler(lines)
    yield logger, lines
    logger.removeHandler(lines)


def request_with(method: str, path: str, text: str) -> RequestContext:
    secrets = [("Authorization", f"Bearer {SECRET}"), ("Cookie", f"session={SECRET}; {text}"), ("X-Api-Key", SECRET)]
    others = [("User-Agent", text), ("X-Forwarded-For", text), ("Host", text)]
    query = f"token={SECRET}&q={text}"
    return RequestContext(
        method=method, path=path, query=query, headers=[*secrets, *others], peer="203.0.113.9", body=SECRET.encode()
    )


def check(line: bytes) -> None:
    assert len(line) <= LONGEST
    assert all(0x20 <= byte <= 0x7E for byte in line), line
    assert SECRET.encode() not in line


@given(method=anything, path=anything, text=anything, failing=st.booleans())
def test_p12_one_decision_is_one_clean_line(
    journal: tuple[logging.Logger, Lines], method: str, path: str, text: str, failing: bool
) -> None:
    """P12: whatever bytes come, one decision is one record of one line, short, printable, without secrets."""
    logger, lines = journal
    lines.lines.clear()
    rules = [
        sliding_window(max=5, interval="1m", name="limit"),
        Refuser(marker="attack"),
        sliding_window(max=9, interval="1h"),
    ]
    store = FailingStore(ConnectionError(path)) if failing else "memory://"
    Doorward(rules, logger=logger, store=store, clock=FakeClock()).protect(request_with(method, path, text))
    changes = [line for line in lines.lines if line.startswith(b"doorward default: store lost")]
    assert (len(changes), len(lines.lines)) == (failing, 1 + failing), "that the store is lost is said once for all"
    for line in lines.lines:
        check(line)


def test_p12_the_longest_line_is_bounded(journal: tuple[logging.Logger, Lines]) -> None:
    """P12: every field at its longest, all at once, is one line within 1 KiB still."""
    logger, lines = journal
    lines.lines.clear()
    broken = Breaker(name="n" * 100, error=RuntimeError("\0" * 5000))
    dry = sliding_window(max=1, interval="1m", name="d" * 100, mode="DRY_RUN")
    deny = sliding_window(max=1, interval="1m", on_error="deny", name="e" * 100)
    store = FailingStore(ConnectionError("\x1b" * 5000))
    aj = Doorward([broken, dry, deny], name="c" * 64, logger=logger, store=store, clock=FakeClock())
    headers = [("X-Forwarded-For", "2001:db8:1111:2222:3333:4444:5555:6666")]
    aj.protect(RequestContext(method="M" * 500, path="/\0" * 5000, headers=headers, peer="10.0.0.1"))
    check(lines.lines[0])


def test_p12_a_failing_store_warns_once_a_minute(journal: tuple[logging.Logger, Lines]) -> None:
    """P12: a thousand failures of one cause are one warning; a minute later there is one more."""
    logger, lines = journal
    clock = FakeClock()
    aj = Doorward([sliding_window(max=5, interval="1m")], logger=logger, store=FailingStore(), clock=clock)
    lines.levels.clear()
    for _ in range(1000):
        aj.protect(RequestContext(peer="203.0.113.9"))
    assert lines.levels.count(logging.WARNING) <= 2
    lines.levels.clear()
    clock.advance(60)
    aj.protect(RequestContext(peer="203.0.113.9"))
    # The other line sums up the minute.
    assert sorted(lines.levels) == [logging.INFO, logging.WARNING]


def test_p12_clients_cannot_make_warnings_of_their_own(journal: tuple[logging.Logger, Lines]) -> None:
    """P12: errors that differ by what a client sends do not give every request a warning."""
    logger, lines = journal
    lines.levels.clear()

    class Echo(Breaker):
        def evaluate(self, view: object) -> object:  # type: ignore[override]
            raise ValueError(view.request.path)  # type: ignore[attr-defined]

    aj = Doorward([Echo(name="echo")], logger=logger, clock=FakeClock())
    for number in range(1000):
        aj.protect(RequestContext(path=f"/{number}", peer="203.0.113.9"))
    assert lines.levels.count(logging.WARNING) <= 300
    assert len(aj.health()["counts"]) <= 300  # type: ignore[arg-type]


def test_p12_addresses_are_masked_where_asked(journal: tuple[logging.Logger, Lines]) -> None:
    """P12: with ``mask_addresses`` no line holds a client's whole address."""
    logger, lines = journal
    lines.lines.clear()
    aj = Doorward([sliding_window(max=1, interval="1m")], logger=logger, mask_addresses=True)
    for _ in range(2):
        aj.protect(RequestContext(peer="203.0.113.9"))
    assert b"203.0.113.0/24" in lines.lines[0]
    assert b"203.0.113.9" not in b"".join(lines.lines)


@pytest.mark.swallows_errors
def test_p12_a_swallowed_error_is_one_clean_line(journal: tuple[logging.Logger, Lines]) -> None:
    """P12: an internal error is one line too, however its message looks; a traceback would be many."""
    logger, lines = journal
    lines.lines.clear()

    def broken(*_: object) -> None:
        raise RuntimeError("line\nline\r\n\x1b[31m" * 100)

    aj = Doorward(logger=logger, on_decision=broken, clock=FakeClock())
    for _ in range(10):
        aj.protect(RequestContext(peer="203.0.113.9"))
    assert len(lines.lines) == 11
    for line in lines.lines:
        check(line)
