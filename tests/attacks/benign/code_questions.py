"""Questions about code as they are asked in forums: prose around code, in the formats of editors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from random import Random

from . import code_snippets as code
from .encodings import multipart, post_json, submit
from .model import Draft, Topic
from .slots import fill, pick, some

_TITLES = (
    "Why does @{func} return @{n} instead of @{n}?",
    "How do I select the last @{n} rows from @{table}?",
    "What's the difference between `&&` and `;` on @{os}?",
    "@{func}() isn't called when @{var} == null",
    "Error near '@{name}' at line @{n} -- what am I doing wrong?",
    "Can't drop/insert @{column}: \"access denied for user '@{name}'@'localhost'\"",
    "Escaping quotes (' and \") in @{file}",
    "<@{var}> is not a known element; how to fix?",
)
_OPENINGS = (
    'I\'m trying to get this to work on @{os}, but it fails with "unexpected token":',
    "Here's what I have so far (it's for @{table}):",
    "This works locally, but on the server I get @{n} rows:",
    "Can somebody explain to me what the following does?",
    "My colleague wrote this & left. I don't understand line @{n}:",
    "When I run this from @{dir} nothing happens;",
)
_CLOSINGS = (
    "Expected: @{n}. Actual: NULL or an error. I've read @{url} already.",
    "I also tried `@{var} = @{n}` and `@{func}(@{var})`, without success.",
    "EDIT: it's version @{n}.@{n} | same in 3.@{n}; thanks @{name}!",
    "Isn't there a better way?\n\n> have you tried turning it off && on again?\n\nYes :(",
    "Any idea? Using @{os}, python3 --version says 3.@{n}.",
    "The output is:\n\n    @{file}: No such file or directory\n    exit status @{n}",
)
_ANSWERS = (
    "Use `{code}` instead; it's faster.",
    "You need {code} -- see the manual, section @{n}.",
    "Try:\n\n    {code}\n\nand tell us if it's OK.",
    "As @{name} said, {code} does the trick, since @{var} isn't set before @{func}.",
)
_SECURITY = (
    (
        "For my thesis: the classic example of SQL injection is a login form where somebody types ' OR '1'='1 as the"
        " password. Why do prepared statements stop that, while escaping @{column} by hand may not? I'm looking at"
        " `@{func}()` from @{year}."
    ),
    (
        "Our scanner (report no. @{n}) says that @{func} reflects <script>alert(1)</script> from the @{column} query."
        " We escape on output, so it's shown as text. Is that a false positive? What should I answer to @{name}?"
    ),
    (
        "Training material, chapter @{n}: path traversal means that ../../etc/passwd in a file name leaves the folder"
        ' @{dir}. Please check the wording; our editor thinks that "canonicalise" is spelled wrong.'
    ),
    (
        "The @{year} advisory explains that ${jndi:ldap://…} in a logged header made servers load code. We run a"
        " patched version, do we still need the flag that @{name} set in @{file}?"
    ),
)


def _formatted(rng: Random, text: str) -> str:
    match rng.randint(0, 4):
        case 0:
            return f"```\n{text}\n```"
        case 1:
            return f"```{rng.choice(('sql', 'bash', 'js', 'php', 'text'))}\n{text}\n```"
        case 2:
            return "\n".join(f"    {line}" for line in text.splitlines())
        case 3:
            return f"<pre><code>{escape(text)}</code></pre>"
        case _:
            return f"`{text}`"


def _sent(rng: Random, title: str, body: str, tag: str) -> Draft:
    match rng.randint(0, 3):
        case 0:
            return post_json(rng, "/api/questions", {"title": title, "body": body, "tags": [tag, "c++", ".net"]})
        case 1:
            return multipart(rng, "/questions/ask", {"title": title, "post-text": body, "tagnames": tag, "author": ""})
        case _:
            return submit(rng, "/questions", {"title": title, "body": body, "tags": f"{tag} node.js"})


def _question(snippets: Sequence[str], tag: str, rng: Random) -> Draft:
    """A question around one to three snippets, or an answer with one of them inline."""
    if rng.random() < 0.2:
        answer = fill(rng, rng.choice(_ANSWERS)).replace("{code}", pick(rng, snippets))
        return _sent(rng, pick(rng, _TITLES), answer, tag)
    blocks = [_formatted(rng, pick(rng, snippets)) for _ in range(rng.randint(1, 3))]
    parts = [pick(rng, _OPENINGS), *blocks, some(rng, _CLOSINGS, 2, "\n\n")]
    return _sent(rng, pick(rng, _TITLES), rng.choice(("\n\n", "\r\n\r\n")).join(parts), tag)


def _security(rng: Random) -> Draft:
    return _sent(rng, pick(rng, _TITLES), f"{pick(rng, _SECURITY)}\n\n{pick(rng, _CLOSINGS)}", "security")


def _topic(language: str, count: int, snippets: Sequence[str]) -> Topic:
    return Topic(f"code-question-{language}", "technical", count, partial(_question, snippets, language))


TOPICS = (
    _topic("sql", 60, code.SQL),
    _topic("shell", 60, code.SHELL),
    _topic("javascript", 50, code.JAVASCRIPT),
    _topic("php", 35, code.PHP),
    _topic("java", 35, code.JAVA),
    _topic("python", 45, code.PYTHON),
    _topic("c", 30, code.C),
    _topic("templates", 45, code.TEMPLATES),
    _topic("html", 40, code.HTML),
    _topic("regex", 35, code.EXPRESSIONS),
    # Attacks quoted in long texts: less than 3 % of what is technical.
    Topic("security-discussion", "technical", 24, _security),
)
