"""The frame of attack detection: batches, pieces, weights, work, failures, what is remembered and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.shield.marking import Failing, Marking, scanner

from doorward import RequestContext
from doorward.attacks import decoding, views
from doorward.attacks.evidence import Family, Finding, Place
from doorward.attacks.excerpt import LONGEST, SHOWN, masked
from doorward.attacks.exclusions import Exclusion
from doorward.attacks.known import LONGEST as LONGEST_KNOWN
from doorward.attacks.known import Known
from doorward.attacks.scan import CLEAN, OVERLAP, PIECE, Scan, Scanner
from doorward.attacks.work import BASE, PER_CHARACTER, SLICE, OutOfWork, Work
from doorward.patterns import RouteMatcher

MARK = "weigh(0.4)"

FILLER = "and a few words more, as people write them"


def request(query: str = "", body: bytes | None = None, kind: str = "text/plain", **parts: Any) -> RequestContext:
    headers = [*parts.pop("headers", ()), *([("content-type", kind)] if body is not None else [])]
    method = "GET" if body is None else "POST"
    return RequestContext(**{"method": method, "query": query, "headers": headers, "body": body, **parts})


def scan(by: Scanner, asked: RequestContext, **options: Any) -> Scan:
    """A scan to its end."""
    return pauses(by, asked, **options)[1]


def pauses(by: Scanner, asked: RequestContext, **options: Any) -> tuple[int, Scan]:
    """How often a scan lets others run, and what it comes to."""
    running, count = by.scan(asked, **options), 0
    while True:
        try:
            next(running)
        except StopIteration as stop:
            return count, stop.value
        count += 1


def rules(result: Scan) -> list[str]:
    return sorted([finding.rule for finding in result.findings])


# --- weights


def test_nothing_found_is_clean() -> None:
    """The one object that says so."""
    assert scan(scanner(), request("q=tea", b"milk", headers=[("x-a", "b")])) is CLEAN


def test_weights_of_one_value_add_up() -> None:
    """Of distinct rules: decimal fractions, so that 0.7, 0.2 and 0.1 are 1."""
    result = scan(scanner(), request("q=weigh(0.7,a)+weigh(0.2,b)+weigh(0.1,c)"))
    assert (result.weight, rules(result)) == (1.0, ["test.a", "test.b", "test.c"])


def test_one_rule_counts_once_in_a_value() -> None:
    """With its heaviest evidence, in whatever order."""
    for marks in ("weigh(0.3)+weigh(0.5)+weigh(0.3)", "weigh(0.5)+weigh(0.3)"):
        result = scan(scanner(), request(f"q={marks}"))
        assert (result.weight, rules(result)) == (0.5, ["test.weigh"])


def test_weights_of_different_values_do_not_add_up() -> None:
    """The heaviest value is what the request weighs; all findings are listed, heaviest first."""
    result = scan(scanner(), request("a=weigh(0.4,a)&b=weigh(0.6,b)&c=weigh(0.5,c)"))
    assert result.weight == 0.6
    assert [finding.name for finding in result.findings] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'[{"t": "weigh(0.6,a) x"}, {"t": "weigh(0.6,b) x"}]'),
        ("application/xml", b"<r><t>weigh(0.6,a) x</t><t>weigh(0.6,b) x</t></r>"),
    ],
    ids=["json", "xml"],
)
def test_values_of_one_name_are_different_values(kind: str, body: bytes) -> None:
    """A list of comments is not one text."""
    result = scan(scanner(), request(body=body, kind=kind))
    assert (result.weight, rules(result)) == (0.6, ["test.a", "test.b"])


def test_forms_and_pieces_of_one_value_are_one_value() -> None:
    """What is found in its decoded form adds to what is found in the value itself, and so do pieces of a long one."""
    inner = quote(quote("weigh(0.6,b)"), safe="").replace("weigh", quote(quote("%77eigh"), safe=""))
    assert scan(scanner(), request(f"q=weigh(0.6,a)+{inner}")).weight == 1.0
    long = f"weigh(0.6,a) {'tea ' * 3000} weigh(0.6,b)"
    assert scan(scanner(), request(body=long.encode())).weight == 1.0
    assert scan(scanner(), request(body=f'["{long}"]'.encode(), kind="application/json")).weight == 1.0


def test_far_apart_in_a_long_value_is_not_one_attack() -> None:
    """A book has something that looks like one in many places."""
    far = f"weigh(0.6,a) {'tea ' * 9000} weigh(0.6,b)"
    result = scan(scanner(), request(body=far.encode()))
    assert (result.weight, rules(result)) == (0.6, ["test.a", "test.b"])


def test_the_heaviest_findings_are_told() -> None:
    """A body of thousands of findings does not make a decision of a megabyte."""
    weights = [0.2] * 5000 + [0.9] + [0.3] * 5000
    body = (
        str([f"weigh({weight}) {FILLER} {number}" for number, weight in enumerate(weights)]).replace("'", '"').encode()
    )
    result = scan(scanner(), request(body=body, kind="application/json"))
    assert (result.weight, result.findings[0].weight) == (0.9, 0.9)
    assert 10 <= len(result.findings) <= 100
    assert {finding.weight for finding in result.findings[1:]} == {0.3}


def test_a_request_weighs_at_most_one() -> None:
    """However much there is."""
    assert scan(scanner(), request("q=weigh(0.9,a)+weigh(0.9,b)")).weight == 1.0


@given(st.lists(st.sampled_from([0.2, 0.35, 0.5, 0.9, 1.0]), min_size=1, max_size=5), st.randoms())
def test_the_order_of_values_does_not_matter(weights: list[float], random: Any) -> None:
    """Of duplicates of one parameter, and of different ones."""
    other = weights[:]
    random.shuffle(other)
    for name in ("q", "q{}"):
        queries = ["&".join([f"{name.format(w)}=weigh({w})" for w in each]) for each in (weights, other)]
        assert len({scan(scanner(), request(query)).weight for query in queries}) == 1


def test_a_conclusive_value_ends_the_scan() -> None:
    """What comes after it is not looked at."""
    marking = Marking()
    result = scan(scanner(marking), request("a=weigh(0.3)&b=weigh(1.0)&c=weigh(0.3)", b"weigh(0.3)"))
    assert result.weight == 1.0
    assert marking.seen == ["weigh(0.3)", "weigh(1.0)"]


# --- places, names, offsets, excerpts


def test_findings_say_where() -> None:
    """Place, name and offset, in text order."""
    asked = request(f"a=xx{MARK}", headers=[("X-Tenant", f"b {MARK}"), ("Cookie", f"c={MARK}")], path=f"/{MARK}")
    found = {(finding.place, finding.name, finding.offset) for finding in scan(scanner(), asked).findings}
    assert {(Place.QUERY, "a", 2), (Place.HEADER, "x-tenant", 2), (Place.COOKIE, "c", 0)} <= found
    assert any(place is Place.PATH for place, _, _ in found)


def test_names_are_looked_at_too() -> None:
    """A client chooses those as well."""
    assert scan(scanner(), request(f"{MARK}=1")).weight == 0.4


def test_what_is_found_in_a_decoded_form_says_how() -> None:
    """``via`` names the decodings; the value's place stays."""
    finding = scan(scanner(), request(f"q={quote(quote(quote('(weigh(0.4))'), safe=''), safe='')}")).findings[0]
    assert (finding.place, finding.name, finding.via) == (Place.QUERY, "q", ("percent",))


