"""What a check costs by itself: of an agent seen before or never, of an e-mail address, of an IP address."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import doorward
from benchmarks import address_ranges
from benchmarks.common import NotMeasured, Row, Sample, Table, in_fresh_process, interleave, missing, prepared, progress
from benchmarks.traffic import HEADERS, PATH, agent
from doorward.requests import from_scope
from doorward.rules.base import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.rules.base import Rule

CLIENT = "203.0.113.9"
BOT_NEW, BOT_SEEN, EMAIL, LOOKUP, OPEN_MS = 30.0, 1.0, 30.0, 1.0, 1.0
MAIL_DOMAINS = 100
NO_FOLDER = Path("none")
"""Of the user's own data: what is measured is the wheel's."""


class Check(NamedTuple):
    """What is asked about one text, and what is made of the text before the clock starts."""

    ask: Callable[[Any], object]
    prepare: Callable[[str], Any] = str


Kinds = Mapping[str, Callable[[int], str]]


def _samples(check: Check, kinds: Kinds, rounds: int) -> dict[str, Sample]:
    """Texts of each kind, each another; and one of each kind, again and again."""
    calls = {}
    for kind, make in kinds.items():
        calls[kind] = prepared(lambda number, make=make: check.prepare(make(number)), check.ask)  # type: ignore[misc]
        calls[f"{kind}, again"] = prepared(lambda _, make=make: check.prepare(make(0)), check.ask)  # type: ignore[misc]
    return asyncio.run(interleave(calls, rounds=rounds))


def _book(user: Path) -> Any:
    from doorward.intelligence.address_book import AddressBook
    from doorward.intelligence.library import Library

    return AddressBook(Library(user), installed_sets=False)


# Bots

AGENTS: Kinds = {
    "a browser": agent,
    "a bot with a name": lambda number: f"Mozilla/5.0 (compatible; GPTBot/1.{number}; +https://openai.com/gptbot)",
    "a bot without": lambda number: f"inventory-sync/1.{number} (+https://shop.example)",
}


def _request(user_agent: str) -> doorward.RequestContext:
    lines = [(name.encode(), (user_agent if name == "user-agent" else value).encode()) for name, value in HEADERS]
    return from_scope({"type": "http", "path": PATH, "headers": lines, "client": (CLIENT, 1)})


def _bot_rule() -> Check:
    rule, book = doorward.detect_bot(allow=[]), _book(NO_FOLDER)
    return Check(rule.evaluate, lambda user_agent: View(_request(user_agent), CLIENT, {}, {}, book))


def _names() -> Check:
    from doorward.intelligence.bot_index import FILE, BotIndex
    from doorward.intelligence.library import wheel_folder

    return Check(BotIndex.open(wheel_folder() / FILE).find)


def _evidence() -> Check:
    from doorward.automation import Examiner

    examine = Examiner().examine
    return Check(lambda request: examine(request, ordered=True), _request)


def _crawler_user_agents() -> Check:
    from crawleruseragents import is_crawler

    return Check(is_crawler)


def _arcjet_bot() -> Check:
    from arcjet._enums import Mode
    from arcjet._local import evaluate_bot_locally

    from arcjet import detect_bot

    rule = detect_bot(mode=Mode.LIVE, allow=[])
    return Check(lambda context: evaluate_bot_locally(context, rule), _arcjet_context)


def _arcjet_context(user_agent: str, email: str = "") -> Any:
    from arcjet._context import RequestContext

    headers = dict(HEADERS) | {"user-agent": user_agent}
    request = {"method": "GET", "protocol": "http", "host": "shop.example", "path": PATH, "query": "", "cookies": ""}
    return RequestContext(ip=CLIENT, headers=headers, email=email, **request)


BOT_CHECKS: Mapping[str, Callable[[], Check]] = {
    "doorward, detect_bot": _bot_rule,
    "– of which the index of names": _names,
    "– of which evidence": _evidence,
    "crawler-user-agents, is_crawler": _crawler_user_agents,
    "arcjet, detect_bot (WebAssembly, the part in the process)": _arcjet_bot,
}


def measure_bots(name: str, rounds: int) -> dict[str, Sample]:
    """Time one of :data:`BOT_CHECKS`."""
    return _samples(BOT_CHECKS[name](), AGENTS, rounds)


def _bot_row(name: str, found: Mapping[str, Sequence[float]]) -> Row:
    cells = [name, *[f"{found[kind][0]:.1f} / {found[f'{kind}, again'][0]:.1f}" for kind in AGENTS]]
    numbers = {label: values[0] for label, values in found.items()}
    if not name.startswith("doorward"):
        return Row(cells, numbers)
    met = all(numbers[kind] <= BOT_NEW and numbers[f"{kind}, again"] <= BOT_SEEN for kind in AGENTS)
    return Row(cells, numbers, f"≤ {BOT_NEW:.0f} / {BOT_SEEN:.0f}", met)


def _bot_table(*, quick: bool) -> Table:
    note = "Microseconds for an agent not seen before / for the same again. Twelve browser headers, without a server."
    rows = _rows(BOT_CHECKS, measure_bots, _bot_row, rounds=4 if quick else 15)
    return Table("Is it a bot?", note, ("", *[f"{kind} µs" for kind in AGENTS]), rows)


# E-mail

ADDRESSES: Kinds = {
    "usual": lambda number: f"jane.doe{number}@shop{number % MAIL_DOMAINS}.example.com",
    "throw-away": lambda number: f"jane.doe{number}@mailinator.com",
    "not ASCII": lambda number: f"jürgen{number}@bücher{number % MAIL_DOMAINS}.example.com",
    "mistyped": lambda number: f"jane..doe{number}@gmial.com",
}


def _email_rule(**options: Any) -> Rule:
    return doorward.validate_email(deny=["DISPOSABLE", "INVALID"], **options)


def _email_check() -> Check:
    rule, book, request = _email_rule(), _book(NO_FOLDER), _request(agent(0))
    return Check(rule.evaluate, lambda email: View(request, CLIENT, {"email": email}, {}, book))


def _decision_check(rules: Sequence[Rule], **options: Any) -> Check:
    protect = doorward.Doorward(rules, **options).protect
    return Check(lambda given: protect(given[0], email=given[1]), lambda email: (_request(agent(0)), email))


def _decision_with_mail_servers() -> Check:
    """The name server ends with the process."""
    from tests.dns.server import DnsServer

    server = DnsServer({domain: {"MX": [f"10 mx.{domain}."]} for domain in _mail_domains()}, ttl=3600).__enter__()
    rule = doorward.validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"])
    check = _decision_check([rule], resolver=server.address)
    for domain in _mail_domains():
        check.ask(check.prepare(f"jane@{domain}"))
    return check


def _mail_domains() -> list[str]:
    labels = [label for n in range(MAIL_DOMAINS) for label in (f"shop{n}", f"bücher{n}".encode("idna").decode())]
    return [f"{label}.example.com" for label in labels]


def _email_validator() -> Check:
    from email_validator import EmailNotValidError, validate_email

    def ask(email: str) -> bool:
        try:
            validate_email(email, check_deliverability=False)
        except EmailNotValidError:
            return False
        return True

    return Check(ask)


def _arcjet_email() -> Check:
    from arcjet._enums import Mode
    from arcjet._local import evaluate_email_locally

    from arcjet import validate_email

    rule = validate_email(mode=Mode.LIVE, deny=["DISPOSABLE", "INVALID"])
    return Check(lambda context: evaluate_email_locally(context, rule), lambda email: _arcjet_context(agent(0), email))


EMAIL_CHECKS: Mapping[str, Callable[[], Check]] = {
    "doorward, validate_email without DNS": _email_check,
    "– in a decision with this rule alone": lambda: _decision_check([_email_rule()]),
    "– the same with NO_MX_RECORDS, answers remembered": _decision_with_mail_servers,
    "email-validator, syntax alone": _email_validator,
    "arcjet, validate_email (WebAssembly, the part in the process)": _arcjet_email,
}


def measure_emails(name: str, rounds: int) -> dict[str, Sample]:
    """Time one of :data:`EMAIL_CHECKS`."""
    return _samples(EMAIL_CHECKS[name](), ADDRESSES, rounds)


def _email_row(name: str, found: Mapping[str, Sequence[float]]) -> Row:
    cells = [name, *[f"{found[kind][0]:.1f}" for kind in ADDRESSES]]
    numbers = {kind: found[kind][0] for kind in ADDRESSES}
    if not name.startswith("doorward"):
        return Row(cells, numbers)
    return Row(cells, numbers, f"≤ {EMAIL:.0f} each", max(numbers.values()) <= EMAIL)


def _email_table(*, quick: bool) -> Table:
    note = "Microseconds, every address another. The second and third row are whole decisions."
    rows = _rows(EMAIL_CHECKS, measure_emails, _email_row, rounds=4 if quick else 15)
    return Table("Is it an e-mail address, and of which kind?", note, ("", *[f"{k} µs" for k in ADDRESSES]), rows)


def _rows(
    checks: Mapping[str, object], measure: Callable[..., object], row: Callable[[str, Any], Row], *, rounds: int
) -> list[Row]:
    rows = []
    for name in checks:
        progress(name)
        try:
            rows.append(row(name, in_fresh_process(measure, name=name, rounds=rounds)))
        except NotMeasured as error:
            rows.append(missing(name, error))
    return rows


# IP addresses

RANGES = "made-up.dwd"


def measure_addresses(folder: str) -> dict[str, float]:
    """Open the data of the wheel and of a folder; look up addresses at random, then one again and again."""
    user, rng = Path(folder), random.Random(11)
    made_up = user / RANGES
    open_ms = _open_ms(made_up) if made_up.exists() else _open_ms(*_wheel_files())
    ask = _book(user).about
    found = {"open": open_ms}
    for family, version in (("IPv4", 4), ("IPv6", 6)):
        found[family] = address_ranges.microseconds(ask, address_ranges.addresses(rng, version))
    return {**found, "again": address_ranges.microseconds(ask, [CLIENT] * address_ranges.ASKED)}


def _wheel_files() -> list[Path]:
    from doorward.intelligence.address_book import WHEEL_FILES
    from doorward.intelligence.library import wheel_folder

    return [wheel_folder() / name for name in WHEEL_FILES]


def _open_ms(*paths: Path) -> float:
    from doorward.intelligence.ranges import RangeTable

    return address_ranges.best_of(50, lambda: [RangeTable.open(path) for path in paths])


def compile_ranges(folder: str) -> float:
    """Half a million ranges of a few labels; how many seconds that took."""
    from doorward.intelligence.range_writer import write_ranges

    rng, start = random.Random(7), time.perf_counter()
    ranges = ((network, rng.choice(address_ranges.FEW)) for network in address_ranges.networks(rng))
    write_ranges(Path(folder, RANGES), ranges, address_ranges.META)
    return time.perf_counter() - start


def _address_row(name: str, found: Mapping[str, float]) -> Row:
    cells = [name, f"{found['open']:.2f}", *[f"{found[kind]:.2f}" for kind in ("IPv4", "IPv6", "again")]]
    met = found["open"] <= OPEN_MS and max(found["IPv4"], found["IPv6"], found["again"]) <= LOOKUP
    return Row(cells, found, f"≤ {OPEN_MS:.0f} ms, {LOOKUP:.0f} µs", met)


def _address_table() -> Table:
    note = (
        "What is known about an address: 50,000 at random, each not seen before, and one again and again; the best of "
        "5 rounds. The ranges are made up: 400,000 of IPv4, 100,000 of IPv6, beside those of the wheel."
    )
    rows = []
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as filled:
        for name, folder in (("doorward, the wheel's data", empty), ("doorward, 500,000 ranges", filled)):
            progress(name)
            try:
                if folder == filled:
                    in_fresh_process(compile_ranges, folder=folder)
                rows.append(_address_row(name, in_fresh_process(measure_addresses, folder=folder)))
            except NotMeasured as error:
                rows.append(missing(name, error))
    return Table("Whose address is it?", note, ("", "open ms", "IPv4 µs", "IPv6 µs", "again µs"), rows)


def tables(*, quick: bool) -> list[Table]:
    """One for each kind of check."""
    return [_bot_table(quick=quick), _email_table(quick=quick), _address_table()]
