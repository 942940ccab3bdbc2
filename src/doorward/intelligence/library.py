"""Where compiled data files are, and when there are new ones.

The wheel has a folder of its own, made at build time. ``doorward data update`` fills another, of the user's, and writes
its manifest last, so that a process which sees a new manifest sees everything that belongs to it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import DataError
from doorward.intelligence.container import open_file, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.clock import Clock
    from doorward.intelligence.container import Meta

__all__ = ["DATA_VARIABLE", "EDGES", "MANIFEST", "SUFFIX", "Library", "user_folder", "wheel_folder", "write_edges"]

DATA_VARIABLE = "DOORWARD_DATA"
"""The environment variable that names the user's folder."""

MANIFEST = "manifest.json"
SUFFIX = ".dwd"
EDGES = "edges"
EDGES_VERSION = 1

_CHECK_SECONDS = 10.0


def wheel_folder() -> Path:
    """The folder of the files that came with doorward."""
    return Path(__file__).parent / "data"


def user_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path | None:
    """The folder that ``doorward data update`` fills: ``DOORWARD_DATA``, or the platform's place for a user's data.

    Returns:
        None where nothing says whose home it would be in, as in some containers.
    """
    environ = os.environ if environ is None else environ
    chosen = environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    base = _data_home(environ, platform)
    return None if base is None else base / "doorward"


def _data_home(environ: Mapping[str, str], platform: str) -> Path | None:
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    if platform == "darwin":
        return None if home is None else home / "Library" / "Application Support"
    # XDG Base Directory Specification 0.8: a relative path is invalid and is to be ignored.
    chosen = Path(environ.get("XDG_DATA_HOME", ""))
    if chosen.is_absolute():
        return chosen
    return None if home is None else home / ".local" / "share"


class Library:
    """The two folders.

    Args:
        folder: The user's; None for :func:`user_folder`.
        clock: The time.
        wheel: The other one; None for :func:`wheel_folder`.
        check_seconds: How often at most the file system is asked whether there is something new.

    Attributes:
        user: The user's folder, if there can be one. It need not exist.
        wheel: The wheel's.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        clock: Clock | None = None,
        wheel: Path | None = None,
        check_seconds: float = _CHECK_SECONDS,
    ) -> None:
        self.user = folder or user_folder()
        self.wheel = wheel or wheel_folder()
        self._clock = clock or SystemClock()
        self._interval_ns = round(check_seconds * NANOSECONDS)
        self._generation = self._read_generation()
        self._due_ns = self._clock.now_ns() + self._interval_ns

    def generation(self) -> object:
        """Something that compares equal until the user's folder was brought up to date."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + self._interval_ns
            self._generation = self._read_generation()
        return self._generation

    def _read_generation(self) -> tuple[int, int, int] | None:
        return None if self.user is None else signature(self.user / MANIFEST)

    def files(self) -> list[Path]:
        """The data files of the user's folder, by name."""
        try:
            return sorted(self.user.glob(f"*{SUFFIX}")) if self.user else []
        except OSError:  # somebody else's folder: as good as none
            return []

    def candidates(self, name: str) -> list[Path]:
        """The files of this name that there are (``"edges.dwd"``): the user's, then the wheel's."""
        folders = [self.wheel] if self.user is None else [self.user, self.wheel]
        return [folder / name for folder in folders if signature(folder / name)]

    def edge_ranges(self) -> dict[str, Sequence[str]]:
        """The published networks of named edges, for :class:`doorward.client_ip.ClientIPPolicy`.

        Returns:
            ``{"cloudflare": ("173.245.48.0/20", …)}``, from the newest file that can be read.

        Raises:
            DataError: There is none.
        """
        opened: list[_Edges] = []
        problem = DataError(self.wheel / f"{EDGES}{SUFFIX}", "is missing; install doorward again")
        for path in self.candidates(f"{EDGES}{SUFFIX}"):
            try:
                opened.append(_edges(path))
            except DataError as error:
                problem = error
        if not opened:
            raise problem
        return max(opened, key=lambda edges: edges.date).networks


class _Edges(NamedTuple):
    date: str
    networks: dict[str, Sequence[str]]


def _edges(path: Path) -> _Edges:
    file = open_file(path, EDGES, EDGES_VERSION)
    try:
        networks: dict[str, Sequence[str]] = {
            name: tuple(str(file.section(name), "ascii").split()) for name in file.meta.knows
        }
    except (ValueError, TypeError) as error:
        raise DataError(path, f"is damaged ({error})") from error
    return _Edges(max((str(source.date) for source in file.meta.sources), default=""), networks)


def write_edges(path: Path, networks: Mapping[str, Sequence[str]], meta: Meta) -> None:
    """Write the published networks of named edges for :meth:`Library.edge_ranges`.

    Raises:
        OSError: It cannot be written.
    """
    sections = {name: "\n".join(listed).encode("ascii") for name, listed in networks.items()}
    write(path, EDGES, EDGES_VERSION, meta._replace(knows=tuple(networks)), sections)


def signature(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None while it cannot be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
