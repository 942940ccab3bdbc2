"""Compiles decide.proto into decide_pb2.py: ``--check`` says whether that was done, ``--write`` does it.

The module holds the descriptors only, and not protoc's own Python code. That code registers its messages in the pool
that all of a process shares, where Arcjet's SDK has messages of the same names, and it refuses to run under any older
protobuf than the one which generated it.
"""

from __future__ import annotations

import base64
import sys
import tempfile
import textwrap
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

SERVICE = Path(__file__).parents[1] / "src/doorward/service"
SOURCE = SERVICE / "decide.proto"
COMPILED = SERVICE / "server/decide_pb2.py"
WIDTH = 116

HEAD = '''"""The messages of decide.proto. Made by tools/generate_proto.py; do not edit."""

from __future__ import annotations

import base64

DESCRIPTORS = base64.b64decode(
    """
'''
TAIL = '''    """
)
"""A serialized ``google.protobuf.FileDescriptorSet``: decide.proto and, before it, what it imports."""

__all__ = ["DESCRIPTORS"]
'''


def descriptors() -> bytes:
    """What protoc makes of the source."""
    with tempfile.NamedTemporaryFile() as result:
        known = files("grpc_tools") / "_proto"
        options = [f"-I{SOURCE.parent}", f"-I{known}", "--include_imports", f"--descriptor_set_out={result.name}"]
        if protoc.main(["protoc", *options, SOURCE.name]):
            raise SystemExit(f"{SOURCE} cannot be compiled")
        return Path(result.name).read_bytes()


def module() -> str:
    """The module that holds it."""
    lines = textwrap.wrap(base64.b64encode(descriptors()).decode(), WIDTH)
    return HEAD + "".join(f"    {line}\n" for line in lines) + TAIL


def main(arguments: list[str]) -> int:
    """0 if the module is what the source gives, or now is."""
    if arguments == ["--write"]:
        COMPILED.write_text(module())
    elif arguments != ["--check"]:
        print(__doc__, file=sys.stderr)
        return 2
    elif COMPILED.read_text() != module():
        print(f"{COMPILED.name} is not what {SOURCE.name} gives: run `make proto`")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
