"""What ``doorward data status`` shows: each compiled file, its sources, how old it is, and what is missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from doorward.errors import DataError, DoorwardError
from doorward.intelligence import manifest as manifests
from doorward.intelligence.container import MAGIC, verify
from doorward.intelligence.feeds import KINDS, LAYERS, command_for
from doorward.intelligence.layers import check_readable
from doorward.intelligence.library import SUFFIX, Library, wheel_folder
from doorward.intelligence.update_report import counted, plainly, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

OLD_DAYS = 30
_EXTRAS = {
    "iporigin": "the extra 'ip': hosting, VPN, Tor and crawlers without updates",
    "maxminddb": "the extra 'geo', for MMDB files of your own",
    "rich": "the extra 'cli', for progress bars",
}
_WIDE = LAYERS["disposable"]
_READ_BY_US = {*LAYERS.values(), "special.dwd"}


def gather(folder: Path, today: date | None = None) -> dict[str, Any]:
    """All of it, ready for JSON.

    Args:
        folder: The user's.
        today: For ages.
    """
    today = today or datetime.now(UTC).date()
    manifest = manifests.load(folder)
    wheel, user = _files(wheel_folder(), today), _files(folder, today)
    problems = [f"{file['path']}: {file['problem']}" for file in (*wheel, *user) if file["problem"]]
    problems += [manifest.damaged] if manifest.damaged else []
    problems += list(_differences(folder, manifest))
    known = _known(folder, problems)
    return {
        "folders": {"wheel": str(wheel_folder()), "user": str(folder)},
        "wheel": wheel,
        "user": user,
        "feeds": {name: record._asdict() for name, record in sorted(manifest.feeds.items())},
        "known": sorted(known),
        "missing": {kind: command_for(kind) for kind in KINDS if kind not in {*known, "edge"}},
        "extras": {name: _version(name) for name in _EXTRAS},
        "warnings": list(_warnings(user, manifest, today)),
        "problems": problems,
    }


def _files(folder: Path, today: date) -> list[dict[str, Any]]:
    return [_file(path, today) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _file(path: Path, today: date) -> dict[str, Any]:
    """What one file says about itself, once its digest has been compared and doorward can read it."""
    found: dict[str, Any] = {"name": path.name, "path": str(path), "problem": ""}
    try:
        verify(path)
        if path.name in _READ_BY_US:
            check_readable(path)
        header = _header(path.read_bytes())
        meta = header["meta"]
        found |= {"kind": header["kind"], "bytes": path.stat().st_size, "made": meta["made"]}
        found |= {"age_days": _age(meta["made"], today), "knows": meta["knows"], "sources": meta["sources"]}
        found["entries"] = sum(source["entries"] for source in meta["sources"])
    except DataError as error:
        found["problem"] = error.problem
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        found["problem"] = f"cannot be read ({error!r})"
    return found


def _header(content: bytes) -> dict[str, Any]:
    """The header of a file, as :mod:`doorward.intelligence.container` describes it."""
    if not content.startswith(MAGIC):
        raise ValueError("no data file of doorward")
    start = len(MAGIC) + 8
    header: dict[str, Any] = json.loads(content[start : start + int.from_bytes(content[start - 4 : start], "little")])
    return header


def _age(made: str, today: date) -> int:
    return (today - date.fromisoformat(made[:10])).days


def _differences(folder: Path, manifest: manifests.Manifest) -> Iterator[str]:
    for name, record in sorted(manifest.files.items()):
        if not manifests.verified(folder, name, record):
            yield f"{folder / name}: is missing, or not what the last update wrote; run: doorward data update --offline"


def _known(folder: Path, problems: list[str]) -> set[str]:
    """The kinds and places that there is data for, as a client will see it."""
    from doorward.intelligence.address_book import AddressBook

    known = {"disposable"} if (folder / _WIDE).is_file() else set()
    try:
        book = AddressBook(Library(folder), report=problems.append)
    except DoorwardError as error:
        problems.append(str(error))
        return known
    known |= {name for name in book.known() if ":" not in name}
    book.close()
    return known


def _warnings(user: list[dict[str, Any]], manifest: manifests.Manifest, today: date) -> Iterator[str]:
    in_vain: dict[tuple[str, str], list[str]] = {}
    old: dict[int, list[str]] = {}
    for name, record in sorted(manifest.feeds.items()):
        if record.problem:
            in_vain.setdefault((record.tried[:10], plainly(record.problem)), []).append(name)
        if record.date and _age(record.date, today) > OLD_DAYS:
            old.setdefault(_age(record.date, today), []).append(name)
    for (day, problem), names in in_vain.items():
        yield _of_feeds(names, f"the last attempt, {day}, was in vain: {'it' if len(names) == 1 else 'each'} {problem}")
    for days, names in old.items():
        yield _of_feeds(names, f"{'is' if len(names) == 1 else 'are'} {days} days old; run: doorward data update")
    if not user:
        yield "there is only the data that came with doorward; run: doorward data update"


def _of_feeds(names: list[str], what: str) -> str:
    return f"{names[0]}: {what}" if len(names) == 1 else f"{len(names)} feeds: {what}: {', '.join(names)}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


# --- In words


def in_words(found: dict[str, Any]) -> Iterable[str]:
    """The same for people, line by line."""
    return map(wrapped, _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name, title in (("wheel", "with doorward"), ("user", "by updates")):
        yield f"{title}: {found['folders'][name]}"
        yield from [line for file in found[name] for line in _file_in_words(file)] or ["  nothing yet"]
    yield f"known of addresses: {', '.join(found['known']) or 'nothing'}"
    for kind, command in found["missing"].items():
        about = "more disposable domains" if kind == "disposable" else kind
        yield f"  nothing about {about}; what brings it: {command}"
    for name, version in found["extras"].items():
        yield f"{name} ({_EXTRAS[name]}): {version or 'not installed'}"
    yield from (f"warning: {line}" for line in found["warnings"])
    yield from (f"problem: {line}" for line in found["problems"])


def _file_in_words(file: dict[str, Any]) -> Iterator[str]:
    if file["problem"]:
        yield f"  {file['name']}: {file['problem']}"
        return
    yield f"  {file['name']}: {counted(file['entries'])}, made {file['made']} ({_ago(file['age_days'])}), sound"
    for source in file["sources"]:
        version = f" {source['version']}" if source["version"] else ""
        count = f"{counted(source['entries'])}, " if source["entries"] else ""
        yield f"    {source['name']}{version}: {count}{source['date']}, {source['licence']}"


def _ago(days: int) -> str:
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
