"""Files as they come: compressed, damaged, huge, hostile, several at once, slightly out of order; in little memory."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.helpers import common, gzipped, paths, read_all, read_text

from doorward.context import RequestContext
from doorward.errors import ConfigurationError
from doorward.replay.readers import in_order, read
from doorward.replay.readers.in_order import Planned, Room, in_time, merged, ordered
from doorward.replay.readers.problems import BINARY, CUT_OFF, OUT_OF_ORDER, TOO_EARLY, TOO_LATE, TOO_LONG
from doorward.replay.readers.source_files import LONGEST_LINE, batches
from doorward.replay.reading import MOST_SAMPLES, Reading
from doorward.replay.records import Recorded, Source

LINES = [common(second, f"/{second}") for second in range(300)]
TEXT = "".join(LINES).encode()


def row(at_ns: int, name: str = "") -> Recorded:
    """A request at a time."""
    return Recorded(at_ns, RequestContext(path=f"/{name}"), frozenset(), Source("a", 1))


def descriptors() -> int:
    """How many are open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


# --- compression


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TEXT),
        gzip.compress(TEXT[:5_000]) + gzip.compress(TEXT[5_000:]),
        gzip.compress(TEXT) + bytes(512),
        b"".join(gzip.compress(line.encode()) for line in LINES),
    ],
    ids=["whole", "two members", "padded", "a member a line"],
)
def test_gzip_is_known_by_its_first_bytes(tmp_path: Path, data: bytes) -> None:
    """Whatever the file is called; bytes are counted as they are in the file."""
    found, reading = read_text(tmp_path, data)
    assert paths(found) == [f"/{second}" for second in range(300)]
    assert (reading.lines, reading.bytes, reading.total) == (300, len(data), len(data))
    assert len(reading.notes) == 1


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (gzip.compress(TEXT)[:-200], "ends in the middle of its gzip data"),
        (gzip.compress(os.urandom(100_000))[:50_000] + b"x" * 50_000, "damaged gzip data"),
        (gzip.compress(TEXT) + b"something else", "something else behind"),
        (b"\x1f\x8b", "ends in the middle"),
        (b"\x1f\x8b" + b"\xff" * 100, "damaged"),
    ],
    ids=["cut", "damaged", "followed", "begun", "nonsense"],
)
def test_damaged_gzip_is_read_as_far_as_it_goes(tmp_path: Path, data: bytes, note: str) -> None:
    """And it is said that it is damaged."""
    found, reading = read_text(tmp_path, data, format="combined" if "x" in note else "auto")
    assert any(note in text for text in reading.notes), reading.notes
    assert paths(found) == [f"/{number}" for number in range(len(found))]


def test_a_bomb_comes_out_in_pieces(tmp_path: Path) -> None:
    """A line of 64 MB in 64 KB of gzip is never held."""
    found, reading = read_text(
        tmp_path, gzip.compress(LINES[0].encode() + b"x" * (64 << 20) + b"\n" + LINES[1].encode())
    )
    assert paths(found) == ["/0", "/1"]
    assert dict(reading.skipped) == {TOO_LONG: 1}


@pytest.mark.parametrize("magic", [b"\xfd7zXZ\0", b"BZh9", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xff\xfe1\0"])
def test_what_is_compressed_otherwise_is_refused(tmp_path: Path, magic: bytes) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match="give plain text or gzip"):
        read_text(tmp_path, magic + bytes(100))


@pytest.mark.parametrize("files", [[], ["missing.log"], ["."], ["-", "-"], ["a\0b"], ["\x1b[2J"]], ids=str)
def test_files_that_cannot_be_read_are_refused_at_once(files: list[str]) -> None:
    """Before anything is read; names are shown printable."""
    with pytest.raises(ConfigurationError, match=r"FILES: [ -~]+$"):
        read(files, reading=Reading())


# --- pipes


def test_standard_input_and_pipes(tmp_path: Path) -> None:
    """Read once, gzip or not, by the first lines as well; how much there is nobody knows."""
    code = "from tests.replay.readers.helpers import *; found, r = read_all('-'); print(len(found), r.total, r.bytes)"
    for data in (TEXT, gzip.compress(TEXT)):
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        assert done.stdout.decode().split() == ["300", "None", str(len(data))]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(TEXT,))
    writer.start()
    found, reading = read_all(pipe)
    writer.join()
    assert (len(found), reading.total, reading.bytes) == (300, None, len(TEXT))


# --- hostile lines


