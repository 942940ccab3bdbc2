"""What the decision service is told: one frozen object, made in code or read from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.client_ip import ClientIPPolicy, Proxies
from doorward.duration import seconds
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.network import AsyncResolver, Resolver
    from doorward.stores.base import AsyncStore, Store

PREFIX = "DOORWARD_SERVICE_"
FOLDER_VARIABLE = "DOORWARD_FOLDER"
DEFAULT_FOLDER = Path("doorward-service")
LARGEST_BODY_LIMIT = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """The settings of the decision service. All have defaults.

    Attributes:
        folder: Where keys, decisions, figures and, by default, counters are kept. Made where it is not there.
        store: Where counters live, as of :class:`doorward.Doorward`; empty for ``shared://`` in the folder, so that
            several workers of one host count together.
        resolver: Name servers such as ``"127.0.0.1:53"`` instead of the system's, or an object that resolves.
        timeout: Seconds that a decision's remote work may take when the client names no time of its own.
        body_limit: Bytes of one message, as sent and inflated. Large, since SDKs of Arcjet send what visitors chose,
            and an application that is refused its Decide lets the visitor through.
        log_days: Days that decisions are kept.
        log_rows: The most decisions that are kept.
        pages: Whether the pages are served.
        admin_password_file: Its scrypt hash, which the first start makes; None for
            ``admin.password`` in the folder.
        suspicious_sites: A visitor that so many applications find suspicious is refused by all; 0 for never.
        suspicious_weight: Sum of weights at which an application finds one suspicious.
        suspicious_seconds: How long a finding of an application counts.
        suspicious_ban: Seconds for which such a visitor is refused.
        proxies: Hops that are trusted to name the other end of a connection, as of :class:`doorward.Doorward`.
        metrics_token: Bearer token for ``/metrics``; empty for nobody but loopback and private addresses.
        certificate: PEM file, for TLS; with ``private_key``.
        private_key: Its key.
        drain: Seconds between "not ready" and the end of a worker that is told to stop, for whoever balances load.

    Raises:
        ConfigurationError: One is wrong; it names the field.
    """

    folder: Path = DEFAULT_FOLDER
    store: str | Store | AsyncStore = ""
    resolver: str | Sequence[str] | Resolver | AsyncResolver | None = None
    timeout: float = 0.4
    body_limit: int = 4 * 2**20
    log_days: float = 30.0
    log_rows: int = 1_000_000
    pages: bool = True
    admin_password_file: Path | None = None
    suspicious_sites: int = 2
    suspicious_weight: float = 3.0
    suspicious_seconds: float = 600.0
    suspicious_ban: float = 3600.0
    proxies: str | int | Sequence[str] | Proxies = "private"
    metrics_token: str = field(default="", repr=False)
    certificate: Path | None = None
    private_key: Path | None = None
    drain: float = 0.0

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "folder", _path(self.folder, "folder").absolute())
        for name in ("admin_password_file", "certificate", "private_key"):
            value = getattr(self, name)
            set_(self, name, None if value is None else _path(value, name).absolute())
        set_(self, "timeout", _between(seconds(self.timeout, "timeout"), "timeout", 0.001, 60))
        set_(self, "log_days", _between(self.log_days, "log_days", 0.01, 36_500))
        for name in ("suspicious_seconds", "suspicious_ban"):
            set_(self, name, _between(seconds(getattr(self, name), name), name, 1, 30 * 86_400))
        set_(self, "suspicious_weight", _between(self.suspicious_weight, "suspicious_weight", 0.01, 10_000))
        set_(self, "drain", _between(self.drain, "drain", 0, 3600))
        _whole(self.body_limit, "body_limit", 1024, LARGEST_BODY_LIMIT)
        _whole(self.log_rows, "log_rows", 1, 10**9)
        _whole(self.suspicious_sites, "suspicious_sites", 0, 10_000)
        if not isinstance(self.pages, bool):
            raise ConfigurationError("pages", f"must be True or False, not {self.pages!r}")
        _secret(self.metrics_token, "metrics_token")
        _pair(self.certificate, self.private_key)
        _resolver(self.resolver)
        ClientIPPolicy(self.proxies, environ=os.environ)  # raises where it is none

    @property
    def store_or_default(self) -> str | Store | AsyncStore:
        """The store, or the one in the folder."""
        return self.store if self.store != "" else f"shared://{self.folder / 'counters'}"

    @property
    def keys_path(self) -> Path:
        """Where the keys of applications are kept."""
        return self.folder / "keys.sqlite"

    @property
    def log_path(self) -> Path:
        """Where decisions are kept."""
        return self.folder / "decisions.sqlite"

    @property
    def metrics_path(self) -> Path:
        """Where the workers add up what they counted."""
        return self.folder / "metrics.sqlite"

    @property
    def password_path(self) -> Path:
        """Where the hash of the pages' password is kept."""
        return self.admin_password_file or self.folder / "admin.password"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> ServiceSettings:
        """Read ``DOORWARD_SERVICE_FOLDER``, ``DOORWARD_SERVICE_STORE`` and so on, one variable for each attribute.

        ``DOORWARD_FOLDER``, which the other commands read too, names the folder where no other is named.

        Raises:
            ConfigurationError: One of them is wrong, or is none of these; it names the variable.
        """
        environ = os.environ if environ is None else environ
        named = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        accepted = {PREFIX + each.name.upper(): each.name for each in fields(cls)}
        for name in named:
            if name not in accepted:
                raise ConfigurationError(name, f"is no setting; there are {', '.join(sorted(accepted))}")
        given: dict[str, Any] = {accepted[name]: _READ[accepted[name]](value, name)
                                 for name, value in named.items() if value != ""}  # fmt: skip
        if shared := environ.get(FOLDER_VARIABLE):
            given.setdefault("folder", shared)
        try:
            return cls(**given)
        except ConfigurationError as error:
            raise ConfigurationError(PREFIX + error.field.upper(), error.problem) from None

    def to_environ(self) -> dict[str, str]:
        """The variables that :meth:`from_environ` reads this from.

        Raises:
            ConfigurationError: A setting is an object, which no variable can hold.
        """
        return {PREFIX + each.name.upper(): _written(getattr(self, each.name), each.name) for each in fields(self)}