@pytest.mark.parametrize("border", [PIECE, 4 * PIECE], ids=["piece", "chunk"])
def test_what_lies_across_a_border_is_found(border: int) -> None:
    """At every offset around the border of two pieces, with the right offset."""
    by = scanner(Marking())
    for start in [*range(border - 16, border + 4), *range(border + OVERLAP - 16, border + OVERLAP + 4)]:
        body = ("a" * start + MARK).ljust(2 * border, "b").encode()
        finding = scan(by, request(body=body)).findings[0]
        assert (finding.offset, finding.place) == (start, Place.BODY)


def test_pieces_are_no_longer_than_detectors_are_promised() -> None:
    """At most a piece and its overlap."""

    class Measuring(Marking):
        def wants(self, subject: Any) -> bool:
            return True

    marking = Measuring()
    scan(scanner(marking), request(f"a={'b' * 30_000}", b"c" * 100_000))
    assert max(map(len, marking.seen)) <= PIECE + OVERLAP
    assert sum(map(len, marking.seen)) >= 130_000


SECRET = "hunter2correcthorse"


@pytest.mark.parametrize("text", [f"password={SECRET}", f"' OR token='{SECRET}' --", f"{'x' * 200}{SECRET}"])
def test_excerpts_hide_what_is_private(text: str) -> None:
    """The first characters are shown, then only what is neither letter nor digit."""
    excerpt = masked(text)
    assert excerpt.startswith(text[:SHOWN])
    assert SECRET[4:] not in excerpt
    assert sum(c.isalnum() for c in excerpt) <= SHOWN


