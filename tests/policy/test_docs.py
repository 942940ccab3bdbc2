"""The policies of the documentation load, and are right by the published schema."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from tests.policy.values import LITERAL

from doorward.policy import load
from doorward.policy.arguments import BUILDERS, OPTIONS
from doorward.policy.schema import schema

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
BLOCKS = LITERAL.findall(PAGE)


@pytest.mark.parametrize(("kind", "text"), BLOCKS, ids=[kind for kind, _ in BLOCKS])
def test_policies_of_the_page_load(tmp_path: Path, kind: str, text: str) -> None:
    """As they stand there."""
    file = tmp_path / f"policy.{kind}"
    file.write_text(text, encoding="utf-8")
    assert load(file).rules
    document = tomllib.loads(text) if kind == "toml" else yaml.safe_load(text)
    assert [error.message for error in jsonschema_rs.Draft7Validator(schema()).iter_errors(document)] == []


def test_the_page_names_every_builder_and_option() -> None:
    """So that one that is added is found there."""
    assert [name for name in (*BUILDERS, *OPTIONS) if f"`{name}`" not in PAGE] == []