def _text(value: str, name: str) -> str:
    del name
    return value


def _flag(value: str, name: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if (found := known.get(value.strip().lower())) is None:
        raise ConfigurationError(name, f"must be on or off, not {value!r}")
    return found


def _integer(value: str, name: str) -> int:
    try:
        return int(value[:20])
    except ValueError:
        raise ConfigurationError(name, f"must be a whole number, not {value!r}") from None


def _number(value: str, name: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ConfigurationError(name, f"must be a number, not {value!r}") from None


def _duration(value: str, name: str) -> float:
    try:
        return float(value)
    except ValueError:
        return seconds(value, name)


def _servers(value: str, name: str) -> tuple[str, ...]:
    del name
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _hops(value: str, name: str) -> str | int | tuple[str, ...]:
    text = value.strip()
    if text in ("none", "()"):
        return ()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    return _servers(text, name) if "," in text or "/" in text or "." in text or ":" in text else text


_READ: dict[str, Callable[[str, str], object]] = {
    "store": _text,
    "folder": _text,
    "admin_password_file": _text,
    "metrics_token": _text,
    "certificate": _text,
    "private_key": _text,
    "resolver": _servers,
    "timeout": _duration,
    "body_limit": _integer,
    "log_days": _number,
    "log_rows": _integer,
    "pages": _flag,
    "suspicious_sites": _integer,
    "suspicious_weight": _number,
    "suspicious_seconds": _duration,
    "suspicious_ban": _duration,
    "proxies": _hops,
    "drain": _number,
}


def _written(value: object, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int | float | Path):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value) or "none"
    raise ConfigurationError(name, f"must be text for workers to read it from the environment, not {value!r}")


def _path(value: object, name: str) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ConfigurationError(name, f"must be a path, not {value!r}")
    return Path(value)


def _between(value: object, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigurationError(name, f"must be a number from {least:g} to {most:g}, not {value!r}")
    return float(value)


def _whole(value: object, name: str, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigurationError(name, f"must be a whole number from {least:,} to {most:,}, not {value!r}")


def _secret(value: object, name: str) -> None:
    # Never shown, not even where it is wrong.
    if not isinstance(value, str) or (value and len(value) < 8):
        raise ConfigurationError(name, "must be text of at least 8 characters, or empty")


def _pair(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise ConfigurationError("private_key" if key is None else "certificate", "is missing: TLS needs both files")
    for name, path in (("certificate", certificate), ("private_key", key)):
        if path is not None and not path.is_file():
            raise ConfigurationError(name, f"must be a PEM file that exists, not {str(path)!r}")


def _resolver(value: Any) -> None:
    if value is not None:
        from doorward.network import check_resolver

        check_resolver(value)


__all__ = ["PREFIX", "ServiceSettings"]
