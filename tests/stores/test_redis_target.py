"""The URL of a store: what each part means, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.errors import ConfigurationError
from doorward.stores.redis import RedisStore, open_redis
from doorward.stores.redis.target import SCHEMES, Address, Login, Target, parse
from doorward.testing import FakeClock

VALKEY_FIRST = ("valkey", "redis")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://host", Target("single", (Address("host", 6379),))),
        ("valkey://host:7000/3", Target("single", (Address("host", 7000),), VALKEY_FIRST, db=3)),
        ("redis://:p%40ss@[::1]:1?db=2", Target("single", (Address("::1", 1),), login=Login(None, "p@ss"), db=2)),
        ("redis://me@h", Target("single", (Address("h", 6379),), login=Login("me", None))),
        ("redis://me:s@h", Target("single", (Address("h", 6379),), login=Login("me", "s"))),
        (
            "redis://h?namespace=shop&max_connections=5",
            Target("single", (Address("h", 6379),), namespace="shop", max_connections=5),
        ),
        ("valkey+cluster://a:1,b:2", Target("cluster", (Address("a", 1), Address("b", 2)), VALKEY_FIRST)),
        (
            "redis+sentinel://u:p@a,b:5/shop/4?sentinel_password=q",
            Target(
                "sentinel",
                (Address("a", 26379), Address("b", 5)),
                login=Login("u", "p"),
                sentinel_login=Login(None, "q"),
                service="shop",
                db=4,
            ),
        ),
        ("redis+unix:///run/my.sock?db=1", Target("single", (Address("/run/my.sock", 0),), db=1)),
        (
            "rediss://h",
            Target("single", (Address("h", 6379),), tls={"ssl_cert_reqs": "required", "ssl_check_hostname": True}),
        ),
        (
            "valkeys+cluster://h?ssl_cert_reqs=none",
            Target(
                "cluster",
                (Address("h", 6379),),
                VALKEY_FIRST,
                tls={"ssl_cert_reqs": "none", "ssl_check_hostname": False},
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_urls(url: str, target: Target) -> None:
    """Every part is where it belongs; certificates and names in them are checked unless said otherwise."""
    assert parse(url) == target


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis:host", "is no URL"),
        ("redis://", "a host is missing"),
        ("redis://:s3cret@", "a host is missing"),
        ("redis://:s3cret@h:0", "a host or a port"),
        ("redis://:s3cret@h:99999", "the port is not a number"),
        ("redis://:s3cret@h:x", "the port is not a number"),
        ("redis://:s3cret@a,b", "several hosts need"),
        ("redis://:s3cret@h/x", "the database is not a number"),
        ("redis://:s3cret@h/1/2", "the database is not a number"),
        ("redis://:s3cret@h/1?db=2", "the database is not a number"),
        ("redis+cluster://:s3cret@h/1", "database 0 only"),
        ("redis+sentinel://:s3cret@h", "the name of the group is missing"),
        ("redis://:s3cret@h?sentinel_password=s3cret", "go with \\+sentinel only"),
        ("redis://:s3cret@h?retries=3", "option 'retries' is not one of db, namespace"),
        ("redis://:s3cret@h?password", "is no URL"),
        ("redis://:s3cret@h?max_connections=0", "option 'max_connections' must be a number from 1 to 10000"),
        ("redis://:s3cret@h?namespace={x}", "option 'namespace' must be"),
        ("redis://:s3cret@h?ssl_cert_reqs=none", "option 'ssl_cert_reqs' needs TLS"),
        ("rediss://:s3cret@h?ssl_cert_reqs=maybe", "'ssl_cert_reqs' must be required or none"),
        ("rediss://:s3cret@h?ssl_check_hostname=1", "'ssl_check_hostname' must be true or false"),
        ("rediss://:s3cret@h?ssl_ca_certs=/no/such", "the file of option 'ssl_ca_certs' is not there"),
        ("redis+unix://:s3cret@h", "the path of the socket is missing"),
        ("http://:s3cret@h", "http:// is not known"),
        ("redis+tls://:s3cret@h", "is not known"),
        ("redis://:s3cret@[::1", "is no URL"),
        ("s3cret", "a text without a scheme is not known"),
        ("redis://:ab?s3cret=@h", "has a # or a \\?"),
        ("redis://:ab#s3cret@h", "has a # or a \\?"),
        ("redis://h/0#s3cret", "has a # or a \\?"),
    ],
)
def test_wrong_urls(url: str, named: str) -> None:
    """An error when the store is made, which names the part and what is accepted; never a password."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        open_redis(url, FakeClock(), 0.5)
    assert caught.value.field == "store"
    assert "accepted: redis://" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_schemes() -> None:
    """All that are promised."""
    assert {"redis", "rediss", "valkey", "valkeys", "redis+cluster", "rediss+sentinel", "valkey+unix"} <= set(SCHEMES)


def test_a_wrong_timeout() -> None:
    """Named, with what is accepted."""
    with pytest.raises(ConfigurationError, match="timeout: must be over 0"):
        RedisStore("valkey://h", timeout=0)


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither client is installed, the error says what to install."""
    import importlib

    def absent(name: str, *_: object) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ConfigurationError, match=r"pip install 'doorward\[valkey\]'"):
        RedisStore("valkey://h")


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """A certificate is taken by its path."""
    path = tmp_path / "ca.pem"
    path.write_text("")
    tls = parse(f"rediss://h?ssl_ca_certs={path}").tls
    assert tls is not None
    assert tls["ssl_ca_certs"] == str(path)


def test_no_password_in_any_repr() -> None:
    """Stores and targets can be logged."""
    with RedisStore("valkey+sentinel://u:s3cret@h/shop?sentinel_password=s3cret") as store:
        assert repr(store) == "RedisStore('valkey+sentinel://h:26379/shop')"
        assert repr(store.aio) == "RedisStore('valkey+sentinel://h:26379/shop').aio"
        assert "s3cret" not in repr(store._target) + str(store._target)
