"""A hosted captcha as a kind of challenge, and for forms of the application's own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from doorward.challenges.kinds import Checked, Posed
from doorward.challenges.providers import checks, widgets
from doorward.challenges.providers.answers import name_of, read
from doorward.challenges.providers.calls import call_for
from doorward.challenges.providers.settings import parse_hosted
from doorward.challenges.providers.trouble import ProviderFailed
from doorward.challenges.providers.verified import Verified
from doorward.challenges.providers.wire import Wire
from doorward.challenges.spending import Spent
from doorward.effects import AskProvider, AskStore
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.challenges.providers.provider import Provider
    from doorward.effects import Effect
    from doorward.journal import Journal

UNTIMED_TTL = 7_200.0
"""Seconds that a response is remembered for where nobody says when it was made: longer than any provider takes one."""
SOLVED = "doorwardSolved"
"""The function of our script that a widget calls when it has a response."""


class Question(NamedTuple):
    """What is to be found out.

    Attributes:
        token: The response, as it came: anybody may have sent anything.
        host: The authority that the request names.
        ip: The client's address.
        now_ms: Milliseconds since the Unix epoch.
        journal: Counts and logs.
        action: What the response must have been made for.
        on_store_error: What follows where nobody can say whether it was used before.
    """

    token: object
    host: str
    ip: str
    now_ms: int
    journal: Journal | None = None
    action: str = ""
    on_store_error: Literal["local", "deny", "allow"] = "local"


class Hosted:
    """One provider with the keys of one application.

    Args:
        provider: A row of the table, or one of your own.
        site_key: What the widget is given; everybody can read it.
        secret: What responses are verified with.
        **options: See :class:`~doorward.challenges.providers.settings.HostedOptions`.

    Attributes:
        name: Of the kind of challenge.
        level: What passing it shows.
        needs_script: True: no widget works without.
        deputy: Name of the kind that takes its place when the provider fails; empty where none does.

    Raises:
        ConfigurationError: Something is wrong; the message names it after the provider, such as ``turnstile.secret``.
    """

    needs_script = True

    def __init__(self, provider: Provider, site_key: str, secret: str, **options: Any) -> None:
        self.provider, self.settings = parse_hosted(provider, site_key, secret, options)
        self.name = self.provider.name
        self.level = self.settings.level
        self.deputy = "work" if self.settings.on_error == "local" else ""
        self.wire = Wire(
            self.name,
            self.provider.verify_url,
            field=f"{self.name}.verify_url",
            verify=self.settings.verify,
        )
        self._spent = Spent()

    def __repr__(self) -> str:
        return f"Hosted(name={self.name!r}, site_key={self.settings.site_key!r})"

    @property
    def is_away(self) -> bool:
        """Whether the provider has failed so often that it is left alone."""
        return self.wire.is_away

    @property
    def sources(self) -> Mapping[str, Sequence[str]]:
        """What the Content-Security-Policy of a page with the widget has to allow, by directive."""
        return self.provider.sources

    # --- a kind of challenge

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """The widget; and what a client that shows pages of its own needs to show it."""
        is_seen = 'type="hidden"' not in self.provider.widget
        parts = [
            # Shown by the script, without which there is nothing below that could be completed.
            fill('<p id="hosted" hidden>{text}</p>', text=words["hosted"]) if is_seen else Markup(""),
            widgets.element(self.provider, self.settings, self.settings.action, callback=SOLVED),
            widgets.scripts(self.provider, self.settings),
        ]
        told = {
            "kind": self.name,
            "provider": self.provider.name,
            "site_key": self.settings.site_key,
            "action": self.settings.action,
            "field": self.provider.response_field,
            "by_hand": is_seen,
            # Where nobody says that there is a response, the person who sees the widget presses the button.
            "calls": not is_seen or self.provider.needs_help or "{callback}" in self.provider.widget,
            "words": {"hosted_failed": words["hosted_failed"]},
        }
        return Posed(join(parts), told, (widgets.SCRIPT,), sources=self.sources)

    def check(self, asked: Asked) -> Generator[Effect, Any, Checked]:
        """Whether the provider vouches for the response that the widget has put into the form."""
        token = asked.fields.get(self.provider.response_field)
        found = yield from self.verified(Question(token, asked.request.host, asked.ip, asked.now_ms, asked.journal))
        return Checked(found.passed, found.why)

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, None]:
        """Nothing."""
        yield from ()

    # --- a field of any form

    def verified(self, question: Question) -> Generator[Effect, Any, Verified]:
        """Have the provider look at a response. Never raises."""
        unfit = self._unfit(question.token)
        if unfit:
            found = Verified(False, unfit, self.name)
        else:
            found = yield from self._asked(question, str(question.token))
        if question.journal is not None:
            question.journal.count(f"captcha.{self.name}.{found.why or 'passed'}")
        return found

    def _unfit(self, token: object) -> str:
        """Whether nobody need be asked about it. What is left cannot be the cause of a failure."""
        if token is None or token == "":
            return "missing"
        good = isinstance(token, str) and len(token) <= self.provider.longest_token
        return "" if good and all("!" <= character <= "~" for character in str(token)) else "malformed"

    def _asked(self, question: Question, token: str) -> Generator[Effect, Any, Verified]:
        action = question.action or self.settings.action
        try:
            reply = yield AskProvider(self.wire, self._call(question, token, action))
            found = read(self.provider, reply)
        except ProviderFailed as error:
            return self._failed(question.journal, error.cause, str(error))
        except Exception as error:
            if question.journal is not None:
                question.journal.swallowed("captcha", error)
            return self._failed(question.journal, "no_answer", f"{self.name} could not be asked")
        if found.passed:
            found = checks.judged(
                self.provider, self.settings, found, host=question.host, action=action, now=question.now_ms / 1000
            )
        if found.passed and not (yield from self._first(question, name_of(self.provider, found, token))):
            found = replace(found, passed=False, why="spent")
        return found

    def _call(self, question: Question, token: str, action: str) -> Any:
        settings = self.settings
        values = {
            "secret": settings.secret,
            "token": token,
            "site_key": settings.site_key,
            "action": action if self.provider.action else "",
            "ip": question.ip if settings.remoteip else "",
        }
        return call_for(self.provider, values, settings.timeout)

    def _failed(self, journal: Journal | None, cause: str, message: str) -> Verified:
        """What the application wants to follow where the provider cannot be asked."""
        lets_in = self.settings.on_error == "allow"
        if journal is not None:
            journal.count(f"captcha.{self.name}.failed.{cause}")
            follows = {
                "allow": "everybody is let in",
                "deny": "nobody is let in",
                "local": "the proof of work is posed",
            }
            journal.warn(f"captcha.{self.name}.{cause}", f"{message}: {follows[self.settings.on_error]} meanwhile")
        return Verified(lets_in, "unverified" if lets_in else "unavailable", self.name, failure=cause)

    def _first(self, question: Question, name: str) -> Generator[Effect, Any, bool]:
        """Whether nobody has used a response before; from now on somebody has."""
        lasts = self.settings.max_age + 2 * checks.SKEW if self.provider.solved_at else UNTIMED_TTL
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        key = f"captcha:spent:{digest}"
        # This process first: it knows what it has taken also while the store fails.
        if not self._spent.add(key, question.now_ms, question.now_ms + int(lasts * 1000)):
            return False
        try:
            return bool((yield AskStore("add_if_absent", (key, lasts))))
        except Exception as error:
            if question.journal is not None:
                question.journal.swallowed("challenge store", error)
        return question.on_store_error != "deny"
