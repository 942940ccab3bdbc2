"""The store fails: what the application chose happens, and never an error of ours. Two workers share one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.pictures.visitor import Site, answer_of, fields_of, issue_of, passed

from doorward.challenges.pictures import Pictures
from doorward.errors import StoreError
from doorward.stores import open_store
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

STATEFUL = ("count", "get", "put", "delete", "add_if_absent", "refund")


class Flaky(MemoryStore):
    """A store that fails when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.failing: frozenset[str] = frozenset()


def _failing(name: str):
    whole = getattr(MemoryStore, name)

    def call(self, *arguments):
        if name in self.failing:
            raise StoreError(f"{name}: connection refused")
        return whole(self, *arguments)

    return call


for _name in STATEFUL:
    setattr(Flaky, _name, _failing(_name))


def down(policy: str, name: str = "letters") -> Site:
    """A site whose store is down from the start."""
    clock = FakeClock()
    site = Site(Pictures(name), Flaky(clock), clock, on_store_error=policy)
    site.store.failing = frozenset(STATEFUL)
    return site


def answer_here(site: Site, token: str) -> dict:
    """The right answer while the store fails: this process has the seeds."""
    issue = issue_of(token)
    form = site.kind.shown(issue).main

    class Here:
        def get(self, key: str) -> bytes | None:
            return site.kind._records._here.get(key)

    return fields_of(form, answer_of(Here(), site.kind, issue, form))


pytestmark = pytest.mark.swallows_errors


def test_local_goes_on_in_this_process() -> None:
    """Right answers pass, once; wrong ones do not."""
    site = down("local")
    token = site.page()
    assert site.fetch(token, "picture").status == 200
    fields = answer_here(site, token)
    assert [passed(site.send(token, fields)) for _ in range(3)] == [True, False, False]
    token = site.page()
    assert site.fetch(token, "picture").status == 200
    assert not passed(site.send(token, {"answer": "ACDE"}))


def test_deny_lets_nobody_pass() -> None:
    """Nothing is drawn either."""
    site = down("deny")
    token = site.page()
    assert site.fetch(token, "picture").status == 403
    assert site.send(token, {"answer": "ACDE"}).status == 403
    assert site.why("unavailable") == 1


def test_deny_forgets_what_was_drawn_before() -> None:
    """A right answer is not accepted when the store fails between picture and answer."""
    site = down("deny")
    site.store.failing = frozenset()
    token = site.page()
    site.fetch(token, "picture")
    form = site.kind.shown(issue_of(token)).main
    fields = fields_of(form, site.right(token, form))
    site.store.failing = frozenset(STATEFUL)
    assert site.send(token, fields).status == 403


def test_allow_lets_pass_who_answers_something() -> None:
    """As the option says: everybody who answers, once nobody can know what was drawn."""
    site = down("allow")
    assert not passed(site.send(site.page(), {}))
    assert passed(site.send(site.page(), {"answer": "ACDE"}))


@settings(max_examples=60)
@given(
    st.sampled_from(["local", "deny", "allow"]),
    st.sampled_from(["letters", "shapes", "odd", "audio"]),
    st.lists(st.frozensets(st.sampled_from(STATEFUL)), min_size=4, max_size=4),
)
def test_no_failure_is_an_error_of_ours(policy: str, name: str, failing: list) -> None:
    """Whichever calls fail at whichever step: never a 5xx, and a wrong answer passes under "allow" alone."""
    clock = FakeClock()
    site = Site(Pictures(name), Flaky(clock), clock, on_store_error=policy)
    site.store.failing = failing[0]
    token = site.page()
    site.store.failing = failing[1]
    path = site.kind.shown(issue_of(token)).main.path
    assert site.fetch(token, path).status in (200, 403)
    site.store.failing = failing[2]
    wrong = site.send(token, {"answer": "99999999" if name == "audio" else "AAAAAAAAA", "row-1": "1", "tile-1": "1"})
    assert wrong.status < 500
    assert not passed(wrong) or policy == "allow"
    site.store.failing = failing[3]
    assert site.send(token, {"another": "1"}).status == 403


def test_the_process_keeps_few_seeds() -> None:
    """However long the store fails."""
    from doorward.challenges.pictures.records import MOST_HERE, Records

    records = Records()
    for number in range(MOST_HERE + 50):
        records._keep(str(number), b"")
    assert len(records._here) == MOST_HERE


# Two workers


def test_two_workers_share_what_was_drawn(tmp_path: Path) -> None:
    """Posed by one, drawn by the other, answered to the first, and not once more to the other."""
    clock = FakeClock()
    stores = [open_store(f"shared://{tmp_path}/shared", clock, 5.0) for _ in range(2)]
    one, other = [Site(Pictures("letters"), store, clock) for store in stores]
    token = one.page()
    assert other.fetch(token, "picture").body == one.fetch(token, "picture").body
    form = one.kind.shown(issue_of(token)).main
    fields = fields_of(form, one.right(token, form))
    assert passed(one.send(token, fields))
    assert not passed(other.send(token, fields))
    for store in stores:
        store.close()


def test_of_many_guesses_at_once_one_counts() -> None:
    """The first; the right one among the others comes too late. Nobody passes by trying all answers in parallel."""
    for _ in range(5):
        site = Site(Pictures("letters"))
        token = site.page()
        site.fetch(token, "picture")
        form = site.kind.shown(issue_of(token)).main
        right = site.right(token, form)
        site.clock.advance(31)
        guesses = ["A" * len(right), right, "C" * len(right), right, "D" * len(right), right]
        barrier = threading.Barrier(len(guesses))

        def send(guess: str, site: Site = site, token: str = token, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait(20)
            return passed(site.send_now(token, {"answer": guess}))

        with ThreadPoolExecutor(len(guesses)) as threads:
            assert sum(threads.map(send, guesses)) <= 1
