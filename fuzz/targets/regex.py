"""
Regular expressions, beside a slow reading of the same nodes, and Python's C{re}.

The expression is text in front of a NUL, what it is tried on stands behind.
"""

from __future__ import annotations

import re
import warnings

from fuzz.material import Material, require, seeds
from portmux.core.regex.automaton import Automaton
from portmux.core.regex.nodes import Anchor, Choice, Node, Octet, Repeat, Sequence
from portmux.core.regex.syntax import parse

SEEDS = seeds(
    1,
    [
        f"{pattern}\0{data}".encode()
        for pattern, data in (
            ("(a+)+$", "aaaaaaaaab"),
            ("(GET|POST) /git/", "GET /git/x"),
            ("(?i)host: [^\\r\\n]*example[.]org", "Host: www.EXAMPLE.org"),
            ("\\x16\\x03[\\0-\\x03].{2,3}", "\x16\x03\x01ab"),
            ("^a{2,}b*?|(?s:c.)\\Z|(?:)", "c\n"),
            ("[]a-f^-]{0,2}\\d\\W[^\\s]", "]-1 x"),
            ("é+|(?i:ß)", "éé"),
        )
    ],
)

_LONGEST_DATA = 48
_LONGEST_PATTERN = 64

_COMPARED = 8
"""Octets at most that C{re} is given: it may take exponential time."""


def check(data: bytes) -> None:
    material = Material(data)
    cut = material.number(_LONGEST_DATA)
    text, _, subject = material.rest().partition(b"\0")
    pattern = text.decode("utf-8", "surrogateescape")[:_LONGEST_PATTERN]
    subject = subject[:_LONGEST_DATA]
    try:
        node = parse(pattern)
        stream = Automaton.of_stream((pattern,))
        whole = Automaton.of_text(pattern)
    except ValueError as wrong:
        require(str(wrong), "a fault without words", pattern)
        return
    _check_cut(stream, subject, cut)
    _check_cut(whole, subject, cut)
    found = stream.go_on(stream.start, subject).matched
    ends = _ends(node, subject, {0}, shows_end=False)
    require(found == bool(ends), "stream", pattern, subject)
    found = whole.matches(subject)
    ends = _ends(node, subject, {0}, shows_end=True)
    require(found == (len(subject) in ends), "text", pattern, subject)
    _compare(node, pattern, subject[:_COMPARED])


def _check_cut(automaton: Automaton, data: bytes, cut: int) -> None:
    """Where the octets are cut makes no difference; what is settled stays."""
    once = automaton.go_on(automaton.start, data)
    state = automaton.go_on(automaton.start, data[:cut])
    again = automaton.go_on(state, data[cut:])
    require(
        (once.matched, once.settled) == (again.matched, again.settled), "cut", data, cut
    )
    if not automaton.start.settled and data:
        first = data[0] in automaton.first()
        state = automaton.go_on(automaton.start, data[:1])
        require(first == bool(state.positions), "first", data[:1])


def _ends(node: Node, data: bytes, starts: set[int], shows_end: bool) -> set[int]:
    """@return: where C{node} can end that begins at one of these places."""
    match node:
        case Octet(among):
            size = len(data)
            return {at + 1 for at in starts if at < size and among >> data[at] & 1}
        case Anchor():
            place = 0 if node is Anchor.START else len(data) if shows_end else -1
            return starts & {place}
        case Choice(branches):
            return {
                end
                for branch in branches
                for end in _ends(branch, data, starts, shows_end)
            }
        case Sequence(parts):
            for part in parts:
                starts = _ends(part, data, starts, shows_end)
            return starts
        case Repeat():
            return _repeated(node, data, starts, shows_end)


def _repeated(node: Repeat, data: bytes, starts: set[int], shows_end: bool) -> set[int]:
    now = starts
    for _ in range(node.least):
        following = _ends(node.node, data, now, shows_end)
        if following == now:
            break
        now = following
    found, count = set(now), node.least
    while now and count != node.most:
        now = _ends(node.node, data, now, shows_end) - found
        found |= now
        count += 1
    return found


def _compare(node: Node, pattern: str, data: bytes) -> None:
    """Ask C{re} where it means the same, and cannot take long."""
    simple = sum(map(pattern.count, "*+?{")) <= 3
    if not (simple and pattern.isascii()) or "$" in pattern or _loops_on_nothing(node):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            theirs = re.compile(pattern.encode())
    except (re.error, OverflowError, RecursionError, Warning):
        return
    ours = Automaton.of_text(pattern).matches(data)
    require(ours == (theirs.fullmatch(data) is not None), "re differs", pattern, data)


def _loops_on_nothing(node: Node) -> bool:
    """@return: what may be empty is repeated: C{re} gives up on some of these."""
    match node:
        case Repeat(inner, _, _):
            return bool(_ends(inner, b"", {0}, True)) or _loops_on_nothing(inner)
        case Sequence(parts) | Choice(parts):
            return any(map(_loops_on_nothing, parts))
        case _:
            return False
