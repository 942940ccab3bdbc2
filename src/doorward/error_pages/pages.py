"""What an error is answered with. Pure, but for the wrappers that :class:`ErrorPages` hands out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.answers import HTML, PROBLEM, TEXT, Answer, negotiated
from doorward.challenges.appearance import PARSERS, parse_appearance
from doorward.challenges.refused import inline_policy
from doorward.challenges.skin import Skin
from doorward.error_pages.wrapping import AsgiErrorPages, WsgiErrorPages
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.markup import fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.asgi import ASGIApp
    from doorward.challenges.languages import Language
    from doorward.wsgi import WSGIApp

    Lines = Sequence[tuple[str, str]]

FIELD = "error_pages"
LONGEST_MESSAGE = 300
_PARTS = ("title", "message")
_OF_THE_OLD_BODY = frozenset(
    [
        "content-type",
        "content-length",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-digest",
        "content-disposition",
        "transfer-encoding",
        "etag",
        "last-modified",
        "accept-ranges",
    ]
)
"""Headers that tell of a body which is no longer sent (RFC 9110 section 8); all others are kept."""


class ErrorText(NamedTuple):
    """What an operator says about a status; empty for our words."""

    title: str = ""
    message: str = ""


class ErrorPages:
    """Answers errors of an application.

    Args:
        errors: What to say in the place of our words, by status: ``{404: {"title": …, "message": …}}``. Merged over the
            defaults: what is not named keeps its words. All of it is text, and escaped.
        codes: The statuses that are answered; all from 400 to 599 by default.
        **look: ``theme``, ``accent``, ``logo``, ``title``, ``css``, ``contact``, ``words``, ``language`` and
            ``template_dir``, as of :class:`doorward.challenges.options.ChallengeOptions`. Templates are ``404.html``,
            ``4xx.html``, ``5xx.html``, ``error.html`` and ``page.html``; the first that there is.

    Raises:
        ConfigurationError: Something is wrong.
    """

    def __init__(
        self,
        *,
        errors: Mapping[int, Mapping[str, str]] | None = None,
        codes: Sequence[int] | None = None,
        **look: Any,
    ) -> None:
        for name in look:
            if name not in PARSERS:
                raise UnknownArgument(FIELD, name, ["errors", "codes", *PARSERS])
        self._texts = {code: _text(code, given) for code, given in (errors or {}).items()}
        self._codes = frozenset(_code(code) for code in codes) if codes is not None else frozenset(range(400, 600))
        self._skin = Skin(parse_appearance(look, FIELD), f"{FIELD}.template_dir")
        if self._skin.logo_file is not None:
            raise ConfigurationError(f"{FIELD}.logo", "must be a URL: error pages bring no files")

    def covers(self, status: int) -> bool:
        """Whether a status is answered here."""
        return status in self._codes

    def answer(
        self,
        status: int,
        accept: Sequence[str] = (),
        accept_language: Sequence[str] = (),
        *,
        headers: Lines = (),
        message: str = "",
    ) -> Answer:
        """The answer in the place of an error's own.

        Args:
            status: Of the error.
            accept: Values of the request's Accept.
            accept_language: Values of its Accept-Language.
            headers: Of the application's answer: ``Allow``, ``Retry-After``, ``WWW-Authenticate`` … are kept.
            message: What the application says about it, as text; our words, or the operator's, when empty.
        """
        kind, language = negotiated(accept), self._skin.language(accept_language)
        title, words = self._said(status, language)
        message = " ".join(message.split())[:LONGEST_MESSAGE] or words
        body, more = _BODIES[kind](self, status, title, message, language)
        # What the application says itself stands, but for the policy, which has to fit the page that is sent.
        dropped = _OF_THE_OLD_BODY | ({"content-security-policy"} if kind is HTML else set())
        kept = [(name, value) for name, value in headers if name.lower() not in dropped]
        return Answer(status, [*_merged(kept), ("Content-Type", kind), *_unless_there(kept, more)], body)

    def wsgi(self, app: WSGIApp) -> WSGIApp:
        """``app``, with its errors answered here: those with no body, text or HTML. JSON is left alone."""
        return WsgiErrorPages(self, app)

    def asgi(self, app: ASGIApp) -> ASGIApp:
        """As :meth:`wsgi`, of an ASGI application."""
        return AsgiErrorPages(self, app)

    def _said(self, status: int, language: Language) -> tuple[str, str]:
        own, words = self._texts.get(status, ErrorText()), language.words
        title = own.title or words.get(f"http_{status}") or phrase(status)
        group = "message_4xx" if status < 500 else "message_5xx"
        return title, own.message or words.get(f"message_{status}") or words[group]

    def _page(
        self, status: int, title: str, message: str, language: Language
    ) -> tuple[bytes, Sequence[tuple[str, str]]]:
        content = fill('<p>{message}</p><p><a href="/">{home}</a></p>', message=message, home=language.words["home"])
        group = "4xx" if status < 500 else "5xx"
        page = self._skin.page(
            (str(status), group, "error"),
            language,
            title,
            content,
            head=self._skin.inline_style[0],
            logo=self._skin.logo_url,
            footer={"reason": str(status)},
            code=str(status),
            message=message,
        )
        policy = ("Content-Security-Policy", inline_policy(self._skin))
        return page.encode(), [("Content-Language", language.tag), *_COMMON, policy]

    def _problem(self, status: int, title: str, message: str, _: Language) -> tuple[bytes, Sequence[tuple[str, str]]]:
        content = {"type": "about:blank", "title": title, "status": status, "detail": message}
        return json.dumps(content).encode(), _COMMON

    def _plain(self, status: int, title: str, message: str, _: Language) -> tuple[bytes, Sequence[tuple[str, str]]]:
        return f"{status} {title}\n{message}\n".encode("utf-8", "replace"), _COMMON


_BODIES = {HTML: ErrorPages._page, PROBLEM: ErrorPages._problem, TEXT: ErrorPages._plain}  # noqa: SLF001  (its own)
_COMMON = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("X-Robots-Tag", "noindex"))
_VARIES = ("Accept", "Accept-Language")


def phrase(status: int) -> str:
    """A status in English words (RFC 9110 section 15)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _merged(kept: Lines) -> list[tuple[str, str]]:
    """Headers, and what the answer depends on besides (RFC 9110 section 12.5.5)."""
    named = [part.strip() for name, value in kept if name.lower() == "vary" for part in value.split(",")]
    more = [name for name in _VARIES if name.lower() not in [part.lower() for part in named]]
    others = [(name, value) for name, value in kept if name.lower() != "vary"]
    return [*others, ("Vary", "*" if "*" in named else ", ".join([*named, *more]))]


def _unless_there(kept: Lines, more: Lines) -> list[tuple[str, str]]:
    there = {name.lower() for name, _ in kept}
    return [(name, value) for name, value in more if name.lower() not in there]


def _text(code: object, given: object) -> ErrorText:
    field = f"{FIELD}.errors[{_code(code)}]"
    if not isinstance(given, Mapping):
        raise ConfigurationError(field, f"must be a dict such as {{'title': '…'}}, not {given!r}")
    for name, text in given.items():
        if name not in _PARTS:
            raise UnknownArgument(field, str(name), list(_PARTS))
        if not isinstance(text, str):
            raise ConfigurationError(field, f"{name} must be text, not {text!r}")
    return ErrorText(**given)


def _code(code: object) -> int:
    if isinstance(code, bool) or not isinstance(code, int) or not 400 <= code <= 599:
        raise ConfigurationError(FIELD, f"{code!r} is no status of an error: 400 to 599")
    return code
