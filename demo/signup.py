"""The sign-up: its rules, and what a person is told to correct. A bot is told nothing."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward import EmailReason, detect_bot, protect_signup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward import Decision
    from doorward.rules.base import Rule

FORM = Path(__file__).parent / "pages" / "signup.html"
_MESSAGE, _EMAIL = "<!-- message -->", 'value=""'

ADVICE = {
    "INVALID": "That is not an e-mail address. Please check it.",
    "DISPOSABLE": "Please use an address that you will keep.",
    "NO_MX_RECORDS": "Mail cannot be delivered to that domain. Is it spelled right?",
}


def rules() -> Sequence[Rule]:
    """People may sign up five times in ten minutes, with an address that they can be reached at; programs may not."""
    here: Any = {"paths": ["/signup"], "methods": ["POST"]}
    return [
        *protect_signup(
            rate_limit={"interval": "10m", "max": 5, "name": "signup", **here},
            bots={"allow": [], "name": "signup-bots", **here},
            email={"deny": ["DISPOSABLE", "INVALID", "NO_MX_RECORDS"], "name": "signup-email", **here},
        ),
        # Search engines may read the articles, if they are what they say; so may curl, for trying it.
        detect_bot(allow=["CATEGORY:SEARCH_ENGINE", "CURL"], name="crawlers", paths=["/articles"]),
    ]


def form(decision: Decision | None = None, email: str = "") -> str:
    """The page with the form; after a refusal, with what to correct and what was typed."""
    page = FORM.read_text("utf-8")
    if decision is None:
        return page
    message = f'<p id="problem" role="alert">{escape(advice(decision))}</p>'
    typed = f'value="{escape(email[:254])}" aria-invalid="true" aria-describedby="problem"'
    return page.replace(_MESSAGE, message).replace(_EMAIL, typed, 1)


def advice(decision: Decision) -> str:
    """What a person can correct."""
    reason = decision.reason
    if not isinstance(reason, EmailReason):
        return "You cannot sign up at the moment."
    guess = reason.detail.partition("did you mean ")[2]
    hint = f" Did you mean {guess}" if guess else ""
    return next((ADVICE[name] for name in reason.email_types if name in ADVICE), ADVICE["INVALID"]) + hint


def needs_review(decision: Decision) -> bool:
    """Whether somebody should look at an allowed sign-up first. Unknown is None, and None is no reason to doubt."""
    free = any(isinstance(r.reason, EmailReason) and "FREE" in r.reason.email_types for r in decision.results)
    return bool(free or decision.ip.is_vpn() or decision.ip.is_tor())
