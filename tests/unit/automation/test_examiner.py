"""The examiner as a whole: whatever comes, it answers, and it forgets."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from doorward.automation import Examination, Examiner, Finding
from doorward.automation.headers import LOOKED_AT
from doorward.automation.recent import Recent
from doorward.context import Headers, RequestContext
from doorward.requests import from_scope

NAMES = st.sampled_from([*LOOKED_AT, "User-Agent", "cookie"])
PIECES = st.sampled_from(
    [
        "Mozilla/5.0 (",
        ")",
        "(",
        "compatible; ",
        "X11; ",
        "Chrome/99.",
        "Firefox/",
        "rv:1",
        "Gecko",
        "bot",
        "+http://",
        "@",
        "%s",
        "Safari/1.0; ",
    ]
)
VALUES = st.text(st.characters(codec="latin-1")) | st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join)


@given(st.lists(st.tuples(NAMES, VALUES)), st.sampled_from(["http", "https", "ws", "?"]), st.booleans())
def test_any_text(lines, scheme, ordered):
    """Whatever the headers hold, there is an examination whose weight is that of its findings, up to 1."""
    found = Examiner().examine(RequestContext(scheme=scheme, headers=lines), ordered=ordered)
    assert found == Examination.of(found.findings, found.agents)
    assert 0 <= found.weight <= 1
    assert all(0 < finding.weight <= 1 for finding in found.findings)


@given(st.lists(st.tuples(NAMES.map(str.encode), st.binary())))
def test_any_bytes(lines):
    """The same for bytes, of which nothing needs to be text."""
    assert Examiner().examine(RequestContext(headers=lines)).weight >= 0


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_all_sources_agree(lines):
    """Text, bytes, lists and a Headers object give the same answer, and so does the second time."""
    examiner = Examiner()
    encoded = [(name.lower().encode(), value.encode("utf-8", "replace")) for name, value in lines]
    decoded = [(name.decode(), value.decode("latin-1")) for name, value in encoded]
    sources = (encoded, decoded, [list(line) for line in encoded], Headers(decoded))
    answers = [examiner.examine(RequestContext(headers=source)) for source in sources for _ in range(2)]
    assert len({(answer.weight, tuple(sorted(answer.findings))) for answer in answers}) == 1


def test_agent_of_64_kib():
    """A huge agent is cut, and not kept."""
    examiner = Examiner()
    for filler in ("x", "(", "Aa", "compatible;", "a.", "+"):
        agent = filler * (65_536 // len(filler))
        assert examiner.examine(RequestContext(headers=[("User-Agent", agent)])).findings
    assert len(examiner._answers) == 0
    assert max(map(len, [*examiner._agents._young, *examiner._agents._old])) <= 1025


def test_answers_are_kept_up_to_a_number():
    """However many agents come, the caches stay within their size."""
    examiner = Examiner(cached=64)
    for number in range(1000):
        examiner.examine(RequestContext(headers=[("User-Agent", f"Wobble/{number}")]))
    assert len(examiner._answers) <= 64
    assert len(examiner._agents) <= 64


def sent(lines, scheme):
    """A request as an ASGI server hands it over."""
    raw = [(name.encode(), value.encode()) for name, value in lines]
    return from_scope({"type": "http", "path": "/", "scheme": scheme, "headers": raw})


def test_kept_answer_is_not_another_requests():
    """The same headers mean something else over TLS, and with their order."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    lines = [("user-agent", agent), ("accept", "*/*"), ("accept-encoding", "gzip"), ("accept-language", "en")]
    examiner = Examiner()
    weights = [
        examiner.examine(sent(lines, scheme), ordered=ordered).weight
        for _ in range(2)
        for scheme in ("http", "https")
        for ordered in (False, True)
    ]
    assert weights == [0.0, 0.3, 0.4, 0.7] * 2


def test_threads():
    """Many threads that share an examiner get the right answers."""
    examiner = Examiner(cached=8)
    agents = [f"Wobble/{number}.4 (iPhone)" for number in range(20)] + [f"WobbleBot/{number}" for number in range(20)]

    def ask(number: int) -> bool:
        agent = agents[number % len(agents)]
        return examiner.examine(RequestContext(headers=[("user-agent", agent)])).automated == ("Bot" in agent)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(4000)))


def test_lists_of_lists():
    """Servers that make lists of the pairs of a scope are answered, too."""
    scope = {"type": "http", "path": "/", "headers": [[b"user-agent", b"curl/8.5"]]}
    assert Examiner().examine(from_scope(scope)).automated


def test_weights_add_up():
    """Weights are added exactly enough to reach 1 in any order."""
    assert Examination.of([Finding(0.6, "a"), Finding(0.3, "b"), Finding(0.1, "c")]).automated
    assert not Examination.of([Finding(0.6, "a"), Finding(0.3, "b")]).automated
    assert Examination.of([]) == (0.0, (), ())


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(2, 10))
def test_recent_against_an_lru(keys, size):
    """It never holds more than its size, never a wrong value, and always what an LRU of half the size would hold."""
    recent: Recent[int, str] = Recent(size)
    model: OrderedDict[int, str] = OrderedDict()
    for key in keys:
        value = recent.get(key)
        assert value in {None, str(key)}
        if key in model:
            assert value is not None
        if value is None:
            recent.put(key, str(key))
        model[key] = str(key)
        model.move_to_end(key)
        if len(model) > size // 2:
            model.popitem(last=False)
        assert len(recent) <= size