def test_lines_of_any_kind_among_good_ones(tmp_path: Path) -> None:
    """Each is counted for what it is, with the first few as samples; the good ones are all read."""
    bad = {
        b"\0\0\0\0": BINARY,
        b"x" * (1 << 20): TOO_LONG,
        b"\x1b[2J\xff\xfe": "it is not in the format common",
        common(0).replace("2025", "1970").encode().strip(): TOO_EARLY,
        common(0).replace("2025", "2999").encode().strip(): TOO_LATE,
        b"203.0.113.7 - - [10/Oct/20": CUT_OFF,
    }  # fmt: skip
    text = TEXT + b"\n\r\n" + b"\n".join(line for line in bad)
    found, reading = read_text(tmp_path, text)
    assert len(found) == 300
    assert dict(reading.skipped) == dict.fromkeys(bad.values(), 1)
    assert reading.lines == 300 + 2 + len(bad)
    assert [(why, line) for _, line, why, _ in reading.samples] == list(zip(bad.values(), range(303, 309), strict=True))
    assert all(len(sample) <= 200 for *_, sample in reading.samples)


def test_a_file_of_garbage(tmp_path: Path) -> None:
    """Half a megabyte of anything: nothing is raised, all is counted, it is said that the format is not known."""
    garbage = random.Random(7).randbytes(1 << 19)
    found, reading = read_text(tmp_path, garbage)
    assert not found
    assert reading.lines == garbage.count(b"\n") + 1
    assert len(reading.samples) == MOST_SAMPLES
    assert "not known" in reading.notes[0]


def test_an_empty_file(tmp_path: Path) -> None:
    """Holds nothing, which is no problem."""
    found, reading = read_text(tmp_path, b"")
    assert (found, reading.lines, sum(reading.skipped.values())) == ([], 0, 0)


def test_lines_of_windows_and_a_byte_order_mark(tmp_path: Path) -> None:
    """As editors leave them."""
    found, reading = read_text(tmp_path, b"\xef\xbb\xbf" + TEXT.replace(b"\n", b"\r\n"))
    assert (len(found), sum(reading.skipped.values())) == (300, 0)


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 60))
def test_lines_are_those_of_the_whole_text(pieces: list[bytes], size: int) -> None:
    """Wherever pieces of it end."""
    text = b"\n".join(pieces)
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    found = [(batch.first + place, line) for batch in batches(iter(chunks)) for place, line in enumerate(batch.texts)]
    whole = text.decode("latin-1").removesuffix("\n").split("\n") if text else []
    assert [number for number, _ in found] == list(range(1, len(whole) + 1))
    assert [line.rstrip("\r") for _, line in found] == [line.rstrip("\r") for line in whole]


@pytest.mark.parametrize("size", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE])
def test_long_lines(size: int) -> None:
    """256 KiB are read; what is longer is one line that is too long, however it comes."""
    text = b"a\n" + b"x" * size + b"\nb\n"
    for step in (1_000, 65_536):
        found = list(batches(text[at : at + step] for at in range(0, len(text), step)))
        assert [batch.problem for batch in found if batch.problem] == [TOO_LONG] * (size > LONGEST_LINE)
        assert [line[0] for batch in found for line in batch.texts] == ["a", "x", "b"]
        assert found[-1].first + len(found[-1].texts) == 4


# --- time


def test_only_the_time_that_is_asked_for(tmp_path: Path) -> None:
    """From ``since`` on, before ``until``."""
    begin = 1760054400 * 10**9
    found, _ = read_text(tmp_path, TEXT, since_ns=begin + 10 * 10**9, until_ns=begin + 12 * 10**9)
    assert paths(found) == ["/10", "/11"]


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    """Whatever the order in which they are named, plain or gzip, in one format or another; ties go by that order."""
    one = tmp_path / "one.log"
    one.write_text("".join(LINES[0:300:2]))
    two = gzipped(tmp_path / "two", "".join(LINES[1:300:2]).encode())
    three = tmp_path / "three"
    three.write_text('{"time": "2025-10-10T00:02:00.5Z", "path": "/json"}\n')
    found, reading = read_all(two, three, one)
    assert [path for path in paths(found) if path != "/json"] == [f"/{second}" for second in range(300)]
    assert paths(found)[121] == "/json"
    assert reading.total == sum(file.stat().st_size for file in (one, two, three)) == reading.bytes
    assert [note.rpartition(": ")[2] for note in reading.notes] == ["read as common", "read as JSON lines"]


