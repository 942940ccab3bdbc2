"""Findings in signals against what is known of the browser that sent them, and against each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.challenges.signals.known import ENGINES, PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.automation.claim import Claim
    from doorward.challenges.signals.reading import Face, Signals

_PDF_SINCE = {"Chrome": 94, "Firefox": 99}
"""Since when ``pdfViewerEnabled`` and the list of plug-ins say the same (HTML standard section 8.9.1.6)."""
_WEBDRIVER_SINCE = {"Chrome": 89}
"""Since when ``navigator.webdriver`` is there, and false, where nothing drives the browser; before, there was none."""
_HINTS_SINCE = 90
"""Since when Chrome shows client hints to pages (UA Client Hints section 4)."""
_MEMORY = frozenset({0.25, 0.5, 1, 2, 4, 8, 16, 32, 64})
"""GiB; ``navigator.deviceMemory`` is a power of two (W3C Device Memory)."""
_MINUTES_APART = 1
_FEW_ALTERED = 1
_SMALL_SCREEN = [800, 600]

_SOFTWARE = re.compile(r"swiftshader|llvmpipe|softpipe|software|basic render|virgl|vmware|svga3d|virtualbox|parallels")
_DRAWS_ON = (
    (re.compile(r"direct3d|d3d\d"), frozenset({"Windows"})),
    (re.compile(r"metal|\bapple\b"), frozenset({"macOS", "iOS"})),
    (re.compile(r"\badreno\b|\bmali\b|powervr"), frozenset({"Android", "Windows", "Linux", "Chrome OS"})),
)
"""What draws, and where it is found. Phones asked for the desktop site say Linux; Windows runs on Adreno too."""


def against_browser(signals: Signals, claim: Claim | None, *, secure: bool) -> Iterator[str]:
    """Codes of what is found.

    Args:
        signals: What the page's script read.
        claim: The browser that the request says it comes from.
        secure: Whether the page is secure, as far as is known: some things are there in secure pages only.
    """
    yield from _driven(signals, claim)
    yield from _altered(signals)
    yield from _itself(signals)
    if claim is None:
        yield "unknown"
        return
    yield from _engine(signals, claim)
    yield from _only_chrome(signals, claim, secure=secure)
    yield from _device(signals, claim)
    yield from _display(signals, claim)
    yield from _graphics(signals, claim)


def _driven(signals: Signals, claim: Claim | None) -> Iterator[str]:
    # Browsers say false there (WebDriver section 4): what says nothing hides something, unless it is too old to say.
    old = claim is not None and claim.version < _WEBDRIVER_SINCE.get(claim.family, 0)
    if signals.webdriver or (signals.webdriver is None and not old):
        yield "webdriver"
    if signals.marks is None or signals.marks:
        yield "marks"


def _altered(signals: Signals) -> Iterator[str]:
    altered = set(signals.altered) if signals.altered is not None else {"webdriver", "toString", "plugins", "languages"}
    if "webdriver" in altered:
        yield "altered_webdriver"
    if "toString" in altered:
        yield "altered_text"
    others = len(altered - {"webdriver", "toString"})
    if others:
        yield "altered_one" if others <= _FEW_ALTERED else "altered_some"
    if not signals.frame:
        yield "frame"
    if signals.worker is None:
        yield "no_worker"
    elif signals.worker != _as_in_workers(signals.face, signals.worker, altered):
        yield "worker"


def _as_in_workers(page: Face, worker: Face, altered: set[str]) -> Face:
    # Extensions that hide how many processors there are do so in pages only: that is found above, and counts once.
    return page._replace(cores=worker.cores) if "hardwareConcurrency" in altered else page


def _itself(signals: Signals) -> Iterator[str]:
    languages = signals.face.languages
    if not languages or signals.language != languages[0]:
        yield "languages"
    if not signals.arrays or signals.plugins is None or signals.mimes is None:
        yield "plugins"
    if not signals.cookies:
        yield "cookies"
    offsets = signals.offsets
    if not signals.zone or offsets is None or abs(offsets[0] - offsets[1]) > _MINUTES_APART:
        yield "zone"
    permission = signals.permission
    if permission is None:
        yield "no_permission"
    elif permission["query"] == "prompt" and permission["notification"] == "denied":
        yield "permission"


def _engine(signals: Signals, claim: Claim) -> Iterator[str]:
    engine = ENGINES[claim.family]
    if signals.stack != engine.stack:
        yield "engine"
    if signals.eval != engine.eval:
        yield "eval"
    if signals.product != engine.product:
        yield "product"
    if signals.vendor not in engine.vendors:
        yield "vendor"
    if claim.family != "Safari" and not signals.frozen:
        yield "frozen"
    shown = {signals.pdf, bool(signals.plugins), bool(signals.mimes)}
    if not claim.mobile and claim.version >= _PDF_SINCE.get(claim.family, 10_000) and len(shown) > 1:
        yield "pdf"


def _only_chrome(signals: Signals, claim: Claim, *, secure: bool) -> Iterator[str]:
    memory, hints = signals.memory, signals.face.hints
    if claim.family != "Chrome":
        if hints is not None or signals.chrome is not False:
            yield "not_chrome"
        if memory is not None:
            yield "memory"
        return
    if not signals.chrome and not claim.embedded and not claim.mobile:
        yield "chrome"
    if memory is not None and memory not in _MEMORY:
        yield "memory"
    if not secure:
        return
    if hints is None and claim.version >= _HINTS_SINCE:
        yield "no_hints_in_app" if claim.embedded else "no_hints"
    if memory is None:
        yield "no_memory"


def _device(signals: Signals, claim: Claim) -> Iterator[str]:
    platforms = PLATFORMS.get(claim.system)
    if platforms is not None and not (signals.face.platform or "").startswith(platforms):
        yield "platform"
    if claim.family != "Safari" and not signals.face.cores:
        yield "cores"
    if claim.mobile and not signals.touch:
        yield "touch"
    if claim.mobile and not signals.coarse:
        yield "pointer"
    if signals.touch is None and not claim.mobile:
        yield "pointer"


def _display(signals: Signals, claim: Claim) -> Iterator[str]:
    screen, window = signals.screen, signals.window
    if screen is None or window is None or min(screen[:2]) <= 0:
        yield "screen"
        return
    if claim.mobile:
        return  # What is window and what is screen there is up to each browser.
    if screen[:2] == _SMALL_SCREEN or screen[2] > screen[0] or screen[3] > screen[1]:
        yield "odd_screen"
    if min(window[2:]) <= 0:
        yield "no_window"
    elif window[:2] == window[2:] == screen[:2]:
        yield "bare_window"


def _graphics(signals: Signals, claim: Claim) -> Iterator[str]:
    graphics = signals.graphics
    if graphics is None or not graphics["renderer"]:
        yield "no_graphics"
        return
    renderer = graphics["renderer"].lower()
    if claim.system and any([claim.system not in systems for name, systems in _DRAWS_ON if name.search(renderer)]):
        yield "graphics"
    if _SOFTWARE.search(renderer):
        yield "software"
