"""Commands of Windows' cmd.exe and of PowerShell that are put into values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.attacks.detectors.shell import CommandDetector
from doorward.attacks.detectors.shell_words import CMD

if TYPE_CHECKING:
    from doorward.attacks.rulebook import Rulebook


class WindowsDetector(CommandDetector):
    """Looks for commands where cmd.exe or PowerShell would run them.

    Args:
        book: The rules and vocabularies.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book, CMD)
