"""Locks that a fork does not leave locked."""

from __future__ import annotations

import os

import pytest

from doorward import Doorward
from doorward.automation import Examiner
from doorward.locks import lock_over_forks


def test_a_lock_is_held_over_a_fork_and_free_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other thread can hold it in the moment of the fork, so that the child's copy is free."""
    hooks = {}
    monkeypatch.setattr(os, "register_at_fork", hooks.update)
    lock = lock_over_forks()
    for after in ("after_in_parent", "after_in_child"):
        hooks["before"]()
        assert lock.locked()
        hooks[after]()
        assert not lock.locked()


def test_where_there_is_no_fork_a_lock_is_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no hooks, and needs none."""
    monkeypatch.delattr(os, "register_at_fork")
    with lock_over_forks() as held:
        assert held


def test_what_every_request_locks_is_locked_over_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's lock and the runtime's; the memory store has hooks of its own."""
    befores = []
    monkeypatch.setattr(os, "register_at_fork", lambda **hooks: befores.append(hooks["before"]))
    runtime = Doorward().runtime
    assert runtime._lock.acquire in befores
    assert runtime.journal._lock.acquire in befores


def test_what_a_bot_rule_locks_is_locked_over_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is forked while a thread looks at an agent must not wait for that thread (gunicorn --preload)."""
    befores = []
    monkeypatch.setattr(os, "register_at_fork", lambda **hooks: befores.append(hooks["before"]))
    examiner = Examiner()
    assert examiner._agents._lock.acquire in befores
    assert examiner._answers._lock.acquire in befores
