"""What stands in the conditions of rules, and in ``when``: the same in Python, in TOML and in YAML.

A condition is a table; **all** of its keys have to hold. A list is **any** of its items. ``all`` and ``any`` take a
list of tables, ``not`` takes one::

    challenge(when={"any": [{"user_agent": "re:(?i)curl"}, {"not": {"header": "accept"}}]})

=============================  ======================================================================================
``path``                       patterns of :mod:`doorward.patterns`, of the path as it is routed: decoded
``raw_path``                   the same, of the path as it was sent, with its escapes; unknown where no server tells
``method``                     methods; GET is HEAD too
``host``                       patterns of the host, without port and in any case
``user_agent``                 patterns of the User-Agent, in any case
``header``                     names of headers, one of which has to be there
``headers``                    values by name: ``{"x-debug" = true, "accept" = "*html*", "via" = false}``
``query``, ``cookies``         the same of query parameters and cookies, decoded
``form``, ``json``             the same of the body's fields; of JSON by dotted path: ``items.0.id``, ``items.*.id``
``given``                      the same of the characteristics that the application gives to ``protect``
``ip``                         addresses, networks, kinds, countries, as ``ip=`` takes them
``bot``, ``standing``          bots by id or category that the User-Agent names, and how that claim stands
``where``                      filter expressions: :mod:`doorward.filters`
``ignore_case``                true compares all texts of this table, and of those within, without case
=============================  ======================================================================================

Patterns of texts are those of :mod:`doorward.rules.texts`. In place of a pattern ``true`` means that the value is
there, ``false`` that it is not. Names of headers have no case; a header without a value counts as absent, and what is
absent matches no pattern, not even ``re:.*``. **Of several values any may match**; of header lines also what they are
when joined by commas, which is all that a WSGI server tells of them.

**What cannot be told** does not match, and neither does its ``not``: an address that there is no data for, a body that
is not held, is cut off, or is broken. JSON is read where it is declared, and where a body begins like it; a body that
is none has no JSON fields.

``standing`` is one or several of ``verified`` (the address is its operator's), ``spoofed`` (it is not),
``unchecked`` (only the DNS could tell, or nobody), ``unverifiable`` (its operator publishes nothing). The DNS is not
asked here; ``detect_bot`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from doorward.builders.condition_values import (
    Place,
    header_name,
    mapped_by_name,
    patterns_of,
    spec_of,
    texts_of,
)
from doorward.builders.condition_words import by_address, by_expression, parameter_of
from doorward.errors import ConfigurationError
from doorward.filters import compile_filters
from doorward.patterns import METHODS
from doorward.rules.address_matcher import address_finder
from doorward.rules.conditions import Condition, all_of, any_of, leaf, matcher, negated
from doorward.rules.texts import compile_paths
from doorward.rules.value_tests import Spec, agent_test, body_test, given_test, header_test, host_test, values_test
from doorward.rules.verification import Standing, stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.filters import Filter
    from doorward.intelligence.bot_index import Bot
    from doorward.rules.access import Matcher
    from doorward.rules.base import View

DEEPEST = 8
"""Tables within tables."""
MOST_LEAVES = 500
"""Comparisons of one rule."""
CONDITIONS = (
    "ip", "where", "hosts", "user_agent", "headers", "query", "cookies", "form", "json", "given", "bot", "standing",
    "when", "ignore_case",
)  # fmt: skip
"""The keywords of builders that are conditions."""
_MODIFIERS = ("ignore_case", "standing")
_STANDINGS = {
    Standing.VERIFIED: "verified",
    Standing.SPOOFED: "spoofed",
    Standing.ASK_DNS: "unchecked",
    Standing.UNKNOWN: "unchecked",
    Standing.UNVERIFIABLE: "unverifiable",
}
STANDINGS = tuple(dict.fromkeys(_STANDINGS.values()))


def matchers(given: Mapping[str, Any], *, lets_pass: bool) -> tuple[Matcher, ...]:
    """The conditions that a builder was given by keyword.

    Args:
        given: Values by keyword, of :data:`CONDITIONS`.
        lets_pass: Whether the rule lets requests pass.

    Raises:
        ConfigurationError: One is wrong; the field is ``when.any[0].path`` or the like.
    """
    place = _modified(Place("", lets_pass), given)
    found: list[Matcher] = []
    for name in [name for name in CONDITIONS if name in given and name not in _MODIFIERS]:
        value = given[name]
        if name == "ip":
            found.append(by_address(value))
        elif name == "where":
            found += by_expression(value, lets_pass=lets_pass)
        else:
            condition = _KEYS[name](value, place.at(name))
            if len(condition.leaves) > MOST_LEAVES:
                raise ConfigurationError(name, f"has at most {MOST_LEAVES} comparisons, not {len(condition.leaves)}")
            found.append(matcher(condition, parameter_of(name, value, place)))
    return tuple(sorted(found, key=lambda each: each.needs_body))


def compile_condition(table: Any, place: Place) -> Condition:
    """A table of a tree.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(table, Mapping):
        raise ConfigurationError(place.field, f"must be a table such as {{'path': '/admin/*'}}, not {table!r}")
    if place.depth >= DEEPEST:
        raise ConfigurationError(place.field, f"is nested deeper than {DEEPEST} tables")
    for key in table:
        if key not in _KEYS and key not in _MODIFIERS:
            known = [*_KEYS, *_MODIFIERS]
            raise ConfigurationError(
                place.at(str(key)).field, f"is no condition; those are {', '.join(known)}{_near(key, known)}"
            )
    inner = _modified(place, table)._replace(depth=place.depth + 1)
    found = [_KEYS[key](value, inner.at(key)) for key, value in table.items() if key not in _MODIFIERS]
    if not found:
        raise ConfigurationError(place.field, "has no condition in it: every request would meet it")
    return all_of(found)


