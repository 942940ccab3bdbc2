"""The JSON Schema of policy files, for editors and CI: made from the builders' signatures and docstrings.

Draft 7, which the common editors read, for TOML as for YAML.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, is_typeddict

from doorward.attacks.evidence import Family
from doorward.builders.access import AccessOptions
from doorward.builders.conditions import CONDITIONS, KEYS, STANDINGS
from doorward.builders.shield import Excluded
from doorward.client_ip import Proxies
from doorward.duration import LONGEST
from doorward.levels import Level
from doorward.patterns import METHODS
from doorward.policy.arguments import BUILDERS, arguments, as_data, builder, hints_of, options
from doorward.policy.building import KEY
from doorward.policy.challenge_schema import any_case, challenges_schema
from doorward.policy.docstrings import said_of, summary_of
from doorward.policy.examples import EXAMPLES, SIDES, TABLES, TEXTS
from doorward.presets import PROTECTIONS
from doorward.rules.access import ENDABLE
from doorward.rules.base import LARGEST, Rule
from doorward.rules.bots import BotCategory
from doorward.rules.email import EmailType
from doorward.rules.honeypots import MOST_NEIGHBOURS
from doorward.rules.limits import Limit, fixed_window
from doorward.settings import LARGEST_BODY_LIMIT, Options
from doorward.trusted import MOST_HOPS

if TYPE_CHECKING:
    from doorward.policy.arguments import Argument

    Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
_JSON = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> Schema:
    """The schema as a new document."""
    return {
        "$schema": DRAFT,
        "title": "doorward policy",
        "description": "Rules and options of doorward, with the names and the arguments that they have in code.",
        "type": "object",
        "properties": {
            "include": {
                "description": "Presets: their rules come before the file's own, their options hold where it has none.",
                "type": "array",
                "items": {"type": "string", "pattern": "^preset:"},
            },
            "protection": {
                "description": "auto: the rules decide; all: whoever none of them allows or denies is challenged; off: "
                "no rule is asked about the application as a whole.",
                "enum": list(PROTECTIONS),
                "default": "auto",
            },
            "options": _table(options(), _options_said(), ""),
            "rules": {
                "description": "The rules, in order. They come after those in code.",
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {KEY: {"enum": list(BUILDERS)}},
                    "required": [KEY],
                    "oneOf": [{"$ref": f"#/definitions/{name}"} for name in BUILDERS],
                },
            },
        },
        "additionalProperties": False,
        "minProperties": 1,
        "definitions": {**{name: _entry(name) for name in BUILDERS}, **_definitions()},
    }


def schema_text() -> str:
    """The schema as it is printed and published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _entry(name: str) -> Schema:
    table = _of_builder(name)
    table["description"] = summary_of(builder(name))
    table["properties"] = {KEY: {"const": name}, **table["properties"], EXAMPLES: {"$ref": "#/definitions/examples"}}
    table["required"] = [KEY, *table.get("required", [])]
    return table


def _of_builder(name: str) -> Schema:
    said = {
        **said_of(Rule),
        **said_of(Limit),
        **said_of(fixed_window),
        **said_of(builder(name)),
        **said_of(AccessOptions),
    }
    return {**_table(arguments(name), said, name), **_TOGETHER.get(name, {})}


def _table(accepted: dict[str, Argument], said: dict[str, str], owner: str) -> Schema:
    properties = {name: _described(argument, said.get(name, ""), owner) for name, argument in accepted.items()}
    required = [argument.name for argument in accepted.values() if argument.required]
    table: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**table, "required": required} if required else table


def _described(argument: Argument, about: str, owner: str) -> Schema:
    narrow = _NARROWER.get((owner, argument.name)) or _NARROWER.get(("", argument.name))
    of_type = narrow if narrow is not None else _of_type(argument.type)
    if argument.name == "on_error" and owner:
        kind = Limit if "scope" in arguments(owner) else Rule
        of_type = {"enum": list(kind.accepted_on_error())}
    default = {} if argument.default in (None, ()) else {"default": _plain(argument.default)}
    return {"description": about, **of_type, **default}


def _of_type(kind: Any) -> Schema:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is Union:
        return {"anyOf": [_of_type(each) for each in inner]}
    if origin is list:
        return {"type": "array", "items": _of_type(inner[0])}
    if is_typeddict(kind):
        properties = {key: _of_type(each) for key, each in hints_of(kind).items()}
        return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(inner[1])}
    return {"type": _JSON[kind]} if kind in _JSON else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _options_said() -> dict[str, str]:
    return said_of(Options)


