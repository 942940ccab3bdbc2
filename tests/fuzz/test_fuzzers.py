"""The fuzzers' targets on their corpus and on some thousand mutations of it, without atheris; `make soak` goes on."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from itertools import islice
from types import ModuleType

import pytest
from tests.fuzz import (
    fuzz_agents,
    fuzz_answers,
    fuzz_attack_bodies,
    fuzz_attack_decoding,
    fuzz_attack_html,
    fuzz_attack_paths,
    fuzz_attack_protocol,
    fuzz_attack_shell,
    fuzz_attack_sql,
    fuzz_attack_templates,
    fuzz_attacks,
    fuzz_client_ip,
    fuzz_data_files,
    fuzz_dns,
    fuzz_emails,
    fuzz_feeds,
    fuzz_filters,
    fuzz_recordings,
    fuzz_requests,
    fuzz_service,
    fuzz_service_proto,
    fuzz_service_replies,
    fuzz_text,
)
from tests.fuzz.backtracker import Machine
from tests.fuzz.harness import CORPUS, check, inputs, seeds

from doorward.regex_syntax import parse

MUTATIONS = 2_000
FUZZERS = [
    fuzz_agents,
    fuzz_answers,
    fuzz_attack_bodies,
    fuzz_attack_decoding,
    fuzz_attack_html,
    fuzz_attack_paths,
    fuzz_attack_protocol,
    fuzz_attack_shell,
    fuzz_attack_sql,
    fuzz_attack_templates,
    fuzz_attacks,
    fuzz_client_ip,
    fuzz_data_files,
    fuzz_dns,
    fuzz_emails,
    fuzz_feeds,
    fuzz_filters,
    fuzz_recordings,
    fuzz_requests,
    fuzz_service,
    fuzz_service_proto,
    fuzz_service_replies,
    fuzz_text,
]


def name_of(fuzzer: ModuleType) -> str:
    return fuzzer.__name__.rpartition("fuzz_")[2]


# re.compile warns of what some patterns will mean in the future
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("fuzzer", FUZZERS, ids=name_of)
def test_targets_hold_on_corpus_and_mutations(fuzzer: ModuleType) -> None:
    """Every promise of the fuzzers holds on their seeds and on random neighbours of them."""
    corpus = seeds(name_of(fuzzer))
    for data in islice(inputs(corpus, random.Random(7)), len(corpus) + MUTATIONS):
        check(fuzzer.target, data)


def test_every_corpus_has_a_fuzzer() -> None:
    """`make soak` runs all fuzzers, and no seeds lie about that none of them reads."""
    scripts = {path.stem.removeprefix("fuzz_") for path in CORPUS.parent.glob("fuzz_*.py")}
    assert scripts == {path.name for path in CORPUS.iterdir()} == set(map(name_of, FUZZERS))


def test_a_crash_prints_its_input_and_fails() -> None:
    """What breaks a promise is on the screen as a literal, and the process ends with an error."""
    script = (
        "from tests.fuzz.harness import fuzz_plainly\n"
        "def target(data): assert not data.startswith(b'\\xff')\n"
        "fuzz_plainly(target, [b'good', b'\\xffbad'], 60)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CORPUS.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert r"broken by the input b'\xffbad'" in done.stderr


@pytest.mark.parametrize("source", ["(?:a|a)*b", "(?:a+)+b", "a*a*a*b"])
def test_the_machine_sees_explosions(source: str) -> None:
    """The instrument of the text fuzzer tells: a dozen steps a character are not enough."""
    with pytest.raises(AssertionError, match="more than"):
        Machine(parse(re.compile(source))).run("a" * 16, whole=True, most=12 * 17)
