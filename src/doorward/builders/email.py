"""``validate_email``: opens the data about domains, loads the parser, and builds the rule."""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import urlsplit

from doorward.errors import ConfigurationError, DataError, UnknownArgument
from doorward.rules.base import RuleOptions
from doorward.rules.email import GRAVATAR, EmailRule, EmailRuleWithLookups, EmailType

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from doorward.intelligence.domains import DomainSets
    from doorward.rules.email import Domains

_LISTS = ("curated", "wide")
_ARGUMENTS = ("deny", "allow", "block", "require_top_level_domain", "allow_domain_literal", "disposable", "gravatar")
_MISSING = '"wide" needs a list that is not there yet ({}): run `doorward data update --only disposable`'


def validate_email(
    *,
    deny: Collection[EmailType | str] | None = None,
    allow: Collection[EmailType | str] | None = None,
    block: Collection[EmailType | str] | None = None,
    require_top_level_domain: bool = True,
    allow_domain_literal: bool = False,
    disposable: str = "curated",
    gravatar: str = GRAVATAR,
    **options: Unpack[RuleOptions],
) -> EmailRule:
    """Refuse e-mail addresses; ``protect`` then needs ``email=``.

    An address that is none is refused whatever the lists say. Under ``allow``, every other type found that is not
    listed is refused, but for RELAY: who forwards mail to a private address is a person that wants to be reached.

    Args:
        deny: Types to refuse: members of :class:`~doorward.rules.email.EmailType`, or their names in any case. May be
            empty.
        allow: The only types to let pass; exactly one of ``deny`` and ``allow`` is given. May be empty.
        block: Another name of ``deny``.
        require_top_level_domain: Refuse domains without a dot.
        allow_domain_literal: Take ``user@[192.0.2.1]``.
        disposable: ``"curated"``, the list in the package, or ``"wide"``, with the longer list that
            ``doorward data update`` brings.
        gravatar: URL to ask for avatars under NO_GRAVATAR; the SHA-256 of the address is added as its last segment.
        **options: ``mode``, ``name``, ``on_error``, ``paths``, ``methods``: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong, or the wide list is not there.
        DataError: The data in the package is damaged.
    """
    from doorward.email_syntax import parse

    for name in options:
        if name not in RuleOptions.__annotations__:
            raise UnknownArgument("validate_email", name, [*_ARGUMENTS, *RuleOptions.__annotations__])
    if deny is not None and block is not None:
        raise ConfigurationError("block", "is another name of `deny`: give one of them")
    arguments: dict[str, Any] = {
        "deny": _types(deny, "deny") if block is None else _types(block, "block"),
        "allow": _types(allow, "allow"),
        "require_top_level_domain": _flag(require_top_level_domain, "require_top_level_domain"),
        "allow_domain_literal": _flag(allow_domain_literal, "allow_domain_literal"),
        "disposable": _list(disposable),
        "gravatar": _url(gravatar),
        **options,
    }
    parse("warm@bücher.example")  # reads the tables of IDNA now, not in the first request
    rule = EmailRule(**arguments, parse=parse, domains=_domains(disposable))
    asks = rule.refuses(EmailType.NO_MX_RECORDS) or rule.asks_web()
    return EmailRuleWithLookups(**arguments, parse=parse, domains=rule.domains) if asks else rule


def _types(given: object, name: str) -> frozenset[EmailType] | None:
    if given is None:
        return None
    if isinstance(given, str | bytes) or not isinstance(given, list | tuple | set | frozenset):
        raise ConfigurationError(name, f"must be a list of e-mail types, not {given!r}")
    return frozenset(_type(item, name) for item in given)


def _type(item: object, name: str) -> EmailType:
    text = item.upper() if isinstance(item, str) else ""
    if text in EmailType.__members__:
        return EmailType[text]
    near = difflib.get_close_matches(text, EmailType.__members__, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ConfigurationError(name, f"{item!r} is no e-mail type.{hint} Accepted: {', '.join(EmailType)}")


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(name, f"must be True or False, not {value!r}")
    return value


def _list(value: object) -> str:
    if value not in _LISTS:
        raise ConfigurationError("disposable", f"must be one of {', '.join(_LISTS)}, not {value!r}")
    return str(value)


def _url(value: object) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        good = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    plain = isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & set("?# ")
    if not (good and plain):
        wanted = "an http(s) URL without query and fragment, in printable ASCII without spaces"
        raise ConfigurationError("gravatar", f"must be {wanted}, not {value!r}")
    return str(value).rstrip("/")


def _domains(disposable: str) -> Domains:
    from doorward.intelligence.domains import FILE, WideDomains
    from doorward.intelligence.library import Library, wheel_folder

    narrow = _opened(wheel_folder() / FILE)
    if disposable == "curated":
        return narrow
    try:
        return WideDomains(narrow, Library())
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigurationError("disposable", _MISSING.format(error.path)) from None
        raise ConfigurationError("disposable", f'"wide" needs a list that cannot be used: {error}') from error


@cache
def _opened(path: Path) -> DomainSets:
    from doorward.intelligence.domains import DomainSets

    domains = DomainSets.open(path)
    domains.resembling("")  # makes its index now, not in the first refusal
    return domains
