"""humanify-nobot.md, section 5, rows 16 to 24: what succeeded against flask-Humanify and flask-NoBot, tried on us."""

from __future__ import annotations

import ast
import pickle
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.behaviour.challenged import LONG_ENOUGH, PAGE, Visitor, token_of
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import FailingStore
from tests.challenges.pictures.visitor import Site as Gallery
from tests.challenges.signals.browsers import FIREFOX
from tests.challenges.signals.sites import Paid
from tests.challenges.signals.sites import Site as Signalling
from tests.weaknesses.attacking import CURL, SECRET, WAIT, cleared, lines_run

from doorward import Doorward, RequestContext, challenge, deny, detect_bot, sliding_window
from doorward.challenges.pictures import Pictures
from doorward.challenges.pictures.media import MOST_OF_NETWORK
from doorward.challenges.signals.kind import Browser
from doorward.errors import DataError
from doorward.intelligence.bot_index import BotIndex
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

SOURCES = [Path(__file__).parents[2] / name for name in ("src", "adapters")]


def _in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_05_16_threads_never_get_each_others_answers(make_flask: MakeApp) -> None:
    """All threads shared a socket without a lock: half of the verdicts were somebody else's, challenges 500."""
    app = make_flask(deny(ip="198.51.100.0/24"), challenge("wait", paths=["/echo"]), **WAIT)
    app.get()
    visitors = [Visitor(app) for _ in range(8)]

    def asks(number: int) -> list[Any]:
        """A denied client and a welcome one by turns; then a challenge of one's own."""
        ips = [f"198.51.100.{number}" if turn % 2 else f"203.0.113.{number}" for turn in range(20)]
        verdicts = [app.get("/limited", headers=CURL, peer=ip).status for ip in ips]
        return [verdicts, visitors[number].go("/echo", peer=f"10.{number}.0.1")]

    asked = _in_threads(8, asks)
    assert [verdicts for verdicts, _ in asked] == [[200, 403] * 10] * 8
    pages = [page for _, page in asked]
    assert len({token_of(page) for page in pages}) == 8
    app.clock.advance(LONG_ENOUGH)

    def answers(number: int) -> list[int]:
        peer = {"peer": f"10.{number}.0.1"}
        body = b"token=" + token_of(pages[number]).encode()
        headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]
        sent = visitors[number].go("/.doorward/verify", method="POST", headers=headers, body=body, **peer)
        return [sent.status, visitors[number].go("/echo", **peer).status]

    assert _in_threads(8, answers) == [[303, 200]] * 8


def test_05_17_a_challenge_is_cheap_and_our_own_paths_are_limited() -> None:
    """35 to 75 ms and 352 kB for each page, and no limit on the library's own routes: 15 requests a second were enough.
    A page of ours draws nothing and stores nothing, and each path of ours has a limit, for who overdoes it alone.
    """
    site = Gallery(Pictures("letters"))
    pages = [site.call("/x") for _ in range(200)]
    assert {page.status for page in pages} == {403}
    assert max(len(page.body) for page in pages) < 12_000
    assert site.store.stats()["values"] == site.store.stats()["keys"] == 0
    drawn = [site.fetch(page.token, "picture") for page in pages[: MOST_OF_NETWORK + 5]]
    assert [reply.status for reply in drawn] == [200] * MOST_OF_NETWORK + [429] * 5
    assert max(len(reply.body) for reply in drawn) <= 20_000
    handed_out = [site.call("/.doorward/altcha").status for _ in range(65)]
    assert (handed_out.count(200), handed_out[-1]) == (60, 429)
    assert site.fetch(site.page("198.51.100.1"), "picture", "198.51.100.1").status == 200


def test_05_18_no_request_starts_a_thread(make_flask: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a week without a download each look-up started another: 46 threads after 100 requests, offline."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path))
    app = make_flask(detect_bot(deny=["CATEGORY:AI"]), deny(ip=["crawler"]), challenge("wait", paths=["/x"]), **WAIT)
    app.get("/echo", headers=PAGE)
    before = threading.active_count()
    for number in range(100):
        app.clock.advance(10 * 24 * 3600)
        assert app.get("/echo", headers=PAGE, peer=f"9.9.{number}.9").status == 200
    assert threading.active_count() == before


def test_05_19_being_idle_opens_nothing(make_flask: MakeApp) -> None:
    """After ten seconds without a request the next one was let in, whoever it was."""
    app = make_flask(deny(ip="198.51.100.0/24"), challenge("wait", paths=["/limited"]), **WAIT)
    for idle in (0, 11, 3600, 40 * 24 * 3600):
        app.clock.advance(idle)
        assert app.get("/echo", headers=CURL, peer="198.51.100.7").status == 403
        assert app.get("/limited", headers=CURL).status == 403


@pytest.mark.swallows_errors
def test_05_19_a_store_that_is_gone_takes_no_limit_with_it(make: MakeApp) -> None:
    """Any failure of the socket meant "no bot", and "limit not reached"."""
    for error in (ConnectionResetError("gone"), TimeoutError("late"), OSError("broken pipe")):
        app = make(sliding_window(max=3, interval="1h"), store=FailingStore(error))
        assert app.statuses(5) == [200] * 3 + [429] * 2


UNPACKERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}


