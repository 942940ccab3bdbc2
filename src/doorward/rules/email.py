"""E-mail addresses: syntax, what is known about the domain, whether it receives mail, and avatars.

Syntax and lists cost microseconds and come first; the DNS is asked only where its answer can change the outcome, and
the avatar service last: it is sent a hash of an address only when nothing else refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from doorward.decision import Conclusion
from doorward.effects import AskWeb, DnsAnswer, DnsKind, Failed, Gather, ResolveDns
from doorward.errors import ConfigurationError, ResolverError
from doorward.printable import printable
from doorward.reason import EmailReason
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule

if TYPE_CHECKING:
    from doorward.decision import Mode
    from doorward.ids import Field
    from doorward.rules.base import Steps, View


class EmailType(StrEnum):
    """What an address can be, in the order in which it is found out; several of them at once."""

    INVALID = "INVALID"
    """It is no address. Refused whatever the lists of a rule say."""
    DISPOSABLE = "DISPOSABLE"
    """Its domain gives out throw-away addresses."""
    FREE = "FREE"
    """Its domain gives out addresses to everybody."""
    RELAY = "RELAY"
    """Its domain forwards mail to an address that stays private. Refused only where a rule's ``deny`` names it."""
    NO_MX_RECORDS = "NO_MX_RECORDS"
    """Its domain does not receive mail. A DNS that says so of a well-known provider is not believed: an error."""
    NO_GRAVATAR = "NO_GRAVATAR"
    """It has no avatar at Gravatar. Asked only where a rule's ``deny`` names it."""


GRAVATAR = "https://www.gravatar.com/avatar"
"""Where avatars are asked for, after Gravatar's documentation: ``/avatar/{SHA-256}?d=404``."""

_LISTED = (("disposable", EmailType.DISPOSABLE), ("free", EmailType.FREE), ("relay", EmailType.RELAY))
_CORRECTABLE = frozenset({EmailType.INVALID, EmailType.DISPOSABLE, EmailType.NO_MX_RECORDS})
_NEVER_IN_THE_DNS = ("invalid", "onion")
"""RFC 6761 section 6.4: there is no such name, without asking; RFC 7686 section 2: it must not even be asked for."""
_DETAILS = {
    EmailType.DISPOSABLE: "the domain gives out throw-away addresses",
    EmailType.FREE: "the domain gives out free addresses",
    EmailType.RELAY: "the domain forwards to an address that stays private",
    EmailType.NO_MX_RECORDS: "the domain cannot receive mail",
    EmailType.NO_GRAVATAR: "the address has no avatar",
}


class Parsed(Protocol):
    """See :class:`doorward.email_syntax.Address`."""

    @property
    def domain(self) -> str:
        """In lower-case A-labels; empty for a domain literal."""
        ...

    @property
    def problem(self) -> str:
        """Why it is no address; empty when it is."""
        ...

    @property
    def typed_domain(self) -> str:
        """What stands in the domain's place, where there is a problem."""
        ...


class Domains(Protocol):
    """What is known about domains."""

    def kinds_of(self, domain: str) -> frozenset[str]:
        """Of ``disposable``, ``free``, ``relay`` and ``provider`` those that the domain is."""
        ...

    def resembling(self, domain: str) -> str:
        """The well-known provider that may have been meant; empty when there is none."""
        ...


Parse = Callable[..., Parsed]


