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

WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] : Array.from(document.querySelectorAll('*'))
  .filter((node) => node.getBoundingClientRect().right > innerWidth && !node.closest('.scroll *, pre *'))
  .map((node) => node.outerHTML.slice(0, 120))"""
"""Script: what is wider than the window, and does not scroll by itself."""
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data); };
  const over = (top, below) => below.map((c, i) => top[i] * top[3] / 255 + c * (1 - top[3] / 255));
  const behind = (node) => { const all = [];
    for (let n = node; n; n = n.parentElement) {
      all.push(rgba(getComputedStyle(n).backgroundColor));
      const share = n.matches('.top-table td') && n.querySelector('.share rect');
      if (share) all.push(rgba(getComputedStyle(share).fill));
    }
    return all.reverse().reduce((below, top) => over(top, below), [255, 255, 255]); };
  const light = (rgb) => { const [r, g, b] = rgb.map((c) => c / 255).map(
    (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const poor = [];
  for (const node of document.querySelectorAll('main *, header *')) {
    const text = Array.from(node.childNodes).some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!text || !node.getClientRects().length || node.closest('svg, .hidden')) continue;
    const ground = behind(node), ink = over(rgba(getComputedStyle(node).color), ground);
    const [a, b] = [light(ground), light(ink)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${node.tagName}.${node.className} ${node.textContent.trim()} ${ratio.toFixed(2)}`);
  }
  return poor; }"""
"""Script: texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3)."""


def path() -> str:
    """Where it is. Without any the test fails in CI, and is skipped on a user's computer."""
    found_at = next((found for name in NAMES if name and (found := shutil.which(name))), None)
    if found_at is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium: run tools/setup_chromium.sh")
        pytest.skip("there is no Chromium on this computer: run tools/setup_chromium.sh, or name one in $CHROMIUM")
    return found_at


UNTOUCHED = "Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: false } });"
"""As before a person has done anything: looking at a page by Playwright counts as that (its `userGesture`)."""


@contextmanager
def launched() -> Iterator[Browser]:
    """One that runs."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path(), args=ARGUMENTS)
        yield running
        running.close()
