"""The messages of ``decide.proto`` in JSON (the proto3 JSON mapping), checked as they come in.

Fields that nobody here reads are left out: like fields of a later version they are ignored. Numbers in the comments of
``decide.proto`` have their source there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Base64Bytes, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

UINT32 = 2**32 - 1
UINT64 = 2**64 - 1
LONGEST_TEXT = 8_192
LONGEST_NAME = 256
MOST_RULES = 50
MOST_ITEMS = 1_000
MOST_REPORTS = 200


def _member(prefix: str, numbers: dict[int, str]) -> BeforeValidator:
    """Reads an enumeration: the name of the wire, or its number; the member without the prefix of its kind."""

    def read(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return numbers.get(value, "UNSPECIFIED")
        return value.removeprefix(prefix) if isinstance(value, str) else value

    return BeforeValidator(read)


class Mode(StrEnum):
    """Of a rule. Whatever is not LIVE is a dry run."""

    UNSPECIFIED = "UNSPECIFIED"
    DRY_RUN = "DRY_RUN"
    LIVE = "LIVE"


class State(StrEnum):
    """How a result came about."""

    UNSPECIFIED = "UNSPECIFIED"
    RUN = "RUN"
    NOT_RUN = "NOT_RUN"
    DRY_RUN = "DRY_RUN"
    CACHED = "CACHED"


class Conclusion(StrEnum):
    """Of a rule or a decision."""

    UNSPECIFIED = "UNSPECIFIED"
    ALLOW = "ALLOW"
    DENY = "DENY"
    CHALLENGE = "CHALLENGE"
    ERROR = "ERROR"


class Algorithm(StrEnum):
    """How a limit counts."""

    UNSPECIFIED = "UNSPECIFIED"
    TOKEN_BUCKET = "TOKEN_BUCKET"
    FIXED_WINDOW = "FIXED_WINDOW"
    SLIDING_WINDOW = "SLIDING_WINDOW"


class EmailType(StrEnum):
    """What may be wrong with an e-mail address."""

    UNSPECIFIED = "UNSPECIFIED"
    DISPOSABLE = "DISPOSABLE"
    FREE = "FREE"
    NO_MX_RECORDS = "NO_MX_RECORDS"
    NO_GRAVATAR = "NO_GRAVATAR"
    INVALID = "INVALID"
    RELAY = "RELAY"


def _numbered(kind: type[StrEnum], own: dict[int, str] | None = None) -> dict[int, str]:
    """The numbers of a kind's members, which begin at 0 and are without gaps but for doorward's own."""
    named = {number: name for number, name in enumerate(kind.__members__) if name not in (own or {}).values()}
    return {**named, **(own or {})}


OWN_EMAIL_TYPES = {1000: "RELAY"}

WireMode = Annotated[Mode, _member("MODE_", _numbered(Mode))]
WireState = Annotated[State, _member("RULE_STATE_", _numbered(State))]
WireConclusion = Annotated[Conclusion, _member("CONCLUSION_", _numbered(Conclusion))]
WireAlgorithm = Annotated[Algorithm, _member("RATE_LIMIT_ALGORITHM_", _numbered(Algorithm))]
WireEmailType = Annotated[EmailType, _member("EMAIL_TYPE_", _numbered(EmailType, OWN_EMAIL_TYPES))]

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Uint32 = Annotated[int, Field(ge=0, le=UINT32)]
Uint64 = Annotated[int, Field(ge=0, le=UINT64)]
Texts = Annotated[list[Text], Field(max_length=MOST_ITEMS)]
Names = Annotated[list[Name], Field(max_length=MOST_ITEMS)]
Number = Annotated[float, Field(allow_inf_nan=False)]


TextMap = dict[str, str]


class Message(BaseModel):
    """What all messages share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


# --- rules


class RateLimitRule(Message):
    """A limit."""

    mode: WireMode = Mode.UNSPECIFIED
    match: Text = ""
    characteristics: Names = []
    max: Uint32 = 0
    algorithm: WireAlgorithm = Algorithm.UNSPECIFIED
    refill_rate: Uint32 = 0
    interval: Uint32 = 0
    capacity: Uint32 = 0
    window_in_seconds: Uint32 = 0
    units: Uint64 = 0
    nanoseconds: Uint64 = 0
    cost: Uint64 = 0


class BotV2Rule(Message):
    """Lists of bots. Both empty, as one of them is on the wire, is ``allow=[]``."""

    mode: WireMode = Mode.UNSPECIFIED
    allow: Names = []
    deny: Names = []
    verified_only: bool = False
    without_lists: bool = False


