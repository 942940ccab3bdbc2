"""The Redis protocol: whatever the bytes and however they are cut, replies or an error, and never without bound."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.stores.redis.resp import ErrorReply, Garbage, Reader, pack
from doorward.stores.redis.routing import slot_of

REPLIES = (
    b"+OK\r\n:-12\r\n$-1\r\n*-1\r\n$0\r\n\r\n$4\r\na\r\nb\r\n-NOSCRIPT No script\r\n-ERR\r\n"
    b"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n+\r\n$-1\r\n*0\r\n"
)
VALUES = [
    b"OK", -12, None, None, b"", b"a\r\nb",
    ErrorReply("NOSCRIPT", "No script"), ErrorReply("ERR", ""), [1, [b"x", b""], None], [],
]  # fmt: skip


def read_all(reader: Reader) -> list[object]:
    found = []
    while (taken := reader.take()) is not None:
        found.append(taken[0])
    return found


@given(st.lists(st.integers(0, len(REPLIES))))
def test_replies_are_read_however_they_are_cut(cuts: list[int]) -> None:
    """The same values, in whatever pieces the bytes come."""
    reader, found, edges = Reader(), list[object](), [0, *sorted(cuts), len(REPLIES)]
    for start, end in pairwise(edges):
        reader.feed(REPLIES[start:end])
        found += read_all(reader)
    assert found == VALUES
    assert reader.spent


def test_what_has_come_whole_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array that drips costs what it would cost at once, and a byte for each piece."""
    read, lines = Reader._line, 0

    def counted(self: Reader, place: int) -> tuple[bytes, int]:
        nonlocal lines
        lines += 1
        return read(self, place)

    monkeypatch.setattr(Reader, "_line", counted)
    reader, items = Reader(), b":1\r\n" * 1_000
    reader.feed(b"*1000\r\n")
    for at in range(len(items)):
        assert reader.take() is None
        reader.feed(items[at : at + 1])
    assert not reader.spent
    assert reader.take() == ([1] * 1_000,)
    assert reader.spent
    assert lines <= len(items) + 1_002


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"*3\r\n", b"$5\r\n", b":1\r\n", b"-E\r\n", b"\r\n"])))
def test_any_bytes_are_replies_or_garbage(pieces: list[bytes]) -> None:
    """No other exception, and no more is kept than is allowed."""
    reader = Reader(10_000)
    with contextlib.suppress(Garbage):
        for piece in pieces:
            reader.feed(piece)
            read_all(reader)


@pytest.mark.parametrize(
    "data",
    [b"!\r\n", b"$x\r\n", b"$1\r\nab\r\n", b"*99999999\r\n", b":1 \r\n", b":+1\r\n", b"$" + b"9" * 40 + b"\r\n",
     b"*1\r\n" * 20, b"HTTP/1.1 200 OK\r\n"],
)  # fmt: skip
def test_garbage(data: bytes) -> None:
    """What is no reply is found."""
    reader = Reader()
    reader.feed(data)
    with pytest.raises(Garbage):
        reader.take()


def test_an_answer_is_bounded_over_all_its_pieces() -> None:
    """A drip does not add up to more than is allowed."""
    reader = Reader(1_000)
    reader.feed(b"+")
    for _ in range(99):
        reader.feed(b"x" * 10)
    with pytest.raises(Garbage, match="longer than 1000 bytes"):
        reader.feed(b"x" * 10)


@given(st.lists(st.binary(), min_size=1))
def test_commands_are_arrays_of_strings(parts: list[bytes]) -> None:
    """What is sent reads as what was meant."""
    reader = Reader()
    reader.feed(pack(*parts))
    assert reader.take() == (parts,)


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"foo", 12182), (b"{foo}bar", 12182), (b"a{foo}{bar}", 12182), (b"{}foo", 9500), (b"123456789", 12739)],
)
def test_slots(key: bytes, slot: int) -> None:
    """As the Cluster specification has it; 0x31C3 is its own example."""
    assert slot_of(key) == slot
