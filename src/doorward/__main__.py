"""``python -m doorward``: the command line."""

from __future__ import annotations

from doorward.cli import entry

if __name__ == "__main__":
    entry()
