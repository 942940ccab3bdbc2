"""What all pictures need of Pillow, which is there only with the extra ``captcha``."""

from __future__ import annotations

import colorsys
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.challenges.pictures.forms import Media
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from random import Random

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_NEEDED = ("PIL", "captcha")
SHADES = 16
"""Of a picture in one ink: four bits a pixel."""
PALEST = 24
"""Shade of grey of the lightest ink, of which 0 is the darkest."""


class Pillow(NamedTuple):
    """Pillow's modules that pictures are drawn with.

    Attributes:
        Image: Pictures.
        ImageDraw: Lines and shapes on them.
        ImageChops: Arithmetic of pictures.
    """

    Image: Any
    ImageDraw: Any
    ImageChops: Any

    def drawing(self, picture: Image) -> ImageDraw:
        """What draws on ``picture``."""
        made: ImageDraw = self.ImageDraw.Draw(picture)
        return made


@cache
def pillow() -> Pillow:
    """The modules, imported when something is first drawn."""
    from PIL import Image, ImageChops, ImageDraw

    return Pillow(Image, ImageDraw, ImageChops)


@cache
def font(size: int) -> FreeTypeFont:
    """The font that comes with Pillow: no file of the machine's is read."""
    from PIL import ImageFont

    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def require_extra(kind: str) -> None:
    """See that what draws is installed.

    Raises:
        ConfigurationError: It is not; says what to install.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        needs = " and ".join(["Pillow" if name == "PIL" else name for name in missing])
        raise ConfigurationError("challenges.kinds", f"{kind!r} needs {needs}: pip install 'doorward[captcha]'")
    from PIL import features

    if not features.check("freetype2"):
        raise ConfigurationError("challenges.kinds", f"{kind!r} needs a Pillow with FreeType, as its wheels have")


def ink_and_paper(random: Random, hardness: int) -> list[int]:
    """A palette of :data:`SHADES` from a dark colour to a light one, whose contrast is over 7 to 1 (WCAG 2.2, 1.4.6).

    At hardness 4 and 5 it is over 4.5 to 1 (1.4.3).
    """
    darkest, lightest = (0.22, 0.91) if hardness < 4 else (0.36, 0.89)
    ink = colorsys.hls_to_rgb(random.random(), darkest / 2, 0.7)
    paper = colorsys.hls_to_rgb(random.random(), lightest + random.uniform(0, 0.06), 0.5)
    palette = []
    for shade in range(SHADES):
        share = shade / (SHADES - 1)
        palette += [round(255 * (dark + (light - dark) * share)) for dark, light in zip(ink, paper, strict=True)]
    return palette


def counterchanged(picture: Image, random: Random, regions: int) -> Image:
    """``picture`` with light and dark exchanged in some regions: there, ink is light on dark ground.

    What is drawn goes on across the edges of regions, so that it stands out from its ground as much everywhere, and no
    one brightness, or colour, tells the two apart. Regions are large, with curved edges.

    Args:
        picture: In shades of grey.
        random: Chance.
        regions: Ellipses; where two of them meet, nothing is exchanged.
    """
    pil, width, height = pillow(), picture.width, picture.height
    turned = pil.Image.new("L", picture.size, 0)
    for _ in range(regions):
        x, y = random.uniform(0, width), random.uniform(0, height)
        across, down = random.uniform(0.2, 0.5) * width, random.uniform(0.2, 0.5) * height
        region = pil.Image.new("L", picture.size, 0)
        pil.drawing(region).ellipse((x - across, y - down, x + across, y + down), fill=255)
        turned = pil.ImageChops.difference(turned, region)
    exchanged: Image = pil.ImageChops.difference(picture, turned)
    return exchanged


def as_png(grey: Image, palette: list[int]) -> Media:
    """A picture in shades of grey as a PNG in those of ``palette``."""
    shades = grey.point([value * SHADES // 256 for value in range(256)])
    painted = pillow().Image.new("P", grey.size)
    painted.frombytes(shades.tobytes())
    painted.putpalette(palette)
    return _saved(painted, bits=4)


def _saved(picture: Image, **options: int) -> Media:
    held = BytesIO()
    picture.save(held, "PNG", compress_level=6, **options)
    return Media("image/png", held.getvalue())
