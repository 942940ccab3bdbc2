"""Signals and request lines as browsers of people send them.

Written by us from what is documented of these browsers (HTML standard section 8.9, UA Client Hints, Fetch Metadata,
Device Memory, the release notes of the browsers); none is recorded from a person. Chromium's own are read in a real one
by ``test_chromium.py``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from doorward.context import RequestContext

Signals = dict[str, Any]
Lines = list[tuple[str, str]]


class Person(NamedTuple):
    """A browser that somebody has.

    Attributes:
        name: What it is.
        agent: Its user agent.
        lines: What else it sends with a form.
        signals: What the page's script reads in it.
    """

    name: str
    agent: str
    lines: Lines
    signals: Signals

    def request(self, **changed: str | None) -> RequestContext:
        """The form that it posts; header lines may be changed, or left out, by names with ``_`` for ``-``."""
        lines = {"user-agent": self.agent, **dict(self.lines)}
        for name, value in changed.items():
            lines.pop(name.replace("_", "-"), None)
            if value is not None:
                lines[name.replace("_", "-")] = value
        return RequestContext(method="POST", scheme="https", host="a.example", path="/.doorward/verify",
                              headers=list(lines.items()), peer="203.0.113.5")  # fmt: skip


def face(agent: str, platform: str, languages: list[str], cores: int | None, hints: Any = None) -> Signals:
    return {"agent": agent, "platform": platform, "languages": languages, "cores": cores, "hints": hints}


def signals(of: Signals, **others: Any) -> Signals:
    """All signals of a browser on a computer, but for ``others``."""
    return {
        **of, "worker": dict(of), "vendor": "Google Inc.", "product": "20030107", "language": of["languages"][0],
        "frozen": True, "webdriver": False, "marks": [], "altered": [], "frame": True, "plugins": 5, "mimes": 2,
        "arrays": True, "pdf": True, "cookies": True, "memory": 8, "touch": 0, "coarse": False,
        "screen": [1920, 1080, 1920, 1040, 24], "window": [1905, 947, 1920, 1040], "zone": "Europe/Berlin",
        "offsets": [-60, -60], "graphics": {"vendor": "Google Inc. (Intel)", "renderer": "ANGLE (Intel, Intel(R) UHD "
        "Graphics 620 (0x00003EA0) Direct3D11 vs_5_0 ps_5_0, D3D11)"}, "chrome": True, "secure": True, "eval": 33,
        "stack": "v8", "permission": {"query": "prompt", "notification": "default"}, **others,
    }  # fmt: skip


def form_lines(language: str, *, chrome: Lines | None = None, encoding: str = "gzip, deflate, br, zstd") -> Lines:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    if chrome is None:  # Firefox and Safari
        return [("accept", accept), ("accept-language", language), ("accept-encoding", encoding),
                ("content-type", "application/x-www-form-urlencoded"), ("origin", "https://a.example"),
                ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("sec-fetch-site", "same-origin"),
                ("referer", "https://a.example/")]  # fmt: skip
    return [*chrome, ("upgrade-insecure-requests", "1"), ("origin", "https://a.example"),
            ("content-type", "application/x-www-form-urlencoded"), ("accept", accept),
            ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"),
            ("referer", "https://a.example/"), ("accept-encoding", encoding),
            ("accept-language", language)]  # fmt: skip


def hint_lines(brands: list[list[str]], platform: str, *, mobile: bool = False) -> Lines:
    listed = ", ".join([f'"{name}";v="{version}"' for name, version in brands])
    return [("sec-ch-ua", listed), ("sec-ch-ua-mobile", f"?{int(mobile)}"), ("sec-ch-ua-platform", f'"{platform}"')]


def hints(brands: list[list[str]], platform: str, *, mobile: bool = False) -> Signals:
    return {"brands": brands, "mobile": mobile, "platform": platform}


_CHROME = [["Not(A:Brand", "8"], ["Chromium", "144"], ["Google Chrome", "144"]]
_EDGE = [["Not(A:Brand", "8"], ["Chromium", "144"], ["Microsoft Edge", "144"]]
_SAMSUNG = [["Not(A:Brand", "24"], ["Chromium", "136"], ["Samsung Internet", "29.0"]]
_WEBVIEW = [["Not(A:Brand", "8"], ["Chromium", "144"], ["Android WebView", "144"]]

_WIN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36"
_MAC = _WIN.replace("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7")
_LINUX = _WIN.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64")
_PHONE = _WIN.replace("Windows NT 10.0; Win64; x64", "Linux; Android 10; K").replace(" Safari", " Mobile Safari")
_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0"
_FIREFOX_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_FIREFOX_PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0"
_SAFARI = ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 "
           "Safari/605.1.15")  # fmt: skip
_IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
           "Version/26.1 Mobile/15E148 Safari/604.1")  # fmt: skip
_CRIOS = _IPHONE.replace("Version/26.1", "CriOS/144.0.7559.53")
_MESA = {"vendor": "Google Inc. (Mesa)", "renderer": "ANGLE (Mesa, llvmpipe (LLVM 15.0.7 256 bits), OpenGL 4.5)"}
_APPLE = {"vendor": "Apple Inc.", "renderer": "Apple GPU"}

_GECKO: Signals = {"vendor": "", "product": "20100101", "memory": None, "chrome": False, "eval": 37, "stack": "gecko",
                   "graphics": {"vendor": "Google Inc. (NVIDIA)", "renderer": "ANGLE (NVIDIA, NVIDIA GeForce GTX 980 "
                                "Direct3D11 vs_5_0 ps_5_0), or similar"}}  # fmt: skip
_WEBKIT: Signals = {"vendor": "Apple Computer, Inc.", "memory": None, "chrome": False, "eval": 37, "stack": "webkit",
                    "graphics": _APPLE}  # fmt: skip
_TOUCHED: Signals = {"touch": 5, "coarse": True, "plugins": 0, "mimes": 0, "pdf": False,
                     "screen": [412, 915, 412, 915, 24], "window": [412, 781, 412, 781],
                     "graphics": {"vendor": "Qualcomm", "renderer": "Adreno (TM) 740"}}  # fmt: skip
_IOS: Signals = {**_WEBKIT, "touch": 5, "coarse": True, "screen": [390, 844, 390, 844, 32],
                 "window": [390, 664, 390, 844], "permission": None}  # fmt: skip

_GERMAN, _BRITISH = ["de-DE", "de", "en-US", "en"], ["en-GB"]


def _chrome(name: str, agent: str, platform: str, system: str, brands: Any = None, language: str = "de-DE,de;q=0.9",
            *, mobile: bool = False, **others: Any) -> Person:  # fmt: skip
    brands = _CHROME if brands is None else brands
    own = face(agent, platform, _GERMAN, 8, hints(brands, system, mobile=mobile))
    lines = form_lines(language, chrome=hint_lines(brands, system, mobile=mobile))
    return Person(name, agent, lines, signals(own, **others))


PEOPLE = [
    _chrome("Chrome on Windows", _WIN, "Win32", "Windows"),
    _chrome("Chrome on a Mac", _MAC, "MacIntel", "macOS", graphics={"vendor": "Google Inc. (Apple)", "renderer":
            "ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)"}),
    _chrome("Chrome on Linux in a virtual machine, full screen", _LINUX, "Linux x86_64", "Linux", graphics=_MESA,
            memory=2, window=[1920, 1080, 1920, 1080], screen=[1920, 1080, 1920, 1080, 24]),
    _chrome("Chrome on a remote desktop that cannot draw", _WIN, "Win32", "Windows", graphics=None, zone="UTC",
            offsets=[0, 0], screen=[1366, 768, 1366, 728, 16]),
    _chrome("Chrome without a viewer for PDF", _WIN, "Win32", "Windows", pdf=False, plugins=0, mimes=0),
    _chrome("Chrome, its page zoomed out", _WIN, "Win32", "Windows", window=[3840, 1894, 1920, 1040]),
    _chrome("Chrome that sends one language", _WIN, "Win32", "Windows", None, "de-DE"),
    _chrome("Chrome with an extension that hides the graphics", _WIN, "Win32", "Windows", altered=["getParameter"],
            graphics={"vendor": "", "renderer": ""}),
    _chrome("Chrome that another language is sent for", _WIN, "Win32", "Windows", None, "en-US,en;q=0.9"),
    _chrome("Edge on Windows", f"{_WIN} Edg/144.0.0.0", "Win32", "Windows", _EDGE),
    _chrome("Chrome on a Chromebook", _WIN.replace("Windows NT 10.0; Win64; x64", "X11; CrOS x86_64 14541.0.0"),
            "Linux x86_64", "Chrome OS", touch=10, coarse=True, graphics={"vendor": "Google Inc. (Intel)",
            "renderer": "ANGLE (Intel, Mesa Intel(R) UHD Graphics (JSL), OpenGL ES 3.2)"}),
    _chrome("Chrome on Android", _PHONE, "Linux armv81", "Android", mobile=True, **_TOUCHED),
    _chrome("Samsung Internet", _PHONE.replace("Chrome/144", "SamsungBrowser/29.0 Chrome/136"), "Linux armv81",
            "Android", _SAMSUNG, mobile=True, **_TOUCHED),
    _chrome("An app's view on Android", _PHONE.replace("; K)", "; K; wv)").replace("Chrome/", "Version/4.0 Chrome/"),
            "Linux armv81", "Android", _WEBVIEW, mobile=True, **{**_TOUCHED, "chrome": False, "permission": None}),
    _chrome("Chrome on Android that asks for the page of computers", _LINUX, "Linux armv81", "Linux",
            **{**_TOUCHED, "screen": [980, 2178, 980, 2178, 24], "window": [980, 1859, 980, 1859]}),
    Person("Firefox on Windows", _FIREFOX, form_lines("de,en-US;q=0.7,en;q=0.3"),
           signals(face(_FIREFOX, "Win32", ["de", "en-US", "en"], 8), **_GECKO)),
    Person("Firefox that resists fingerprinting", _FIREFOX_LINUX, form_lines("en-US,en;q=0.5"),
           signals(face(_FIREFOX_LINUX, "Linux x86_64", ["en-US", "en"], 4), **{**_GECKO, "zone": "Atlantic/Reykjavik",
                   "offsets": [0, 0], "graphics": {"vendor": "Mozilla", "renderer": "Mozilla"},
                   "screen": [1400, 900, 1400, 900, 24], "window": [1400, 900, 1400, 900]})),
    Person("Firefox on Android", _FIREFOX_PHONE, form_lines("fr-FR,fr;q=0.8"),
           signals(face(_FIREFOX_PHONE, "Linux aarch64", ["fr-FR", "fr"], 8), **{**_GECKO, **_TOUCHED, "plugins": 5,
                   "mimes": 2, "pdf": True, "permission": {"query": "prompt", "notification": "default"}})),
    Person("Safari on a Mac", _SAFARI, form_lines("en-GB,en;q=0.9", encoding="gzip, deflate, br"),
           signals(face(_SAFARI, "MacIntel", _BRITISH, 8), **_WEBKIT)),
    Person("Safari on a Mac that does not tell its processors", _SAFARI, form_lines("en-GB,en;q=0.9"),
           signals(face(_SAFARI, "MacIntel", _BRITISH, None), **{**_WEBKIT, "permission": None, "frozen": False})),
    Person("Safari on an iPad", _SAFARI, form_lines("en-GB,en;q=0.9", encoding="gzip, deflate, br"),
           signals(face(_SAFARI, "MacIntel", _BRITISH, 8), **{**_IOS, "screen": [820, 1180, 820, 1180, 32],
                   "window": [820, 1106, 820, 1180]})),
    Person("Safari on an iPhone", _IPHONE, form_lines("en-GB,en;q=0.9", encoding="gzip, deflate, br"),
           signals(face(_IPHONE, "iPhone", _BRITISH, 4), **_IOS)),
    Person("Chrome on an iPhone", _CRIOS, form_lines("en-GB,en;q=0.9", encoding="gzip, deflate, br"),
           signals(face(_CRIOS, "iPhone", _BRITISH, 4), **_IOS)),
]  # fmt: skip
BY_NAME = {person.name: person for person in PEOPLE}
CHROME, FIREFOX, SAFARI = (BY_NAME[name] for name in ("Chrome on Windows", "Firefox on Windows", "Safari on a Mac"))
