"""Match SSH clients that speak first (RFC 4253, section 4.2)."""

from __future__ import annotations

import re

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.regex.automaton import Automaton
from portmux.core.registry import Registry

_OPENING = Automaton.of_stream([r"SSH-(2\.0|1\.[0-9]{1,2})-"])
_LONGEST = len("SSH-1.99-")
_LINE = re.compile(rb"SSH-(?P<version>[0-9.]+)-(?P<software>[\x21-\x7e]{1,240})[ \r\n]")


@attrs.frozen
class Ssh:
    """Match the identification of an SSH client, version 2.0 or 1.x."""

    def match(self, head: Head) -> Verdict:
        state = _OPENING.go_on(_OPENING.start, head.data[:_LONGEST])
        if not state.settled:
            return Verdict.MORE
        return Verdict.of(state.matched)

    def why(self, head: Head) -> Reason:
        verdict = self.match(head)
        if verdict is Verdict.NO:
            start = printable(bytes(head.data[:_LONGEST]))
            return Reason(f"no SSH identification starts with {start}")
        if verdict is Verdict.MORE:
            return Reason(f"{len(head.data)} octets agree, more are needed")
        line = _LINE.match(head.data)
        facts = line.groupdict() if line is not None else {}
        return Reason(
            "SSH identification",
            facts=tuple((name, printable(fact)) for name, fact in facts.items()),
        )

    def first(self) -> frozenset[int]:
        return _OPENING.first()


def register(registry: Registry) -> None:
    registry.matcher("ssh", Ssh)
