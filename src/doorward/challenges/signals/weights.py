"""The table of weights: what may be found in the signals of a browser, and how much each adds to doubt.

Points are on the scale of the rules' weights (:func:`doorward.weigh`). Ten of them are doubt: one thing that no browser
of a person does is enough, what some people's browsers do (virtual machines, remote desktops, privacy extensions,
proxies of companies) needs company, and what is common among people weighs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOUBTFUL = 10.0
"""Points from which on a client is asked for more."""
MOST = 40.0
"""Points that there can be, and those of who sends no signals, half of them, or none that can be read."""


class Finding(NamedTuple):
    """One thing that speaks against a browser.

    Attributes:
        code: A key of :data:`WEIGHTS`: nothing that the client sent.
        points: How much it weighs.
    """

    code: str
    points: float


class Weight(NamedTuple):
    """An entry of the table.

    Attributes:
        points: How much one of these adds.
        says: What was found, as the end of a sentence that begins with "the browser".
    """

    points: float
    says: str


WEIGHTS: Mapping[str, Weight] = {
    # Nothing to go by.
    "unreadable": Weight(MOST, "sends no signals, half of them, or what its page's script does not send"),
    # Driven by a program.
    "webdriver": Weight(10, "says that it is driven by a program (`navigator.webdriver`), or hides whether it is"),
    "marks": Weight(10, "has in it what programs leave behind that drive browsers"),
    "altered_webdriver": Weight(8, "has another `navigator.webdriver` than its own"),
    # Functions that are not the browser's own.
    "altered_text": Weight(5, "has another `Function.prototype.toString` than its own"),
    "altered_one": Weight(3, "has another function or property than its own"),
    "altered_some": Weight(6, "has several other functions or properties than its own"),
    "frame": Weight(4, "looks different in a frame"),
    "worker": Weight(4, "looks different in a worker"),
    "no_worker": Weight(2, "starts no worker"),
    # Against the request.
    "request": Weight(10, "sends a request with evidence of automation (up to that many points)"),
    "agent": Weight(8, "has another user agent in its page than in its requests"),
    "system": Weight(3, "is a Firefox that names another system in its page than in its requests"),
    "brands": Weight(6, "has other brands in its page than in its client hints"),
    "hints": Weight(4, "is on another platform or kind of device than its client hints say"),
    "language": Weight(5, "prefers another language in its page than in its requests"),
    "region": Weight(1, "prefers another form of a language in its page than in its requests"),
    "insecure": Weight(3, "says that its page is insecure where its requests show that it is not"),
    "quick": Weight(4, "answers sooner than a page can be fetched and read, by the server's clock"),
    # Against the browser that it says it is.
    "unknown": Weight(4, "is none that signals are known of"),
    "platform": Weight(6, "is on another platform than its user agent says"),
    "vendor": Weight(6, "names another vendor than that browser does"),
    "product": Weight(6, "has another `navigator.productSub` than that browser has"),
    "engine": Weight(6, "writes the stack of an error in another way than that browser does"),
    "eval": Weight(6, "writes its functions in another way than that browser does"),
    "chrome": Weight(4, "is Chrome without `window.chrome`"),
    "not_chrome": Weight(6, "is not Chrome, and has what only Chrome has"),
    "no_hints": Weight(5, "is Chrome without `navigator.userAgentData`"),
    "no_hints_in_app": Weight(2, "is made of Chrome, without `navigator.userAgentData`"),
    "memory": Weight(4, "has as much memory as no browser says, or says it where that browser does not"),
    "no_memory": Weight(2, "does not say how much memory it has, as that browser does"),
    "cores": Weight(2, "does not say how many processors it has, as that browser does"),
    # Against itself.
    "languages": Weight(4, "prefers no language, or two at once"),
    "frozen": Weight(3, "has a list of languages that can be changed"),
    "plugins": Weight(6, "has plug-ins that are none"),
    "pdf": Weight(4, "shows PDF without plug-ins for it, or the reverse"),
    "permission": Weight(4, "denies what it says it would ask for (a fault of browsers without a window)"),
    "no_permission": Weight(1, "does not say what it has permission for"),
    "zone": Weight(5, "has a time zone and another time, or none"),
    "screen": Weight(4, "has no screen"),
    "odd_screen": Weight(2, "has a screen of 800 by 600, or less than it uses of it"),
    "no_window": Weight(2, "has no window around its page"),
    "bare_window": Weight(1, "has a page as big as its window and its screen"),
    "touch": Weight(4, "is on a phone that nobody can touch"),
    "pointer": Weight(2, "is on a phone that is not pointed at with fingers"),
    "cookies": Weight(2, "keeps no cookies"),
    # Of the graphics. People on virtual machines and remote desktops have none, or draw by software.
    "graphics": Weight(5, "draws with what there is not on its platform"),
    "software": Weight(2, "draws by software"),
    "no_graphics": Weight(2, "cannot draw, or does not say with what"),
}


def finding(code: str) -> Finding:
    """A finding with the weight that the table gives it."""
    return Finding(code, WEIGHTS[code].points)


class Score(NamedTuple):
    """What signals come to.

    Attributes:
        points: From 0 to :data:`MOST`.
        findings: What speaks against the browser.
    """

    points: float
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Names of the findings, for counters: never anything that the client sent."""
        return tuple([each.code for each in self.findings])

    @property
    def unreadable(self) -> bool:
        """Whether there was nothing to weigh."""
        return "unreadable" in self.codes

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Score:
        """The findings with their sum."""
        found = tuple(findings)
        return cls(min(MOST, sum([each.points for each in found])), found)


UNREADABLE = Score.of([finding("unreadable")])
