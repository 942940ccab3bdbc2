"""Session fixation: a link or form of another site that brings a session's identifier along.

Scripts and markup that set cookies are the patterns of ``cookies.toml``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from doorward.attacks.evidence import Finding, Place
from doorward.attacks.excerpt import masked
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.rulebook import AttackRule, Rulebook
    from doorward.context import RequestContext

_SCREEN = ("sess", "sid", "token", "cfid", "cakephp")
_JSON_KEY = re.compile(r'"([^"\\]{3,40})"\s{0,8}:')
_HOST = re.compile(r"https?://(?:[^/?#@]{0,200}@)?(\[[0-9a-f:.]{2,45}\]|[^/?#:@]{1,255})")
_LOGIN = re.compile(r"/(?:log-?in|sign-?in|log-?on|auth|sessions?(?:/new)?)(?:\.[a-z]{2,4})?/?\Z")
_AT_LOGIN = 2.5
_HEAD = 1_024
"""Characters of a query or body in which names are looked for: links and forms of others begin with theirs."""
_MOST_NAMES = 64
_LONGEST_NAME = 80
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class SessionFixation:
    """Parameters named as session cookies are, and where the client comes from with them.

    Args:
        book: The rules of ``session.toml``.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._foreign = book.rule("foreign_session")
        self._parameter = book.rule("session_parameter")
        self._general_parameter = book.rule("general_parameter")
        self._cookies = book.words("cookies")
        self._general = book.words("general")

    def examine(self, request: RequestContext) -> Iterator[Finding]:
        """The parameter, if there is one."""
        query = request.query
        if query and _may_name(query):
            names = [unquote_plus(item.partition("=")[0]) for item in query[:_HEAD].split("&", _MOST_NAMES)]
            yield from self._judge(names, Place.QUERY, request)
        if request.body and request.method in _WITH_BODY:
            head = request.body[:_HEAD].decode("latin-1")
            if _may_name(head) and _is_foreign(request):
                yield from self._in_body(head, request)

    def _in_body(self, head: str, request: RequestContext) -> Iterator[Finding]:
        kind = request.headers.get("content-type").lower()
        if "urlencoded" in kind:
            names = [unquote_plus(item.partition("=")[0]) for item in head.split("&", _MOST_NAMES)]
            yield from self._judge(names, Place.FORM, request)
        elif "json" in kind:
            names = [found[1] for found in _JSON_KEY.finditer(head)][:_MOST_NAMES]
            yield from self._judge(names, Place.JSON, request)

    def _judge(self, names: list[str], place: Place, request: RequestContext) -> Iterator[Finding]:
        for name in names:
            lower = name.lower()
            if lower in self._cookies or lower.startswith("aspsessionid"):
                rule = self._foreign if _is_foreign(request) else self._parameter
                # Applications take their own names from their own pages; without a page nothing is known.
                if rule is self._foreign or not request.headers.get("referer"):
                    yield _finding(rule, place, name)
                return
            if lower in self._general and _is_foreign(request):
                scale = _AT_LOGIN if _LOGIN.search(request.path.lower()) else 1.0
                yield _finding(self._general_parameter, place, name, scale)
                return


def _may_name(text: str) -> bool:
    lower = text.lower()
    return any([part in lower for part in _SCREEN])


def _is_foreign(request: RequestContext) -> bool:
    """Whether the page with the link or form is of another host."""
    found = _HOST.match(request.headers.get("referer").lower())
    if found is None:
        return False
    # The name alone: behind proxies the port is another one.
    own = request.host.lower()
    own = own.partition("]")[0] + "]" if own.startswith("[") else own.partition(":")[0]
    return own != "" and found[1] != own


def _finding(rule: AttackRule, place: Place, name: str, scale: float = 1.0) -> Finding:
    return Finding(
        rule.family, rule.id, rule.weight * scale, place, printable(name, _LONGEST_NAME), 0, masked(name), rule.reason
    )