@given(st.text(max_size=300))
@example("\x1b[31m\r\n" * 20)
@example("\ud800" * 100)
@example("é\u202eñ" * 40)
def test_excerpts_are_printable_and_short(text: str) -> None:
    """One line of bounded length, whatever was sent."""
    excerpt = masked(text)
    assert excerpt.isprintable()
    assert len(excerpt) <= 2 * LONGEST + 3


def test_long_and_odd_names_are_made_printable() -> None:
    """They go into logs."""
    name = scan(scanner(), request(f"{quote(chr(10) + chr(27) + 'n' * 500)}={MARK}")).findings[0].name
    assert name.isprintable()
    assert len(name) <= 100


# --- work


def test_work_is_bounded_by_size() -> None:
    """A base, and so much for each character."""
    work = Work(100)
    work.spend(BASE + 100 * PER_CHARACTER)
    with pytest.raises(OutOfWork):
        work.spend(1)


def test_work_is_due_for_a_pause_once_a_slice() -> None:
    """Not before, and not twice."""
    work = Work(10**9)
    work.spend(SLICE - 1)
    assert not work.due()
    work.spend(1)
    assert [work.due(), work.due()] == [True, False]


def test_what_costs_too_much_is_a_finding() -> None:
    """Conclusive: no natural text costs as much."""
    result = scan(scanner(Marking(cost=10**9)), request(f"q={MARK}"))
    assert result.weight == 1.0
    assert [(f.family, f.rule, f.place) for f in result.findings] == [
        (Family.UNSCANNED, "unscanned.work", Place.REQUEST)
    ]


def test_a_long_scan_lets_others_run() -> None:
    """About once a slice of work, and never for a short one."""
    body = f"tea and milk and {MARK} ".encode() * 20_000
    count, _ = pauses(scanner(Marking(cost=20_000)), request(body=body))
    assert count >= len(body) // (PIECE + OVERLAP) * 20_000 // SLICE // 2
    assert pauses(scanner(), request(body=b"tea and milk, " * 70_000))[0] >= 10
    assert pauses(scanner(), request("q=tea", b"milk"))[0] == 0


def test_scan_now_leaves_the_body_out() -> None:
    """And comes to the same about the rest."""
    by = scanner()
    assert by.scan_now(request(body=MARK.encode())) is CLEAN
    assert by.scan_now(request(f"q={MARK}", body=MARK.encode())).weight == 0.4
    assert scan(by, request(body=MARK.encode()), body=False) is CLEAN


# --- failures


@pytest.mark.parametrize("failing", [Failing(), Failing(screen=True)], ids=["examine", "screen"])
def test_a_detector_that_raises_does_not_stop_the_others(failing: Failing) -> None:
    """They are asked before and after it; the failure is told."""
    for detectors in ([failing, Marking()], [Marking(), failing]):
        result = scan(scanner(*detectors), request(f"a=raise()&b={MARK}+raise()"))
        assert result.weight == 0.4
        assert len(result.failures) == 1
        assert result.failures[0].startswith("failing: RuntimeError")


def test_a_detector_of_requests_that_raises_does_not_stop_the_others() -> None:
    """The same."""

    class Broken:
        name = "broken"

        def examine(self, asked: Any) -> Sequence[Finding]:
            raise ValueError("a bug")

    result = scan(scanner(Marking(), requests=(Broken(),)), request(f"q={MARK}"))
    assert (result.weight, len(result.failures)) == (0.4, 1)
    assert result.failures[0].startswith("broken: ValueError")


