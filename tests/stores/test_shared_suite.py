"""The public conformance suite over the stores of one host: the shared table, and SQLite where there are no locks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.stores.shared import open_shared
from doorward.stores.shared.sqlite import SQLiteStore
from doorward.testing.store_suite import StoreSuite

if TYPE_CHECKING:
    from doorward.clock import Clock


class InFolder(StoreSuite):
    """A store of a file, new with every check."""

    def setup_method(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        super().setup_method()

    def teardown_method(self) -> None:
        super().teardown_method()
        self.folder.cleanup()

    def path(self) -> Path:
        return Path(self.folder.name) / "table"


class TestShared(InFolder):
    def make_store(self, clock: Clock) -> object:
        return open_shared(f"shared://{self.path()}?size=4MB", clock, 0.5)


class TestSharedWithFileLocks(InFolder):
    def make_store(self, clock: Clock) -> object:
        return open_shared(f"shared://{self.path()}?size=4MB&locks=file", clock, 0.5)


class TestSQLite(InFolder):
    def make_store(self, clock: Clock) -> object:
        return SQLiteStore(self.path(), clock=clock)