def _near(key: object, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # imported where a mistake was made

    near = get_close_matches(str(key)[:60], known, n=1)
    return f". Did you mean {near[0]}?" if near else ""


def _modified(place: Place, table: Mapping[str, Any]) -> Place:
    any_case = table.get("ignore_case", place.any_case)
    if not isinstance(any_case, bool):
        raise ConfigurationError(place.at("ignore_case").field, f"must be true or false, not {any_case!r}")
    if "standing" not in table:
        return place._replace(any_case=any_case, standing=frozenset())
    if "bot" not in table:
        raise ConfigurationError(place.at("standing").field, "says how a claim stands: name bots beside it, as bot")
    words = texts_of(table["standing"], place.at("standing"))
    for word in words:
        if word not in STANDINGS:
            raise ConfigurationError(place.at("standing").field, f"must be of {', '.join(STANDINGS)}, not {word!r}")
    return place._replace(any_case=any_case, standing=frozenset(words))


# --- trees


def _each(tables: Any, place: Place) -> list[Condition]:
    if not isinstance(tables, list | tuple) or not tables:
        raise ConfigurationError(place.field, f"must be a list of tables, at least one, not {tables!r}")
    return [
        compile_condition(table, place._replace(field=f"{place.field}[{number}]"))
        for number, table in enumerate(tables)
    ]


def _not(table: Any, place: Place) -> Condition:
    return negated(compile_condition(table, place._replace(lets_pass=not place.lets_pass)))


# --- what is always there


def _path(patterns: Any, place: Place) -> Condition:
    means = compile_paths(
        patterns_of(patterns, place), field=place.field, any_case=place.any_case, overlong=not place.lets_pass
    )
    return leaf("path", lambda view: means(view[0].path))


def _raw_path(patterns: Any, place: Place) -> Condition:
    means = compile_paths(
        patterns_of(patterns, place), field=place.field, any_case=place.any_case, overlong=not place.lets_pass
    )

    def test(view: View) -> bool | None:
        sent = view.request.raw_path
        if sent is None:
            return None
        path = sent.partition("?")[0]  # WSGI servers tell the query with it
        return means(path if path.startswith("/") else _AUTHORITY.sub("", path))

    return leaf("raw_path", test, frozenset({"*"}))


def _method(methods: Any, place: Place) -> Condition:
    wanted = {method.upper() for method in texts_of(methods, place)}
    for unknown in sorted(wanted - METHODS):
        raise ConfigurationError(place.field, f"must be HTTP methods such as GET or POST, not {unknown!r}")
    accepted = frozenset(wanted | ({"HEAD"} if "GET" in wanted else set()))
    return leaf("method", lambda view: view.request.method.upper() in accepted)


def _host(patterns: Any, place: Place) -> Condition:
    return leaf("host", host_test(spec_of(patterns, place._replace(any_case=True))), frozenset({"host"}))


# --- values


def _user_agent(patterns: Any, place: Place) -> Condition:
    spec = spec_of(patterns, place._replace(any_case=True))
    test, by_agent = agent_test(spec)
    return leaf("user_agent", test, frozenset({"user-agent"}), by_agent=by_agent)


def _header(names: Any, place: Place) -> Condition:
    found = [header_name(name, place) for name in texts_of(names, place)]
    return any_of([leaf(f"header {name}", header_test(name, None), frozenset({name})) for name in found])


def _headers(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        lower = header_name(name, place)
        return leaf(f"header {lower}", header_test(lower, spec), frozenset({lower}))

    return mapped_by_name(table, place, one)


def _query(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        return leaf(f"query {name!a}", values_test(spec, lambda view: view.request.query_values(name)), _QUERY)

    return mapped_by_name(table, place, one)


def _cookies(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        return leaf(f"cookie {name!a}", values_test(spec, lambda view: view.request.cookies(name)), _COOKIE)

    return mapped_by_name(table, place, one)


def _form(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        return leaf(f"form {name!a}", body_test(spec, lambda fields: fields.form(name)), _BODY)

    return mapped_by_name(table, place, one)


def _json(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        path = tuple(name.split("."))
        if "" in path or len(path) > DEEPEST * 4:
            raise ConfigurationError(place.field, f"{name!r} is no dotted path such as user.role")
        return leaf(f"json {name!a}", body_test(spec, lambda fields: fields.json(path)), _BODY)

    return mapped_by_name(table, place, one)


def _given(table: Any, place: Place) -> Condition:
    def one(name: str, spec: Spec) -> Condition:
        return leaf(f"given {name!a}", given_test(spec, name), wants=frozenset({name}))

    return mapped_by_name(table, place, one)


_QUERY, _COOKIE, _BODY = frozenset({"query"}), frozenset({"cookie"}), frozenset({"body", "content-type"})


# --- who it is


def _ip(items: Any, place: Place) -> Condition:
    finder = address_finder(items, place.field)
    return leaf("ip", finder.holds, reads=finder.reads)


def _bot(names: Any, place: Place) -> Condition:
    from doorward.builders.bots import bot_index, parse_names  # brings the list of bots

    index = bot_index()
    listed = parse_names(texts_of(names, place), place.field, index)
    by_category = [bot for name in listed for bot in index.by_category(name.removeprefix("CATEGORY:"))]
    ids = {bot.id for bot in by_category} | {name for name in listed if index.bot(name) is not None}
    if not ids:
        raise ConfigurationError(place.field, "names no bot that has a name: what evidence finds is for detect_bot")
    wanted = place.standing

    @lru_cache(_MOST_REMEMBERED)
    def named(agent: str) -> tuple[Bot, ...]:
        return tuple([bot for bot in index.find(agent) if bot.id in ids])

    def is_named(agent: str) -> bool:
        return bool(named(agent[:_LONGEST_AGENT]))

    def test(view: View) -> bool:
        agents = view[0].agents()
        if len(agents) == 1 and not is_named(agents[0]):
            return False  # nearly always
        claimed = [bot for agent in agents for bot in named(agent[:_LONGEST_AGENT])]
        if not claimed or not wanted:
            return bool(claimed)
        facts = view.addresses.about(view.ip)
        return any([_STANDINGS[stands(bot, view.ip, facts)] in wanted for bot in claimed])

    reads = frozenset({"crawler"}) if wanted else frozenset[str]()
    return leaf("bot", test, frozenset({"user-agent"}), reads=reads, by_agent=is_named)


_AUTHORITY = re.compile(r"\A[A-Za-z]{1,20}://[^/?]*+")
"""Of a client that takes the application for a proxy (RFC 9112 section 3.2.2)."""
_LONGEST_AGENT = 1_024
_MOST_REMEMBERED = 512


def _where(expressions: Any, place: Place) -> Condition:
    filters = compile_filters(expressions, place.field)
    if not filters:
        raise ConfigurationError(place.field, "has no expression")
    return all_of([_filter(each, certain=place.lets_pass) for each in filters])


def _filter(expression: Filter, *, certain: bool) -> Condition:
    return leaf(
        f"where {expression.source!a}",
        lambda view: expression.holds(view, certain=certain),
        expression.parts,
        reads=expression.about,
        wants=expression.local,
    )


_KEYS: Mapping[str, Callable[[Any, Place], Condition]] = {
    "all": lambda tables, place: all_of(_each(tables, place)),
    "any": lambda tables, place: any_of(_each(tables, place)),
    "not": _not,
    "path": _path,
    "paths": _path,
    "raw_path": _raw_path,
    "method": _method,
    "methods": _method,
    "host": _host,
    "hosts": _host,
    "user_agent": _user_agent,
    "header": _header,
    "headers": _headers,
    "query": _query,
    "cookies": _cookies,
    "form": _form,
    "json": _json,
    "given": _given,
    "ip": _ip,
    "bot": _bot,
    "where": _where,
    "when": compile_condition,
}
KEYS = tuple(_KEYS)
"""What may stand in a table of a tree."""


__all__ = ["CONDITIONS", "KEYS", "STANDINGS", "Place", "compile_condition", "matchers"]
