"""Pictures of the pages, to be looked at: ``python -m tests.service.pages.screenshots FOLDER``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page
from tests.chromium import launched
from tests.service.pages.conftest import Running
from tests.service.pages.doubles import PASSWORD, Site, seeded

from doorward.clock import SystemClock

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("h1:has-text('Overview'), h1:has-text('No decisions yet')")


def take(page: Page, url: str, folder: Path, name: str, reader: object) -> None:
    page.goto(f"{url}/login")
    page.screenshot(path=folder / f"{name}-login.png")
    log_in(page, url)
    refused = next(r for r in reversed(reader.records) if r.rule == "shield")
    long = next(r for r in reversed(reader.records) if r.dry_run)
    paths = {"overview": "/", "overview-7d": "/?range=7d", "decisions": "/decisions",
             "filtered": "/decisions?ip=192.0.2.66&conclusion=DENY&range=24h",
             "detail": f"/decisions/{refused.id}", "detail-dry": f"/decisions/{long.id}", "bans": "/bans",
             "dry-runs": "/dry-runs", "dry-run": "/dry-runs?dry=bots", "keys": "/keys",
             "unknown": "/decisions/req_nothing", "older": "/decisions?before=1"}  # fmt: skip
    for what, path in paths.items():
        page.goto(url + path)
        page.screenshot(path=folder / f"{name}-{what}.png", full_page=what != "decisions")


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, launched() as chromium:
        site = Site(Path(place), seeded(SystemClock().now_ns(), 6000))
        with Running(site) as server:
            for scheme in ("light", "dark"):
                for size, (width, height) in SIZES.items():
                    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    take(context.new_page(), server.url, folder, f"{size}-{scheme}", site.reader)
                    context.close()
            site.reader.records.clear()
            page = chromium.new_page()
            log_in(page, server.url)
            page.screenshot(path=folder / "desk-light-empty.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
