r"""Users' regular expressions, run in linear time or refused.

Python's ``re`` runs those that ``regex_cost`` proves linear; google-re2, where it is installed, runs the others. ``re``
comes first so that installing a package never changes what a pattern means: under re2 ``\d \w \s \b`` are ASCII
only and ``$`` is the very end of the text.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.patterns import MAX_SOURCE, MAX_TEXT
from doorward.regex_cost import steps_per_character
from doorward.regex_syntax import UnsupportedSyntax

if TYPE_CHECKING:
    from collections.abc import Callable


_ADVICE = (
    "Bound the repeat ({0,50} for *), use a set that stops at the next character ([^/]* for .*), give branches "
    "different first characters, start a search with ^ or with text the repeat cannot match, or install google-re2"
)


def compile_safe(
    pattern: str | re.Pattern[str], *, field: str, whole: bool, overlong: bool = False
) -> Callable[[str], bool]:
    """A predicate that runs in linear time and never raises.

    Args:
        pattern: Python syntax, at most :data:`MAX_SOURCE` characters.
        field: What to name in an error.
        whole: The whole text must match; otherwise the pattern is searched.
        overlong: The answer for a text of more than :data:`MAX_TEXT` characters, on which nothing is tried.

    Raises:
        ConfigurationError: It is no pattern of text, too long, or can take more than linear time.
    """
    compiled = _compile(pattern, field)
    try:
        steps = steps_per_character(compiled, whole=whole)
        reason = "it can take quadratic or exponential time"
    except UnsupportedSyntax as error:
        steps, reason = None, str(error)
    if steps is None:
        return _predicate(_compile_re2(compiled, field=field, reason=reason), whole=whole, overlong=overlong, utf8=True)
    return _predicate(compiled, whole=whole, overlong=overlong)


def _predicate(compiled: Any, *, whole: bool, overlong: bool, utf8: bool = False) -> Callable[[str], bool]:
    matches = compiled.fullmatch if whole else compiled.search

    def run(text: str) -> bool:
        if len(text) > MAX_TEXT:
            return overlong
        if utf8:
            # re2 works on UTF-8, which has no lone surrogates.
            text = text.encode("utf-8", "replace").decode("utf-8")
        return matches(text) is not None

    return run


def _compile(pattern: str | re.Pattern[str], field: str) -> re.Pattern[str]:
    source = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
    if not isinstance(source, str):
        raise ConfigurationError(field, f"takes a regular expression of str, not of {type(source).__name__}")
    if len(source) > MAX_SOURCE:
        raise ConfigurationError(field, f"a regular expression has at most {MAX_SOURCE} characters, not {len(source)}")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigurationError(field, f"{source!r} is not a regular expression: {error}") from error


def _compile_re2(pattern: re.Pattern[str], *, field: str, reason: str) -> Any:
    refusal = f"the regular expression {pattern.pattern!r} is refused: {reason}. {_ADVICE}"
    try:
        re2: Any = import_module("re2")
    except ImportError:
        raise ConfigurationError(field, refusal) from None
    if pattern.flags & re.VERBOSE:
        raise ConfigurationError(field, refusal)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_with_inline_flags(pattern), options)
    except (re2.error, UnicodeEncodeError) as error:  # the latter: a lone surrogate, which UTF-8 does not have
        raise ConfigurationError(field, f"{refusal} (it is installed, and refuses too: {error})") from error


def _with_inline_flags(pattern: re.Pattern[str]) -> str:
    letters = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
    flags = "".join(letter for letter, flag in letters.items() if pattern.flags & flag)
    source = re.sub(r"\A\(\?[aimsu]+\)", "", pattern.pattern)
    return f"(?{flags}:{source})" if flags else source
