"""``python -m doorward``: the command line."""

from __future__ import annotations

import sys

from doorward.cli import main

if __name__ == "__main__":
    sys.exit(main())