@dataclass(frozen=True, kw_only=True)
class EmailRule(Rule):
    """Refuses e-mail addresses by their syntax and by what is known about their domain.

    Attributes:
        deny: The types refused.
        allow: The only types let pass; exactly one of the two is given.
        require_top_level_domain: Whether the domain needs a dot.
        allow_domain_literal: Whether ``user@[192.0.2.1]`` is an address.
        disposable: ``"curated"`` or ``"wide"``: which list of throw-away domains ``domains`` is.
        gravatar: Where avatars are asked for.
        parse: :func:`doorward.email_syntax.parse`.
        domains: What is known about domains.
    """

    kind: ClassVar[str] = "EMAIL"
    phase: ClassVar[Phase] = Phase.LOCAL
    effort: ClassVar[int] = 30
    needs: ClassVar[str] = "email"

    deny: frozenset[EmailType] | None = None
    allow: frozenset[EmailType] | None = None
    require_top_level_domain: bool = True
    allow_domain_literal: bool = False
    disposable: str = "curated"
    gravatar: str = GRAVATAR
    parse: Parse = field(repr=False, compare=False)
    domains: Domains = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deny is not None and self.allow is not None:
            problem = "cannot be given together: a rule names the types that it refuses or those that it takes"
            raise ConfigurationError("allow, deny", problem)
        if self.deny is None and self.allow is None:
            raise ConfigurationError(
                "allow, deny", "one of them must be given; deny=[] refuses only what is no address"
            )

    def evaluate(self, view: View) -> Outcome | Steps:
        """Syntax and lists."""
        email = view.inputs["email"]
        address = self._read(email)
        if address.problem:
            return self._invalid(address)
        return self._outcome(self._listed(address.domain), address.domain)

    def parts(self) -> frozenset[str]:
        """Nothing: the address is an input."""
        return NO_PARTS

    def asks_web(self) -> bool:
        """Whether the avatar service is asked: only where ``deny`` says so, since that tells it about the address."""
        return self.deny is not None and EmailType.NO_GRAVATAR in self.deny

    def refuses(self, email_type: EmailType) -> bool:
        """Whether an address of this type is refused."""
        if email_type is EmailType.INVALID:
            return True
        if self.allow is not None:
            return email_type is not EmailType.RELAY and email_type not in self.allow
        return email_type in (self.deny or ())

    def fields(self, mode: Mode) -> list[Field]:
        """As Arcjet's SDKs have them; what they do not know is added where it differs from the default."""
        return [
            *super().fields(mode),
            ("allow", sorted(self.allow or ())),
            ("deny", sorted(self.deny or ())),
            ("requireTopLevelDomain", self.require_top_level_domain),
            ("allowDomainLiteral", self.allow_domain_literal),
            *([("disposable", self.disposable)] if self.disposable != "curated" else []),
            *([("gravatar", self.gravatar)] if self.gravatar != GRAVATAR else []),
            *([self.match_field()] if self.paths or self.methods else []),
        ]

    def _read(self, email: object) -> Parsed:
        return self.parse(
            email,
            require_top_level_domain=self.require_top_level_domain,
            allow_domain_literal=self.allow_domain_literal,
        )

    def _listed(self, domain: str) -> list[EmailType]:
        kinds = self.domains.kinds_of(domain) if domain else ()
        return [email_type for kind, email_type in _LISTED if kind in kinds]

    def _invalid(self, address: Parsed) -> Outcome:
        detail = address.problem + self._suggestion(address.typed_domain)
        return Outcome(Conclusion.DENY, EmailReason((EmailType.INVALID,), detail))

    def _outcome(self, found: list[EmailType], domain: str) -> Outcome:
        refused = [email_type for email_type in found if self.refuses(email_type)]
        if not refused:
            return Outcome(Conclusion.ALLOW, EmailReason(tuple(found)))
        detail = "; ".join(_DETAILS[email_type] for email_type in refused)
        if not _CORRECTABLE.isdisjoint(refused):
            detail += self._suggestion(domain)
        return Outcome(Conclusion.DENY, EmailReason(tuple(found), detail))

    def _suggestion(self, domain: str) -> str:
        meant = self.domains.resembling(domain) if domain else ""
        return f"; did you mean {meant}?" if meant else ""


