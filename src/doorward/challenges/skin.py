"""The frame of every page of doorward's: challenges, refusals and errors look alike, in the reader's language."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from doorward.challenges.appearance import IMAGES, Appearance, File
from doorward.challenges.languages import Languages
from doorward.challenges.templates import Template
from doorward.errors import ConfigurationError
from doorward.lazily import lazily
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.challenges.languages import Language

PLACEHOLDERS = ("lang", "dir", "theme", "title", "site", "logo", "head", "content", "footer", "code", "message")
NEEDED = ("head", "content")
FRAMES = ("page", "challenge", "message", "error", "4xx", "5xx")
"""Names of templates, besides those of a status: ``404``. What there is none of is shown in ``page``."""

_PAGE = """<!doctype html>
<html lang="${lang}" dir="${dir}" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
${head}
</head>
<body>
<div class="card">
${logo}
<main>
<h1>${title}</h1>
${content}
</main>
${footer}
</div>
</body>
</html>
"""
_MAIL = re.compile(r"mailto:[^\s@?&]+@[^\s@?&]+")
_BLACK, _WHITE = "#000000", "#ffffff"
_STATUS = re.compile(r"[45][0-9]{2}")
_URL = re.compile(r"https://[\x21-\x7e]+")


class Skin:
    """The looks of one application's pages.

    Args:
        appearance: Checked options.
        field: What messages call the option that templates come from.

    Raises:
        ConfigurationError: A template or a language is wrong.
    """

    def __init__(self, appearance: Appearance, field: str = "challenges.template_dir") -> None:
        self.appearance = appearance
        self.languages = Languages(appearance.words, appearance.language)
        self._frames = {"page": Template(_PAGE, PLACEHOLDERS, NEEDED, field=field)}
        for name, text in appearance.template_dir.items():
            if name not in FRAMES and not _STATUS.fullmatch(name):
                raise ConfigurationError(field, f"{name}.html is none of {', '.join(FRAMES)}, nor of a status")
            self._frames[name] = Template(text, PLACEHOLDERS, NEEDED, field=f"{field}: {name}.html")

    def language(self, accept: Sequence[str]) -> Language:
        """The language that values of Accept-Language ask for."""
        return self.languages.of(accept)

    def page(
        self,
        names: Sequence[str],
        language: Language,
        title: str,
        content: Markup,
        *,
        head: Markup,
        logo: str = "",
        footer: Mapping[str, str] | None = None,
        code: str = "",
        message: str = "",
    ) -> Markup:
        """A page.

        Args:
            names: Of the frames that will do, best first.
            language: Of the reader.
            title: What it is about.
            content: Its middle.
            head: Styles and scripts.
            logo: The URL of the operator's picture, if it has one.
            footer: Lines below, by the key of their word.
            code: The status, for frames that show it.
            message: What happened, for frames that say it in a place of their own.
        """
        frame = next((self._frames[name] for name in names if name in self._frames), self._frames["page"])
        site = self.appearance.title
        return frame.render(
            lang=language.tag,
            dir=language.direction,
            theme=self.appearance.theme,
            title=title,
            site=site,
            logo=_header(logo, site),
            head=head,
            content=content,
            footer=self._footer(language, footer or {}),
            code=code,
            message=message,
        )

    def _footer(self, language: Language, lines: Mapping[str, str]) -> Markup:
        shown = [
            fill("<p>{label}: <code>{text}</code></p>", label=language.words[key], text=text)
            for key, text in lines.items()
            if text
        ]
        if self.appearance.contact:
            shown.append(fill("<p>{label}: {text}</p>", label=language.words["contact"], text=self._contact))
        return fill("<footer>{lines}</footer>", lines=join(shown)) if shown else Markup("")

    @lazily
    def _contact(self) -> Markup:
        contact = self.appearance.contact
        if _MAIL.fullmatch(contact):
            address = contact.removeprefix("mailto:")
            return fill('<a href="{url}">{text}</a>', url="mailto:" + quote(address, safe="@+-._"), text=address)
        if _URL.fullmatch(contact):
            return fill('<a href="{url}" rel="noreferrer">{text}</a>', url=contact, text=contact)
        return fill("{text}", text=contact)

    # --- style

    @lazily
    def own_style(self) -> bytes:
        """What the operator adds to our style sheet; empty for nothing."""
        parts = [] if self.appearance.css is None else [self.appearance.css.content]
        if self.appearance.accent:
            ink = readable_on(self.appearance.accent)
            parts.insert(0, f":root{{--accent:{self.appearance.accent};--accent-ink:{ink}}}\n".encode())
        return b"".join(parts)

    @lazily
    def inline_style(self) -> tuple[Markup, str]:
        """All styles as an element, for pages without files of their own, and its source in a policy: a hash."""
        text = (plain_style() + self.own_style).decode("utf-8", "replace").replace("</", "<\\/")
        found = b64encode(sha256(text.encode()).digest()).decode()
        return Markup(f"<style>{text}</style>"), f"'sha256-{found}'"

    @property
    def logo_file(self) -> tuple[str, File] | None:
        """Media type and content of the operator's picture, where it is a file."""
        logo = self.appearance.logo
        if not isinstance(logo, File):
            return None
        return IMAGES[logo.name[logo.name.rindex(".") :].lower()], logo

    @property
    def logo_url(self) -> str:
        """Where it is, where it is none."""
        return self.appearance.logo if isinstance(self.appearance.logo, str) else ""


def plain_style() -> bytes:
    """Our style sheet."""
    from importlib.resources import files  # costs more than all else here, and is for pages alone

    return files("doorward.challenges").joinpath("static", "page.css").read_bytes()


def readable_on(colour: str) -> str:
    """Black or white, whichever is the clearer on ``colour``: at least 4.58 to 1 on any (WCAG 2.2, 1.4.3)."""
    return max((_BLACK, _WHITE), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio"), 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _header(logo: str, site: str) -> Markup:
    picture = fill('<img class="logo" src="{url}" alt="">', url=Markup(quoted_url(logo))) if logo else Markup("")
    name = fill("<span>{site}</span>", site=site) if site else Markup("")
    return fill("<header>{picture}{name}</header>", picture=picture, name=name) if logo or site else Markup("")


def quoted_url(url: str) -> str:
    """A checked URL as the value of an attribute: `fill` would shorten a long one."""
    return url.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C")
