"""``doorward keys``: what it prints, and what it never prints again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.cli import main
from doorward.service.server.keys import Keys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a service."""
    monkeypatch.setenv("DOORWARD_FOLDER", str(tmp_path / "service"))
    return tmp_path / "service"


def test_a_key_is_shown_once_with_what_to_do_next(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines for the application name the service and the key; the list never shows it again."""
    assert main(["keys", "add", "shop", "--quota", "1000/second", "--note", "Paris", "--expires", "90d"]) == 0
    out = capsys.readouterr().out
    token = next(word for word in out.split() if word.startswith("dwk_"))
    assert f'service="http://127.0.0.1:8710", key="{token}"' in out
    assert "from doorward import Doorward" in out
    keys = Keys(folder / "keys.sqlite")
    assert keys.find(token)
    keys.close()
    secret = token.split("_")[2]
    for options in ([], ["--json"]):
        assert main(["keys", "list", *options]) == 0
        listed = capsys.readouterr().out
        assert secret not in listed
        assert "shop" in listed
        assert "1000/second" in listed
    assert json.loads(listed)[0]["note"] == "Paris"


def test_programs_get_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each action."""
    assert main(["keys", "add", "shop", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["site"] == "shop"
    assert first["ends"] is None
    assert main(["keys", "rotate", "shop", "--grace", "0", "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["key"] != first["key"]
    keys = Keys(folder / "keys.sqlite")
    assert keys.find(first["key"]) is None
    assert keys.find(second["key"])
    keys.close()
    assert main(["keys", "revoke", second["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"revoked": [second["id"]]}


def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 done, 1 nothing to do, 2 a wrong argument or no file."""
    assert main(["keys", "list"]) == 2
    assert "doorward keys add" in capsys.readouterr().err
    assert main(["keys", "add", "not a name"]) == 2
    assert main(["keys", "add", "shop", "--quota", "lots"]) == 2
    assert main(["keys", "rotate", "nobody"]) == 2
    assert main(["keys", "add", "shop", "--folder", str(folder / "other")]) == 0
    assert main(["keys", "revoke", "nobody"]) == 2
    assert main(["keys", "revoke", "nobody\x1b[31m", "--folder", str(folder / "other")]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert main(["keys", "rotate", "shop", "--folder", str(folder / "other")]) == 0
    assert main(["keys", "revoke", "shop", "--folder", str(folder / "other")]) == 0
    assert "2 keys of shop" in capsys.readouterr().out
    assert main(["keys", "list", "--folder", str(folder / "other")]) == 0
    assert "there are no keys" in capsys.readouterr().out