# --- what types do not say


def _list_of(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def _one_or_several(items: Schema) -> Schema:
    return {"anyOf": [items, _list_of(items, 1)]}


def _whole(largest: int, least: int = 1) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": largest}


_TEXT: Schema = {"type": "string", "minLength": 1}
_DURATION: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0.001, "maximum": LONGEST},
        {"type": "string", "pattern": "^([0-9]{1,10}[smhdw])+$"},
    ]
}
_PATH: Schema = {"type": "string", "pattern": "^(re:|regex:|([A-Za-z]+( ?, ?[A-Za-z]+)* +)?[/*])"}
_BOTS = _list_of({"anyOf": [{"enum": [*BotCategory, "UNKNOWN_BOT"]}, _TEXT]})
_EMAILS = _list_of(any_case(EmailType))
_CONDITIONS = (
    "ip", "where", "hosts", "user_agent", "headers", "query", "cookies", "form", "json", "given", "bot", "when",
    "paths", "methods",
)  # fmt: skip
_PATTERN: Schema = {"$ref": "#/definitions/pattern"}
_VALUES: Schema = {"$ref": "#/definitions/values"}
_CONDITION: Schema = {"$ref": "#/definitions/condition"}
_STATUS = _whole(599, 100)
_FROM_ZERO: Schema = {"type": "number", "minimum": 0}


def _narrower() -> dict[tuple[str, str], Schema]:
    """Arguments of which more is known than their type: of one builder, or of all that have one of that name."""
    families = any_case(Family)
    excluded = _of_type(as_data(Excluded))
    excluded["properties"] |= {
        "path": _one_or_several(_PATH),
        "parameter": _TEXT,
        "family": _one_or_several(families),
    }
    found: dict[tuple[str, str], Schema] = {
        ("", "mode"): any_case(("LIVE", "DRY_RUN")),
        ("", "name"): {"type": "string", "maxLength": 100, "pattern": r"^[ !#-\[\]-~]*$"},
        ("", "characteristics"): _list_of(_TEXT),
        ("", "dry_run_since"): {"type": "string", "pattern": "^[0-9]{4}"},
        ("", "paths"): _list_of(_PATH),
        ("", "methods"): _list_of(any_case(sorted(METHODS))),
        ("", "window"): _DURATION,
        ("", "interval"): _DURATION,
        ("", "count_when"): {"anyOf": [_STATUS, _list_of(_STATUS, 1)]},
        ("", "weight"): {"type": "number", "not": {"const": 0}},
        ("", "ends"): _list_of(any_case(ENDABLE)),
        ("", "ip"): _one_or_several(_TEXT),
        ("", "where"): _one_or_several(_TEXT),
        **{("", name): kind for name, kind in _in_conditions().items() if name in CONDITIONS},
        ("challenge", "level"): any_case(level.word for level in Level),
        ("challenge", "max_age"): _DURATION,
        ("honeypot", "traps"): _list_of(_PATH, 1),
        ("honeypot", "lasts"): _DURATION,
        ("honeypot", "hits"): _whole(MOST_NEIGHBOURS // 2),
        **{("honeypot", name): _FROM_ZERO for name in ("weight", "network_weight")},
        **{("form_trap", name): _FROM_ZERO for name in ("weight", "min_seconds")},
        ("filter_request", "allow"): {"anyOf": [_TEXT, _list_of(_TEXT)]},
        ("filter_request", "deny"): {"anyOf": [_TEXT, _list_of(_TEXT)]},
        ("detect_bot", "allow"): _BOTS,
        ("detect_bot", "deny"): _BOTS,
        **{("validate_email", name): _EMAILS for name in ("allow", "deny", "block")},
        ("validate_email", "disposable"): {"enum": ["curated", "wide"]},
        ("validate_email", "gravatar"): {"type": "string", "pattern": "^https?://[^?# ]+$"},
        ("rate_limit", "limit"): _TEXT,
        ("rate_limit", "algorithm"): {"enum": ["sliding_window", "fixed_window", "token_bucket"]},
        ("shield", "threshold"): {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000},
        ("shield", "paranoia"): {"enum": [1, 2, 3]},
        ("shield", "when"): {"enum": ["before", "after"]},
        ("shield", "exclude"): _list_of({"anyOf": [_PATH, excluded]}),
        ("", "ipv6_prefix"): _whole(128),
        ("", "body_limit"): _whole(LARGEST_BODY_LIMIT),
        ("", "limits"): {"type": "object", "additionalProperties": _TEXT},
        ("", "thresholds"): _thresholds(),
        ("", "proxies"): _proxies(),
        ("", "challenges"): challenges_schema(duration=_DURATION, text=_TEXT),
    }
    return found | {("", name): _whole(LARGEST) for name in ("max", "capacity", "refill_rate", "cost")}


def _in_conditions() -> dict[str, Schema]:
    """What each key of a condition may be."""
    names = _one_or_several(_TEXT)
    kinds: dict[str, Schema] = {
        "all": _list_of(_CONDITION, 1),
        "any": _list_of(_CONDITION, 1),
        "not": _CONDITION,
        "when": _CONDITION,
        **dict.fromkeys(("path", "paths", "raw_path"), _one_or_several(_PATH)),
        **dict.fromkeys(("method", "methods"), _one_or_several(any_case(sorted(METHODS)))),
        **dict.fromkeys(("host", "hosts", "user_agent"), _PATTERN),
        **dict.fromkeys(("header", "ip", "bot", "where"), names),
        **dict.fromkeys(("headers", "query", "cookies", "form", "json", "given"), _VALUES),
    }
    own: dict[str, Schema] = {
        "standing": _one_or_several({"enum": list(STANDINGS)}),
        "ignore_case": {"type": "boolean"},
    }
    return {**{key: kinds[key] for key in KEYS}, **own}


def _definitions() -> dict[str, Schema]:
    """What several builders refer to."""
    text: Schema = {"type": ["string", "number"]}
    properties: Schema = {name: {"type": "string"} for name in TEXTS} | {name: {"type": "object"} for name in TABLES}
    request: Schema = {"type": "object", "properties": {**properties, "json": {}}, "additionalProperties": False}
    sides = {side: _list_of({"$ref": "#/definitions/request"}) for side in SIDES}
    return {
        "condition": {
            "description": "Conditions, all of which have to hold.",
            "type": "object",
            "properties": _in_conditions(),
            "additionalProperties": False,
            "minProperties": 1,
        },
        "pattern": _one_or_several(text),
        "values": {
            "description": "Patterns by name; true for what is there, false for what is not.",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "boolean"}, _PATTERN]},
            "minProperties": 1,
        },
        "request": {"description": "A request, as far as it matters.", **request},
        "examples": {
            "description": "Requests that the rule must match, and must not.",
            "type": "object",
            "properties": sides,
            "additionalProperties": False,
            "minProperties": 1,
        },
    }