MARKS = re.compile(rf"\b(?:{'|'.join(UNPACKERS)})\b|\b(?:eval|exec)\(|\byaml\b")


def test_05_20_nothing_is_ever_unpickled() -> None:
    """Data was downloaded from a branch, and given to ``pickle.loads`` without a checksum: whoever has the repository
    runs code in every application. No module of ours imports anything that makes code of data.
    """
    files = [file for root in SOURCES for file in root.rglob("*.py")]
    assert len(files) > 300
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    suspects = [file for file, text in texts.items() if MARKS.search(text)]
    assert suspects, "the search finds nothing at all"
    for file in suspects:
        for node in ast.walk(ast.parse(texts[file])):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & UNPACKERS, file
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("eval", "exec", "yaml.load", "yaml.unsafe_load"), file


class _Bomb:
    """What an attacker puts in the place of a download: whoever unpickles it writes a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self._mark,))


def test_05_20_data_that_was_exchanged_is_refused_unread(tmp_path: Path) -> None:
    """And no code in it runs."""
    bomb = pickle.dumps(_Bomb(tmp_path / "exploded"))
    (tmp_path / "bots.dwd").write_bytes(bomb + bytes(200))
    with pytest.raises(DataError):
        BotIndex.open(tmp_path / "bots.dwd")
    assert not (tmp_path / "exploded").exists()
    pickle.loads(bomb)
    assert (tmp_path / "exploded").exists(), "it is no bomb"


def test_05_21_clearances_are_revoked_and_secrets_exchanged(make: MakeApp) -> None:
    """One key, without an id, and nothing to take a token back with: what was stolen was good for hours."""
    app = make(challenge("wait"), **WAIT)
    visitor = cleared(app)
    rotated = {**WAIT, "secret": ["the new secret of these tests, and long", SECRET]}
    during, after = (
        make(challenge("wait"), **rotated),
        make(challenge("wait"), **{**rotated, "secret": rotated["secret"][0]}),
    )
    for other, status in ((during, 200), (after, 403)):
        guest = Visitor(other)
        other.clock.advance(LONG_ENOUGH)
        guest.cookies = visitor.cookies
        assert guest.go("/echo").status == status
    assert visitor.go("/echo").status == 200
    app.clock.advance(1)
    app.settle(app.aj.revoke_clearances())
    assert visitor.go("/echo").status == 403


MINIMAL = {"cookies": True, "languages": 2, "elapsed": 1000}


@pytest.mark.parametrize("signals", [MINIMAL, {**MINIMAL, "webdriver": False}, {}, None, {"elapsed": 60_000}], ids=str)
def test_05_22_three_fields_are_no_browser(signals: Any) -> None:
    """A script of the standard library sent three fields and Firefox' user agent: in, after 6 ms. Here it is not let in
    by any number of answers, though each pays for the work; and what it says of the time is not asked for.
    """
    site = Signalling([Browser(Paid())], person=FIREFOX._replace(lines=[]))
    got = site.get()
    for _ in range(5):
        got = site.answer(got, signals, paid="yes", after=0.006)
        assert (got.status, got.cookie) == (403, "")


def test_05_23_workers_redeem_one_challenge_once(make: MakeApp, tmp_path: Path) -> None:
    """Each worker had a list of its own of what was spent: one nonce, two clearances."""
    clock = FakeClock()
    shared = {**WAIT, "store": f"shared://{tmp_path}/table", "clock": clock, "timeout": 20}
    workers = [make(challenge("wait"), **shared) for _ in range(2)]
    page = workers[0].get("/echo", headers=PAGE)
    clock.advance(LONG_ENOUGH)
    assert [Visitor(worker).answer(page).status for worker in (*workers, *workers)] == [303, 403, 403, 403]


def test_05_24_redeeming_costs_the_same_however_many_were_redeemed() -> None:
    """Each redemption looked through all earlier ones, under a lock, and there was no bound: 206 us at 20,000."""
    clock = FakeClock()
    store = MemoryStore(max_values=3_000, clock=clock)
    aj = Doorward([challenge("wait")], store=store, clock=clock, **WAIT)
    request = RequestContext(peer="203.0.113.9")

    def redeem(number: int) -> None:
        gate = aj.runtime.gatekeeper.gate
        assert gate.spent.add(f"here {number}", 0, 10**15)
        assert store.add_if_absent(f"gate:spent:{number}", 1800)
        aj.protect(request)

    few = [lines_run(lambda number=number: redeem(number)) for number in range(200)]  # type: ignore[misc]
    for number in range(1_000, 12_000):
        store.add_if_absent(f"gate:spent:{number}", 1800)
        aj.runtime.gatekeeper.gate.spent.add(f"here {number}", 0, 10**15)
    many = [lines_run(lambda number=number: redeem(number)) for number in range(20_000, 20_200)]  # type: ignore[misc]
    assert store.stats()["values"] <= 3_000
    assert len(aj.runtime.gatekeeper.gate.spent._until) <= 10_000
    assert sum(many) < 2 * sum(few)
    assert max(many) < 3 * max(few)
