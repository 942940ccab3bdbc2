"""The operator's own style and picture, served below ``…/static/`` beside ours."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.answers import Answer
from doorward.challenges.assets import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.challenges.skin import Skin

_STYLE = "text/css; charset=utf-8"


class OwnFiles:
    """The files of one application.

    Args:
        skin: Its looks.
    """

    def __init__(self, skin: Skin) -> None:
        self._skin = skin
        self._by_path: dict[str, Answer] = {}
        self._style = self._added("site", "css", _STYLE, skin.own_style) if skin.own_style else ""
        logo = skin.logo_file
        self._logo = (
            self._added("logo", logo[1].name.rpartition(".")[2].lower(), logo[0], logo[1].content) if logo else ""
        )

    def answer(self, path: str) -> Answer | None:
        """The file at a path below the prefix; None where there is none."""
        return self._by_path.get(path)

    def style_url(self, prefix: str) -> str:
        """Where the operator's style is; empty where it has none."""
        return f"{prefix}/{self._style}" if self._style else ""

    def logo_url(self, prefix: str) -> str:
        """Where the operator's picture is; empty where it has none."""
        return f"{prefix}/{self._logo}" if self._logo else self._skin.logo_url

    def sources(self, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """What the policy has to allow besides: ``wanted``, and the site that the picture comes from."""
        site = urlsplit(self._skin.logo_url)
        if not site.netloc:
            return wanted
        return {**wanted, "img-src": [*wanted.get("img-src", ()), f"{site.scheme}://{site.netloc}"]}

    def _added(self, stem: str, suffix: str, kind: str, content: bytes) -> str:
        path = f"{FOLDER}{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        headers = [
            ("Content-Type", kind),
            ("Cache-Control", "public, max-age=31536000, immutable"),
            ("X-Content-Type-Options", "nosniff"),
            # A picture in SVG may hold scripts, which run where it is opened by itself.
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ]
        self._by_path[path] = Answer(200, headers, content)
        return path
