"""URLs that lead a server to itself, to its network, or to the metadata of its cloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.detectors.context import context_scale, is_text
from doorward.attacks.detectors.hosts import PUBLIC, Host, Hosts, Zone
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_NUMBERS = ("127.", "169.254.")
_BRACKETED = re.compile(r"\[[0-9a-f]{0,4}:[0-9a-f:]")
_TELLING = re.compile(  # begins with a class, and looks back, so that the search is one fast loop
    r"[/\\:](?:(?:(?<=[/\\])[/\\]|(?<=:)(?:[/\\]|(?<=http:)|(?<=https:)))[/\\]{0,3}+"
    r"(?:[0-9\[]|[^\s/\\?\"'<>`|@#%\u0080-\U0010ffff]{0,255}+\\?[@#%\u0080-\U0010ffff])"
    r"|(?<=:)[/\\](?:(?<=(?:dict|tftp|file|ldap|sftp|iiop|unix).[/\\])|(?<=(?:gopher|netdoc).[/\\])|(?<=(?:jar|smb|rmi).[/\\])"
    r"|(?<=ldaps.[/\\])|(?<=gophers.[/\\])|(?<=view-source.[/\\])))"
)
"""The beginning of a URL that is not one of a named host on the web: an address, or user information, or a fragment, or
letters beyond ASCII; or the scheme is another."""
_URL = re.compile(
    r"(?:(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,19}):[/\\]{1,4}|(?<![a-z0-9+.-])(https?):|(?<![:/\\a-z0-9])[/\\]{2})"
    r"((?:[^\s/\\?\"'<>`|]|\\(?=@)){1,255})((?:[/\\?][^\s\"'<>`]{0,80})?)"
)
_ANCHOR = re.compile(r"[:/\\](?:(?<=:)(?:[/\\]|(?<=http:)|(?<=https:))|(?<=[/\\])[/\\])")
"""What every URL has behind its scheme: there are far fewer of them than of places where a scheme could begin."""
_OF_SCHEMES = "abcdefghijklmnopqrstuvwxyz0123456789+.-"
_LONGEST_SCHEME = 20
_BARE = re.compile(r"([a-z0-9\[][a-z0-9.:%_\[\]-]{2,253})(?=[/?#]|\Z)")
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\Z")
_WORD = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEAF = re.compile(r"[^.\[\]]+")
_SCHEMES = frozenset({"gopher", "gophers", "dict", "netdoc", "tftp", "rmi", "iiop", "corbaname"})
_LOCAL_SCHEMES = frozenset({
    "file", "ldap", "ldaps", "sftp", "jar", "smb", "local_file", "view-source", "unix", "http+unix",
})  # fmt: skip
_USERS_FILE = re.compile(r"file:/{2,3}(?:localhost/)?(?:[a-z]:/users/|(?:users|home)/)[^.]")
"""The URL of a document of a person, as it is copied from a browser's address line."""
_BETWEEN_HOSTS = re.compile(r"\\?[@#]")
_SEGMENT = re.compile(r"[a-z0-9_-]+")
_LONGEST_PATH = 80
_OF_THE_WEB = frozenset({"http", "https", ""}) | _SCHEMES | _LOCAL_SCHEMES
# What a parameter is for.
_SENT_TO, _UNKNOWN, _DEEP, _FETCHED, _ADDRESSED = -1, 0, 1, 2, 3
_MOST_URLS = 16


class _Url(NamedTuple):
    scheme: str
    authority: str
    start: int
    end: int
    whole: bool
    bare: bool = False


