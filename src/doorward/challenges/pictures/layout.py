"""The HTML of a page with a picture or a sound. Everything works by keyboard, and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.assets import url_of
from doorward.challenges.issue import MOST_RENEWED
from doorward.challenges.pictures.forms import LONGEST_TEXT, TEXT_FIELD
from doorward.challenges.skin import quoted_url
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.issue import Issue
    from doorward.challenges.pictures.forms import Form, Grade

# The first button of a form is the one that Enter presses: it must not be the one for another picture.
_PAGE = """<link rel="stylesheet" href="{style}"><button hidden></button>
<div id="captcha-hint">{hints}</div>
{main}
{fields}
{another}"""
_ANOTHER = '<p><button class="second" name="another" value="1">{text}</button></p>'
_FOLDED = '<details class="captcha-other"><summary>{text}</summary>{inside}</details>'
_FIELD = """<p><label for="captcha-answer">{label}</label>
<input id="captcha-answer" name="{name}" aria-describedby="captcha-hint" maxlength="{longest}" autocomplete="off"
autocapitalize="characters" spellcheck="false" dir="ltr"{mode}></p>"""
_HINT = "<p>{text}</p>"
_HINT_ID = "captcha-hint"


def laid_out(
    issue: Issue, main: Form, other: Form, grade: Grade, prefix: str, words: Mapping[str, str], earliest: int
) -> Markup:
    """What stands inside the form.

    Args:
        issue: The challenge.
        main: What the page shows.
        other: What it offers instead; in the page from the start, but folded up: nothing is lost by unfolding it.
        grade: How hard both are.
        prefix: Path of the endpoints.
        words: The page's texts.
        earliest: Seconds from which on an answer counts; told from the second challenge on.
    """
    shown = main.parts(_url(issue, main, prefix), grade, words, _HINT_ID)
    folded = other.parts(_url(issue, other, prefix), grade, words, _HINT_ID)
    field = _field(main, other, words)
    text = words["picture_listen" if other.path == "sound" else "picture_look"]
    if main.typed:
        fields = join([fill(_FOLDED, text=text, inside=folded), field])
    else:
        fields = fill(_FOLDED, text=text, inside=join([folded, field]))
    return fill(
        _PAGE,
        style=Markup(quoted_url(url_of("pictures.css", prefix))),
        hints=_hints(issue, words, earliest),
        main=shown,
        fields=fields,
        another=_another(issue, words),
    )


def _url(issue: Issue, form: Form, prefix: str) -> Markup:
    # As it is, and not as visible text, which would be cut off.
    return Markup(quoted_url(f"{prefix}/{form.path}?t={issue.token}"))


def _hints(issue: Issue, words: Mapping[str, str], earliest: int) -> Markup:
    if issue.attempt < 2:
        return Markup("")
    return fill(_HINT, text=words["picture_not_before"].replace("{seconds}", str(earliest)))


def _another(issue: Issue, words: Mapping[str, str]) -> Markup:
    return fill(_ANOTHER, text=words["picture_another"]) if issue.renewed < MOST_RENEWED else Markup("")


def _field(main: Form, other: Form, words: Mapping[str, str]) -> Markup:
    label = words["picture_type_either" if main.typed and other.typed else "picture_type_digits"]
    mode = Markup("") if main.typed else Markup(' inputmode="numeric"')
    return fill(_FIELD, label=label, name=TEXT_FIELD, longest=LONGEST_TEXT, mode=mode)