@dataclass(frozen=True, kw_only=True)
class EmailRuleWithLookups(EmailRule):
    """An e-mail rule that also asks whether the domain receives mail, or whether the address has an avatar."""

    waits: ClassVar[bool] = True
    looks_up: ClassVar[bool] = True

    @property
    def remote(self) -> bool:  # type: ignore[override]
        """Unless it asks an avatar server of the application's own: a service is not to ask just anybody."""
        return self.gravatar == GRAVATAR

    def evaluate(self, view: View) -> Outcome | Steps:
        """Syntax and lists; what they do not refuse is asked about."""
        email = view.inputs["email"]
        address = self._read(email)
        if address.problem:
            return self._invalid(address)
        found = self._listed(address.domain)
        outcome = self._outcome(found, address.domain)
        if outcome.conclusion is Conclusion.DENY:
            return outcome
        return self._look_up(str(email), address.domain, found)

    def _look_up(self, email: str, domain: str, found: list[EmailType]) -> Steps:
        """Ask one after the other. What could not be asked is an error only if nothing that could refuses."""
        failure: ResolverError | None = None
        for question in self._questions(email, domain):
            try:
                answer = yield from question
            except ResolverError as error:
                failure = failure or error
                continue
            if answer is not None:  # nothing is asked whose answer would not be refused
                return self._outcome([*found, answer], domain)
        if failure is not None:
            raise failure
        return self._outcome(found, domain)

    def _questions(self, email: str, domain: str) -> list[_Question]:
        questions = []
        if domain and self.refuses(EmailType.NO_MX_RECORDS):  # an IP address in its place needs no DNS
            known = "provider" in self.domains.kinds_of(domain)
            questions.append(_asks_for_mail_of_a_provider(domain) if known else _asks_for_mail(domain))
        if self.asks_web():
            questions.append(_asks_for_avatar(self.gravatar, email))
        return questions


_Question = Generator[Any, Any, EmailType | None]


def _asks_for_mail(domain: str) -> _Question:
    """Whether a domain receives mail: it has MX records (RFC 5321 section 5.1) that are no null MX (RFC 7505).

    Hosts that are always this one (RFC 6761 section 6.3) take no mail from elsewhere; other records are not followed.
    """
    if domain.rpartition(".")[2] in _NEVER_IN_THE_DNS:
        return EmailType.NO_MX_RECORDS
    answer: DnsAnswer = yield ResolveDns(domain, DnsKind.MX)
    if answer.records:
        return None if any(map(_is_elsewhere, answer.records)) else EmailType.NO_MX_RECORDS
    if answer.exists and (yield from _has_an_address(domain)):
        return None
    return EmailType.NO_MX_RECORDS


def _asks_for_mail_of_a_provider(domain: str) -> _Question:
    """As :func:`_asks_for_mail`; who says that a well-known provider receives no mail is not to be believed."""
    if (yield from _asks_for_mail(domain)):
        raise ResolverError("the DNS denies mail to a well-known provider")
    return None


def _is_elsewhere(host: str) -> bool:
    return host not in ("", "localhost", "localhost.localdomain") and not host.endswith(".localhost")


def _has_an_address(domain: str) -> Generator[Any, Any, bool]:
    """Whether the domain is its own mail server: "the implicit MX" of RFC 5321 section 5.1."""
    kinds = (DnsKind.A, DnsKind.AAAA)
    answers: list[DnsAnswer | Failed] = yield Gather([ResolveDns(domain, kind) for kind in kinds])
    if any(isinstance(answer, DnsAnswer) and any(map(_leads_elsewhere, answer.records)) for answer in answers):
        return True
    for answer in answers:
        if isinstance(answer, Failed):
            raise answer.error
    return False


def _leads_elsewhere(address: str) -> bool:
    """Whether an address can be another host's.

    Those of RFC 1122 section 3.2.1.3 (a) and (g) cannot, nor those of RFC 4291 sections 2.5.2 and 2.5.3.
    """
    try:
        found = ip_address(address)
    except ValueError:
        raise ResolverError(f"the resolver gave {printable(address)!r} as an address") from None
    inside = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    found = inside or found
    return not (found.is_loopback or found.is_unspecified)


def _asks_for_avatar(endpoint: str, email: str) -> _Question:
    digest = hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
    status: int = yield AskWeb(f"{endpoint}/{digest}?d=404")
    if status == 404:
        return EmailType.NO_GRAVATAR
    if status == 200:
        return None
    raise ResolverError(f"the avatar service answered with status {status}")
