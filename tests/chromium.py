"""A headless Chromium of the distribution's, for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

# Of Debian's Chromium as root in a container, on a network without a way out.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
NAMES = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]


@contextmanager
def launched() -> Iterator[Browser]:
    """One that runs. Without any the test fails in CI, and is skipped on a user's computer."""
    path = next((found for name in NAMES if name and (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium: run tools/setup_chromium.sh")
        pytest.skip("there is no Chromium on this computer: run tools/setup_chromium.sh, or name one in $CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()
