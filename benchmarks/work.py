"""What proof of work costs: derivations a second in Chromium, in plain JavaScript and natively; and what that means.

Run it with `python -m benchmarks.work`. The difficulties of `doorward.challenges.work.derivation` come from it.

A slow phone is taken to be 6 times slower than this machine, with one worker: the figure of the low-tier mobile
preset of Chromium's developer tools (4 for a mid-tier one), which is meant relative to an ordinary laptop. It is an
assumption: PBKDF2 depends on whether a processor has instructions for SHA-256, as most phones of the last years do.
"""

from __future__ import annotations

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from doorward.challenges.work.derivation import PAGE_PROFILES, PROFILES, Hardness, derive, key_bytes
from doorward.challenges.work.kind import Work

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW_PHONE = 6.0
ROUNDS = 3
SECONDS = 0.3

SOLVER = files("doorward.challenges").joinpath("static", "work-solver.js").read_text()
MEASURED = """async ([parameters, seconds]) => {
  let tried = 0;
  const start = performance.now();
  await doorwardSearch({ parameters }, { start: 0, step: 1, most: 2 ** 31, slice: 20 }, (more) => {
    tried += more; return performance.now() - start > seconds * 1000; });
  return (performance.now() - start) / tried; }"""
WIDGETS = """async ([algorithm, seconds]) => {
  const data = new Uint8Array(60), start = performance.now();
  let tried = 0;
  while (performance.now() - start < seconds * 1000) { await crypto.subtle.digest(algorithm, data); tried++; }
  return (performance.now() - start) / tried; }"""


class Page(BaseHTTPRequestHandler):
    """An empty page: WebCrypto is for pages that have an origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def natively(hardness: Hardness) -> float:
    """Milliseconds a derivation takes in Python, whose hashlib computes natively."""
    nonce, salt, length = os.urandom(16), os.urandom(16), key_bytes(hardness.algorithm)

    def once() -> float:
        start, tried = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            derive(hardness, nonce, salt, tried, length)
            tried += 1
        return (time.perf_counter() - start) / tried * 1000

    return best(once)


def best(once: Callable[[], float]) -> float:
    """The least of some rounds: what else runs on the machine only ever adds."""
    return min(once() for _ in range(ROUNDS))


def parameters_of(hardness: Hardness) -> dict[str, Any]:
    return {"algorithm": hardness.algorithm, "cost": hardness.cost, "memoryCost": hardness.memory,
            "parallelism": hardness.lanes, "keyLength": 32, "nonce": os.urandom(16).hex(), "salt": os.urandom(16).hex(),
            "keyPrefix": "00" * 8}  # fmt: skip


def line(name: str, browser: float, native: float, least: int, most: int) -> None:
    phone = browser * SLOW_PHONE / 1000
    waits = [f"{value:8.2f}" for value in (least * phone / 2, most * phone / 2, most * phone)]
    print(
        f"{name:26} {browser:8.3f} {native:8.3f} {browser / native:6.1f} {' '.join(waits)} {most * native / 2000:8.3f}"
    )


def measure(page: Any, plain: Any) -> None:
    """Print what each algorithm comes to."""
    print("Milliseconds a derivation in the browser and natively; seconds that a slow phone takes with one worker: in")
    print("the median without doubt, in the median at most, and at the very end; native seconds in the median at most.")
    print(f"{'':26}  browser   native  ratio   median  at most  the end   native")
    for name, (hardness, least, most) in PAGE_PROFILES.items():
        native, given = natively(hardness), [parameters_of(hardness), SECONDS]
        line(f"page: {name}", best(lambda given=given: page.evaluate(MEASURED, given)), native, least, most)
        if name.startswith("PBKDF2"):
            line(
                "page, no HTTPS: the same",
                best(lambda given=given: plain.evaluate(MEASURED, given)),
                native,
                least,
                most,
            )
    for name in ("SHA-256", "SHA-512"):
        hardness, least, most = PROFILES[name]
        line(
            f"widget: {name}",
            best(lambda n=name: page.evaluate(WIDGETS, [n, SECONDS])),
            natively(hardness),
            least,
            most,
        )
    for name in ("PBKDF2/SHA-512", "ARGON2ID"):
        print(f"{'widget: ' + name:26} {'':8} {natively(PROFILES[name].usual):8.3f}")


def server_side() -> None:
    """Print what posing and checking cost the server."""
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.context import RequestContext
    from doorward.levels import Level

    for algorithm in PAGE_PROFILES:
        work = Work(algorithm)
        issue = Issue("an id", "work", Level.WORK)
        asked = Asked(
            issue._replace(detail=work.prepare(issue, 1)), {"derivedKey": "0" * 64}, RequestContext(path="/"), "", 1
        )

        def per_call(call: Callable[[], object], times: int) -> float:
            start = time.perf_counter()
            for _ in range(times):
                call()
            return (time.perf_counter() - start) / times * 1e6

        posing = best(lambda work=work, issue=issue, timed=per_call: timed(lambda: work.prepare(issue, 1), 200))
        checking = best(lambda work=work, asked=asked, timed=per_call: timed(lambda: list(work.check(asked)), 5000))
        print(f"server: {algorithm:24} posing {posing:7.0f} us, checking {checking:6.1f} us")


def main() -> None:
    from tests.chromium import launched

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with launched() as browser:
        page, plain = browser.new_page(), browser.new_page()
        plain.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
        for each in (page, plain):
            each.goto(f"http://127.0.0.1:{server.server_port}/")
            each.evaluate(SOLVER)
        measure(page, plain)
    server_side()
    server.shutdown()


if __name__ == "__main__":
    main()
