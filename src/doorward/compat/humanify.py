"""Route filters as flask-Humanify writes them (``register_middleware``), as a rule of doorward's.

::

    humanify_filter(
        url_patterns=["/admin/*"],
        exclude_patterns=["/admin/health"],
        request_filters={"method": ["POST", "PUT"], "headers.x-app": "regex:^mobile", "json.user.role": "admin"},
        action="challenge",
    )

What is the same: the names, ``*`` and ``?``, lists as "one of these", ``regex:``, and that endpoint **or** URL has to
match while all request filters have to. What is different, because there it left routes open or broke others:

- **Patterns are for the whole path, or the whole endpoint.** ``/health`` is not ``/admin/health``. There globs had an
  end and no beginning, and plain text was found anywhere. (Of endpoints a regular expression still is: anchor it.)
- **A regular expression says so**, with ``regex:`` or ``re:``. There one that had a ``*`` in it was taken for a glob.
- **What cannot be compiled, or could take more than linear time, is an error**, at once. There it was left out, and
  the route with it.
- ``headers.<name>`` works, in any case. ``json.<path>`` of a request without JSON does not match, and breaks nothing.
  ``args.values`` is a parameter called "values".
- ``*`` in a URL does not run over ``/``, but at the end, where it is all below: see :mod:`doorward.patterns`.
- Nothing is exempt by itself; what middleware leaves alone is :data:`doorward.patterns.DEFAULT_EXEMPT`.

Endpoints are names that only a framework knows. doorward_flask tells them; elsewhere give them to ``protect`` as the
characteristic ``endpoint``, or use the adapters' decorators: **middleware leaves a rule with patterns of endpoints open
until then**. ``protect`` without that takes such a rule by its URLs alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Unpack

from doorward.builders.access import allow, challenge, deny, weigh
from doorward.compat import ENDPOINT
from doorward.errors import ConfigurationError
from doorward.rules.base import RuleOptions
from doorward.rules.filters import check_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.rules.access import AccessRule

Action = Literal["challenge", "deny", "allow", "weigh"]
_TABLES = {
    "headers": "headers",
    "args": "query",
    "query": "query",
    "form": "form",
    "json": "json",
    "cookies": "cookies",
}
_ALONE = ("method", "path", "host", "content_type", "user_agent", "remote_addr")
_OWN = ("endpoint_patterns", "url_patterns", "exclude_patterns", "request_filters", "action", "weight", "level")
_ACTIONS = {"challenge": "challenge", "deny": "deny", "deny_access": "deny", "allow": "allow", "weigh": "weigh"}
_BUILDERS: Mapping[str, Callable[..., AccessRule]] = {"deny": deny, "allow": allow}
_REGEX = ("regex:", "re:")
_LOOKS_LIKE_REGEX = re.compile(r"[\\^$(){}|+]|\[.*\]")


def humanify_filter(
    *,
    endpoint_patterns: Sequence[str] | str | None = None,
    url_patterns: Sequence[str] | str | None = None,
    exclude_patterns: Sequence[str] | str | None = None,
    request_filters: Mapping[str, Any] | None = None,
    action: Action | str = "challenge",
    weight: float = 10,
    level: str = "work",
    **options: Unpack[RuleOptions],
) -> AccessRule:
    """A rule for the requests that flask-Humanify's filters mean.

    Args:
        endpoint_patterns: Patterns of endpoints, such as ``"api.*"``: see the module about where they come from.
        url_patterns: Patterns of paths; a request has to match one of these or an endpoint. All, without either.
        exclude_patterns: Patterns of endpoints and paths (those begin with ``/`` or ``*``) that are left alone.
        request_filters: What has to hold beside that, by dotted key: ``method``, ``path``, ``host``, ``content_type``,
            ``user_agent``, ``remote_addr``, ``headers.<name>``, ``args.<name>``, ``form.<name>``, ``cookies.<name>``,
            ``json.<path>``. A value is text, a list of it, or ``"regex:…"``, found anywhere.
        action: ``"challenge"``, ``"deny"`` (also ``"deny_access"``), ``"allow"`` or ``"weigh"``.
        weight: What ``"weigh"`` adds.
        level: What ``"challenge"`` asks for.
        **options: ``mode``, ``name``, ``on_error``, ``methods`` …: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    check_options("humanify_filter", _OWN, RuleOptions.__annotations__, options)
    conditions = [
        *_routes(endpoint_patterns, url_patterns),
        *_excluded(exclude_patterns),
        *[_filter(key, value) for key, value in _checked(request_filters).items()],
    ]
    named: Any = {**options, "name": options.get("name") or "humanify"}
    if conditions:
        named["when"] = {"all": conditions}
    kind = _ACTIONS.get(str(action))  # whatever was given: a list has no hash
    if kind is None:
        raise ConfigurationError("action", f"must be one of {', '.join(_ACTIONS)}, not {action!r}")
    if kind == "challenge":
        return challenge(level, **named)
    return weigh(weight, **named) if kind == "weigh" else _BUILDERS[kind](**named)