class EmailRule(Message):
    """What to refuse of e-mail addresses."""

    mode: WireMode = Mode.UNSPECIFIED
    require_top_level_domain: bool = False
    allow_domain_literal: bool = False
    block: Annotated[list[WireEmailType], Field(max_length=20)] = []
    allow: Annotated[list[WireEmailType], Field(max_length=20)] = []
    deny: Annotated[list[WireEmailType], Field(max_length=20)] = []
    disposable: Name = ""


class ShieldRule(Message):
    """Attack detection."""

    mode: WireMode = Mode.UNSPECIFIED
    characteristics: Names = []


class FilterRule(Message):
    """Expressions."""

    mode: WireMode = Mode.UNSPECIFIED
    allow: Texts = []
    deny: Texts = []


class Rule(Message):
    """One rule; of an unknown kind, all of these are None."""

    rate_limit: RateLimitRule | None = None
    email: EmailRule | None = None
    shield: ShieldRule | None = None
    bot_v2: BotV2Rule | None = None
    filter: FilterRule | None = None
    name: Annotated[str, Field(max_length=100)] = ""


# --- decisions


class Reason(Message):
    """Why, as one of these; what is in it is read by whoever knows its kind."""

    rate_limit: dict[str, Any] | None = None
    edge_rule: dict[str, Any] | None = None
    bot: dict[str, Any] | None = None
    shield: dict[str, Any] | None = None
    email: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    sensitive_info: dict[str, Any] | None = None
    bot_v2: dict[str, Any] | None = None
    filter: dict[str, Any] | None = None
    prompt_injection: dict[str, Any] | None = None
    rule: dict[str, Any] | None = None
    challenge: dict[str, Any] | None = None


class RuleResult(Message):
    """What one rule came to."""

    rule_id: Name = ""
    state: WireState = State.UNSPECIFIED
    conclusion: WireConclusion = Conclusion.UNSPECIFIED
    reason: Reason = Reason()
    ttl: Uint32 = 0
    fingerprint: Name = ""
    rule: Name = ""
    note: Text = ""


Results = Annotated[list[RuleResult], Field(max_length=2 * MOST_RULES)]


class Decision(Message):
    """What was decided."""

    id: Name = ""
    conclusion: WireConclusion = Conclusion.UNSPECIFIED
    reason: Reason = Reason()
    rule_results: Results = []
    ttl: Uint32 = 0
    dry_run: Name = ""
    refusal: RuleResult | None = None


# --- requests


class Fingerprints(Message):
    """Who a client may be."""

    values: Annotated[list[Name], Field(max_length=64)] = []


class RequestDetails(Message):
    """The request to decide about.

    What a visitor of the application chooses has no bound but that of the whole message: refused by the service, it
    would be let through by an application that fails open.
    """

    ip: str = ""
    method: str = ""
    protocol: str = ""
    host: str = ""
    path: str = ""
    headers: TextMap = {}
    body: Base64Bytes = b""
    extra: TextMap = {}
    email: str = ""
    cookies: str = ""
    query: str = ""
    correlation_id: str = ""
    # By the names of all characteristics of a rule together: many in one text.
    fingerprints: Annotated[dict[Text, Fingerprints], Field(max_length=MOST_RULES)] = {}


class Warned(Message):
    """Something that the client wants known."""

    code: Name = ""
    message: Text = ""


class DecideRequest(Message):
    """A question."""

    sdk_stack: Annotated[str | int, Field(union_mode="left_to_right")] = 0
    sdk_version: Name = ""
    details: RequestDetails = RequestDetails()
    rules: Annotated[list[Rule], Field(max_length=MOST_RULES)] = []
    characteristics: Names = []
    client: Name = ""
    local_results: Results = []
    local_conclusion: WireConclusion = Conclusion.UNSPECIFIED


class DecideResponse(Message):
    """Its answer."""

    decision: Decision


class SingleReport(Message):
    """A decision that the client made by itself."""

    sdk_stack: Annotated[str | int, Field(union_mode="left_to_right")] = 0
    sdk_version: Name = ""
    details: RequestDetails = RequestDetails()
    decision: Decision | None = None
    client: Name = ""


class ReportRequest(SingleReport):
    """Such decisions; more than one only from doorward's own client."""

    more: Annotated[list[SingleReport], Field(max_length=MOST_REPORTS)] = []
    refunds: Annotated[list[Text], Field(max_length=MOST_ITEMS)] = []


__all__ = [
    "Algorithm",
    "BotV2Rule",
    "Conclusion",
    "DecideRequest",
    "DecideResponse",
    "Decision",
    "EmailRule",
    "EmailType",
    "FilterRule",
    "Fingerprints",
    "Message",
    "Mode",
    "RateLimitRule",
    "Reason",
    "ReportRequest",
    "RequestDetails",
    "Rule",
    "RuleResult",
    "ShieldRule",
    "SingleReport",
    "State",
    "Warned",
]
