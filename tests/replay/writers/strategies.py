"""Reports of any figures and texts, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.replay.writers.reports import PAYLOADS

from doorward.replay.report import Differences, Report, RuleTally, Sample, Span, Tally, Threshold

ALPHABET = st.one_of(
    st.characters(exclude_categories=()),  # lone surrogates too
    st.sampled_from("<>&\"'`|[](){}@#:/\\*_~!$%=+-. \t\r\n\0\x1b\x7f\x85\u2028\u202e\ufeff\ud800"),
)
TEXTS = st.one_of(st.text(ALPHABET, max_size=40), st.sampled_from([text[:400] for text in PAYLOADS]))
COUNTS = st.integers(0, 10**13)
TIMES = st.one_of(st.just(0), st.integers(-(10**20), 10**20), st.integers(1_785_542_400 * 10**9, 1_785_942_400 * 10**9))
SAMPLES = st.lists(
    st.builds(Sample, TIMES, *[TEXTS] * 1, COUNTS, *[TEXTS] * 6, st.none() | st.integers(100, 599)), max_size=3
)
TALLIES = st.lists(st.builds(Tally, TEXTS, COUNTS, COUNTS, COUNTS, COUNTS), max_size=4)
BY_NAME = st.dictionaries(TEXTS, COUNTS, max_size=4)
SPANS = st.lists(st.builds(Span, TIMES, COUNTS, COUNTS, COUNTS), max_size=12)
THRESHOLDS = st.lists(st.builds(Threshold, TEXTS, TEXTS, TEXTS, st.booleans(), SAMPLES), max_size=3)
RULES = st.lists(
    st.builds(
        RuleTally,
        TEXTS,
        TEXTS,
        st.sampled_from(["LIVE", "DRY_RUN"]) | TEXTS,
        *[COUNTS] * 5,
        TEXTS,
        SAMPLES,
        TEXTS,
        st.integers(-5, 10**6),
    ),
    max_size=3,
)
AGAINST = st.none() | st.builds(Differences, TEXTS, COUNTS, COUNTS, BY_NAME, BY_NAME, BY_NAME, SAMPLES, SAMPLES)
REPORTS = st.builds(
    Report,
    policy=TEXTS,
    files=st.lists(TEXTS, max_size=3),
    requests=COUNTS,
    allowed=COUNTS,
    denied=COUNTS,
    challenged=COUNTS,
    would_deny=COUNTS,
    errors=COUNTS,
    began_ns=TIMES,
    ended_ns=TIMES,
    rules=RULES,
    routes=TALLIES,
    clients=TALLIES,
    reasons=TALLIES,
    spans=SPANS,
    against=AGAINST,
    thresholds=THRESHOLDS,
    skipped=BY_NAME,
    skipped_samples=st.lists(st.tuples(TEXTS, COUNTS, TEXTS, TEXTS), max_size=3),
    notes=st.lists(TEXTS, max_size=3),
    lines=COUNTS,
    bytes=COUNTS,
    seconds=st.floats(),
    peak_memory=COUNTS,
    made_ns=TIMES,
)