def _routes(endpoints: Any, urls: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if endpoints is not None:
        found.append(
            {
                "given": {
                    ENDPOINT: [_endpoint(each, "endpoint_patterns") for each in _list(endpoints, "endpoint_patterns")]
                }
            }
        )
    if urls is not None:
        found.append({"path": [_path(each, "url_patterns") for each in _list(urls, "url_patterns")]})
    return [{"any": found}] if found else []


def _excluded(patterns: Any) -> list[dict[str, Any]]:
    """What is left alone. An endpoint that nobody has given excludes nothing."""
    if patterns is None:
        return []
    given = _list(patterns, "exclude_patterns")
    found: list[dict[str, Any]] = []
    paths = [_path(each, "exclude_patterns") for each in given if each.startswith(("/", "*", *_REGEX))]
    endpoints = [_endpoint(each, "exclude_patterns") for each in given if not each.startswith(("/", "*"))]
    if paths:
        found.append({"not": {"path": paths}})
    if endpoints:
        found.append({"any": [{"given": {ENDPOINT: False}}, {"not": {"given": {ENDPOINT: endpoints}}}]})
    return found


def _path(pattern: str, field: str) -> str:
    regex = _regex(pattern)
    if regex is not None:
        return f"re:{regex}"
    _no_regex(pattern, field)
    if not pattern.startswith(("/", "*")):
        raise ConfigurationError(
            field,
            f"{pattern!r} is not anchored: paths begin with '/'; write '/{pattern}' for one, '**{pattern}*' for all",
        )
    return pattern


def _endpoint(pattern: str, field: str) -> str:
    regex = _regex(pattern)
    if regex is not None:
        return f"re:{regex}"
    _no_regex(pattern, field)
    if "?" in pattern:  # of texts only the star is one
        return "re:^" + "".join({"*": ".*", "?": "."}.get(each) or re.escape(each) for each in pattern) + r"\Z"
    return pattern


def _regex(pattern: str) -> str | None:
    return next((pattern.removeprefix(each) for each in _REGEX if pattern.startswith(each)), None)


def _no_regex(pattern: str, field: str) -> None:
    # Of an endpoint ".*" is a dot and a star: what stands below a blueprint.
    if _LOOKS_LIKE_REGEX.search(pattern) or (".*" in pattern and "/" in pattern):
        raise ConfigurationError(
            field, f"{pattern!r} looks like a regular expression: write 'regex:{pattern}' if it is one"
        )


def _checked(filters: Any) -> Mapping[str, Any]:
    if filters is None:
        return {}
    if not isinstance(filters, Mapping) or not filters:
        raise ConfigurationError("request_filters", f"must map dotted keys to values, not {filters!r}")
    return filters


def _filter(key: Any, value: Any) -> dict[str, Any]:
    field = f"request_filters.{key}"
    table, dot, name = str(key).partition(".")
    if dot and name and table in _TABLES:
        return {_TABLES[table]: {name: _values(value, field)}}
    if dot or key not in _ALONE:
        known = [*_ALONE, *[f"{each}.<name>" for each in _TABLES]]
        raise ConfigurationError(field, f"is no key of a request: those are {', '.join(known)}")
    values = _values(value, field)
    if key == "content_type":
        return {"headers": {"content-type": values}}
    if key == "path":
        return {"path": [_path(each, field) for each in values]}
    if key == "remote_addr":
        return {"ip": values}
    return {str(key): values}


def _values(value: Any, field: str) -> list[str]:
    """Values as patterns that mean the same: exactly these texts, in which a star is a star."""
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    for each in values:
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            raise ConfigurationError(field, f"takes text, numbers and lists of them, not {each!r}")
    if not values:
        raise ConfigurationError(field, "is an empty list, which nothing could match")
    return [_literal(str(each)) for each in values]


def _literal(text: str) -> str:
    regex = _regex(text)
    if regex is not None:
        return f"re:{regex}"
    return rf"re:\A{re.escape(text)}\Z" if "*" in text else text


def _list(patterns: Any, field: str) -> list[str]:
    given = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(given, list | tuple | set | frozenset) or not given:
        raise ConfigurationError(field, f"must be a pattern or a list of them, not {patterns!r}")
    for each in given:
        if not isinstance(each, str) or not each:
            raise ConfigurationError(field, f"must be text, not {each!r}")
    return list(given)


__all__ = ["ENDPOINT", "humanify_filter"]
