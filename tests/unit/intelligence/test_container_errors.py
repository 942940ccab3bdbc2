"""What the errors of compiled files say: what is wrong, and what brings a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.errors import DataError
from doorward.intelligence import container, library

UPDATE, INSTALL = "run: doorward data update", "install doorward again"
DAMAGES = {"empty": b"", "cut": container.MAGIC + bytes(4), "another": b"garbage"}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the wheel's for as long as the test runs."""
    monkeypatch.setattr(library, "wheel_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the user's."""
    monkeypatch.setenv(library.DATA_VARIABLE, str(tmp_path))
    return tmp_path


def problem(path: Path) -> str:
    """What opening a file says."""
    with pytest.raises(DataError) as raised:
        container.open_file(path, "ranges", 1)
    assert raised.value.path == str(path)
    return raised.value.problem


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_users_file_is_brought_by_an_update(user: Path, content: bytes) -> None:
    """Installing again would not touch it."""
    (user / "tor.dwd").write_bytes(content)
    assert problem(user / "tor.dwd").endswith(f"; {UPDATE}")


def test_a_folder_with_a_manifest_is_a_users(tmp_path: Path) -> None:
    """Also when only a command line has named it."""
    (tmp_path / library.MANIFEST).write_bytes(b"{}")
    assert problem(tmp_path / "tor.dwd").endswith(f"; {UPDATE}")


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_the_wheels_file_is_brought_by_an_installation(wheel: Path, content: bytes) -> None:
    """An update would write elsewhere."""
    (wheel / "bots.dwd").write_bytes(content)
    assert problem(wheel / "bots.dwd").endswith(f"; {INSTALL}")


def test_of_any_other_folder_both_are_named(tmp_path: Path) -> None:
    """Nothing says who has filled it."""
    assert problem(tmp_path / "tor.dwd").endswith(f"; {UPDATE}, or {INSTALL}")


def test_the_path_is_named_once(user: Path) -> None:
    """By the error, and not by what the operating system said; its numbers help nobody."""
    assert problem(user / "tor.dwd") == f"cannot be opened (No such file or directory); {UPDATE}"
    with pytest.raises(DataError) as raised:
        container.verify(user / "tor.dwd")
    assert raised.value.problem == f"cannot be read (No such file or directory); {UPDATE}"


def test_a_digest_and_a_section_too(user: Path) -> None:
    """What is found wrong later has the same remedy."""
    container.write(user / "tor.dwd", "ranges", 1, container.Meta("2026-11-21", ()), {"a": b"x"})
    file = container.open_file(user / "tor.dwd", "ranges", 1)
    with pytest.raises(DataError, match=rf"has no section 'b'; {UPDATE}$"):
        file.section("b")
    content = (user / "tor.dwd").read_bytes()
    (user / "tor.dwd").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=rf"digest does not match; {UPDATE}$"):
        container.verify(user / "tor.dwd")


def test_a_small_file_may_be_cut_while_it_is_in_use(tmp_path: Path) -> None:
    """It has been read: a mapped one would end the process when it is looked at."""
    path = tmp_path / "small.dwd"
    container.write(path, "ranges", 1, container.Meta("2026-01-01", ()), {"numbers": bytes(range(256)) * 64})
    file = container.open_file(path, "ranges", 1)
    with path.open("r+b") as cutting:
        cutting.truncate(64)
    assert bytes(file.section("numbers")[-4:]) == bytes([252, 253, 254, 255])
