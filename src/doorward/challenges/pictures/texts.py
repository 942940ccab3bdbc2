"""The texts of pictures and sounds, in English: what a page says whose language has no words of its own for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "picture_letters_alt": "A picture of letters",
    "picture_shapes": "Pick all tiles that show the same shape as the one at the top.",
    "picture_shapes_alt": "A shape at the top; below it {rows} rows of {columns} tiles, with a shape in each.",
    "picture_odd": "In each row, one shape points another way than the others. Pick that one.",
    "picture_odd_alt": "{rows} rows of {columns} shapes",
    "picture_tile": "Tile {number}",
    "picture_row": "Row {number}",
    "picture_sound_alt": "Spoken digits",
    "picture_listen": "Listen to digits in English instead",
    "picture_look": "Look at letters instead",
    "picture_type_either": "Type the letters that you see, or the digits that you hear",
    "picture_type_digits": "Type the digits that you hear",
    "picture_another": "Give me another one",
    "picture_again": "This is a new one. If you answered the last one, the answer was not right, or came too early.",
    "picture_not_before": "An answer counts after {seconds} seconds.",
}
