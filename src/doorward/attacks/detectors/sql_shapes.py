"""Shapes of injections: regular expressions over the kinds of tokens that :mod:`.sql_tokens` makes.

Every repeat is bounded, so that a shape costs a constant for each token at most. ``^`` and ``$`` are the ends of the
value: what an attacker sends often begins or ends in the middle of SQL.

The value may stand in a string of either quote, or in a number. Quotes are kinds by themselves, so that the shapes read
``' or 'a'='a`` both ways. What tells an injection from code with strings in it is the quote that it leaves the string
with: it is the first of its kind in the value (``Where.FIRST``), where code has one before it that begins the string.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Where(Enum):
    """In what surroundings a shape says what it says."""

    ANYWHERE = "anywhere"
    ONE_LINE = "one line"
    """As ANYWHERE, if its beginning does not go over the end of a line, as code does."""
    BRIEF = "brief"
    """In a value that is short and does not read as prose; elsewhere it may be a quotation."""
    BARE = "bare"
    """As BRIEF, and there are no words in a row before it."""
    FIRST = "first"
    """As BRIEF, and its quote is the first of its kind in the value."""


EXPLICIT = frozenset((Where.ANYWHERE, Where.ONE_LINE))


class Shape(NamedTuple):
    """One shape.

    Attributes:
        rule: The rule that it is evidence of.
        needs: Kinds of which one has to be there.
        pattern: Searched in the kinds; of groups ``left`` and ``right`` the tokens have to be written alike.
        where: In what surroundings it counts in full.
    """

    rule: str
    needs: str
    pattern: re.Pattern[str]
    where: Where


# Pieces of grammar; KINDS of sql_tokens says what the characters stand for. Groups are atomic: what they can match
# begins with different kinds, so that going back into one finds nothing. Whatever can be the last token of a value may
# lack its closing quote: the query has it.
SAY = r"(?>q[^q();]{0,4}+q|Q[^Q();]{0,4}+Q)"
STRING = r"(?>q(?:q[^q]{1,9}+qq|[^q]{0,24}+q)|Q(?:Q[^Q]{1,9}+QQ|[^Q]{0,24}+Q))"
OPEN_STRING = r"(?>q(?:q[^q]{1,9}+q{0,2}+|[^q]{0,24}+)$|Q(?:Q[^Q]{1,9}+Q{0,2}+|[^Q]{0,24}+)$)"
UNARY = r"[!+(]{0,4}+"
LITERAL = rf"(?>[1l@]|{STRING})"
CONSTANT = rf"{UNARY}{LITERAL}(?>[+*.o]{LITERAL}){{0,3}}+(?>j{LITERAL}|[:T]){{0,2}}\)?"
LAST = rf"{UNARY}(?>{OPEN_STRING}|{LITERAL})(?>[+*.](?:{LITERAL}|{OPEN_STRING})){{0,3}}+"
COMPARES = r"(?:!?[=~]p?~?|j|\?)"
OBJECT = "[OU]"
NAME = r"(?>[xmFtOUpXl@](?:\.[xmFtOUp@*BX]){0,3}+|B[^B]{1,3}+B)"
CALL = r"(?:[mFOU]\(|F\.|X|mz)"
END = r"(?:c|;|$)"
BREAK = r"[qQB]\)?"
AND = r"o!?"
NUMBER = r"^[z+(]{0,3}[1lx]?z{0,2}\)?"

EQUATION = rf"{CONSTANT}{COMPARES}{LAST}"
"""``1=1``, ``'a' like 'a``, ``(1)=(1``."""
RELATION = rf"{CONSTANT}!?e(?:!?l|\({LAST}|{LAST}o{LAST})"
"""``1 is not null``, ``2 between 1 and 3``, ``1 in (1)``."""
QUESTION = rf"{CONSTANT}(?:{COMPARES}{UNARY}(?:{CALL}|s)|!?e\(s)"
"""``1=(select``, ``5=length(``, ``1 in (select``."""
FACT = rf"(?:{EQUATION}|{RELATION})"
PLAIN_FACT = (
    rf"\(?(?>[1l@]|{SAY})\)?(?:{COMPARES}\(?(?>[1l@]|{SAY}|[qQ][^qQ();]{{0,4}}+$)|!?e(?:!?l|\([1l@]|[1l]o[1l]))"
)
"""The same, simple enough to be no accident of two strings in a long text."""

