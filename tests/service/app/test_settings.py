"""Settings: each mistake is named, and workers read what their parent wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.errors import ConfigurationError
from doorward.service.server.settings import PREFIX, ServiceSettings


def test_defaults() -> None:
    """Everything has a default; counters are shared by the workers of a host."""
    settings = ServiceSettings()
    assert settings.folder == Path("doorward-service").absolute()
    assert settings.store_or_default == f"shared://{settings.folder}/counters"
    assert (settings.timeout, settings.body_limit, settings.pages) == (0.4, 4 * 2**20, True)
    assert ServiceSettings(store="memory://").store_or_default == "memory://"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("folder", ""), ("folder", 7), ("folder", "a\0b"), ("timeout", 0), ("timeout", 61), ("timeout", "soon"),
        ("body_limit", 10), ("body_limit", 2**40), ("body_limit", "4"), ("log_days", 0), ("log_days", float("nan")),
        ("log_rows", 0), ("log_rows", True), ("pages", 1), ("suspicious_sites", -1), ("suspicious_seconds", 0),
        ("proxies", "everybody"), ("metrics_token", "short"), ("certificate", "/nowhere.pem"), ("drain", -1),
        ("resolver", "not an address"), ("drain", float("inf")),
    ],
)  # fmt: skip
def test_mistakes_are_named(field: str, value: Any) -> None:
    """A wrong value is an error at construction that names its field, or its variable, and shows no secret."""
    with pytest.raises(ConfigurationError) as error:
        ServiceSettings(**{field: value})
    assert error.value.field in (field, "private_key")
    assert "short" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIMEOUT", "soon"), ("BODY_LIMIT", "4M"), ("PAGES", "perhaps"), ("LOG_DAYS", "x"), ("PROXIES", "everybody"),
     ("COLOUR", "red"), ("LOG_ROWS", "0"), ("METRICS_TOKEN", "short")],
)  # fmt: skip
def test_mistakes_of_variables_are_named(name: str, value: str) -> None:
    """The error names the variable, also one that does not exist."""
    with pytest.raises(ConfigurationError) as error:
        ServiceSettings.from_environ({PREFIX + name: value})
    assert error.value.field == PREFIX + name


def test_workers_read_what_was_written(tmp_path: Path) -> None:
    """Settings survive the environment, each kind of value."""
    for name in ("cert", "key"):
        (tmp_path / name).write_text("PEM")
    settings = ServiceSettings(
        folder=tmp_path, store="redis://127.0.0.1:6379/3", resolver=("127.0.0.1:53", "192.0.2.1"), timeout=0.25,
        body_limit=5000, log_days=0.5, log_rows=17, pages=False, suspicious_sites=0, suspicious_seconds=60,
        proxies=("10.0.0.0/8", "192.0.2.1"), metrics_token="let-me-read", certificate=tmp_path / "cert",
        private_key=tmp_path / "key", drain=2.5, admin_password_file=tmp_path / "hash",
    )  # fmt: skip
    assert ServiceSettings.from_environ({**settings.to_environ(), "OTHER": "x"}) == settings
    for proxies in ("private", 2, ()):
        written = ServiceSettings(folder=tmp_path, proxies=proxies)
        assert ServiceSettings.from_environ(written.to_environ()) == written
    assert "let-me-read" not in repr(settings)
    assert ServiceSettings.from_environ({"DOORWARD_FOLDER": str(tmp_path)}).folder == tmp_path
    with pytest.raises(ConfigurationError, match="resolver"):
        ServiceSettings(resolver=type("R", (), {"resolve": lambda *_: None})()).to_environ()
