"""Connections that end at a deadline, whatever their sockets' own timeouts are."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from doorward.hard_deadline import HardDeadline

FAR, LATE = 3600.0, 20.0

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(LATE)
        theirs.settimeout(LATE)
        yield ours, theirs


def test_whoever_waits_then_is_woken(pair: Pair) -> None:
    """A read ends, on both sides."""
    deadline = HardDeadline(0.01)
    with deadline:
        deadline.watch(pair[0])
        assert (pair[0].recv(1), pair[1].recv(1), deadline.passed) == (b"", b"", True)


def test_a_connection_that_comes_too_late_is_shut_down_at_once(pair: Pair) -> None:
    """As after a host's name that took long to resolve."""
    deadline = HardDeadline(FAR)
    with deadline:
        deadline.end()
        deadline.watch(pair[0])
        assert pair[1].recv(1) == b""


def test_a_socket_that_another_has_taken_over_is_shut_down_too(pair: Pair) -> None:
    """As ssl takes over the one that it is handed."""
    deadline = HardDeadline(FAR)
    with deadline:
        deadline.watch(pair[0])
        with socket.socket(fileno=pair[0].detach()) as taken:
            deadline.end()
            assert taken.recv(1) == b""


def test_what_was_in_time_stays_open(pair: Pair) -> None:
    """Nothing is shut down after the end of the statement, also not by who ends it late."""
    deadline = HardDeadline(FAR)
    with deadline:
        deadline.watch(pair[0])
    deadline.end()
    pair[0].sendall(b"x")
    assert pair[1].recv(1) == b"x"
