"""``DOORWARD_SECRET``: one secret or several, exchanged without a change of code; what is too short is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.clearing import Site

from doorward import ConfigurationError, Doorward
from doorward.own_secrets import SHORTEST_SECRET

NEW, OLD = "0WpRzQ1u9x-yL7tVb3NcKfE6hJ2sGd8a", "vX3kq0Zr9LwYt7Bn5Hs2Jd8Fg4Mc6Pa1"


def secrets_of(monkeypatch: pytest.MonkeyPatch, variable: str) -> list[bytes]:
    """What a client has of a variable, the one that signs first."""
    monkeypatch.setenv("DOORWARD_SECRET", variable)
    settings = Doorward().runtime.settings
    return [bytes(settings.secret), *map(bytes, settings.former_secrets)]


@pytest.mark.parametrize(
    "variable",
    [f"{NEW},{OLD}", f"{NEW} {OLD}", f" {NEW} ,\t{OLD}\n", f"{NEW}\n{OLD}\n"],
)
def test_several_stand_between_commas_or_blanks(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Also as files have them, with a line each."""
    assert secrets_of(monkeypatch, variable) == [NEW.encode(), OLD.encode()]
    assert secrets_of(monkeypatch, f"{OLD}\n") == [OLD.encode()]


def test_one_is_exchanged_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has passed under the old one is let in under both, and no longer when it is gone."""
    monkeypatch.setenv("DOORWARD_SECRET", OLD)
    before = Site(secret=None)
    old = before.passed()
    monkeypatch.setenv("DOORWARD_SECRET", f"{NEW},{OLD}")
    both = Site(secret=None, clock=before.clock)
    assert both.get(cookie=old).status == 200
    new = both.passed()
    assert before.get(cookie=new).status == 403, "the first one signs"
    monkeypatch.setenv("DOORWARD_SECRET", NEW)
    after = Site(secret=None, clock=before.clock)
    assert (after.get(cookie=old).status, after.get(cookie=new).status) == (403, 200)


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("changeme", "number 1 of 1 has 8 bytes, fewer than 16"),
        (f"{NEW},short", "number 2 of 2 has 5 bytes, fewer than 16"),
        (f"{NEW},,{OLD}", "number 2 of 3 is empty"),
        (f"{NEW},", "number 2 of 2 is empty"),
        ("correct horse battery staple", "number 1 of 4 has 7 bytes"),
        ("  ", "number 1 of 1 is empty"),
        (",", "number 1 of 2 is empty"),
    ],
)
def test_short_and_empty_ones_are_refused(monkeypatch: pytest.MonkeyPatch, variable: str, problem: str) -> None:
    """The error names the variable, and shows nothing of what it holds."""
    monkeypatch.setenv("DOORWARD_SECRET", variable)
    with pytest.raises(ConfigurationError, match=f"^DOORWARD_SECRET: {problem}") as raised:
        Doorward()
    assert "horse" not in str(raised.value)
    assert NEW not in str(raised.value)


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As composing tools pass on what is not set; and what code says goes before the variable."""
    assert secrets_of(monkeypatch, "") == [b""]
    monkeypatch.setenv("DOORWARD_SECRET", "short")
    assert Doorward(secret=NEW).runtime.settings.secret == NEW.encode()


@given(st.lists(st.from_regex(r"[!-+\--~]{16,40}", fullmatch=True), min_size=1, max_size=4), st.data())
def test_whatever_stands_between_them(several: list[str], data: st.DataObject) -> None:
    """All come out as they went in, in their order."""
    between = data.draw(st.sampled_from([",", " ", " , ", "\n", ",\n"]))
    assert all(len(each) >= SHORTEST_SECRET for each in several)
    with pytest.MonkeyPatch.context() as patch:
        assert secrets_of(patch, between.join(several)) == [each.encode() for each in several]
