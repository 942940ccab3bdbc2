"""Write the suite as JSON lines, and print how many requests there are of each class and topic."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from . import SEED, requests


def main() -> None:
    """What `python -m tests.attacks.benign` does."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.benign", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.jsonl")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    suite = requests(arguments.seed)
    with arguments.out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(request.row(), sort_keys=True) + "\n" for request in suite)
    for (kind, source), count in sorted(Counter((request.kind, request.source) for request in suite).items()):
        sys.stdout.write(f"{count:6d}  {kind:9}  {source}\n")
    for kind, count in sorted(Counter(request.kind for request in suite).items()):
        sys.stdout.write(f"{count:6d}  {kind}\n")
    sys.stdout.write(f"{len(suite):6d}  in all\n")


if __name__ == "__main__":
    main()
