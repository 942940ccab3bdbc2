"""Checked by mypy and pyright, never run: how patterns look to a user's type checker."""

from __future__ import annotations

import re
from typing import assert_type

from doorward.patterns import PathPattern, RouteMatcher, compile_path, compile_regex

assert_type(compile_path("/api/*"), PathPattern)
assert_type(compile_path(re.compile("/api/.*")).matches("/api/a"), bool)
assert_type(RouteMatcher(["POST /login", re.compile("/x")], field="include").match("POST", "/login"), str | None)
assert_type(compile_regex("curl|wget", field="deny")("curl/8"), bool)

compile_path(b"/api")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
