"""What the fuzzers found, one test each, with the smallest input."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from doorward.errors import ConfigurationError, DataError
from doorward.intelligence import catalogue_file, container
from doorward.intelligence.bot_index import BotIndex
from doorward.intelligence.container import MAGIC, Meta, Source
from doorward.intelligence.domains import DomainSets, write_domains
from doorward.intelligence.library import Library, write_edges
from doorward.intelligence.ranges import RangeTable
from doorward.patterns import compile_path, compile_regex
from doorward.regex_syntax import parse


def test_group_with_the_ascii_flag_is_no_error() -> None:
    r"""``(?a:\w)`` raised a ValueError of ``re`` about incompatible flags; it is accepted and matches ASCII only."""
    matches = compile_regex(r"(?a:\w)", field="deny")
    assert matches("x")
    assert not matches("é")
    assert parse(re.compile(r"(?a:\w)\w")) == parse(re.compile(r"[A-Za-z0-9_]\w"))


def test_pattern_with_a_lone_surrogate_is_refused() -> None:
    """A pattern that only re2 could run, and cannot encode, raised a UnicodeEncodeError of re2."""
    with pytest.raises(ConfigurationError, match="refused"):
        compile_regex("(?:a+)+\ud800", field="deny")


@pytest.mark.parametrize("repeat", ["{\u0660}", "{\u0660,}", "{,\u0660}"])
def test_foreign_digits_make_no_repeat(monkeypatch: pytest.MonkeyPatch, repeat: str) -> None:
    """``{٠}`` is literal text to ``re``; read as "zero times" it hid ``(a+)+`` from the analysis."""
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ConfigurationError, match="refused"):
        compile_path(f"re:(?:(?:a+)+){repeat}b")


NESTED = b"[" * 20_000
"""JSON and TOML that is nested deeper than Python's parsers go."""


def rewritten(path: Path, kind: str, **changed: bytes) -> None:
    """Write a data file again with other sections."""
    file = container.open_file(path, kind, 1)
    sections = {name: bytes(file.section(name)) for name in file._sections}
    container.write(path, kind, 1, file.meta, {**sections, **changed})


@pytest.mark.parametrize("read", [RangeTable.open, DomainSets.open, BotIndex.open])
def test_a_header_nested_too_deep_is_damage(tmp_path: Path, read: object) -> None:
    """It raised a RecursionError."""
    path = tmp_path / "x.dwd"
    path.write_bytes(MAGIC + (1).to_bytes(4, "little") + len(NESTED).to_bytes(4, "little") + NESTED + bytes(32))
    with pytest.raises(DataError, match="damaged"):
        read(path)  # type: ignore[operator]


def test_kinds_nested_too_deep_are_damage(tmp_path: Path) -> None:
    """The same in the section of a file of ranges."""
    path = tmp_path / "ranges.dwd"
    path.write_bytes((Path(__file__).parent / "corpus/data_files/ranges.dwd").read_bytes())
    rewritten(path, "ranges", kinds=NESTED)
    with pytest.raises(DataError, match="damaged"):
        RangeTable.open(path)


def test_a_catalogue_nested_too_deep_is_a_configuration_error(tmp_path: Path) -> None:
    """It raised a RecursionError of tomllib."""
    path = tmp_path / "feeds.toml"
    path.write_bytes(b"x = " + NESTED)
    with pytest.raises(ConfigurationError, match="--catalogue"):
        catalogue_file.load(path)


@pytest.mark.parametrize("share", ["nan", "-1.0", "2.0"])
@pytest.mark.parametrize("field", ["share", "share6"])
def test_a_share_is_a_part_of_the_addresses(tmp_path: Path, field: str, share: str) -> None:
    """No share is greater than "not a number": the check for feeds that cover too much was off."""
    path = tmp_path / "feeds.toml"
    path.write_text(f"[feeds.tor-exits]\n{field} = {share}\n")
    with pytest.raises(ConfigurationError, match=f"feeds.tor-exits.{field}"):
        catalogue_file.load(path)


@pytest.mark.parametrize("providers", [b"gmail.com\noutloo\xefcom", b"nodot"])
def test_damaged_names_of_providers_are_damage(tmp_path: Path, providers: bytes) -> None:
    """The rule for e-mail addresses raised a UnicodeDecodeError, or a ValueError, when it was built."""
    path = tmp_path / "domains.dwd"
    write_domains(path, {"provider": ["gmail.com"]}, Meta("2026-01-01", ()))
    rewritten(path, "domains", providers=providers)
    with pytest.raises(DataError, match="damaged"):
        DomainSets.open(path).resembling("gmial.com")


def test_kinds_of_domains_that_there_are_not_are_no_kinds(tmp_path: Path) -> None:
    """A byte above 15 raised an IndexError for every address of the domain."""
    path = tmp_path / "domains.dwd"
    write_domains(path, {"free": ["free.example"]}, Meta("2026-01-01", ()))
    rewritten(path, "domains", kinds=b"\xf2")
    assert DomainSets.open(path).kinds_of("free.example") == {"free"}


def test_damaged_networks_of_an_edge_do_not_count(tmp_path: Path) -> None:
    """Networks that are no text raised a UnicodeDecodeError, although the wheel has a sound copy."""
    folders = {date: tmp_path / name for date, name in (("2026-01-02", "user"), ("2026-01-01", "wheel"))}
    for date, folder in folders.items():
        folder.mkdir()
        meta = Meta(date, (Source("cloudflare", "", "", date),))
        write_edges(folder / "edges.dwd", {"cloudflare": ["198.51.100.0/24"]}, meta)
    user, wheel = folders.values()
    rewritten(user / "edges.dwd", "edges", cloudflare=b"198.51.100.\xe6/24")
    assert Library(user, wheel=wheel).edge_ranges() == {"cloudflare": ("198.51.100.0/24",)}
