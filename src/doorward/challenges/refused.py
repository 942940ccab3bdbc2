"""The page of a request that was refused for good: the looks and the words of challenge pages, and no files at all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.challenges.appearance import Appearance
from doorward.challenges.skin import Skin
from doorward.markup import fill
from doorward.reason import RateLimitReason, whole_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.context import RequestContext
    from doorward.decision import Decision


def page(request: RequestContext, decision: Decision, skin: Skin | None) -> tuple[list[tuple[str, str]], bytes]:
    """Headers besides those of every refusal, and the page."""
    skin = skin or plain_skin()
    language = skin.language(request.headers.values("accept-language"))
    title = language.words.get(f"http_{decision.status}") or language.words["http_403"]
    content = fill("<p>{detail}</p>", detail=detail(decision, language.words))
    style, _ = skin.inline_style
    body = skin.page(
        (str(decision.status), "4xx" if decision.status < 500 else "5xx", "message"),
        language,
        title,
        content,
        head=style,
        logo=skin.logo_url,
        footer={"reference": decision.id},
        code=str(decision.status),
        message=detail(decision, language.words),
    )
    headers = [
        ("Content-Language", language.tag),
        ("Vary", "Accept, Accept-Language"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", inline_policy(skin)),
    ]
    return headers, body.encode()


def detail(decision: Decision, words: Mapping[str, str]) -> str:
    """What the client may do about it."""
    if isinstance(decision.reason, RateLimitReason):
        if decision.reason.reset_seconds <= 0:
            return words["too_much"]
        return words["too_many"].replace("{seconds}", str(whole_seconds(decision.reason.reset_seconds)))
    return words["unchecked" if decision.status == 503 else "refused"]


def inline_policy(skin: Skin) -> str:
    """The policy of a page that loads no files: its one style by its hash, and the operator's picture."""
    logo = urlsplit(skin.logo_url)
    pictures = f"{logo.scheme}://{logo.netloc}" if logo.netloc else "'self'" if skin.logo_url else "'none'"
    parts = ["default-src 'none'", f"style-src {skin.inline_style[1]}", f"img-src {pictures}"]
    return "; ".join([*parts, "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"])


@cache
def plain_skin() -> Skin:
    """Doorward's own."""
    return Skin(Appearance())