def test_what_cannot_be_taken_apart_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the parser of one source; the others are looked at."""

    def broken() -> Any:
        raise ValueError("a bug")

    head = views.head
    monkeypatch.setattr(views, "head", lambda *args: [views.Source(None, 1, broken), *head(*args)])
    result = scan(scanner(), request(f"q={MARK}"))
    assert (result.weight, len(result.failures)) == (0.4, 1)


def test_a_decoding_that_raises_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values themselves are looked at."""

    def broken(*_: object) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr(decoding, "forms", broken)
    result = scan(scanner(), request(f"q={MARK}+%2526lt;"))
    assert (result.weight, len(result.failures)) == (0.4, 1)


# --- what was seen before


def test_what_is_known_to_be_clean_is_not_looked_at_again() -> None:
    """Path, query and header lines, each by itself; bodies always."""

    class Curious(Marking):
        def wants(self, subject: Any) -> bool:
            return True

        def examine(self, subject: Any, work: Work) -> Any:
            self.seen.append(subject.text)
            return ()

    curious = Curious()
    by = scanner(curious)
    first = request("q=some+tea", b"the body", headers=[("x-a", "a header")], path="/path/of/it")
    scan(by, first)
    assert {"some tea", "the body", "a header"} <= set(curious.seen)
    curious.seen.clear()
    scan(by, request("q=some+milk", b"the body", headers=[("x-a", "a header")], path="/path/of/it"))
    assert sorted(curious.seen) == ["some milk", "the body"]


@pytest.mark.parametrize("weight", [0.05, 0.4, 1.0])
def test_what_was_found_is_found_again(weight: float) -> None:
    """Nothing of a request in which anything was found is taken for clean."""
    by = scanner()
    asked = request(f"q=weigh({weight})", headers=[("x-a", f"weigh({weight})")])
    assert {scan(by, asked).weight for _ in range(3)} == {weight}
    assert len(by.known) == 0


def test_after_a_failure_nothing_is_taken_for_clean() -> None:
    """A detector that raised may have missed something."""
    by = scanner(Failing(), Marking())
    for _ in range(2):
        assert scan(by, request("q=raise()")).failures
    assert len(by.known) == 0


def test_what_an_exclusion_left_out_is_not_taken_for_clean() -> None:
    """It is found where the exclusion does not apply."""
    editor = Exclusion(RouteMatcher(["/editor"], field="exclude"), "q", frozenset())
    by = scanner(exclusions=(editor,))
    results = [scan(by, request(f"q={MARK}", path=path)) for path in ("/editor", "/search", "/editor")]
    assert [result.weight for result in results] == [0.0, 0.4, 0.0]


def test_long_values_are_not_remembered() -> None:
    """They are not worth their room."""
    known = Known()
    known.remember([("short", LONGEST_KNOWN), ("long", LONGEST_KNOWN + 1)])
    assert ("short" in known, "long" in known) == (True, False)


def test_what_is_asked_for_stays() -> None:
    """Through any number of generations; what is not goes."""
    known = Known(most=4)
    known.remember([("kept", 1), ("gone", 1)])
    for number in range(100):
        assert "kept" in known
        known.remember([(number, 1)])
    assert "gone" not in known
    assert len(known) <= 8


@given(st.integers(1, 6), st.lists(st.integers(0, 12), max_size=60))
def test_known_is_bounded_and_never_invents(most: int, keys: list[int]) -> None:
    """It holds only what was added, at least the last ``most`` of it, and at most two generations."""
    known = Known(most)
    for position, key in enumerate(keys):
        known.remember([(key, 1)])
        assert key in known
        assert len(known) <= 2 * most
        assert all(each in keys[: position + 1] for each in range(13) if each in known)
    recent = list(dict.fromkeys(reversed(keys)))[:most]
    fresh = Known(most)
    fresh.remember([(key, 1) for key in keys])
    assert all(key in fresh for key in recent)