def _thresholds() -> Schema:
    pattern = any_case(("CHALLENGE", "DENY"))["anyOf"][1]["pattern"]
    weight: Schema = {"type": "number", "exclusiveMinimum": 0}
    return {
        "type": "object",
        "properties": {"CHALLENGE": weight, "DENY": weight},
        "patternProperties": {pattern: weight},
        "additionalProperties": False,
    }


def _proxies() -> Schema:
    trusted: list[Schema] = [_TEXT, _whole(MOST_HOPS), _list_of(_TEXT)]
    said = said_of(Proxies)
    table: Schema = {
        "type": "object",
        "properties": {
            "trusted": {"description": said["trusted"], "anyOf": trusted},
            "header": {"description": said["header"], "enum": ["x-forwarded-for", "forwarded"]},
        },
        "additionalProperties": False,
    }
    return {"anyOf": [*trusted, table]}


_NARROWER = _narrower()
_TOGETHER: dict[str, Schema] = {
    "detect_bot": {"oneOf": [{"required": ["allow"]}, {"required": ["deny"]}]},
    "validate_email": {"oneOf": [{"required": [name]} for name in ("allow", "deny", "block")]},
    "filter_request": {"anyOf": [{"required": ["allow"]}, {"required": ["deny"]}]},
    "allow": {"anyOf": [{"required": [name]} for name in _CONDITIONS]},
    "deny": {"anyOf": [{"required": [name]} for name in _CONDITIONS]},
    "weigh": {"anyOf": [{"required": [name]} for name in _CONDITIONS]},
}
_LIMIT: Schema = {"anyOf": [_TEXT, *[_of_builder(name) for name in ("sliding_window", "fixed_window", "token_bucket")]]}
_NARROWER |= {
    ("protect_signup", "rate_limit"): {"anyOf": [*_LIMIT["anyOf"], _list_of(_LIMIT)]},
    ("protect_signup", "rate_limits"): _list_of(_LIMIT),
    ("protect_signup", "bots"): _of_builder("detect_bot"),
    ("protect_signup", "email"): _of_builder("validate_email"),
}

__all__ = ["DRAFT", "schema", "schema_text"]