class SsrfDetector:
    """Addresses by whose they are, how they are written, and what their parameter is for.

    Args:
        book: The rules of ``ssrf.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} addresses"
        self._rule = book.rule
        self._fetched = book.words("fetched")
        self._addressed = book.words("addressed")
        self._sent_to = book.words("sent_to")
        self._development_ports = book.words("development_ports")
        self._inner_paths = book.words("inner_paths")
        self._telling_paths = book.words("telling_paths")
        self._service_ports = book.words("service_ports")
        self._fetching = book.words("fetching")
        self._hosts = Hosts(book)
        self._labels = self._hosts.labels()

    def wants(self, subject: Subject) -> bool:
        """Whether there may be an address of interest, or the name of such a host."""
        lower = subject.lower
        if not subject.words.isdisjoint(self._labels):
            return True
        if (":" in lower or "/" in lower or "\\" in lower) and _TELLING.search(lower):
            return True
        if "[" in lower and _BRACKETED.search(lower):
            return True
        return "." in lower and any([number in lower for number in _NUMBERS])

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """What the addresses in it lead to; of several, the worst."""
        if not self.wants(subject):
            return
        work.spend(4 * len(subject.lower))
        purpose = self._purpose(subject)
        for url in _urls(subject, bare=purpose >= _FETCHED):
            work.spend(500)
            yield from self._judge(url, subject, purpose)

    def _judge(self, url: _Url, subject: Subject, purpose: int) -> Iterator[Evidence]:
        scale = 1.0 if url.whole else 0.5 * context_scale(subject)
        if url.scheme in _SCHEMES:
            yield self._rule("scheme").at(url.start, url.end, scale=scale)
        elif url.scheme in _LOCAL_SCHEMES and url.whole and subject.place is not Place.HEADER:
            own = 0.4 if _USERS_FILE.match(subject.lower, url.start) else 1.0
            name = "fetched_scheme" if purpose > _FETCHED else "local_scheme"
            yield self._rule(name).at(url.start, url.end, scale=own)
        host, hidden = self._host(url.authority)
        if host.zone is Zone.PUBLIC:
            return
        if host.zone is Zone.METADATA:
            if host.address or url.whole:
                yield self._rule("metadata").at(url.start, url.end, scale=1.0 if url.whole else context_scale(subject))
        elif hidden and url.whole:
            yield self._rule("hidden_host").at(url.start, url.end)
        elif host.disguised:
            yield self._rule("disguised").at(url.start, url.end, scale=scale)
        elif url.whole and self._is_service(host, url, subject, purpose):
            yield self._rule("inner_service").at(url.start, url.end)
        else:
            rule = self._rule("loopback" if host.zone is Zone.OWN else "private")
            plain = self._plain_scale(host, url, subject, purpose)
            if plain:
                yield rule.at(url.start, url.end, scale=plain)

    def _host(self, authority: str) -> tuple[Host, bool]:
        """The worst of the hosts that one or another parser would see, and whether another one is in front of it."""
        if "@" not in authority and "#" not in authority:
            return self._hosts.host(authority), False
        parts = [part for part in _BETWEEN_HOSTS.split(authority, maxsplit=6) if part]
        if not parts:
            return PUBLIC, False
        worst = max([self._hosts.host(part) for part in parts])
        # In user:password@host the first part names no host of any kind.
        return worst, len(parts) > 1 and ("." in parts[0] or "#" in authority)

    def _plain_scale(self, host: Host, url: _Url, subject: Subject, purpose: int) -> float:
        """How much a plainly written address of the own network says: to developers it is their own machine."""
        if not url.whole or purpose == _SENT_TO or "{" in url.authority:
            return 0.0
        rest, port = _behind(url, subject.lower)
        inner = not self._inner_paths.isdisjoint(_SEGMENT.findall(rest[:_LONGEST_PATH]))
        if port in self._development_ports and not inner:
            return 0.4
        if url.scheme not in _OF_THE_WEB and not (purpose >= _FETCHED and host.address and port):
            return 0.4
        if purpose == _DEEP:
            return 1.0 if inner and host.address else 0.5
        if purpose >= _FETCHED:
            return 1.0 if rest.strip() or not url.bare else 0.5
        return 1.0

    def _is_service(self, host: Host, url: _Url, subject: Subject, purpose: int) -> bool:
        """Whether it is where stores and consoles listen that only the own network is to reach.

        To a page of their own machine developers are sent back; to a store nobody is.
        """
        if subject.place is Place.HEADER or "{" in url.authority or url.scheme not in _OF_THE_WEB:
            return False
        rest, port = _behind(url, subject.lower)
        if purpose in (_UNKNOWN, _DEEP) and not host.address:
            return False
        tells = not self._telling_paths.isdisjoint(_SEGMENT.findall(rest[:_LONGEST_PATH]))
        if tells or port in self._service_ports:
            return True
        inner = not self._inner_paths.isdisjoint(_SEGMENT.findall(rest[:_LONGEST_PATH]))
        return purpose >= _FETCHED and inner and not url.bare

    def _purpose(self, subject: Subject) -> int:
        """Whether the server fetches the value, by its name, or the browser goes to it."""
        if subject.place is Place.HEADER:
            return _SENT_TO
        leaves = _LEAF.findall(subject.name[-80:])
        if subject.is_name or subject.place not in _PARAMETERS or not leaves:
            return _UNKNOWN
        leaf = leaves[-2] if leaves[-1].isdigit() and len(leaves) > 1 else leaves[-1]
        words = _WORD.findall(_CAMEL.sub("_", leaf).lower())
        if not self._sent_to.isdisjoint(words):
            return _SENT_TO
        if not self._fetching.isdisjoint(words):
            return _ADDRESSED
        # Deep in a document an address describes something, such as the page an error was on.
        deep = subject.place is Place.JSON and (len(leaves) > 1 or "[" in subject.name)
        return _DEEP if deep else self._purpose_of(words)

    def _purpose_of(self, words: list[str]) -> int:
        if self._fetched.isdisjoint(words):
            return _UNKNOWN
        return _FETCHED if self._addressed.isdisjoint(words) else _ADDRESSED


_PARAMETERS = frozenset({Place.QUERY, Place.FORM, Place.JSON, Place.COOKIE, Place.MULTIPART, Place.XML})


def _urls(subject: Subject, *, bare: bool) -> Iterator[_Url]:
    lower = subject.lower
    indent = len(lower) - len(lower.lstrip())
    prose = is_text(subject)
    found_whole = False
    for number, found in enumerate(_url_matches(lower)):
        if number >= _MOST_URLS:
            return
        whole = found.start() == indent and not prose and not lower[found.end() :].strip(" \r\n\t)\"'>;,").count(" ")
        found_whole = found_whole or whole
        scheme = found[1] or found[2] or ""
        yield _Url(scheme, found[3], found.start(), found.end(), whole)
    host = _BARE.match(lower, indent) if bare and not found_whole else None
    if host is not None and _may_be_host(host[1], lower[host.end() :]):
        yield _Url("", host[1], host.start(), host.end(), True, True)


def _url_matches(lower: str) -> Iterator[re.Match[str]]:
    """The matches of ``_URL``, one behind the other."""
    position = 0
    while anchor := _ANCHOR.search(lower, position):
        start = anchor.start()
        if lower[start] == ":":
            before = lower[max(0, start - _LONGEST_SCHEME - 1) : start]
            start -= len(before) - len(before.rstrip(_OF_SCHEMES))
        found = _URL.match(lower, start) if start >= position else None
        if found is not None:
            yield found
        position = anchor.start() + 1 if found is None else found.end()


def _behind(url: _Url, lower: str) -> tuple[str, str]:
    """What stands behind the authority, and the port in it."""
    rest = lower[url.start : url.end + _LONGEST_PATH].partition(url.authority)[2]
    return rest, url.authority.rpartition("]")[2].rpartition(":")[2]


def _may_be_host(host: str, rest: str) -> bool:
    """Whether a value without a scheme is a host and not a number or a word."""
    if host[0].isdigit():
        return _DOTTED.match(host) is not None
    return "." in host or host[0] == "[" or (rest[:1] == "/" and not host.endswith("data"))