ITEM = rf"{UNARY}(?>{LITERAL}|{NAME}|[*k])"
MORE = rf"(?>[+*.o=]{ITEM}|[:T]|\([^sfc;)]{{0,16}}+\)|p{NAME}|,{ITEM})"
LIST = rf"{ITEM}{MORE}{{0,24}}+"
"""What is selected."""
ODD_LIST = rf"(?>{UNARY}{LITERAL}|\*|{NAME}(?>,{ITEM}|\([^sfc;)]{{0,16}}+\)|[+*]{ITEM})|\({NAME}){MORE}{{0,24}}+\)?"
"""The same, with more in it than a word or two, which may be English."""
TABLE = rf"\(?(?>{NAME}|Q[^Q]{{1,3}}+Q|s)"
AFTER_TABLE = rf"(?:x?(?:$|[wg;c)])|u|p{NAME}|,{NAME})"
OPENING = r"^[(;)qQB+,z]{0,4}+"
OTHER = (
    rf"(?:di?{NAME}(?:\([^)]{{0,40}}+\))?[vs(]|df{NAME}(?:[w;c]|$)|d@|d{OBJECT}{NAME}(?:\(|p)|dB|d{NAME}d{NAME}="
    rf"|d\([@s]|d[FX][.(]|dapO?[*x]|d{OBJECT}xxpq|dxfxqxq)"
)
"""``insert into t (a)``, ``delete from t where``, ``declare @a``, ``create table t (a)``, ``update t set a=``."""


def _shapes(rule: str, needs: str, where: Where, *patterns: str) -> Iterable[Shape]:
    return [Shape(rule, needs, re.compile(pattern), where) for pattern in patterns]