def test_files_that_follow_each_other_are_open_one_at_a_time(tmp_path: Path) -> None:
    """A year of rotated files does not need a year of memory."""
    files = []
    for day in range(1, 29):
        file = tmp_path / f"{day}.log"
        file.write_text("".join(common(second * 800, day=day) for second in range(100)))
        files.append(file)
    random.Random(1).shuffle(files)
    opened = descriptors()
    most = last = count = 0
    for request in read([str(file) for file in files], reading=Reading()):
        most = max(most, descriptors() - opened)
        assert request.at_ns >= last
        last, count = request.at_ns, count + 1
    assert (count, most <= 2) == (2_800, True)


times = st.lists(st.lists(st.integers(0, 1_000), max_size=40), max_size=6)


@given(times, st.data())
def test_merging_is_sorting(lists: list[list[int]], data: st.DataObject) -> None:
    """Of files that are each in order, however late they are opened; stable by file and line."""
    second = 10**9
    files = [
        [row(at * second, f"{number}.{place}") for place, at in enumerate(sorted(some))]
        for number, some in enumerate(lists)
    ]
    plans = [
        Planned(
            data.draw(st.sampled_from([0, some[0].at_ns])) if some else 0, lambda some=some: iter([some[:7], some[7:]])
        )
        for some in files
    ]
    expected = sorted((request for some in files for request in some), key=lambda request: request.at_ns)
    assert [request.at_ns for request in merged(plans)] == [request.at_ns for request in expected]


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=400), st.integers(1, 100), st.data())
def test_lines_that_are_slightly_out_of_order(starts: list[int], size: int, data: st.DataObject) -> None:
    """Each up to as many places as may be held: sorted, as the whole would be."""
    room = Room()
    share = in_order.LEAST_HELD
    room.open = in_order.HELD  # so many others are open that this file gets the least
    inorder = sorted(starts)
    late = [(place + data.draw(st.integers(0, share - 1)), place) for place in range(len(inorder))]
    shuffled = [row(inorder[place]) for _, place in sorted(late)]
    lists = (shuffled[at : at + size] for at in range(0, len(shuffled), size))
    assert [request.at_ns for request in ordered(lists, room)] == inorder


def test_what_is_far_out_of_order_is_moved_or_left_out() -> None:
    """Up to an hour: played at the time of the one before; else counted. Both are said."""
    hour, reading = 3600 * 10**9, Reading()
    found = list(in_time([row(5 * hour), row(5 * hour - 1), row(4 * hour), row(4 * hour - 1), row(6 * hour)], reading))
    assert [request.at_ns // hour for request in found] == [5, 5, 5, 6]
    assert dict(reading.skipped) == {OUT_OF_ORDER: 1}
    assert any(note.startswith("2 requests were logged far out of order") for note in reading.notes)
    assert any("separate arguments" in note for note in reading.notes)


def test_one_date_in_the_future_does_no_harm(tmp_path: Path) -> None:
    """It is played when its time comes: at the end."""
    wrong = common(0, "/wrong").replace("2025", "2031").encode()
    found, reading = read_text(tmp_path, TEXT[: len(TEXT) // 2].rpartition(b"\n")[0] + b"\n" + wrong + TEXT)
    assert paths(found)[-1] == "/wrong"
    assert sum(reading.skipped.values()) == 0


# --- memory

_MEASURE = """
import resource, sys
from tests.replay.readers.helpers import read_all, Reading
from doorward.replay.readers import read
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sum(1 for _ in read([sys.argv[1]], reading=Reading()))
before, reading = peak(), Reading()
count = sum(1 for _ in read(["-"], reading=reading))
print(count, peak() - before, reading.lines)
"""


def stream(lines: int, to) -> None:
    """Lines of a log, with all that is bad in between; clients, paths and times are new in each."""
    for number in range(lines // 1_000):
        day, second = 1 + number // 3_000, number * 28 % 84_000
        block = "".join(
            common(second + place // 40, f"/{number}/{place}", f"10.{number % 250}.{place % 250}.{place // 4}", day)
            for place in range(1_000)
        )
        to.write(block.encode() + b"\0garbage\xff\n" * 20 + b"x" * 400_000 * (number % 10 == 0) + b"\n")
    to.close()


@pytest.mark.parametrize("lines", [60_000, pytest.param(4_000_000, marks=pytest.mark.soak)], ids=["short", "300 MB"])
def test_memory_does_not_grow_with_the_recording(tmp_path: Path, lines: int) -> None:
    """Another process reads a pipe: beyond what 30,000 lines take it needs next to nothing."""
    warm = tmp_path / "warm.log"
    with warm.open("wb") as file:
        stream(30_000, file)
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURE, str(warm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        stream(lines, process.stdin)
        count, kilobytes, read_lines = map(int, process.stdout.read().split())
    assert process.returncode == 0
    assert count == lines
    assert read_lines > lines
    assert kilobytes < 12_000
