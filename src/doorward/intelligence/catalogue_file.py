"""Feeds of the user's own, and other addresses for known ones, from a TOML file.

::

    [feeds.tor-exits]
    url = "https://mirror.example/torbulkexitlist"

    [feeds.our-partners]
    url = "https://lists.example/partners.txt"
    label = "hosting:our-partners"
    form = "lines"
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError, UnknownArgument
from doorward.intelligence.feed_formats import FORMS
from doorward.intelligence.feeds import CATALOGUE, KINDS, Feed, Terms
from doorward.intelligence.fetching import check_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TYPES: dict[str, tuple[type, ...]] = {
    "url": (str,),
    "label": (str,),
    "form": (str,),
    "select": (str,),
    "licence": (str,),
    "default": (bool,),
    "largest": (int,),
    "share": (float, int),
    "share6": (float, int),
    "bogons": (bool,),
    "rest": (float, int),
}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LABEL = re.compile(r"([a-z]+):[a-z0-9][a-z0-9._-]{0,63}")


def load(path: Path) -> dict[str, Feed]:
    """The catalogue with the changes that a file makes to it.

    Raises:
        ConfigurationError: The file cannot be read, or says something that is not accepted.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # tomllib's errors are ValueErrors, as those of UTF-8 are
        raise ConfigurationError("--catalogue", f"{path} cannot be read: {error}") from error
    tables = found.pop("feeds", {})
    if found or not isinstance(tables, dict):
        raise ConfigurationError("--catalogue", f"{path} may hold tables [feeds.<id>] only")
    return CATALOGUE | {name: _feed(name, table) for name, table in tables.items()}


def mirrored(catalogue: Mapping[str, Feed], base: str) -> dict[str, Feed]:
    """The catalogue with every feed at ``<base>/<id>``; a mirror of one's own needs no rest between downloads.

    Raises:
        ConfigurationError: The address is neither https nor on loopback.
    """
    check_url("--mirror", base)
    return {name: feed._replace(url=f"{base.rstrip('/')}/{name}", rest=0) for name, feed in catalogue.items()}


def _feed(name: str, table: object) -> Feed:
    field = f"feeds.{name}"
    if not _ID.fullmatch(name):
        raise ConfigurationError(field, "must be named in lower-case letters, digits and hyphens")
    if not isinstance(table, dict):
        raise ConfigurationError(field, "must be a table")
    values = {key: _value(field, key, value) for key, value in table.items()}
    if "licence" in values:
        values["terms"] = Terms(values.pop("licence"))
    known = CATALOGUE.get(name)
    missing = [key for key in ("url", "label") if known is None and key not in values]
    if missing:
        raise ConfigurationError(field, f"must have {' and '.join(missing)}: there is no feed of that name to change")
    made = known._replace(**values) if known else Feed(name, **values)
    _check(field, made, own=known is None or "label" in values)
    return made


def _value(field: str, key: str, value: Any) -> Any:
    if key not in _TYPES:
        raise UnknownArgument(field, key, _TYPES)
    wanted = _TYPES[key]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise ConfigurationError(f"{field}.{key}", f"must be {wanted[0].__name__}, not {value!r}")
    return value


def _check(field: str, feed: Feed, *, own: bool) -> None:
    check_url(f"{field}.url", feed.url)
    label = _LABEL.fullmatch(feed.label)
    if own and not (label and label[1] in KINDS):
        raise ConfigurationError(f"{field}.label", f"must be kind:name, with a kind of {', '.join(KINDS)}")
    if feed.form not in FORMS:
        raise ConfigurationError(f"{field}.form", f"must be one of {', '.join(FORMS)}")
    if feed.form.startswith("json") and not feed.select:
        raise ConfigurationError(
            f"{field}.select", "must say where in the JSON the networks are: prefixes.*.ipv4Prefix"
        )
    if feed.largest <= 0:
        raise ConfigurationError(f"{field}.largest", "must be a number of bytes above 0")
    for name, share in (("share", feed.share), ("share6", feed.share6)):
        if not 0 < share <= 1:  # not a number is neither, and would let everything pass
            raise ConfigurationError(f"{field}.{name}", f"must be a part of the addresses, 1 at most, not {share!r}")