SHAPES = (
    *_shapes("tautology", "o", Where.ANYWHERE, rf"{BREAK}{AND}{PLAIN_FACT}\)?{END}"),
    *_shapes("tautology", "o", Where.FIRST, rf"{BREAK}{AND}(?:{FACT}|{QUESTION})"),
    *_shapes(
        "tautology", "o", Where.BRIEF,
        rf"{NUMBER}{AND}(?:{FACT}(?=$|[oc;)Q]|[guw,]|p)|{QUESTION})",
        rf"^\)o\(?{LITERAL}?\)?{COMPARES}",
        rf"^[1z]?(?:{BREAK})?{AND}\(?(?P<left>x)=(?P<right>x)\)?{END}",
        r"^[1x]?[qQ]o[qQ]1=1|^[x1.@]{1,5}qoq$",
        rf"^[qQ]?;o{FACT}",
        r"^1\)?ox(?:[=~][1qQ]|e!?l)",
    ),
    *_shapes("tautology", "o", Where.BARE, rf"[1)]{AND}{EQUATION}\)?(?=c|o[(!]?[1qQ])"),
    *_shapes(
        "tautology", "=~+*e", Where.BRIEF,
        r"^[1x]?q=q[oq]|^q=[qQ]o[qQ]|^q[^q]{0,40}q=q[^q]{1,16}q=",
        r"^1\)?e!?l",
        r"^[1x]?qq?=qq?[1x]?$|^[1x]?q~q[1x+]{1,3}$|^q[=~][1l]$|^q=[1l][+*o]{1,2}q$",
        rf"^q[^q]{{0,9}}q{COMPARES}q[^q]{{1,9}}$",
    ),
    *_shapes(
        "always_true", "o", Where.FIRST,
        rf"{BREAK}{AND}\(?{LITERAL}\)?(?:[c;g]|p1)",
        rf"^[xz1+@.]{{0,5}}{BREAK}{AND}\(?(?:{LITERAL}|[qQ][x1l]{{1,2}}$)\)?(?:$|o[qQ]$)",
    ),
    *_shapes(
        "always_true", "o", Where.BRIEF,
        rf"{NUMBER}{AND}\(?1c",
        r"^[z+(]{0,2}1?\)?o!?\(?l\)?(?:$|[c,;])",
        r"^[()]?o!?\(?[1l]\)?(?:[c;]|$)",
        r"^\)?o\(?[qQ][x1l]{0,2}$",
    ),
    *_shapes(
        "condition", "o", Where.ANYWHERE,
        rf"{BREAK}{AND}[!+(]{{0,3}}(?:m\()?s(?:{LIST})?f",
        rf"{BREAK}{AND}[!(]{{0,3}}F\([^)]{{0,12}}\)(?:c|$|o[qQ])",
    ),
    *_shapes(
        "condition", "o", Where.FIRST,
        rf"{BREAK}{AND}{UNARY}{CALL}",
        rf"{BREAK}{AND}{UNARY}{NAME}\)?(?:{COMPARES}|!?e[!l(])",
    ),
    *_shapes(
        "condition", "o;(", Where.BRIEF,
        rf"(?:{BREAK}|[1)]|^){AND}[!+(m]{{0,4}}s(?:{LIST}|\()",
        rf"{NUMBER}{AND}{UNARY}(?:[FX]\(|m\([^=~]{{0,24}}[=~][1qQlm(s]|m\([^)]{{0,12}}\)?(?:[=~jc]|$))",
        r"^[;(o]{1,2}F\.|^1?\)?o\{[xpml][xm1(]|^1\)?o\{xq",
        rf"^\)?{AND}\(?{NAME}(?:{COMPARES}{CALL}|{COMPARES}{OPEN_STRING}|!?e(?:!?l|\(s))",
    ),
    *_shapes("condition", "~", Where.BRIEF, rf"^(?:{BREAK}o?|\)o?)~\(?(?:[qQ][x1lm(+]|m\(|\($|$)|^~[qQ]"),
    *_shapes(
        "union", "u", Where.ANYWHERE,
        rf"[1)lqQB@]\)?u[ac]?[(c]?s[acv]?{UNARY}{LITERAL}(?:,{ITEM}){{1,24}}",
        rf"[qQ]\)?u[ac]?[(c]?s[acv]?{LIST}f{TABLE}[^c;]{{0,8}}$",
    ),
    *_shapes(
        "union", "u", Where.ONE_LINE,
        rf"[1)lqQB@]\)?u[ac]?[(c]?s[acv]?{LIST}(?:f{TABLE}[^c;]{{0,16}})?\)?;?c",
    ),
    *_shapes("union", "u", Where.BRIEF, rf"u[ac]?[(c]?s[acv]?{LIST}(?:[c;]|f{TABLE})"),
    *_shapes("union", "u", Where.BARE, r"ua?\(?s[ac+*]?(?:$|[1l@(*qQB+cFmt]|x?f)", rf"ua?\(?(?:v\(|{OBJECT}t)"),
    *_shapes(
        "stacked", ";", Where.ONE_LINE,
        rf"[qQ]\)?;(?:D{OBJECT}{NAME}|di{NAME}|df{NAME}|d@|W|E[FX@])[^c]{{0,60}}c",
        r"^[x1+.]{0,5}[qQ]?\)?;E(?:F|X|t|x\.{1,2}[XF])",
    ),
    *_shapes(
        "stacked", ";", Where.BRIEF,
        r";s\(?F\(",
        rf"(?:{BREAK}|^[1xl]?\)?);(?:E[FX@x(q]|W|\(?F|s{ITEM}|{OTHER}|D[OUB]|d{OBJECT}(?:[xB]|$))",
        rf"^[x1+.]{{0,5}};[^qQx]{{0,3}}(?:D[OUxB]|{OTHER}|E|W|s[*(1mF@t]|m\([1lqQ]|F\(|d(?=d@))",
    ),
    *_shapes("stacked", ";", Where.BARE, rf"[1)];(?:E[FX@]|W|F\(|{OTHER}[^;]{{0,40}}c)"),
    *_shapes(
        "commented_out", "c;", Where.BRIEF,
        r"^[x1@.]{0,5}[qQB][);]{0,2}c{1,3}[+;]?$",
        r"^[1z@.+]{0,3}(?:x[1z@.+]{1,3}){0,4}x?[qQB]\)?;$",
        r"^[qQB]\)?;?c[+c]?$",
    ),
    *_shapes(
        "arithmetic", "+o*,", Where.BRIEF,
        r"^[1x]?qq?[+*]qq?[1x]?$|^q[+*][1l][+*o]{1,2}q$",
        r"^[^q]{0,6}q\)?[+o*,]{1,2}\(?(?:s|F\(|m\([^)]{0,20}\)[+o*]{1,2}q)",
        r"^[^Q]{0,6}Q\)?[+o*,]{1,2}\(?(?:s|F\(|m\([^)]{0,20}\)[+o*]{1,2}Q)",
    ),
    *_shapes(
        "ordering", "gw", Where.BRIEF,
        rf"(?:^[+(]{{0,2}}[1lx]?\)?|{BREAK})g1(?:,1){{0,30}},?(?:[c;]|$)",
        rf"(?:^[1lx]?\)?|{BREAK}\)?)(?:g[xtm](?:[.,][xtm]){{0,9}})?w{FACT}",
    ),
    *_shapes("ordering", "g", Where.FIRST, rf"{BREAK}g[x1](?:[.,][x1]){{0,9}}[xp]?[cw]"),
    *_shapes("ordering", "p", Where.FIRST, rf"{BREAK}p1(?:[p,]1)?(?:c|I)"),
    *_shapes("ordering", "i", Where.BRIEF, r"^1i@"),
    *_shapes("ordering", "g", Where.BARE, r"g(?:[x1],){0,3}F\("),
    *_shapes("ordering", "f", Where.BRIEF, r"^[^qQB]{0,3}[1BQq]p[BQ](?:x[BQ])?f"),
    *_shapes(
        "statement", "s", Where.BRIEF,
        rf"^[^x1s]{{0,4}}sa?{ODD_LIST}f{TABLE}{AFTER_TABLE}",
        rf"^[^x1s]{{0,4}}sa?{NAME}(?:f{TABLE})?(?:[gc;]|w{UNARY}(?:{NAME}|{LITERAL}|m\())",
        r"^[qQ]s(?:[1*(@]|x$)|^[(;]?s(?:\(?F|@|t|a1|\(?[mOU]\($|m\([1lqQ@*x])",
    ),
    *_shapes(
        "statement", "DdEI", Where.BRIEF,
        rf"{OPENING}D{OBJECT}(?:p?!?m)?{NAME}(?:$|[;(c,]|p[OxB]|d[Ox]|D[Ox])",
        rf"{OPENING}d(?:p?{OBJECT}p?!?m?{NAME}(?:\([xB]|p[sd]|p.?q)|i{NAME}(?:\([^)]{{0,40}}\))?[vs])",
        rf"{OPENING}d(?:f{NAME}(?:w|[;c])|{NAME}d{NAME}=|{OBJECT}xxpq|ppq)",
        r"^(?:[^x1]{0,3}|x?[qQ])(?:d@|E(?:F|X|@|\(@|x\.|p[qQ])|I)",
    ),
    *_shapes("statement", "WPI", Where.BARE, r"W(?:[qQ@]|$)|P\(|I(?:[qQ@1]|$)"),
    *_shapes(
        "subquery", "s", Where.BARE,
        rf"\(s(?:a?\*|{ODD_LIST}|\()f",
        rf"\(s(?:\(?(?:F|m|O|U)\(|{NAME}f{TABLE}(?:w|p1|\)[=+*o,)]))",
    ),
    *_shapes("subquery", "s", Where.BRIEF, r"^\(?s\(?[@1F]|^[1xq]{1,2}[+*]{1,2}\(s[1qQ*(x]|,\(s[1*(]"),
    *_shapes(
        "called", "F", Where.BRIEF,
        r"^[(;o)!+1,]{0,4}F\((?:[1@lqQB(+mFOU]|x[^)]|$)[^)]{0,20}\)?+(?:[c;=qQ+:]|$)",
        r"^[(;o)!+1,]{0,4}F\(x\)[c=;]|^oF\(x\)$|^F\(\)?[c;=qQ+:]",
        r"^[^q]{0,7}q\)?[+o,;]?\(?F\(|^[^Q]{0,7}Q\)?[+o,;]?\(?F\(",
    ),
    *_shapes("fragment", "(", Where.BRIEF, r"^\(?s?\(?[mFOUl]\($|^\(?m\(1=$|^[Ul]\(\)$"),
    *_shapes("catalogue", "t", Where.BARE, r"[fi]\(?B?t(?:B|\.|[)c;]|$)"),
    *_shapes("catalogue", "tX", Where.BRIEF, r"^[+(]?B?[tX](?:\.[xtmOU])?B?\)?$"),
    *_shapes("branch", "k", Where.BARE, r"k[^kK]{0,6}K(?=[^n]{0,24}[=~1(qQ])[^kKn]{1,24}n|^.{0,2}kK[^kKn]{1,6}n.$"),
    *_shapes("branch", "m", Where.BRIEF, r"^\(?m\(1=1,"),
    *_shapes("branch", "Fs", Where.BARE, r"m\([^)(]{0,8}(?:\(\))?[=~][^)(]{1,8}(?:\(\))?,(?:F\(|\(s)"),
    *_shapes("cast", ":T", Where.BARE, r"[q)][:T]|^[xm]T$"),
    *_shapes("cast", "j", Where.BARE, r"q[{z][^q]{0,30}q[:T]?j(?:\*?q|1[=~])"),
    *_shapes("probe", "qQB", Where.BRIEF, r"^(?:[qQB][;)]{1,2}|qQ|Qq)$"),
)  # fmt: skip
"""In the order in which they are asked, explicit before weak."""


def _by_needs(shapes: Iterable[Shape]) -> Mapping[str, tuple[Shape, ...]]:
    groups: dict[str, list[Shape]] = {}
    for shape in shapes:
        groups.setdefault(shape.needs, []).append(shape)
    return {needs: tuple(group) for needs, group in groups.items()}


ALL = _by_needs(SHAPES)
"""All shapes by the kinds that they need."""
OF_LONG_TEXTS = _by_needs([shape for shape in SHAPES if shape.where in EXPLICIT])
"""Those that are an attack whatever surrounds them."""
