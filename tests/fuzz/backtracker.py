"""Counts what a backtracking matcher does in the worst case: it tries every way from a start, also after it found one.

``re`` tells nobody how many steps it took, and time says nothing on a busy machine. This machine runs the tree that
:mod:`doorward.regex_syntax` makes of a pattern, with a stack of its own, so that texts may be long.
"""

from __future__ import annotations

from doorward.regex_syntax import PROBES, Atom, Atomic, Choice, Edge, Node, Repeat, Sequence

_LATIN_1_END = 256
_INDEX = {probe: index for index, probe in enumerate(PROBES)}

# An instruction, such as ("atom", mask, next), ("split", every next), ("once", entry, next), ("end",)
Instruction = tuple[object, ...]


def pumped(text: str, length: int) -> str:
    """``text``, as far as the tree can speak of it, again and again, and an end that fits few patterns."""
    known = "".join(character for character in text if character in _INDEX and ord(character) < _LATIN_1_END)
    return (known * (length // max(1, len(known)) + 1))[: length - 1] + "\x01"


def is_exact(node: Node) -> bool:
    """Whether the machine matches just what the pattern matches: it looks at no edges but the start.

    Nor does it know that a lazy repeat comes to its shortest match first; in an atomic group that makes a difference.
    """
    match node:
        case Edge(starts=starts):
            return starts
        case Sequence(items=nodes) | Choice(branches=nodes):
            return all(map(is_exact, nodes))
        case Repeat(child=child):
            return is_exact(child)
        case _:
            return True


class Machine:
    """Runs one tree.

    Args:
        tree: What :func:`doorward.regex_syntax.parse` made of a pattern with a proven bound.
    """

    def __init__(self, tree: Node) -> None:
        self._program: list[Instruction] = [("end",)]
        self._entry = self._compiled(tree, 0)

    def run(self, text: str, *, whole: bool, most: int) -> bool:
        """Whether ``text`` matches, in at most ``most`` steps: atoms and edges tried.

        Raises:
            AssertionError: It takes more.
        """
        matched, left = False, most
        for start in range(1 if whole else len(text) + 1):
            if matched:
                break
            matched, left = self._run_from(start, text, whole=whole, left=left)
            assert left >= 0, f"more than {most} steps on {len(text)} characters"
        return matched

    def _run_from(self, start: int, text: str, *, whole: bool, left: int) -> tuple[bool, int]:
        ends, left = self._ends(self._entry, start, text, left=left)
        return (len(text) in ends if whole else bool(ends)), left

    def _ends(self, entry: int, start: int, text: str, *, left: int, once: bool = False) -> tuple[set[int], int]:
        """Where the part of the program that begins at ``entry`` can end; all places, or the first that is found."""
        program, ends = self._program, set()
        threads = [(entry, start)]
        while threads and left >= 0 and not (once and ends):
            number, at = threads.pop()
            match program[number]:
                case ("atom", int(mask), int(following)):
                    left -= 1
                    if at < len(text) and mask >> _INDEX[text[at]] & 1:
                        threads.append((following, at + 1))
                case ("start", int(following)):
                    left -= 1
                    if at == 0:
                        threads.append((following, at))
                case ("pass", int(following)):
                    left -= 1
                    threads.append((following, at))
                case ("once", int(inner), int(following)):
                    found, left = self._ends(inner, at, text, left=left, once=True)
                    threads.extend((following, end) for end in found)
                case ("split", *ways):
                    threads.extend((way, at) for way in reversed(ways) if isinstance(way, int))
                case _:
                    ends.add(at)
        return ends, left

    def _add(self, *instruction: object) -> int:
        self._program.append(instruction)
        return len(self._program) - 1

    def _compiled(self, node: Node, following: int) -> int:
        """The number of the instruction at which ``node`` and then ``following`` begin."""
        match node:
            case Atom(mask=mask):
                return self._add("atom", mask, following)
            case Edge(starts=starts):
                return self._add("start" if starts else "pass", following)
            case Sequence(items=items):
                for item in reversed(items):
                    following = self._compiled(item, following)
                return following
            case Choice(branches=branches):
                return self._add("split", *[self._compiled(branch, following) for branch in branches])
            case Repeat():
                return self._repeat(node, following)
            case Atomic(child=child):
                return self._add("once", self._compiled(child, 0), following)

    def _repeat(self, node: Repeat, following: int) -> int:
        if node.high is None:
            loop = self._add("split")
            self._program[loop] = ("split", self._compiled(node.child, loop), following)
            entry = loop
        else:
            entry = following
            for _ in range(node.high - node.low):
                entry = self._add("split", self._compiled(node.child, entry), following)
        for _ in range(node.low):
            entry = self._compiled(node.child, entry)
        return entry
