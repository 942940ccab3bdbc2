"""The builder of e-mail rules: what it takes, what it refuses, and which data it hands to the rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_build.domains import compile_domains
from tests.unit.email.doubles import Network, found, records, types

from doorward import Conclusion, ConfigurationError, Mode, UnknownArgument
from doorward.builders.email import validate_email
from doorward.errors import DataError
from doorward.intelligence.container import Meta
from doorward.intelligence.domains import WIDE_FILE, write_domains
from doorward.rules.email import EmailRuleWithLookups, EmailType


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    compile_domains(folder)
    return folder


@pytest.fixture(autouse=True)
def _data(compiled, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("doorward.intelligence.library.wheel_folder", lambda: compiled)
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path))


def test_types_are_members_or_names_in_any_case() -> None:
    """All of them mean the same."""
    by_name = validate_email(deny=["Disposable", "free"])
    assert by_name == validate_email(deny=(EmailType.DISPOSABLE, EmailType.FREE))
    assert by_name.deny == {EmailType.DISPOSABLE, EmailType.FREE}
    assert validate_email(allow={"FREE"}).allow == {EmailType.FREE}


def test_block_is_deny() -> None:
    """Arcjet's older name."""
    assert validate_email(block=["FREE"]) == validate_email(deny=["FREE"])


@pytest.mark.parametrize(
    ("arguments", "field", "problem"),
    [
        ({}, "allow, deny", "one of them must be given"),
        ({"deny": [], "allow": []}, "allow, deny", "cannot be given together"),
        ({"block": [], "allow": []}, "allow, deny", "cannot be given together"),
        ({"deny": [], "block": []}, "block", "another name of `deny`"),
        ({"deny": ["DISPOSIBLE"]}, "deny", "Did you mean DISPOSABLE?"),
        ({"allow": ["nomx"]}, "allow", "Accepted: INVALID, DISPOSABLE, FREE, RELAY, NO_MX_RECORDS, NO_GRAVATAR"),
        ({"block": [5]}, "block", "5 is no e-mail type"),
        ({"deny": "FREE"}, "deny", "must be a list"),
        ({"deny": {"FREE": 1}}, "deny", "must be a list"),
        ({"deny": [], "require_top_level_domain": "no"}, "require_top_level_domain", "True or False"),
        ({"deny": [], "allow_domain_literal": 1}, "allow_domain_literal", "True or False"),
        ({"deny": [], "disposable": "all"}, "disposable", "curated, wide"),
        ({"deny": [], "gravatar": "avatars.example"}, "gravatar", "http"),
        ({"deny": [], "gravatar": "https://a.example/?x"}, "gravatar", "without query"),
        ({"deny": [], "gravatar": "https://[::1/"}, "gravatar", "http"),
        ({"deny": [], "gravatar": None}, "gravatar", "http"),
        ({"deny": [], "mode": "SOMETIMES"}, "mode", "DRY_RUN"),
        ({"deny": [], "on_error": "local"}, "on_error", "allow, deny"),
    ],
)
def test_a_mistake_names_its_field(arguments, field, problem) -> None:
    """At construction, with what is accepted."""
    with pytest.raises(ConfigurationError) as raised:
        validate_email(**arguments)
    assert raised.value.field == field
    assert problem in str(raised.value)


def test_an_unknown_argument_is_named() -> None:
    """With the nearest one there is."""
    with pytest.raises(UnknownArgument, match="Did you mean require_top_level_domain"):
        validate_email(deny=[], require_toplevel_domain=True)


def test_the_common_options_are_kept() -> None:
    """Mode, name, paths and methods are those of every rule."""
    built = validate_email(deny=[], mode="dry-run", name="mail", paths=["/signup"], methods=["post"], on_error="deny")
    assert (built.mode, built.name, built.on_error) == (Mode.DRY_RUN, "mail", "deny")
    assert (built.paths, built.methods) == (("/signup",), ("POST",))


@pytest.mark.parametrize(
    ("lists", "asks"),
    [
        ({"deny": ["DISPOSABLE", "INVALID", "FREE", "RELAY"]}, False),
        ({"deny": ["NO_MX_RECORDS"]}, True),
        ({"deny": ["NO_GRAVATAR"]}, True),
        ({"allow": []}, True),
        ({"allow": ["NO_MX_RECORDS"]}, False),
    ],
)
def test_only_a_rule_that_asks_makes_a_request_wait(lists, asks) -> None:
    """Others stay pure, and cost no look-up round."""
    built = validate_email(**lists)
    assert isinstance(built, EmailRuleWithLookups) is asks is built.looks_up


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@mailinator.com", ["DISPOSABLE"]),
        ("a@sub.yopmail.com", ["DISPOSABLE"]),
        ("a@GMAIL.com", ["FREE"]),
        ("a@duck.com", ["RELAY"]),
        ("a@python.org", []),
        ("a@gmail", ["INVALID"]),
    ],
)
def test_it_works_with_the_data_in_the_package(address, expected) -> None:
    """Arcjet's local check lets mailinator.com pass and does not know GMAIL.com."""
    assert types(found(validate_email(deny=["DISPOSABLE", "FREE"]), address)) == expected


def test_the_whole_rule_looks_up_what_the_lists_do_not_refuse() -> None:
    """From the builder to the answer of the DNS."""
    built = validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"])
    network = Network({("python.org", "MX"): records("mail.python.org")})
    assert network.outcome(built, "a@python.org").conclusion is Conclusion.ALLOW
    assert network.outcome(built, "a@mailinator.com").conclusion is Conclusion.DENY
    assert network.asked == [("python.org", "MX")]


def test_the_avatar_service_can_be_another() -> None:
    """Of one's own, say; a slash at its end does not matter."""
    assert validate_email(deny=["NO_GRAVATAR"], gravatar="https://a.example/").gravatar == "https://a.example"


def test_the_wide_list_is_used_when_it_is_there(tmp_path) -> None:
    """And by those rules only that ask for it."""
    write_domains(tmp_path / WIDE_FILE, {"disposable": ["newest.example"]}, Meta("2026-11-21", ()))
    assert types(found(validate_email(deny=[], disposable="wide"), "a@newest.example")) == ["DISPOSABLE"]
    assert types(found(validate_email(deny=[]), "a@newest.example")) == []


def test_without_the_wide_list_the_error_says_what_brings_it(tmp_path) -> None:
    """At construction, not at the first sign-up."""
    with pytest.raises(ConfigurationError) as raised:
        validate_email(deny=[], disposable="wide")
    assert raised.value.field == "disposable"
    missing = f'"wide" needs a list that is not there yet ({tmp_path / WIDE_FILE}): run '
    assert str(raised.value) == f"disposable: {missing}`doorward data update --only disposable`"


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_of_a_damaged_wide_list_too(tmp_path, content) -> None:
    """It names the file, once, and does not send anybody to the package's installer."""
    (tmp_path / WIDE_FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"run: doorward data update$") as raised:
        validate_email(deny=[], disposable="wide")
    assert str(raised.value).count(WIDE_FILE) == 1


def test_without_the_package_s_data_there_is_no_rule(tmp_path, monkeypatch) -> None:
    """A clear error at the start."""
    monkeypatch.setattr("doorward.intelligence.library.wheel_folder", lambda: tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"domains\.dwd: cannot be opened.*; install doorward again$"):
        validate_email(deny=[])
