"""A user agent taken apart once, for all the questions about it (RFC 9110 section 10.1.5: products and comments)."""

from __future__ import annotations

import re
from typing import NamedTuple

from doorward.automation.vocabulary import APP_ENGINES, CALLED_APPS, EMBEDDED, PLATFORMS, PROGRAMS, TOP_LEVEL_DOMAINS

LONGEST = 1024
"""Characters of an agent that are examined. Agents of browsers have under 300, those of in-app browsers under 700."""

_DESKTOPS = r"(?:Windows NT 10\.0; Win64; x64|Macintosh; Intel Mac OS X 10_15_7|X11; Linux x86_64)"
_ENGINE = r"\) AppleWebKit/(?:537\.36|605\.1\.15) \(KHTML, like Gecko\) "
ORDINARY = re.compile(
    r"Mozilla/5\.0 \((?:"
    rf"{_DESKTOPS}{_ENGINE}Chrome/[1-3]?\d\d\.0\.\d{{1,4}}\.\d{{1,3}} Safari/537\.36"
    r"(?: Edg/[1-3]?\d\d\.0\.\d{1,4}\.\d{1,3})?"
    rf"|Linux; Android 10; K{_ENGINE}Chrome/[1-3]?\d\d\.0\.0\.0 (?:Mobile )?Safari/537\.36"
    r"|(?:Windows NT 10\.0; Win64; x64|Macintosh; Intel Mac OS X 10\.15|X11; (?:Ubuntu; )?Linux x86_64); "
    r"rv:(?P<gecko>\d{2,3})\.0\) Gecko/20100101 Firefox/(?P=gecko)\.0"
    rf"|Macintosh; Intel Mac OS X 10_15_7{_ENGINE}Version/\d\d\.\d Safari/605\.1\.15"
    rf"|iPhone; CPU iPhone OS \d\d_\d like Mac OS X{_ENGINE}Version/\d\d\.\d Mobile/15E148 Safari/604\.1)"
)
"""The commonest agents of today's browsers, in which there is nothing to be found: a short cut, and no more."""

_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
_COMMENT = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)?")
_VERSION = re.compile(r"v?\d[\w.]*")
_PRODUCT = re.compile(r"([^\s/;,()\[\]]+)(?:/([^\s;,()\[\]]*))?")
# In "Android 9; CUBOT X18 Build/…" the owner's phone is named, and phones have any name.
_DEVICE = re.compile(r"(?<=android)[ /-]?[\d.]*;(?:\s*[a-z]{2}[-_][a-z]{2};)?[^;)]*", re.IGNORECASE)


class Product(NamedTuple):
    """``name/version`` outside comments, the name in lower case; the version is empty where there is none."""

    name: str
    version: str


class Agent:
    """The text of a user agent and its parts.

    Attributes:
        text: What is examined of it.
        cut: Whether there was more.
        lower: The text in lower case.
        runs: Runs of letters in lower case, but for the model of an Android device: "CriOS/9" gives "crios".
        browserlike: Whether it begins as browsers do.
        apps: Whether it names a system, a device or a program, as what somebody has installed does.
    """

    __slots__ = ("_named", "_words", "apps", "browserlike", "cut", "lower", "runs", "text")

    def __init__(self, text: str) -> None:
        self.cut = len(text) > LONGEST
        self.text = text[:LONGEST].strip()
        self.lower = lower = self.text.lower()
        self._named = _DEVICE.sub("", self.text) if "android" in lower else self.text
        self._words: frozenset[str] | None = None
        self.runs = frozenset(self._named.lower().translate(_LETTERS).split())
        self.browserlike = lower.startswith(("mozilla", "opera/"))
        self.apps = self._names_platform()

    @property
    def words(self) -> frozenset[str]:
        """As ``runs``, with compounds taken apart: "LinkChecker" gives "link" and "checker"."""
        if self._words is None:
            self._words = words_of(self._named)
        return self._words

    def _names_platform(self) -> bool:
        if not self.runs.isdisjoint(PLATFORMS) or not self.runs.isdisjoint(PROGRAMS) or "x11" in self.lower:
            return True
        first, dot, _ = self.lower.partition(".")
        if dot and first in TOP_LEVEL_DOMAINS:  # com.example.app/1.0
            return True
        if self.runs.isdisjoint(EMBEDDED):
            return False
        return any([product.name in EMBEDDED for product in self.products()[1:]])

    def outside(self) -> str:
        """The text without comments."""
        return _COMMENT.sub(" ", self.text)

    def products(self) -> tuple[Product, ...]:
        """The products, in order; "Name 1.2" and "Name v1.2" are as good as "Name/1.2"."""
        found: list[Product] = []
        for name, version in _PRODUCT.findall(self.outside()):
            if found and not version and not found[-1].version and _VERSION.fullmatch(name):
                found[-1] = Product(found[-1].name, name)
            else:
                found.append(Product(name.lower(), version))
        return tuple(found)

    def in_app_engine(self) -> bool:
        """Whether it names what only apps are made with."""
        return not self.runs.isdisjoint(APP_ENGINES)

    def called_app(self) -> bool:
        """Whether it is called what apps are called."""
        return any([run.startswith(CALLED_APPS) or run.endswith(CALLED_APPS) for run in self.runs])

    def modern(self) -> bool:
        """Whether it is one of the browsers that have no toolbars in their agents."""
        lower = self.lower
        return self.browserlike and ("chrome/" in lower or "firefox/" in lower or "mobile/" in lower)

    def desktop(self) -> bool:
        """Whether it is such a browser on a computer, and not an app made of one."""
        return self.modern() and self.runs.isdisjoint(_NOT_DESKTOP)

    def tail(self) -> str:
        """What follows the names of the engine, the browser's own name among it."""
        return self.text.partition("Gecko")[2].lstrip(")")


_NOT_DESKTOP = frozenset({"android", "electron", "ipad", "iphone", "mobile"})


def words_of(text: str) -> frozenset[str]:
    """Words in lower case, also of compounds: "LinkChecker" gives "link" and "checker"."""
    words: list[str] = []
    for token in text.translate(_LETTERS).split():
        if token.islower() or token.istitle() or token.isupper():
            words.append(token.lower())
        else:
            words += [word.lower() for word in _WORD.findall(token)]
    return frozenset(words)
